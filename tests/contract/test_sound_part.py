"""Errors of a contract are reported; only the operations that they make impossible are not served."""

import pytest

from support.compiled import read
from support.hosting import contract

OK = {"responses": {"200": {"description": "ok"}}}


def answering(schema):
    return {"responses": {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}}


def taking(**parameter):
    return {**OK, "parameters": [{"name": "q", "in": "query", "schema": {}, **parameter}]}


@pytest.mark.parametrize(
    ("written", "message", "meant"),
    [
        ({"type": ["string", "null"]}, "type takes one name", {"type": "string", "nullable": True}),
        ({"type": ["string", "integer"]}, "type takes one name", {}),
        ({"type": "file"}, "'file' is not one of", {}),
        ({"type": "string", "const": "a"}, "unknown field 'const'", {"type": "string"}),
        ({"type": "string", "examples": ["a"]}, "'examples' is not allowed here", {"type": "string"}),
        ({"minimum": 1, "exclusiveMaximum": 5}, "expected true or false", {"minimum": 1, "maximum": 5, "exclusiveMaximum": True}),
        ({"properties": {"a": {"required": True}}}, "expected an array", {"properties": {"a": {}}}),
        ({"properties": {"a": None}}, "expected an object, found null", {"properties": {"a": {}}}),
        ({"properties": []}, "expected an object, found an array", {}),
        ({"required": []}, "less than 1 item", {}),
        ({"enum": []}, "less than 1 item", {}),
        ({"nullable": "true"}, "expected true or false", {"nullable": True}),
        ({"nullable": "no"}, "expected true or false", {}),
        ({"minLength": "5"}, "expected an integer", {}),
        ({"items": [{"type": "string"}]}, "expected an object, found an array", {"items": {}}),
        ({"allOf": {"type": "object"}}, "expected an array", {}),
        ({"type": "string", "not": None}, "expected an object", {"type": "string"}),
        ({"allOf": [None, {"type": "string"}]}, "expected an object", {"allOf": [{}, {"type": "string"}]}),
        ({"discriminator": "kind"}, "expected an object", {}),
        ({"discriminator": {}}, "'propertyName' is missing", {}),
        ({"title": 5, "description": None}, "expected a string", {"title": "5"}),
        ({"$ref": "#/components/schemas/Ghost"}, "does not exist", {}),
        ({"$ref": "https://example.com/x.json"}, "is a remote reference", {}),
        ({"additionalProperties": {"$ref": "#/info"}}, "does not point to a Schema", {"additionalProperties": {}}),
    ],
)  # fmt: skip
def test_a_wrong_keyword_of_a_schema_is_read_as_it_is_meant_or_ignored(written, message, meant):
    """The rest of the schema still says something, and so do all other operations."""
    found = read(contract({"/a": {"get": answering(written)}}))

    assert [str(one) for one in found.operations] == ["GET /a"]
    assert found.operations[0].responses["200"].content == {"application/json": meant}
    assert message in str(found.faults[0])
    assert found.left_out == ()
    assert found.published["paths"] == {"/a": {"get": answering(written)}}


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({"responses": {"200": {}}}, "'description' is missing"),
        ({"responses": {}}, "less than 1 property"),
        ({}, "'responses' is missing"),
        ({"responses": {"200": {"$ref": "#/components/responses/Ghost"}}}, "does not exist"),
        ({"responses": {"200": None}}, "expected an object, found null"),
        ({"responses": {"200 OK": {"description": "x"}}}, "unknown field '200 OK'"),
        ({**OK, "tags": [2026]}, "expected a string, found 2026"),
        ({"responses": {"200": {"description": "", "content": {"x-note": 5}}}}, "expected an object, found 5"),
        ({**OK, "consumes": ["text/plain"]}, "unknown field 'consumes'"),
        ({**OK, "parameters": None}, "expected an array, found null"),
        ({**OK, "parameters": [{"name": "q", "in": "query"}]}, "'schema' is missing"),
        ({**OK, "parameters": [{"name": "q", "in": "query", "type": "string"}]}, "a field 'type' is not allowed here"),
        (taking(required="true"), "expected true or false"),
        (taking(style="csv"), "'csv' is not one of"),
        (taking(content={"text/plain": {}}), "mutually exclusive"),
        (taking(example=1, examples={"a": {"value": 1}}), "mutually exclusive"),
        ({**OK, "parameters": taking()["parameters"] * 2}, "non-unique"),
        ({**OK, "requestBody": {}}, "'content' is missing"),
        ({**OK, "requestBody": {"content": {"a/b": {"schema": {}, "encoding": {"x": {"contentType": 5}}}}}}, "expected a string"),
        ({"responses": {"200": {"description": "", "headers": {"X": {"type": "string"}}}}}, "'schema' is missing"),
        ({"responses": {"200": {"description": "", "headers": {"X": {"$ref": "#/components/headers/H"}}}}}, "does not exist"),
        ({"responses": {"200": {"description": "", "links": {"X": {"operationId": 4}}}}}, "expected a string"),
        ({"responses": {"200": {"description": "", "content": {"text/plain": None}}}}, "expected an object"),
        ({**OK, "callbacks": {"required": True}}, "expected an object"),  # was read as if it were a field, again and again
        ({**OK, "operationId": 5, "tags": "x", "deprecated": "true", "summary": None}, "expected"),
    ],
)  # fmt: skip
def test_an_operation_is_served_without_what_is_only_documentation(operation, message):
    """A person who reads the contract knows what is meant, so the server does, too."""
    found = read(contract({"/a": {"get": operation}}))
    assert [str(one) for one in found.operations] == ["GET /a"]
    assert any(message in str(fault) for fault in found.faults)
    assert found.left_out == ()


