"""The contract as plain data: `relay.contract.model` and `relay.contract.structure`."""

from __future__ import annotations

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


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a contract, given as a document or as text, from `c.yaml` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def load(document):
        path = tmp_path / "c.yaml"
        path.write_text(
            document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False), "utf-8"
        )
        return load_contract(path)

    return load


def problems_of(load, document):
    """Return the errors of a contract, of which there is at least one."""
    with pytest.raises(SetupError) as raised:
        faultless(load(document))
    return [str(problem) for problem in raised.value.problems]


def without_prose(value):
    """Return a document without its summaries and descriptions."""
    if isinstance(value, dict):
        return {
            key: without_prose(item)
            for key, item in value.items()
            if not (key in ("summary", "description") and isinstance(item, str))
        }
    return [without_prose(item) for item in value] if isinstance(value, list) else value


def test_our_contract_has_the_structure_of_the_published_one():
    """Names, types, enums, examples and their order equal upstream's; only the prose differs."""
    expected = json.loads(
        Path(__file__).parents[1].joinpath("specs").joinpath("seed-structure.json").read_text("utf-8")
    )

    assert json.dumps(without_prose(load_contract(SPEC).document)) == json.dumps(expected)


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


@pytest.mark.parametrize("version", ["3.3.0", "2.0", "3.0", "3.1", "4.0.0"])
def test_refuses_a_version_that_it_does_not_know(load, version):
    """A document that is read by the rules of another version would silently have another meaning."""
    assert problems_of(load, contract({}, openapi=version)) == [
        f"c.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document: its version is {version}; set `openapi: 3.1.1`"
    ]


@pytest.mark.parametrize(
    ("version", "known"),
    [("3.0.4", "3.0"), ("3.1.0", "3.1"), ("3.1.2", "3.1"), ("3.2.0", "3.2"), ("3.2.1-rc", "3.2")],
)
def test_knows_the_versions_of_a_contract(load, version, known):
    """The patch version, which only corrects the specification, does not matter (OpenAPI 3.1.1, "Versions")."""
    assert load(contract({}, openapi=version)).version == known


def test_says_of_a_swagger_document_what_it_is(load):
    """To set its version to 3.0.3 would only lead to other errors; a command rewrites it."""
    (problem,) = problems_of(load, {"swagger": "2.0", "paths": {}})

    assert re.fullmatch(
        r"c\.yaml:1:1: is Swagger 2\.0; `relay upgrade \S*c\.yaml` rewrites it as OpenAPI 3\.1", problem
    )
    assert problems_of(load, {"swagger": "1.2"}) == ["c.yaml:1:1: is Swagger 1.2; convert it to OpenAPI 3.1"]


def test_rejects_a_document_that_is_not_an_object(load):
    """A list has no `openapi` field."""
    assert problems_of(load, "[1, 2]") == [
        "c.yaml:1:1: not an OpenAPI 3.0, 3.1 or 3.2 document: its version is missing; set `openapi: 3.1.1`"
    ]


def test_rejects_ambiguous_operations(load):
    """In Connexion two operations with one id silently share validation and security."""
    document = contract({"/a/{x}": {"get": operation("one")}, "/a/{y}": {"get": operation("one")}})
    for name, path in (("x", "/a/{x}"), ("y", "/a/{y}")):
        document["paths"][path]["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        ]

    found = "\n".join(problems_of(load, document))

    assert "GET /a/{y} has the same operationId as GET /a/{x}" in found
    assert "GET /a/{y} has the same path and method as GET /a/{x}" in found


def test_rejects_path_parameters_that_do_not_match_the_path(load):
    """Each would be an argument without a value."""
    parameter = {"name": "y", "in": "path", "required": True, "schema": {"type": "string"}}
    document = contract({"/a/{x}": {"get": operation("one", parameters=[parameter])}})

    found = "\n".join(problems_of(load, document))

    assert "GET /a/{x} does not declare its path parameter 'x'" in found
    assert "the path of GET /a/{x} has no '{y}'" in found


def test_rejects_an_undefined_security_scheme(load):
    """The server could not verify its credentials."""
    document = contract({"/a": {"get": operation("one", security=[{"ghost": []}])}})

    assert "requires the security scheme 'ghost', which is not defined" in problems_of(load, document)[0]


def test_reports_a_dangling_reference_together_with_other_errors(load):
    """All errors are reported in one run."""
    document = contract({"/a": {"get": operation("one")}, "nope": {}})
    document["paths"]["/a"]["get"]["parameters"] = [{"$ref": "#/components/parameters/Gone"}]

    found = problems_of(load, document)

    assert any("'#/components/parameters/Gone' does not exist" in problem for problem in found)
    assert any("'nope' is not a path; a path starts with '/'" in problem for problem in found)


def test_reports_a_reference_to_the_wrong_kind_of_object(load):
    """The target exists; only reading it as a parameter would fail."""
    document = contract({"/a": {"get": operation("one", parameters=[{"$ref": "#/components/schemas/S"}])}})
    document["components"] = {"schemas": {"S": {"type": "string"}}}

    (found,) = problems_of(load, document)

    assert found.endswith("'#/components/schemas/S' does not point to a Parameter Object")


def test_reports_only_the_missing_field_of_a_parameter(load):
    """Errors about the several kinds of parameter that match are omitted."""
    document = contract({"/a": {"get": operation("one", parameters=[{"name": "q", "schema": {}}])}})

    (found,) = problems_of(load, document)

    assert found.endswith("'in' is missing")


@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ({"name": "x", "in": "path", "schema": {}}, "'required' is missing"),
        ({"name": "x", "in": "qurey", "schema": {}}, "'qurey' is not one of path, query, header, cookie"),
    ],
)
def test_reports_what_is_wrong_for_the_parameters_own_location(load, parameter, message):
    """Errors that apply to the other locations are omitted."""
    document = contract({"/a/{x}": {"get": operation("one", parameters=[parameter])}})

    found, *others = problems_of(load, document)

    assert found.endswith(message)
    assert not any("'required'" in other or "'in'" in other for other in others)


