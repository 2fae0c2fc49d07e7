"""The contract as plain data: `relay.contract.model` and `relay.contract.structure`."""

import json
import re
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from relay.contract.diagnostics import SetupError
from relay.contract.loading import faultless, load_contract
from support.hosting import contract, operation
from support.running import SPEC

STRING = {"type": "string"}


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a contract, given as a document or as text, from `c.yaml` in the working directory."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "c.yaml"

    def load(document):
        text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
        path.write_text(text, "utf-8")
        return load_contract(path)

    return load


def problems_of(load, document):
    """Return the errors of a contract, of which there is at least one."""
    with pytest.raises(SetupError) as raised:
        faultless(load(document))
    return [str(problem) for problem in raised.value.problems]


def getting(path="/a", **rest):
    return contract({path: {"get": operation("one", **rest)}})


def only(load, document):
    (found,) = load(document).operations
    return found


def without_prose(value):
    if isinstance(value, dict):
        return {
            key: without_prose(item)
            for key, item in value.items()
            if not (key in ("summary", "description") and isinstance(item, str))
        }
    return [without_prose(item) for item in value] if isinstance(value, list) else value


def test_our_contract_has_the_structure_of_the_published_one():
    """Names, types, enums, examples and their order equal upstream's; only the prose differs."""
    file = Path(__file__).parents[1] / "specs/seed-structure.json"
    assert json.dumps(without_prose(load_contract(SPEC).document)) == json.dumps(
        json.loads(file.read_bytes())
    )


def test_our_contract_is_valid_openapi():
    """Checked by a validator that is independent of ours."""
    assert list(OpenAPIV30SpecValidator(load_contract(SPEC).document).iter_errors()) == []


def test_reports_every_structure_violation_with_its_location(load):
    """Where a `$ref` is also allowed, the error describes the object that was written."""
    document = """\
openapi: 3.0.3
info: {title: x}
paths:
  /a:
    get:
      parameters: [{name: q, in: query, schema: {type: integer, minimu: 1}}]
      responses:
        200: {description: ok, content: {application/json: {schema: {type: strin}}}}
"""
    assert problems_of(load, document) == [
        "c.yaml:2:1: 'version' is missing",
        "c.yaml:6:65: unknown field 'minimu'; did you mean 'minimum'?",
        "c.yaml:8:70: 'strin' is not one of array, boolean, integer, number, object, string",
    ]


NOT_OPENAPI = "c.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document: its version is {}; set `openapi: 3.1.1`"


@pytest.mark.parametrize(
    ("document", "message"),
    [
        *((contract({}, openapi=one), NOT_OPENAPI.format(one)) for one in ("3.3.0", "2.0", "3.0", "3.1", "4.0.0")),
        ("[1, 2]", NOT_OPENAPI.format("missing")),
        ({"swagger": "1.2"}, "c.yaml:1:1: is Swagger 1.2; convert it to OpenAPI 3.1"),
    ],
)  # fmt: skip
def test_refuses_a_version_that_it_does_not_know(load, document, message):
    """A document that is read by the rules of another version would silently have another meaning."""
    assert problems_of(load, document) == [message]


def test_says_of_a_swagger_document_which_command_rewrites_it(load):
    """To set its version to 3.0.3 would only lead to other errors."""
    (problem,) = problems_of(load, {"swagger": "2.0", "paths": {}})
    expected = r"c\.yaml:1:1: is Swagger 2\.0; `relay upgrade \S*c\.yaml` rewrites it as OpenAPI 3\.1"
    assert re.fullmatch(expected, problem)


@pytest.mark.parametrize(
    ("version", "known"),
    [("3.0.4", "3.0"), ("3.1.0", "3.1"), ("3.1.2", "3.1"), ("3.2.0", "3.2"), ("3.2.1-rc", "3.2")],
)
def test_knows_the_versions_of_a_contract(load, version, known):
    """The patch version, which only corrects the specification, does not matter (OpenAPI 3.1.1, "Versions")."""
    assert load(contract({}, openapi=version)).version == known


def variable(name):
    return {"name": name, "in": "path", "required": True, "schema": STRING}


def circular(kind, **components):
    ref = {"$ref": f"#/components/{kind}/A"}
    return {**getting(parameters=[ref]), "components": {kind: {"A": components or ref}}}