@pytest.mark.parametrize(
    ("operation", "message"),
    [
        ({**OK, "parameters": [{"name": "b", "in": "body", "schema": {}}]}, "'body' is not one of"),
        ({**OK, "parameters": [{"in": "query", "schema": {}}]}, "'name' is missing"),
        ({**OK, "parameters": [{"$ref": "#/components/parameters/Ghost"}]}, "does not exist"),
        ({**OK, "requestBody": {"$ref": "#/components/requestBodies/Ghost"}}, "does not exist"),
        ({**OK, "security": {"key": []}}, "expected an array, found an object"),
        ({**OK, "security": None}, "expected an array, found null"),
        ({**OK, "security": [{"ghost": []}]}, "the security scheme 'ghost', which is not defined"),
        ("text", "expected an object"),
    ],
)
def test_an_operation_that_cannot_be_served_is_left_out_alone(operation, message):
    """The others can be used before it is corrected."""
    found = read(contract({"/a": {"get": operation, "post": OK}, "/b": {"get": OK}}))

    assert [str(one) for one in found.operations] == ["POST /a", "GET /b"]
    (fault,) = found.faults
    assert message in str(fault)
    (one,) = found.left_out
    assert (one.method, one.path) == ("get", "/a")
    assert one.reason.message == f"GET /a is not served: {fault.message}"
    assert one.reason.other == fault.where


def test_an_operation_that_is_left_out_is_found_by_its_name():
    """A command that gets it says why it is not served, once for all its errors, and suggests no other one."""
    nameless = {"in": "query", "schema": {}}
    bad = {**OK, "operationId": "updateIt", "parameters": [nameless, {**nameless, "in": "header"}]}
    found = read(contract({"/a": {"put": bad, "get": {**OK, "operationId": "getIt"}}}))
    (one,) = found.left_out
    assert found.not_served("updateIt") == found.not_served("PUT /a") == one
    assert found.not_served("getIt") is None


def test_a_wrong_component_leaves_out_the_operations_that_need_it():
    """Directly, or through another component."""
    components = {
        "parameters": {"Bad": {"name": "b", "in": "body"}, "Other": {"$ref": "#/components/parameters/Bad"}},
        "schemas": {"Bad": {"type": "objekt"}},
    }
    using = {**OK, "parameters": [{"$ref": "#/components/parameters/Other"}]}
    paths = {"/a": {"get": using}, "/b": {"get": answering({"$ref": "#/components/schemas/Bad"})}}

    found = read(contract(paths, components=components))

    assert [str(one) for one in found.operations] == ["GET /b"]
    (one,) = found.left_out
    assert one.reason.message.startswith(
        "GET /a is not served: 'body' is not one of path, query, header, cookie"
    )


