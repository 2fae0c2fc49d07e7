"""The cost of a contract: `relay.contract.limits`, and the files that it may read."""

import json
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract import limits
from relay.contract.diagnostics import SetupError
from relay.contract.documents import read_document
from relay.contract.loading import load_contract
from support.hostile_files import chain, document, doubling, operations
from support.hosting import ref

STRING = {"type": "string"}


@pytest.fixture
def problems(tmp_path, monkeypatch):
    """Load a contract from `api/openapi.json` next to other files; return its errors."""
    monkeypatch.chdir(tmp_path)

    def problems(contract, folder=None, **files):
        (tmp_path / "api").mkdir(exist_ok=True)
        for name, content in {"api/openapi.json": contract, **files}.items():
            data = content if isinstance(content, bytes) else json.dumps(content).encode()
            (tmp_path / name).write_bytes(data)
        path = tmp_path / "api/openapi.json"
        return [str(problem) for problem in problems_of(path, folder and tmp_path / folder)]

    return problems


def problems_of(path, folder=None):
    try:
        return list(load_contract(path, folder).faults)
    except SetupError as exc:
        return exc.problems


def referring(ref):
    return document(S0={"$ref": ref})


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf"])
def test_refuses_schemas_that_double(problems, keyword):
    """Twenty schemas of which each has the next one twice validate a value a million times."""
    (problem,) = problems(doubling(keyword, 20))
    assert "it combines more than 10,000 schemas by $ref, allOf, anyOf, oneOf and not" in problem


def test_accepts_a_wide_union_that_is_used_often(problems):
    """As in contracts with hundreds of events, each an `allOf` of a base."""
    events = {
        f"E{n}": {"allOf": [ref("Base"), {"type": "object", "properties": {f"p{n}": STRING}}]}
        for n in range(300)
    }
    union = {"oneOf": [ref(name) for name in events]}
    paths = {
        path: item for n in range(100) for path, item in operations(ref("Event"), f"/p{n}", f"op{n}").items()
    }

    assert problems(document(paths, Base={"type": "object"}, Event=union, **events)) == []


def test_accepts_a_discriminator_in_a_base_that_its_kinds_extend(problems):
    """A circle through oneOf and allOf, which generators write."""
    kinds = {f"Kind{n}": {"allOf": [ref("Base"), {"type": "object"}]} for n in range(30)}
    base = {"type": "object", "oneOf": [ref(name) for name in kinds]}
    assert problems(document(operations(ref("Base")), Base=base, **kinds)) == []


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_the_work_of_reading_is_bounded(tmp_path_factory, data):
    """For all references between them: at most a few schemas, and each is read or refused."""
    names = [f"S{n}" for n in range(data.draw(st.integers(2, 25)))]
    parts = st.lists(st.sampled_from(names), max_size=25).map(lambda found: [*map(ref, found)])
    schemas = {
        name: data.draw(
            st.one_of(
                st.sampled_from(["allOf", "anyOf", "oneOf"]).flatmap(
                    lambda keyword: parts.map(lambda found: {keyword: [{}, *found]})
                ),
                st.sampled_from(names).map(lambda found: {"not": ref(found)}),
                parts.map(lambda found: {"properties": {f"p{n}": one for n, one in enumerate(found)}}),
            )
        )
        for name in names
    }
    path = tmp_path_factory.mktemp("limits") / "c.json"
    path.write_text(json.dumps(document(**schemas)), "utf-8")

    assert {problem.rule for problem in problems_of(path)} <= {"limit", "circular-ref"}


def test_refuses_a_long_chain_of_refs_once(problems):
    """Three thousand of them took forty seconds; a chain is one problem."""
    (problem,) = problems(chain(3000))
    assert "starts a chain of more than 100 $refs; refer to its end" in problem


@pytest.mark.parametrize("ref", ["../private.json#/s", "/etc/passwd", "link.json#/s"])
def test_reads_no_file_outside_its_folder(problems, tmp_path, ref):
    """It would be served at /openapi.json; nothing of it is quoted, not even whether it exists."""
    (tmp_path / "api").mkdir()
    (tmp_path / "api/link.json").symlink_to(tmp_path / "private.json")
    (problem,) = problems(referring(ref), **{"private.json": {"s": {"type": "secret word"}}})
    assert f"'{ref}' is outside the contract's folder; copy the file into it, or set contract-root" in problem
    assert "secret" not in problem


def test_reads_files_within_the_contract_root(problems):
    """Contracts may share files, if the project says so."""
    ref = referring("../shared.json#/s")
    assert problems(ref, ".", **{"shared.json": {"s": STRING}}) == []


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("other", "contract-root: other does not contain api/openapi.json; set it (RELAY_CONTRACT_ROOT) to"),
        ("a\0b", "is not the name of a folder"),
        ("loop", "contract-root: "),
    ],
)
def test_a_contract_root_without_the_contract_is_an_error(problems, tmp_path, root, reason):
    """Otherwise the setting would silently have no effect."""
    (tmp_path / "loop").symlink_to("loop")
    (problem,) = problems(document(), root)
    assert problem.startswith("contract-root: ")
    assert reason in problem


@pytest.mark.parametrize(
    ("ref", "reason"),
    [
        ("%00", "is not the name of a file"),
        ("a%00b.json#/s", "is not the name of a file"),
        ("//[", "is not the name of a file"),
        ("a" * 5000, "is not the name of a file"),
        ("a" * 300, "File name too long"),
        (".", "Is a directory"),
        ("pipe", "not a regular file"),
        ("latin.yaml", "is not YAML in UTF-8"),
        ("loop", "is not the name of a file"),
    ],
)
def test_a_reference_that_cannot_be_read_is_a_line(problems, tmp_path, ref, reason):
    """A pipe without a writer would keep the command from ending."""
    (tmp_path / "api").mkdir()
    os.mkfifo(tmp_path / "api/pipe")
    (tmp_path / "api/loop").symlink_to("loop")

    found = problems(referring(ref), **{"api/latin.yaml": b"\xff\xfe\xfa"})

    assert any(reason in problem for problem in found), found
    assert all("\n" not in problem for problem in found)


@pytest.mark.parametrize(
    "content",
    [
        b"secret word",
        b"secret: [word",
        b"{secret: 1, secret: 2}",
        b"!secret {a: b}",
        b"{type: secret}",
        b"{secret: word}",
        b"{$ref: secret}",
        b"{allOf: secret}",
        b"{$ref: '#/secret'}",
    ],
)
def test_errors_quote_nothing_of_other_files(problems, content):
    """A contract may lie next to a private file; the place says enough to its owner."""
    found = problems(referring("other.yaml"), **{"api/other.yaml": content})
    assert found
    assert not any("secret" in problem for problem in found), found


def test_values_are_counted_before_they_are_built(tmp_path, monkeypatch):
    """A file of some megabytes took gigabytes, to be refused afterwards."""
    monkeypatch.setattr(limits, "MAX_VALUES", 10)
    path = tmp_path / "api.yaml"
    path.write_text("a: 1\nb: {c: [1, 2, 3], d: {e: 1}}\n" + "f: [1, 2, 3, 4]\n", "utf-8")
    with pytest.raises(SetupError, match=r"api\.yaml:3:5: has more than .* values up to here"):
        read_document(path)