@pytest.mark.parametrize(
    ("document", "messages"),
    [
        (
            contract(
                {f"/a/{{{name}}}": {"get": operation("one", parameters=[variable(name)])} for name in "xy"}
            ),
            [
                "GET /a/{y} has the same operationId as GET /a/{x}",
                "GET /a/{y} has the same path and method as GET /a/{x}",
            ],
        ),
        (
            getting("/a/{x}", parameters=[variable("y")]),
            ["GET /a/{x} does not declare its path parameter 'x'", "the path of GET /a/{x} has no '{y}'"],
        ),
        (getting(security=[{"ghost": []}]), ["GET /a requires the security scheme 'ghost', which is not defined, or not correctly"]),
        (
            contract(
                {
                    "/a": {"get": operation("one", parameters=[{"$ref": "#/components/parameters/Gone"}])},
                    "b": {},
                }
            ),
            ["'#/components/parameters/Gone' does not exist", "'b' is not a path; a path starts with '/'"],
        ),
        (circular("schemas", **STRING), ["'#/components/schemas/A' does not point to a Parameter Object"]),
        (
            getting(parameters=[{"$ref": "#/components/schemas/A"}])
            | {"components": {"schemas": {"A": {"$ref": "#/components/schemas/B"}, "B": STRING}}},
            ["'#/components/schemas/A' does not point to a Parameter Object"],
        ),
        (circular("parameters"), ["'#/components/parameters/A' is a circular reference"]),
        (contract({}, servers=[{"url": "http://[::bad/x"}]), ["c.yaml:7:3: not a valid URL"]),
    ],
    ids="ambiguous variables scheme dangling kind indirect circular server".split(),
)  # fmt: skip
def test_reports_all_errors_of_a_contract_in_one_run(load, document, messages):
    """In Connexion two operations with one id share validation and security, and a parameter has no value."""
    found = "\n".join(problems_of(load, document))
    assert [message for message in messages if message not in found] == []


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"name": "q", "schema": {}}, "'in' is missing"),
        ({"name": "x", "in": "path", "schema": {}}, "'required' is missing"),
        ({"name": "x", "in": "qurey", "schema": {}}, "'qurey' is not one of path, query, header, cookie"),
        (["q", "r"], "expected an object, found an array"),
    ],
)
def test_reports_what_is_wrong_with_a_parameter_of_its_own_location(load, parameter, message):
    """Errors about the several kinds of parameter that match, and about other locations, are omitted."""
    found, *others = problems_of(load, getting("/a/{x}", parameters=[parameter]))
    assert found.endswith(message)
    assert not any("is missing" in other or "not one of" in other for other in others)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("x" * 80, f"'{'x' * 37}...'"),
        ("https://example.org/" + "a/" * 20, "'https://example.org/a/a/a/a/a/a/a/a/a...'"),
        ("several\n words", "'several words'"),
        (10**70, f"1{'0' * 36}..."),
    ],
)
def test_shows_the_beginning_of_a_long_value(load, value, text):
    """A value of one long word is cut like any other, so that the reader recognizes it."""
    assert any(text in problem for problem in problems_of(load, contract({"/a": value})))


def test_merges_parameters_of_path_and_operation(load):
    """A parameter of the operation overrides one of the path with the same name and location."""
    shared, own = ({"name": "limit", "in": "query", "schema": {"maximum": most}} for most in (5, 9))
    elsewhere = {"name": "limit", "in": "header", "schema": {}}
    path = {"parameters": [shared, elsewhere], "get": operation("one", parameters=[own])}

    found = only(load, contract({"/a": path})).parameters

    expected = [("limit", "query", 9), ("limit", "header", None)]
    assert [(one.name, one.location, one.schema.get("maximum")) for one in found] == expected


def test_ignores_the_header_parameters_that_openapi_ignores(load):
    """OpenAPI 3.0.3: parameter definitions of Accept, Content-Type and Authorization shall be ignored."""
    names = ("Accept", "content-type", "Authorization", "X-Own")
    found = only(
        load, getting(parameters=[{"name": name, "in": "header", "schema": STRING} for name in names])
    )
    assert [parameter.name for parameter in found.parameters] == ["X-Own"]


@pytest.mark.parametrize(
    ("servers", "base_path"),
    [
        ([], ""),
        ([{"url": "/"}], ""),
        ([{"url": "https://api.example/v1/"}], "/v1"),
        ([{"url": "/{stage}/v2", "variables": {"stage": {"default": "beta"}}}], "/beta/v2"),
        ([{"url": "/one"}, {"url": "/two"}], "/one"),
        ([{"url": "v1"}], "/v1"),
    ],
)
def test_the_base_path_is_the_path_of_the_first_server(load, servers, base_path):
    """Clients that read the contract send their requests there."""
    assert load(contract({}, servers=servers)).base_path == base_path


def test_serves_the_file_unchanged():
    assert load_contract(SPEC).as_yaml() == SPEC.read_bytes()


def test_json_that_yaml_parsers_refuse_is_written_as_yaml(load):
    """A file may be JSON whatever its name is; `/openapi.yaml` is YAML."""
    text = json.dumps(
        {"openapi": "3.0.3", "info": {"title": "\U0001f600\x7f\x85", "version": "1"}, "paths": {}}
    )
    found = load(text)
    assert yaml.safe_load(found.as_yaml()) == found.document == json.loads(text)