def test_components_of_any_name_are_checked():
    """Generators write names that the specification does not allow, such as `List<Pet>`."""
    components = {"schemas": {"List<Pet>": {"type": "list"}, "$ref": "#/info"}}
    found = read(contract({"/a": {"get": OK}}, components=components))
    assert found.document["components"]["schemas"] == {"List<Pet>": {}, "$ref": {}}
    assert len(found.faults) == 2


KEY = {"type": "apiKey", "in": "header", "name": "X-Key"}
SHARED = {"/a": {"$ref": "#/components/pathItems/S"}, "/b": {"$ref": "#/components/pathItems/S", "put": OK}}
PUBLIC = {**OK, "security": []}


def shared(**item):
    return {"openapi": "3.1.0", "components": {"pathItems": {"S": item}}}


@pytest.mark.parametrize(
    ("paths", "rest", "served", "left_out"),
    [
        ({"/a": {**taking(**{"in": "nowhere"}), "get": OK, "put": OK}, "/b": {"get": OK}}, {}, ["GET /b"], ["GET /a", "PUT /a"]),
        ({"/a/{x}": {"get": {**OK, "parameters": []}}, "/a/{y}": {"get": OK}}, {}, ["GET /a/{x}"], ["GET /a/{y}"]),
        ({"/a": None, "b": {"get": OK}, "/c": {"get": OK}}, {}, ["GET /c"], ["/a", "GET b"]),
        ({"/a": {"get": OK}}, {"$ref": "#/nowhere"}, ["GET /a"], []),
        (
            {"/a": {"get": OK, "post": {**OK, "security": [{"key": []}]}}, "/b": {"get": PUBLIC}},
            {"components": {"securitySchemes": {"key": KEY}}, "security": {"key": []}},
            ["POST /a", "GET /b"],
            ["GET /a"],
        ),
        ({"/a": {"$ref": "#/x-items/S"}}, {"security": 5, "x-items": {"S": {"get": OK, "post": PUBLIC}}}, ["POST /a"], ["GET /a"]),
        (SHARED, shared(get=OK, post={**OK, "security": 5}), ["GET /a", "GET /b", "PUT /b"], ["POST /a", "POST /b"]),
        (SHARED, shared(get=OK, parameters=[{"in": "query", "schema": {}}]), [], ["GET /a", "GET /b", "PUT /b"]),
    ],
    ids=[
        "a wrong part that the operations of a path share",
        "of two operations with the same requests the second one",
        "paths whose operations are not known, and what is no path",
        "nothing because of a reference next to the rest of a contract",
        "what relies on wrong security of the document, which would become public",
        "the same in a shared path item",
        "an operation of a shared path item, in each path",
        "paths with a wrong path item",
    ],
)  # fmt: skip
def test_what_a_fault_concerns_is_left_out_of_every_path(paths, rest, served, left_out):
    """It would be missing without a word, as if it were not in the contract."""
    found = read({**contract(paths), **rest})
    assert sorted(map(str, found.operations)) == sorted(served)
    assert sorted(one.reason.message.partition(" is not served")[0] for one in found.left_out) == left_out


@pytest.mark.parametrize("version", ["3.0.3", "3.2.0"])
@pytest.mark.parametrize("name", ["example", "license", "examples", "headers", "content"])
@pytest.mark.parametrize("scopes", [None, {}, 5, [{}]])
def test_a_security_scheme_may_have_the_name_of_a_field(version, name, scopes):
    """A wrong `license` was ignored as if it were that of the contract: the operation became public."""
    scheme = {"type": "apiKey", "in": "header", "name": "X-Key"}
    document = contract(
        {"/a": {"get": {**OK, "security": [{name: scopes}]}, "post": OK}},
        components={"securitySchemes": {name: scheme}},
    )

    found = read({**document, "openapi": version})

    assert [str(one) for one in found.operations] == ["POST /a"]
    assert [one.method for one in found.left_out] == ["get"]


