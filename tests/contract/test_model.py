"""The contract as plain data: `scripts/relay/contract/model.py` and `structure.py`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import OpenAPIV30SpecValidator

from relay.contract.diagnostics import SetupError
from relay.contract.loading import load_contract
from support.hosting import contract, operation
from support.running import SPEC


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Load a contract given as a document or as text, as `c.yaml` of the working directory."""
    monkeypatch.chdir(tmp_path)

    def load(document):
        path = tmp_path / "c.yaml"
        path.write_text(
            document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False), "utf-8"
        )
        return load_contract(path)

    return load


def problems_of(load, document):
    """The problems that loading a contract is refused for."""
    with pytest.raises(SetupError) as raised:
        load(document)
    return [str(problem) for problem in raised.value.problems]


def without_prose(value):
    """A document without its summaries and descriptions."""
    if isinstance(value, dict):
        return {
            key: without_prose(item)
            for key, item in value.items()
            if not (key in ("summary", "description") and isinstance(item, str))
        }
    return [without_prose(item) for item in value] if isinstance(value, list) else value


def test_our_contract_has_the_structure_of_the_published_one():
    """Names, types, enums, examples and their order are upstream's; only the prose is ours."""
    expected = json.loads(
        Path(__file__).parents[1].joinpath("specs").joinpath("seed-structure.json").read_text("utf-8")
    )

    assert json.dumps(without_prose(load_contract(SPEC).document)) == json.dumps(expected)


def test_our_contract_is_valid_openapi():
    """A second opinion, by a validator that is not part of the host."""
    assert list(OpenAPIV30SpecValidator(load_contract(SPEC).document).iter_errors()) == []


def test_tells_every_breach_of_the_structure_with_its_place(load):
    """Where a `$ref` could stand as well, the breach is told of what was written."""
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
        "c.yaml:6:65: 'minimu' is unknown here; is 'minimum' meant?",
        "c.yaml:8:70: 'strin' is none of array, boolean, integer, number, object, string",
    ]


@pytest.mark.parametrize("version", ["3.1.0", "2.0", "3.0", "4.0.0"])
def test_serves_openapi_3_0_only(load, version):
    """Reading a 3.1 document by 3.0's rules would silently mean something else."""
    assert problems_of(load, contract({}, openapi=version)) == [
        f"c.yaml:1:1: not an OpenAPI 3.0 document: it says {version}, and has to say `openapi: 3.0.3`"
    ]


def test_refuses_a_document_that_is_no_object(load):
    """A list has no `openapi` either."""
    assert problems_of(load, "[1, 2]") == [
        "c.yaml:1:1: not an OpenAPI 3.0 document: it does not say which version it is, and has to say `openapi: 3.0.3`"
    ]


