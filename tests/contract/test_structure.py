"""The structure of documents of OpenAPI 3.1 and 3.2: `relay.contract.structure`."""

import pytest

from relay.contract.diagnostics import errors
from relay.contract.loading import load_contract
from support.compiled import read

OK = {"responses": {"200": {"description": "ok"}}}
BOTH = ("3.1.1", "3.2.0")
OLD, NEW = BOTH[:1], BOTH[1:]
QUERYSTRING = {"name": "q", "in": "querystring", "content": {"application/json": {}}}
FLOWS = {"clientCredentials": {"tokenUrl": "https://a.example", "scopes": {}}}


def schema(written):
    """Return components with one schema."""
    return {"components": {"schemas": {"A": written}}}


def component(section, written):
    """Return components with one of a section."""
    return {"components": {section: {"A": written}}}


def parameter(**written):
    """Return components with one parameter, in the query if nothing else is said."""
    return component("parameters", {"name": "q", "in": "query", "schema": {}, **written})


def get(**operation):
    """Return paths with one operation."""
    return {"paths": {"/a": {"get": {**OK, **operation}}}}


def answering(**media):
    """Return paths with one operation that answers with a media type."""
    return get(responses={"200": {"description": "", "content": {"a/b": media}}})


def faults(version, fields):
    """Return the faults of a document that has these fields."""
    return read({"openapi": version, "info": {"title": "Test", "version": "1"}, **fields}).faults