@pytest.mark.parametrize("scheme", [{"type": "apiKey", "in": "body", "name": "x"}, {"type": "http"}, None])
def test_a_wrong_security_scheme_leaves_out_what_requires_it(scheme):
    """An alternative that can be verified is still accepted."""
    good = {"type": "apiKey", "in": "header", "name": "X-Key"}
    paths = {
        "/a": {
            "get": {**OK, "security": [{"bad": []}]},
            "post": {**OK, "security": [{"bad": [], "good": []}]},
        },
        "/b": {"get": {**OK, "security": [{"bad": []}, {"good": []}]}},
    }

    found = read(contract(paths, components={"securitySchemes": {"bad": scheme, "good": good}}))

    assert [(str(one), one.security) for one in found.operations] == [("GET /b", ({"good": []},))]
    assert [one.method for one in found.left_out] == ["get", "post"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("200 OK", ["200"]),
        ("4xx", ["4XX"]),
        ("200,201", ["200", "201"]),
        ("20", ["default"]),
        ("2000", ["default"]),
    ],
)
def test_a_status_is_read_from_a_key_that_has_more(written, meant):
    """A key that is no status at all documents nothing."""
    found = read(contract({"/a": {"get": {"responses": {written: {"description": "x"}}}}}))
    assert [*found.operations[0].responses] == meant


def test_path_parameters_are_what_the_path_says():
    """A variable without a declaration is a string; a declaration without a variable never has a value."""
    ghost = {"name": "ghost", "in": "path", "required": True, "schema": {"type": "string"}}

    found = read(contract({"/a/{x}/{y}": {"get": {**OK, "parameters": [ghost]}}}))

    (operation,) = found.operations
    assert [(one.name, one.schema) for one in operation.parameters] == [
        ("x", {"type": "string"}),
        ("y", {"type": "string"}),
    ]
    assert [fault.rule for fault in found.faults] == [
        "undeclared-path-parameter",
        "undeclared-path-parameter",
        "unused-path-parameter",
    ]


@pytest.mark.parametrize(
    "scheme",
    [
        {"type": "http", "scheme": "basic", "bearerFormat": "JWT"},
        {"type": "oauth2", "flows": {"implicit": {"authorizationUrl": "https://a.example", "scopes": None}}},
        {"type": "oauth2", "flows": {"password": {"tokenUrl": "https://a.example", "scopes": {"a": None}}}},
    ],
)
def test_a_security_scheme_is_used_whatever_only_describes_it(scheme):
    """Operations that need it would be left out without a reason."""
    secured = {**OK, "security": [{"login": []}]}
    found = read(contract({"/a": {"get": secured}}, components={"securitySchemes": {"login": scheme}}))
    assert found.faults
    assert found.left_out == ()
    assert found.operations[0].security == ({"login": []},)


@pytest.mark.parametrize(
    ("style", "location"), [("simple", "query"), ("form", "header"), ("label", "cookie")]
)
def test_a_style_of_another_location_is_ignored(style, location):
    """The location was taken for the wrong one, which refused the whole contract."""
    found = read(contract({"/a": {"get": taking(**{"in": location, "style": style})}}))
    assert found.faults
    assert [one.location for one in found.operations[0].parameters] == [location]


def test_sections_without_operations_are_ignored():
    """A title is not needed to serve."""
    document = contract({"/a": {"get": OK}}, tags=["A"], servers="x", externalDocs=5)
    found = read({**document, "info": {"title": "T", "version": 1.0, "contact": {"email": "none"}}})
    assert [str(one) for one in found.operations] == ["GET /a"]
    assert found.title == "T"
    assert len(found.faults) == 5


def test_one_fault_is_one_error():
    """The rest that a repair leaves is not reported as another error."""
    found = read(
        contract({"/a": {"get": {**OK, "requestBody": {"content": None}}}, "/b": {"get": OK}}, info=5)
    )

    assert [fault.message for fault in found.faults] == [
        "expected an object, found 5",
        "expected an object, found null",
    ]


@pytest.mark.slow
def test_thousands_of_equal_faults_are_worked_around():
    """A generator repeats its mistake in each operation."""
    found = read(contract({f"/{number}": {"get": {"responses": {"200": {}}}} for number in range(2500)}))
    assert len(found.operations) == 2500
    assert len(found.faults) == 2500


