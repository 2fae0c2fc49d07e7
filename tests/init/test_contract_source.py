"""Where a new project's contract comes from: `scripts/relay/init/contract_source.py`."""

from pathlib import PurePosixPath

import pytest
import yaml

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from relay.init.contract_source import read_source
from support.hosting import contract, operation, put

PETS = contract({"/pets": {"get": operation("list_pets")}})


def refers_to(ref):
    """A contract whose response schema is in another file."""
    content = {"application/json": {"schema": {"$ref": ref}}}
    answer = {"200": {"description": "ok", "content": content}}
    return contract({"/pets": {"get": operation("list_pets", responses=answer)}})


def taken(tmp_path, name, document, **others):
    """Read a contract from a file next to others; its files, written out, are the same contract."""
    path = tmp_path / "theirs" / name
    for key, content in {name: document, **others}.items():
        put(tmp_path / "theirs" / key, content if key.endswith(".json") else yaml.safe_dump(content))
    found = read_source(str(path), tmp_path / "ours")
    for place, content in found.files.items():
        put(tmp_path / "ours" / place, content)
    ours = load_contract(tmp_path / "ours" / found.root, tmp_path / "ours" / "spec")
    assert ours.document == load_contract(path, tmp_path / "theirs").document
    return found


def places(found):
    return sorted(map(str, found.files))


def test_a_file_becomes_spec_openapi_yaml_to_the_byte(tmp_path):
    """Comments and layout are its people's."""
    (tmp_path / "pets.yml").write_text(f"# ours\n{yaml.safe_dump(PETS)}", "utf-8")

    found = read_source(str(tmp_path / "pets.yml"), tmp_path / "ours")

    assert found.files == {PurePosixPath("spec/openapi.yaml"): (tmp_path / "pets.yml").read_bytes()}


def test_files_that_it_refers_to_keep_their_places(tmp_path):
    parts = {"parts/pet.yaml": {"type": "object"}}

    found = taken(tmp_path, "pets.yaml", refers_to("parts/pet.yaml"), **parts)

    assert places(found) == ["spec/openapi.yaml", "spec/parts/pet.yaml"]
    assert found.notes == ()


def test_json_becomes_yaml(tmp_path):
    found = taken(tmp_path, "pets.json", PETS)

    assert places(found) == ["spec/openapi.yaml"]
    assert found.files[PurePosixPath("spec/openapi.yaml")].startswith(b"openapi: 3.0.3\n")


def test_a_name_that_other_files_use_is_kept(tmp_path):
    """A reference back would lead nowhere."""
    document = refers_to("pet.yaml") | {"components": {"schemas": {"Name": {"type": "string"}}}}
    pet = {"type": "object", "properties": {"name": {"$ref": "pets.json#/components/schemas/Name"}}}

    found = taken(tmp_path, "pets.json", document, **{"pet.yaml": pet})

    assert places(found) == ["spec/pet.yaml", "spec/pets.json"]
    assert found.notes == (
        "the contract is spec/pets.json, as pyproject.toml says: its files refer to it by its name",
    )


def test_files_above_it_stay_above_it(tmp_path, monkeypatch):
    """Below spec/, never outside the project; they are only read if that was asked for."""
    monkeypatch.setenv("RELAY_CONTRACT_ROOT", str(tmp_path / "theirs"))
    found = taken(tmp_path, "api/pets.yaml", refers_to("../pet.yaml"), **{"pet.yaml": {"type": "object"}})

    assert places(found) == ["spec/api/pets.yaml", "spec/pet.yaml"]
    assert str(found.root) == "spec/api/pets.yaml"


def test_a_page_is_imported_with_its_lock(tmp_path):
    """The lock says where the operation is from, so that `relay import --check` can compare."""
    page = tmp_path / "list-pets.md"
    page.write_text(f"# List pets\n\n```yaml\n{yaml.safe_dump(PETS)}```\n", "utf-8")

    found = read_source(str(page), tmp_path / "ours")

    assert places(found) == ["spec/openapi.yaml", "spec/sources.lock"]
    assert [one.id for one in found.contract.operations] == ["list_pets"]
    assert b"page: ../../list-pets.md" in found.files[PurePosixPath("spec/sources.lock")]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.yaml", "openapi: 4.0.0", "not an OpenAPI 3.0, 3.1 or 3.2 document"),
        ("a.yaml", "a: [", "is not YAML"),
        ("a.md", "# no block", "has no ```yaml block"),
        ("a.ini", "[tox]", "is neither a page"),
    ],
)
def test_what_is_no_contract_is_refused(tmp_path, name, text, problem):
    (tmp_path / name).write_text(text, "utf-8")

    with pytest.raises(SetupError, match=problem):
        read_source(str(tmp_path / name), tmp_path / "ours")
