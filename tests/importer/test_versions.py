"""Pages of OpenAPI 3.1 and 3.2: `relay import` keeps what they say, and mixes no versions."""

from pathlib import Path

import pytest
import yaml

from support.documenting import page, thing
from support.hosting import operation
from support.running import invoke

NAMED = {"type": ["string", "null"], "const": "a", "$ref": "#/components/schemas/b", "description": "Of 3.1"}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def later(document, version="3.1.1"):
    return {**document, "openapi": version}


def imported(*arguments, code=0, **pages):
    for name, document in pages.items():
        Path(f"{name}.md").write_text(page(document), "utf-8")
    names = [f"{name}.md" for name in pages]
    result = invoke("import", "--spec", "api.yaml", *arguments, *names)
    assert result.exit_code == code, result.output
    return result.output.splitlines()


def spec():
    return yaml.safe_load(Path("api.yaml").read_text("utf-8"))


def test_a_contract_gets_the_version_and_the_words_of_its_page():
    document = later(thing("a", NAMED, webhooks={"new": {"post": operation("sent")}}))
    document["components"]["schemas"]["b"] = True

    imported(a=document)

    assert spec()["openapi"] == "3.1.1"
    assert spec()["components"]["schemas"] == {"a": NAMED, "b": True}
    assert list(spec()["webhooks"]) == ["new"]
    assert imported("--check") == ["relay import: no page has changed"]


def test_webhooks_of_several_pages_are_merged():
    """Each may document one; one that differs is refused like a component."""
    webhooks = {name: {"post": operation(name)} for name in ("new", "old")}
    imported(a=later(thing("a", webhooks={"new": webhooks["new"]})))

    imported(b=later(thing("b", webhooks={"old": webhooks["old"]})))
    (refused, _) = imported(c=later(thing("c", webhooks={"old": webhooks["new"]})), code=1)

    assert spec()["webhooks"] == webhooks
    assert "webhooks/old differs from the contract's at 'post/operationId'" in refused


def test_operations_of_any_method_are_imported_one_by_one():
    """Those of another page stay, and a page that changed changes only its own."""
    item = {"query": operation("ask"), "additionalOperations": {"M-SEARCH": operation("search")}}
    imported(a=later({**thing("a"), "paths": {"/a": item}}, "3.2.0"))
    added = {"additionalOperations": {"PURGE": operation("purge")}}

    printed = imported(b=later({**thing("b"), "paths": {"/a": added}}, "3.2.0"))
    changed = {**item, "additionalOperations": {"M-SEARCH": operation("search", deprecated=True)}}
    updated = imported("--update", a=later({**thing("a"), "paths": {"/a": changed}}, "3.2.0"))

    assert printed[0] == "added PURGE /a (b.md)"
    assert updated[:2] == ["unchanged QUERY /a (a.md)", "updated M-SEARCH /a (a.md)"]
    assert list(spec()["paths"]["/a"]["additionalOperations"]) == ["M-SEARCH", "PURGE"]
    assert spec()["paths"]["/a"]["additionalOperations"]["M-SEARCH"]["deprecated"] is True


def test_fields_next_to_a_reference_of_a_path_are_part_of_it():
    item = {"$ref": "#/components/pathItems/Shared", "put": operation("put_a")}
    document = {**thing("a"), "paths": {"/a": item}}
    document["components"]["pathItems"] = {"Shared": {"get": operation("get_a")}}

    printed = imported(a=later(document))

    assert sorted(printed[:2]) == ["added GET /a (a.md)", "added PUT /a (a.md)"]
    assert spec()["paths"]["/a"] == {"get": operation("get_a"), "put": operation("put_a")}


@pytest.mark.parametrize(
    ("ours", "theirs", "message"),
    [
        ("3.0.3", "3.1.1", "move the contract up with `relay upgrade`"),
        ("3.1.1", "3.0.3", "save its OpenAPI as a file, and move that up with `relay upgrade`"),
        ("3.1.1", "3.2.0", "move the contract up with `relay upgrade`"),
    ],
)
def test_a_page_of_another_version_is_refused(ours, theirs, message):
    """Its schemas would mean something else; the contract stays as it was."""
    imported(a=later(thing("a"), ours))
    before = Path("api.yaml").read_bytes()

    printed = imported(b=later(thing("b"), theirs), code=1)

    assert printed[0].startswith("b.md:15:1: error: the page is OpenAPI 3.")
    assert message in printed[0]
    assert len(printed) == 2
    assert Path("api.yaml").read_bytes() == before


def test_a_page_of_3_1_is_part_of_a_contract_of_3_2():
    imported(a=later(thing("a"), "3.2.0"))

    assert imported(b=later(thing("b")))[2] == "added GET /b (b.md)"


def test_a_page_of_another_version_that_the_contract_has_already_is_no_error():
    """The contract was upgraded, and its publisher's pages were not."""
    imported(a=thing("a"))
    text = Path("api.yaml").read_text("utf-8")
    Path("api.yaml").write_text(text.replace("3.0.3", "3.1.1"), "utf-8")

    assert imported(a=thing("a"))[-1] == "unchanged GET /a (a.md)"


def test_a_schema_may_be_named_by_its_url_within_a_page():
    """The URL is a name, and nothing is fetched; that of no schema of the page is refused as before."""
    named = {"$id": "https://schemas.example/b", "type": "string"}
    document = later(thing("a", {"type": "array", "items": {"$ref": "https://schemas.example/b"}}))
    document["components"]["schemas"]["b"] = named

    imported(a=document)
    document["components"]["schemas"]["b"] = {"type": "string"}
    (refused,) = imported(b=document, code=2)

    assert spec()["components"]["schemas"]["b"] == named
    assert "'https://schemas.example/b' is a remote reference and is not fetched" in refused