def test_of_several_wrong_sections_of_components_each_is_removed_alone():
    """The first one took all components with it, and the second one was not found: the command crashed."""
    components = {
        "requestBodies": [],
        "responses": 5,
        "securitySchemes": {"key": {"type": "apiKey", "in": "body", "name": "X"}},
        "schemas": {"A": {"type": "string"}},
    }

    found = read(contract({"/a": {"get": OK}}, components=components))

    assert [str(one) for one in found.operations] == ["GET /a"]
    assert found.document["components"] == {"securitySchemes": {}, "schemas": {"A": {"type": "string"}}}


@pytest.mark.parametrize(
    ("described", "components"),
    [
        ({"callbacks": {"done": {"{$url}": {"$ref": "#/paths/~1b"}}}}, {}),
        (
            {
                "responses": {
                    "200": {"description": "", "headers": {"items": {"$ref": "#/components/headers/A"}}}
                }
            },
            {"headers": {"A": {"schema": {"type": "string"}}}},
        ),
    ],
    ids=["a callback may refer to a path item", "a header may have the name of a keyword"],
)
def test_a_reference_to_the_right_kind_of_object_is_no_fault(described, components):
    """It was said not to lead to a Schema Object."""
    paths = {"/a": {"get": {**OK, **described}}, "/b": {"post": OK}}
    assert read(contract(paths, components=components)).faults == ()


@pytest.mark.parametrize(
    ("written", "message", "meant"),
    [
        ({"type": None}, "null is not one of", {"type": "null"}),
        ({"type": ["string", None]}, "null is not one of", {"type": "string", "nullable": True}),
        ({"type": ["string", "strng", "integer"]}, "'strng' is not one of", {"type": ["string", "integer"]}),
        ({"minimum": 5, "exclusiveMinimum": True}, "found true", {"minimum": 5, "exclusiveMinimum": True}),
        ({"maximum": 5, "exclusiveMaximum": False}, "found false", {"maximum": 5}),
        ({"items": [{"type": "string"}]}, "found an array", {"prefixItems": [{"type": "string"}]}),
        ({"$ref": "#/nowhere", "minLength": 1}, "does not exist", {"minLength": 1}),
        ({"minLength": "1", "maxLength": 5}, "expected an integer", {"maxLength": 5}),
        ({"if": 5, "then": True}, "expected a schema", {"then": {}}),
    ],
)
def test_a_wrong_keyword_of_json_schema_is_read_as_it_is_meant_or_ignored(written, message, meant):
    """As in a contract of OpenAPI 3.0, in the words of the later versions."""
    found = read({**contract({"/a": {"get": answering(written)}}), "openapi": "3.1.0"})
    assert found.operations[0].responses["200"].content == {"application/json": meant}
    assert message in str(found.faults[0])
    assert len(found.faults) == 1


@pytest.mark.parametrize(
    ("written", "left_out"),
    [
        ({"additionalOperations": {"POST": OK}}, []),
        ({"additionalOperations": {"A B": OK}}, []),
        ({"additionalOperations": {"COPY": {**OK, "security": 5}}}, ["copy"]),
        ({"query": {**OK, "parameters": [{"in": "query", "schema": {}}]}}, ["query"]),
        ({"put": {"parameters": [{"name": "q", "in": "querystring", "schema": {}}]}}, ["put"]),
        ({"put": {**OK, "parameters": [{"name": "a b", "in": "header", "schema": {}}]}}, ["put"]),
        ({"put": {"responses": {"200": {"headers": {"a b": {"schema": {}}}}}}}, []),
        ({"put": {"responses": {"200": {"content": {"a/b": {"encoding": {}, "itemEncoding": {}}}}}}}, []),
        ({"put": {"responses": {"200": {"content": {"a/b": {"$ref": "#/nowhere"}}}}}}, []),
    ],
)
def test_an_operation_of_3_2_is_left_out_only_if_it_cannot_be_served(written, left_out):
    """A name that no request has cannot be served at all, and what describes a response can be ignored."""
    found = read({**contract({"/a": {"get": OK, **written}}), "openapi": "3.2.0"})
    assert [one.method for one in found.left_out] == left_out
    assert found.faults