def test_refuses_operations_that_cannot_be_told_apart(load):
    """Connexion lets two operations with one id share validation and security, silently."""
    document = contract({"/a/{x}": {"get": operation("one")}, "/a/{y}": {"get": operation("one")}})
    for name, path in (("x", "/a/{x}"), ("y", "/a/{y}")):
        document["paths"][path]["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        ]

    found = "\n".join(problems_of(load, document))

    assert "GET /a/{y} has the same operationId as GET /a/{x}" in found
    assert "GET /a/{y} has the same path and method as GET /a/{x}" in found


def test_refuses_path_parameters_that_do_not_match_the_path(load):
    """Each would be an argument that never arrives."""
    parameter = {"name": "y", "in": "path", "required": True, "schema": {"type": "string"}}
    document = contract({"/a/{x}": {"get": operation("one", parameters=[parameter])}})

    found = "\n".join(problems_of(load, document))

    assert "GET /a/{x} does not declare its path parameter 'x'" in found
    assert "the path of GET /a/{x} has no '{y}'" in found


def test_refuses_a_security_scheme_that_is_not_defined(load):
    """Nothing could verify it."""
    document = contract({"/a": {"get": operation("one", security=[{"ghost": []}])}})

    assert "needs the security scheme 'ghost', which is not defined" in problems_of(load, document)[0]


def test_tells_a_dangling_reference_beside_the_other_problems(load):
    """All problems at once."""
    document = contract({"/a": {"get": operation("one")}, "nope": {}})
    document["paths"]["/a"]["get"]["parameters"] = [{"$ref": "#/components/parameters/Gone"}]

    found = problems_of(load, document)

    assert any("'#/components/parameters/Gone' leads nowhere" in problem for problem in found)
    assert any("'nope' is no path: a path begins with '/'" in problem for problem in found)


def test_tells_a_reference_to_another_kind_of_object(load):
    """It is there, and it is a reference as it should be; only reading it as a parameter would fail."""
    document = contract({"/a": {"get": operation("one", parameters=[{"$ref": "#/components/schemas/S"}])}})
    document["components"] = {"schemas": {"S": {"type": "string"}}}

    (found,) = problems_of(load, document)

    assert found.endswith("what '#/components/schemas/S' leads to is no Parameter Object")


def test_tells_what_of_a_parameter_is_missing_and_nothing_beside(load):
    """Where several kinds of parameter fit, none of them is to blame."""
    document = contract({"/a": {"get": operation("one", parameters=[{"name": "q", "schema": {}}])}})

    (found,) = problems_of(load, document)

    assert found.endswith("'in' is missing")


@pytest.mark.parametrize(
    ("parameter", "told"),
    [
        ({"name": "x", "in": "path", "schema": {}}, "'required' is missing"),
        ({"name": "x", "in": "qurey", "schema": {}}, "'qurey' is none of path, query, header, cookie"),
    ],
)
def test_tells_of_a_parameter_what_is_wrong_with_its_own_kind(load, parameter, told):
    """Not what would be wrong with it if it stood elsewhere."""
    document = contract({"/a": {"get": operation("one", parameters=[parameter])}})

    (found,) = problems_of(load, document)

    assert found.endswith(told)


def test_tells_of_a_value_of_another_type_nothing_but_that(load):
    """What a list lacks of a parameter is no help."""
    document = contract({"/a": {"get": operation("one", parameters=[["q", "r"]])}})

    (found,) = problems_of(load, document)

    assert found.endswith("a list where an object belongs")


def test_refuses_a_reference_in_a_circle(load):
    """It stands for nothing."""
    document = contract({"/a": {"get": operation("one")}})
    document["components"] = {"parameters": {"A": {"$ref": "#/components/parameters/A"}}}
    document["paths"]["/a"]["get"]["parameters"] = [{"$ref": "#/components/parameters/A"}]

    assert "'#/components/parameters/A' leads back to itself" in problems_of(load, document)[0]


def test_merges_parameters_of_path_and_operation(load):
    """The operation's own goes before the path's of the same name and place."""
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
    """OpenAPI 3.0.3: definitions of Accept, Content-Type and Authorization shall be ignored."""
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
def test_serves_below_the_path_of_the_first_server(load, servers, base_path):
    """That is where a client that reads the contract looks."""
    assert load(contract({}, servers=servers)).base_path == base_path


def test_tells_where_a_server_is_no_url(load):
    """It is the base of every path."""
    assert problems_of(load, contract({}, servers=[{"url": "http://[::bad/x"}])) == ["c.yaml:7:3: not a URL"]


def test_an_extension_among_the_paths_is_no_path(load):
    """It may be anything, a text with a method's name in it too."""
    assert load(contract({"x-note": "get it", "x-more": {"get": {}}})).operations == ()


def test_names_an_operation_without_operation_id(load):
    """It is optional in OpenAPI; the name follows from method and path."""
    nameless = operation("x")
    del nameless["operationId"]

    (found,) = load(contract({"/pets/mine": {"get": nameless}})).operations

    assert found.id == "get_pets_mine"


def test_finds_the_documented_answer_for_a_status(load):
    """Exact, then range, then default (OpenAPI 3.0.3, "Responses Object")."""
    answers = {key: {"description": key} for key in ("200", "2XX", "default")}

    (found,) = load(contract({"/a": {"get": operation("one", responses=answers)}})).operations

    assert [found.response(status).pointer[-1] for status in (200, 204, 404)] == ["200", "2XX", "default"]


def test_serves_the_file_as_it_is():
    """The YAML that goes out is the file, to the byte."""
    assert load_contract(SPEC).as_yaml() == SPEC.read_bytes()