def test_reports_only_the_type_of_a_value_of_the_wrong_type(load):
    """The fields that an array lacks as a parameter do not help the author."""
    document = contract({"/a": {"get": operation("one", parameters=[["q", "r"]])}})

    (found,) = problems_of(load, document)

    assert found.endswith("expected an object, found an array")


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
    problems = problems_of(load, contract({"/a": value}))

    assert any(text in str(problem) for problem in problems)


def test_rejects_a_circular_reference(load):
    """It has no definition."""
    document = contract({"/a": {"get": operation("one")}})
    document["components"] = {"parameters": {"A": {"$ref": "#/components/parameters/A"}}}
    document["paths"]["/a"]["get"]["parameters"] = [{"$ref": "#/components/parameters/A"}]

    assert "'#/components/parameters/A' is a circular reference" in problems_of(load, document)[0]


def test_merges_parameters_of_path_and_operation(load):
    """A parameter of the operation overrides one of the path with the same name and location."""
    shared = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 5}}
    own = {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 9}}
    elsewhere = {"name": "limit", "in": "header", "schema": {"type": "integer"}}
    path = {"parameters": [shared, elsewhere], "get": operation("one", parameters=[own])}

    (found,) = load(contract({"/a": path})).operations

    assert [(p.name, p.location, p.schema.get("maximum")) for p in found.parameters] == [
        ("limit", "query", 9),
        ("limit", "header", None),
    ]


def test_ignores_the_header_parameters_that_openapi_ignores(load):
    """OpenAPI 3.0.3: parameter definitions of Accept, Content-Type and Authorization shall be ignored."""
    headers = [
        {"name": name, "in": "header", "schema": {"type": "string"}}
        for name in ("Accept", "content-type", "Authorization", "X-Own")
    ]

    (found,) = load(contract({"/a": {"get": operation("one", parameters=headers)}})).operations

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


def test_reports_an_invalid_server_url(load):
    """The URL is the base of every path."""
    assert problems_of(load, contract({}, servers=[{"url": "http://[::bad/x"}])) == [
        "c.yaml:7:3: not a valid URL"
    ]


def test_an_extension_among_the_paths_is_not_a_path(load):
    """Its value may be anything, even a string that contains a method's name."""
    assert load(contract({"x-note": "get it", "x-more": {"get": {}}})).operations == ()


def test_names_an_operation_without_operation_id(load):
    """An operationId is optional in OpenAPI; the name is derived from method and path."""
    nameless = operation("x")
    del nameless["operationId"]

    (found,) = load(contract({"/pets/mine": {"get": nameless}})).operations

    assert found.id == "get_pets_mine"


def test_finds_the_documented_response_for_a_status(load):
    """The exact status, then its range, then `default` (OpenAPI 3.0.3, "Responses Object")."""
    responses = {key: {"description": key} for key in ("200", "2XX", "default")}

    (found,) = load(contract({"/a": {"get": operation("one", responses=responses)}})).operations

    assert [found.response(status).pointer[-1] for status in (200, 204, 404)] == ["200", "2XX", "default"]


def test_serves_the_file_unchanged():
    """The served YAML equals the file byte for byte."""
    assert load_contract(SPEC).as_yaml() == SPEC.read_bytes()


def test_json_that_yaml_parsers_refuse_is_written_as_yaml(tmp_path):
    """A file may be JSON whatever its name is; `/openapi.yaml` is YAML."""
    path = tmp_path / "c.yaml"
    text = json.dumps(
        {"openapi": "3.0.3", "info": {"title": "\U0001f600\x7f\x85", "version": "1"}, "paths": {}}
    )
    path.write_text(text, "utf-8")

    found = load_contract(path)

    assert yaml.safe_load(found.as_yaml()) == found.document == json.loads(text)