WRONG_SCHEMAS = [
    (None, "expected a schema, found null"),
    (5, "expected a schema, found 5"),
    ({"type": "strng"}, "'strng' is not one of array, boolean, integer, null, number, object, string"),
    ({"type": None}, "string; write 'null' in quotes"),
    ({"type": ["string", "strng"]}, "'strng' is not one of array"),
    ({"type": ["string", "string"]}, "non-unique"),
    ({"type": []}, "less than 1 item"),
    ({"minimum": 5, "exclusiveMinimum": True}, "expected a number, found true; write the limit here, in place of `minimum`"),
    ({"exclusiveMaximum": False}, "expected a number, found false; remove it"),
    ({"properties": {"a": {"required": True}}}, "expected an array, found true"),
    ({"properties": []}, "expected an object, found an array"),
    ({"items": [{"type": "string"}]}, "expected a schema, found an array; write a list of schemas as `prefixItems`"),
    ({"prefixItems": {}}, "expected an array, found an object"),
    ({"contains": 1}, "expected a schema, found 1"),
    ({"patternProperties": {"a": 1}}, "expected a schema, found 1"),
    ({"dependentSchemas": {"a": []}}, "expected a schema, found an array"),
    ({"dependentRequired": {"a": "b"}}, "expected an array, found 'b'"),
    ({"if": {"then": "a"}}, "expected a schema, found 'a'"),
    ({"unevaluatedProperties": "false"}, "expected a schema, found 'false'"),
    ({"$defs": {"a": {"minLength": "5"}}}, "expected an integer, found '5'"),
    ({"minLength": -1}, "less than the minimum of 0"),
    ({"multipleOf": 0}, "less than or equal to the minimum of 0"),
    ({"allOf": []}, "less than 1 item"),
    ({"examples": {"a": 1}}, "expected an array, found an object"),
    ({"enum": "a"}, "expected an array, found 'a'"),
    ({"discriminator": {}}, "'propertyName' is missing"),
    ({"discriminator": {"propertyName": "a", "mappings": {}}}, "unknown field 'mappings'; did you mean 'mapping'?"),
    ({"xml": {"name": 5}}, "expected a string, found 5"),
    ({"externalDocs": {}}, "'url' is missing"),
    ({"$ref": "#/info"}, "'#/info' does not point to a Schema Object"),
    ({"allOf": [{"$ref": "#/components/parameters/P", "minLength": 1}]}, "does not point to a Schema Object"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(("written", "message"), WRONG_SCHEMAS)
def test_a_wrong_keyword_of_a_schema_is_reported_in_words(version, written, message):
    """Schemas are those of JSON Schema 2020-12, and what is written as in another version says what to write."""
    other = {"P": {"name": "p", "in": "query", "schema": {}}}
    found = faults(version, {"components": {"schemas": {"A": written}, "parameters": other}})
    assert [one.rule for one in found] == ["structure"]
    assert message in found[0].message


WRONG_DOCUMENTS = [
    (BOTH, {}, "'paths', 'components' or 'webhooks' is missing"),
    (BOTH, {"overlays": {}, "paths": {}}, "unknown field 'overlays'"),
    (BOTH, {"paths": None}, "expected an object, found null"),
    (BOTH, {"paths": {"a": {}}}, "'a' is not a path; a path starts with '/'"),
    (BOTH, {"paths": {"/a": {"gett": OK}}}, "unknown field 'gett'; did you mean 'get'?"),
    (BOTH, {"webhooks": {"a": {"post": {"tags": "x"}}}}, "expected an array, found 'x'"),
    (BOTH, {"webhooks": {"a": {"$ref": "#/components/schemas/A"}}, **schema({"type": "object"})}, "does not point to a PathItem Object"),
    (BOTH, {"components": {}, "servers": {"url": "/"}}, "expected an array, found an object"),
    (BOTH, {"components": {}, "servers": [{"url": "/{a}", "variables": {"a": {"enum": [], "default": "b"}}}]}, "less than 1 item"),
    (BOTH, component("pathItems", {"get": {"responses": []}}), "expected an object, found an array"),
    (BOTH, get(respnses={}), "unknown field 'respnses'; did you mean 'responses'?"),
    (BOTH, get(responses={}), "less than 1 property"),
    (BOTH, get(responses={"200 OK": {"description": ""}}), "unknown field '200 OK'"),
    (OLD, get(responses={"200": {}}), "'description' is missing"),
    (BOTH, answering(exampl=1), "unknown field 'exampl'; did you mean 'example'?"),
    (BOTH, answering(example=1, examples={"a": {"value": 1}}), "'example' and 'examples' are mutually exclusive; keep one"),
    (BOTH, get(responses={"200": {"description": "", "headers": {"Bad=": {"schema": {}}}}}), "'Bad=' is not the name of a header"),
    (BOTH, get(parameters=[5]), "expected an object, found 5"),
    (BOTH, parameter(**{"in": "body"}), "'body' is not one of query, "),
    (BOTH, parameter(**{"in": "path"}), "'required' is missing"),
    (BOTH, parameter(**{"in": "path", "required": False}), "expected true, found false"),
    (BOTH, parameter(**{"in": "path", "required": True, "name": "{a}"}), "'{a}' has braces; write the name without them"),
    (BOTH, parameter(**{"in": "header", "name": "Bad[Header]"}), "'Bad[Header]' is not the name of a header"),
    (BOTH, parameter(**{"in": "header", "allowReserved": False}), "a field 'allowReserved' is not allowed here"),
    (BOTH, parameter(style="csv"), "'csv' is not one of form, spaceDelimited, pipeDelimited, deepObject"),
    (BOTH, parameter(**{"in": "header", "style": "form"}), "'form' is not one of simple"),
    (BOTH, parameter(example=1, examples={"a": {"value": 1}}), "mutually exclusive"),
    (BOTH, parameter(content={"a/b": {}}), "'schema' and 'content' are mutually exclusive; keep one"),
    (BOTH, component("parameters", {"name": "q", "in": "query"}), "'schema' or 'content' is missing"),
    (BOTH, component("parameters", {"name": "q", "in": "query", "content": {"a/b": {}, "c/d": {}}}), "more than 1 property"),
    (BOTH, component("headers", {}), "'schema' or 'content' is missing"),
    (BOTH, component("headers", {"schema": {}, "allowReserved": True}), "a field 'allowReserved' is not allowed here"),
    (BOTH, component("headers", {"schema": {}, "name": "x"}), "a field 'name' is not allowed here"),
    (BOTH, component("links", {}), "'operationRef' or 'operationId' is missing"),
    (BOTH, component("links", {"operationId": "a", "body": {}}), "unknown field 'body'"),
    (BOTH, component("links", {"operationId": "a", "operationRef": "#/paths"}), "mutually exclusive"),
    (BOTH, component("examples", {"value": 1, "externalValue": "a"}), "mutually exclusive"),
    (BOTH, component("securitySchemes", {"type": "apikey"}), "'apikey' is not one of apiKey, http, mutualTLS, oauth2, openIdConnect"),
    (BOTH, component("securitySchemes", {"type": "http"}), "'scheme' is missing"),
    (BOTH, component("securitySchemes", {"type": "apiKey", "in": "body", "name": "x"}), "'body' is not one of query, header, cookie"),
    (BOTH, component("securitySchemes", {"type": "mutualTLS", "flows": {}}), "a field 'flows' is not allowed here"),
    (BOTH, component("securitySchemes", {"type": "oauth2", "flows": {"implicit": {"scopes": {}}}}), "'authorizationUrl' is missing"),
    (BOTH, component("requestBodies", {"content": {"a/b": {"schema": {}, "encoding": {"x": {"style": "csv"}}}}}), "'csv' is not one of form"),
    (BOTH, {"components": {}, "info": {"title": "", "version": "", "license": {"name": "a", "identifier": "b", "url": "c"}}}, "'identifier' and 'url' are mutually exclusive"),
    (BOTH, {"components": {}, "info": {"title": 5, "version": ""}}, "expected a string, found 5"),
    (BOTH, {"components": {}, "info": {"title": "", "version": "", "contact": {"email": "none"}}}, "not a valid email"),
    (OLD, {"paths": {"/a": {"query": OK}}}, "the field 'query' is from OpenAPI 3.2 on; write `openapi: 3.2.0` to have it"),
    (OLD, answering(itemSchema={}), "the field 'itemSchema' is from OpenAPI 3.2 on; write `openapi: 3.2.0` to have it"),
    (OLD, component("mediaTypes", {}) , "the field 'mediaTypes' is from OpenAPI 3.2 on; write `openapi: 3.2.0` to have it"),
    (OLD, {"components": {}, "tags": [{"name": "a", "summary": "b"}]}, "the field 'summary' is from OpenAPI 3.2 on"),
    (OLD, {"components": {}, "servers": [{"url": "/", "name": "b"}]}, "the field 'name' is from OpenAPI 3.2 on"),
    (OLD, component("responses", {"description": "", "summary": "b"}), "the field 'summary' is from OpenAPI 3.2 on"),
    (OLD, component("securitySchemes", {"type": "http", "scheme": "basic", "deprecated": True}), "the field 'deprecated' is from OpenAPI 3.2 on"),
    (OLD, component("securitySchemes", {"type": "oauth2", "flows": {"deviceAuthorization": {}}}), "the field 'deviceAuthorization' is from OpenAPI 3.2 on"),
    (OLD, parameter(**{"in": "cookie", "style": "cookie"}), "'cookie' is not one of form"),
    (NEW, parameter(**{"in": "cookie", "style": "cookie", "allowReserved": True}), "a field 'allowReserved' is not allowed here"),
    (NEW, {"$self": "https://a.example/b#c", "components": {}}, "has a fragment; remove it from the '#' on"),
    (NEW, {"paths": {"/a": {"additionalOperations": {"POST": OK}}}}, "'POST' has a field of its own, 'post'; write it there"),
    (NEW, {"paths": {"/a": {"additionalOperations": {"A B": OK}}}}, "'A B' is not a method"),
    (NEW, {"paths": {"/a": {"additionalOperations": {"COPY": 5}}}}, "expected an object, found 5"),
    (NEW, get(parameters=[QUERYSTRING, {**QUERYSTRING, "name": "r"}]), "a request has one query string; keep one querystring parameter"),
    (NEW, get(parameters=[QUERYSTRING, {"name": "p", "in": "query", "schema": {}}]), "query and querystring parameters are mutually exclusive; keep one kind"),
    (NEW, parameter(**{"in": "querystring"}), "'content' is missing"),
    (NEW, component("parameters", {**QUERYSTRING, "style": "simple"}), "a field 'style' is not allowed here"),
    (NEW, answering(encoding={}, prefixEncoding=[]), "'encoding' and 'prefixEncoding' are mutually exclusive"),
    (NEW, answering(encoding={}, itemEncoding={}), "'encoding' and 'itemEncoding' are mutually exclusive"),
    (NEW, answering(prefixEncoding=[{"encoding": {}, "itemEncoding": {}}]), "'encoding' and 'itemEncoding' are mutually exclusive"),
    (NEW, answering(itemSchema={"type": "x"}), "'x' is not one of array"),
    (NEW, component("mediaTypes", {"itemSchem": {}}), "unknown field 'itemSchem'; did you mean 'itemSchema'?"),
    (NEW, component("examples", {"value": 1, "dataValue": 1}), "'value' and 'dataValue' are mutually exclusive"),
    (NEW, component("examples", {"value": 1, "serializedValue": "1"}), "'value' and 'serializedValue' are mutually exclusive"),
    (NEW, component("examples", {"serializedValue": "1", "externalValue": "a"}), "mutually exclusive"),
    (NEW, schema({"xml": {"nodeType": "attribute", "attribute": True}}), "'nodeType' and 'attribute' are mutually exclusive"),
    (NEW, schema({"xml": {"nodeType": "element", "wrapped": True}}), "'nodeType' and 'wrapped' are mutually exclusive"),
    (NEW, {"components": {}, "tags": [{"name": "a", "parent": 5}]}, "expected a string, found 5"),
    (NEW, component("securitySchemes", {"type": "oauth2", "flows": {"deviceAuthorization": {"tokenUrl": "", "scopes": {}}}}), "'deviceAuthorizationUrl' is missing"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "fields", "message"),
    [(version, fields, message) for versions, fields, message in WRONG_DOCUMENTS for version in versions],
)
def test_a_violation_of_the_structure_is_reported_in_words(version, fields, message):
    """Each is one error, and says what is wrong, not which rule of a JSON Schema it breaks."""
    found = faults(version, fields)
    assert [one.rule for one in found] == ["structure"], found
    assert message in found[0].message


RIGHT_DOCUMENTS = [
    (BOTH, {"webhooks": {}}),
    (BOTH, {"components": {}}),
    (BOTH, {"paths": {"/a": {"get": {}}, "/b/{c}": {}}}),
    (BOTH, {"paths": {}, "x-note": 1, "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema"}),
    (BOTH, {"components": {}, "info": {"title": "", "version": "", "summary": "s", "license": {"name": "a", "identifier": "MIT"}}}),
    (BOTH, {"webhooks": {"a": {"$ref": "#/components/pathItems/A", "description": "d"}}, **component("pathItems", {"post": OK})}),
    (BOTH, {"paths": {"/a": {"$ref": "#/components/pathItems/A", "delete": OK}}, **component("pathItems", {"post": OK})}),
    (BOTH, get(callbacks={"a": {"{$url}": {"$ref": "#/components/pathItems/A"}}}) | component("pathItems", {"post": OK})),
    (BOTH, {**get(parameters=[{"$ref": "#/components/parameters/A", "summary": "s", "description": "d"}]), **parameter()}),
    (BOTH, parameter(allowReserved=True, style="deepObject", explode=True, allowEmptyValue=True, example=1)),
    (BOTH, parameter(**{"in": "path", "required": True, "style": "matrix"})),
    (BOTH, component("securitySchemes", {"type": "mutualTLS", "description": "d"})),
    (BOTH, component("securitySchemes", {"type": "oauth2", "flows": FLOWS})),
    (BOTH, component("links", {"operationRef": "#/paths", "parameters": {"limit": 5}, "server": {"url": "/"}})),
    (BOTH, component("schemas", True)),
    (BOTH, component("schemas", False)),
    (BOTH, schema({"type": ["string", "null"], "nullable": True, "ownKeyword": 5, "x-note": 1, "const": None})),
    (BOTH, schema({"if": True, "then": False, "not": {}, "contains": True, "items": False, "prefixItems": [True], "exclusiveMinimum": 0})),
    (BOTH, schema({"$defs": {"a": {}}, "$ref": "#/components/schemas/A/$defs/a", "minLength": 1, "example": 1, "examples": [1]})),
    (BOTH, schema({"enum": [], "required": [], "definitions": {"a": {}}, "contentSchema": {}, "contentEncoding": "base64"})),
    (BOTH, schema({"$ref": "#/x-schemas/own"}) | {"x-schemas": {"own": {"type": "string"}}}),
    (BOTH, schema({"properties": {"links": {}, "security": {}, "items": {"type": "array"}, "$ref": {"type": "string"}}})),
    (BOTH, schema({"$schema": "http://json-schema.org/draft-04/schema#", "exclusiveMinimum": True, "minimum": 1, "items": [{}]})),
    (NEW, schema({"discriminator": {"propertyName": "a", "defaultMapping": "A"}, "xml": {"nodeType": "cdata"}})),
    (NEW, {"$self": "https://a.example/b", "components": {}, "servers": [{"url": "/", "name": "a"}]}),
    (NEW, {"components": {}, "tags": [{"name": "a", "summary": "s", "kind": "nav"}, {"name": "b", "parent": "a"}]}),
    (NEW, {"paths": {"/a": {"query": OK, "additionalOperations": {"COPY": OK}}}}),
    (NEW, get(responses={"200": {"summary": "s"}})),
    (NEW, component("parameters", QUERYSTRING)),
    (NEW, answering(itemSchema=True, prefixEncoding=[{"contentType": "a/b"}], itemEncoding={"headers": {"X": {"schema": {}}}})),
    (NEW, {**get(responses={"200": {"content": {"a/b": {"$ref": "#/components/mediaTypes/A"}}}}), **component("mediaTypes", {"itemSchema": {}})}),
    (NEW, component("examples", {"dataValue": {}, "serializedValue": "{}"})),
    (NEW, parameter(**{"in": "cookie", "style": "cookie"})),
    (NEW, parameter(**{"in": "cookie", "allowReserved": True})),
    (NEW, component("securitySchemes", {"type": "oauth2", "deprecated": True, "oauth2MetadataUrl": "https://a.example", "flows": {"deviceAuthorization": {"deviceAuthorizationUrl": "https://a.example", "tokenUrl": "https://a.example", "scopes": {}}}})),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("version", "fields"), [(version, fields) for versions, fields in RIGHT_DOCUMENTS for version in versions]
)
def test_what_the_version_allows_is_no_fault(version, fields):
    """Each is a field or a combination of them that an earlier version does not have, or that is easily taken for wrong."""
    assert faults(version, fields) == ()


def test_a_violation_has_the_place_of_its_value(tmp_path, monkeypatch):
    """An unknown field has that of its name."""
    monkeypatch.chdir(tmp_path)
    text = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\nwebhooks:\n  a:\n    post:\n      tegs: []\ncomponents:\n  schemas:\n    A: {items: {type: strng}}\n"
    (tmp_path / "c.yaml").write_text(text, "utf-8")

    found = load_contract(tmp_path / "c.yaml").faults

    assert [str(one).partition(" '")[0] for one in found] == [
        "c.yaml:6:7: unknown field",
        "c.yaml:9:17:",
    ]


def test_fields_of_a_branch_that_fails_are_not_unknown():
    """JSON Schema takes all fields for unknown that a failing branch describes."""
    scheme = {"type": "oauth2", "flows": {"implicit": {}}, "oauth3": 1}

    found = faults("3.2.0", component("securitySchemes", scheme))

    assert [one.message for one in found] == [
        "'authorizationUrl' is missing",
        "'scopes' is missing",
        "unknown field 'oauth3'",
    ]


def test_a_field_that_is_not_allowed_is_reported_next_to_another_violation():
    """It is known, so it may be one of a failing branch, and is found when that is repaired."""
    found = faults("3.1.0", parameter(style="csv", variables={}))
    assert [one.message for one in found] == [
        "'csv' is not one of form, spaceDelimited, pipeDelimited, deepObject",
        "a field 'variables' is not allowed here",
    ]


@pytest.mark.parametrize("version", BOTH)
def test_what_relay_does_not_fetch_is_a_warning(version):
    """From 3.1 on, a valid description may be made of several documents, and say so by an absolute reference."""
    fields = {
        **get(security=[{"login": []}]),
        "components": {"schemas": {"A": {"$ref": "https://a.example/b.json"}}},
    }

    found = faults(version, fields)

    assert [one.rule for one in found] == ["remote-ref", "undefined-security-scheme"]
    assert errors(found) == []


def test_a_scheme_that_is_missing_among_others_is_an_error():
    """A document that defines schemes defines all of them, so this one is misspelled."""
    fields = {**get(security=[{"login": []}]), **component("securitySchemes", {"type": "mutualTLS"})}
    found = faults("3.1.0", fields)
    assert [one.rule for one in errors(found)] == ["undefined-security-scheme"]


def test_roles_are_accepted_and_said_to_be_unchecked():
    """They are part of no credential (OpenAPI 3.1, "Security Requirement Object")."""
    fields = {
        **get(security=[{"A": ["admin"]}]),
        **component("securitySchemes", {"type": "http", "scheme": "bearer"}),
    }

    (found,) = faults("3.1.0", fields)

    assert (found.rule, errors([found])) == ("unchecked-role", [])
