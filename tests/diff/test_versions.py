"""Contracts of OpenAPI 3.1 and 3.2, and of different versions: `relay.diff`."""

import copy
import itertools
from typing import Any

import pytest

from relay.contract.diagnostics import Severity
from relay.diff import compare
from support.compiled import read
from support.hosting import contract, ref, with_json_body

A = {"$ref": "#/components/schemas/A"}
STRING = {"type": "string"}
OLD = {
    "type": "object",
    "required": ["id", "kind"],
    "properties": {
        "id": {"type": "integer", "minimum": 0, "exclusiveMinimum": True, "example": 7},
        "name": {"type": "string", "nullable": True},
        "kind": {"type": "string", "enum": ["a"]},
        "file": {"type": "string", "format": "byte"},
        "other": {"nullable": True, "allOf": [A]},
        "state": {"type": "string", "nullable": True, "enum": ["on", None]},
    },
}
NEW = {
    **OLD,
    "properties": {
        "id": {"type": "integer", "exclusiveMinimum": 0, "examples": [7]},
        "name": {"type": ["string", "null"]},
        "kind": {"type": "string", "const": "a"},
        "file": {"type": "string", "contentEncoding": "base64"},
        "other": {"anyOf": [A, {"type": "null"}]},
        "state": {"type": ["null", "string"], "enum": ["on", None]},
    },
}
BINARY = {"type": "string", "format": "binary"}


def whole(version: str, schema: Any, binary: Any, **rest: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}, "application/octet-stream": binary}
    operation = {
        "operationId": "x",
        "requestBody": {"content": content},
        "responses": {"200": {"description": "ok", "content": content}},
    }
    document = contract({"/a": {"post": operation}}, components={"schemas": {"A": {"type": "object"}}})
    return copy.deepcopy({**document, "openapi": version, **rest})


VERSIONS = [
    whole("3.0.3", OLD, {"schema": BINARY}),
    whole("3.1.0", NEW, {}),
    whole("3.1.1", NEW, {"schema": {"contentMediaType": "application/octet-stream"}}),
    whole("3.2.0", NEW, {"schema": {}}, webhooks={"on": {"post": {"responses": {"204": {"description": "ok"}}}}}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new"), [*itertools.permutations(VERSIONS, 2)])
def test_a_move_to_another_version_that_changes_nothing_has_no_changes(old, new):
    assert compare(read(old), read(new)) == []


def exchange(schema: Any, direction: str, schemas: Any = None, version: str = "3.1.0") -> Any:
    components = {"Body": schema, "A": STRING, "B": STRING, **(schemas or {})}
    return read({**with_json_body(direction, ref("Body"), components), "openapi": version})


def rules(old: Any, new: Any, direction: str) -> list[str]:
    changes = compare(exchange(old, direction), exchange(new, direction))
    return [change.rule.removeprefix(f"{direction}-") for change in changes]


SCALAR = {"type": ["string", "integer"]}
ANY_OBJECT = {"type": "object"}
CONDITION = {"if": {"required": ["a"]}, "then": {"required": ["b"]}}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new", "narrowed", "widened"),
    [
        ({"type": ["string", "integer"]}, STRING, "type-narrowed", "type-widened"),
        ({"type": ["string", "null"]}, STRING, "null-refused", "null-added"),
        ({"type": ["string", "integer", "null"]}, {"type": ["string", "integer"]}, "null-refused", "null-added"),
        ({"anyOf": [A, {"type": "null"}]}, {"anyOf": [A]}, "null-refused", "null-added"),
        ({"items": SCALAR}, {"prefixItems": [STRING], "items": SCALAR}, "type-narrowed", "type-widened"),
        ({"prefixItems": [STRING, SCALAR]}, {"prefixItems": [STRING, STRING]}, "type-narrowed", "type-widened"),
        ({"items": SCALAR}, {"items": False}, "not-narrowed", "not-widened"),
        (ANY_OBJECT, {**ANY_OBJECT, **CONDITION}, "keyword-narrowed", "keyword-widened"),
        (ANY_OBJECT, {**ANY_OBJECT, "dependentRequired": {"a": ["b"]}}, "keyword-narrowed", "keyword-widened"),
        (ANY_OBJECT, {**ANY_OBJECT, "propertyNames": {"maxLength": 3}}, "keyword-narrowed", "keyword-widened"),
        (ANY_OBJECT, {**ANY_OBJECT, "patternProperties": {"^a": STRING}}, "keyword-narrowed", "keyword-widened"),
        ({**ANY_OBJECT, "patternProperties": {"^a": SCALAR}}, {**ANY_OBJECT, "patternProperties": {"^a": STRING}},
         "type-narrowed", "type-widened"),
        ({"type": "array"}, {"type": "array", "contains": STRING, "minContains": 2}, "keyword-narrowed", "keyword-widened"),
        (ANY_OBJECT, {**ANY_OBJECT, "unevaluatedProperties": False}, "additional-properties-refused",
         "additional-properties-added"),
        (STRING, {**STRING, "contentEncoding": "base64"}, "format-narrowed", "format-widened"),
        (STRING, {**STRING, "contentMediaType": "application/json"}, "keyword-narrowed", "keyword-widened"),
    ],
)  # fmt: skip
def test_a_narrower_keyword_breaks_clients_that_send_and_its_removal_those_that_receive(
    old, new, narrowed, widened
):
    """The other way round it is harmless; a keyword of which the effect is not known may refuse values."""
    assert rules(old, new, "request") == [narrowed]
    assert rules(new, old, "response") == [widened]
    assert rules(old, old, "request") == []
    assert rules(new, old, "request") == []
    assert rules(old, new, "response") == []


def test_methods_and_items_of_streams_are_compared():
    def document(kind: str, *methods: str) -> Any:
        content = {"content": {"application/jsonl": {"itemSchema": {"type": kind}}}}
        operation = {"responses": {"200": {"description": "ok", **content}}}
        item = {"query": operation, "additionalOperations": dict.fromkeys(methods, operation)}
        return read({**contract({"/a": item}), "openapi": "3.2.0"})

    changes = compare(document("integer", "LOCK", "UNLOCK"), document("string", "LOCK"))

    assert sorted(str(change.rule) for change in changes) == [
        "operation-removed", *["response-type-widened"] * (len(changes) - 1),
    ]  # fmt: skip
    assert len(changes) > 1


OCTETS = {"contentMediaType": "application/octet-stream"}


def of_parts(media_type: str, content: Any, direction: str = "request", version: str = "3.2.0") -> Any:
    body = {"content": {media_type: content}}
    operation = {
        "request": {"requestBody": body, "responses": {"204": {"description": "ok"}}},
        "response": {"responses": {"200": {"description": "ok", **body}}},
    }[direction]
    return read(contract({"/a": {"post": operation}}, openapi=version))


def form(version: str, field: Any) -> Any:
    properties = {"file": field, "files": {"type": "array", "items": field}}
    return of_parts(
        "multipart/form-data", {"schema": {"type": "object", "properties": properties}}, version=version
    )


FILES = [
    form("3.0.3", BINARY),
    form("3.0.3", {**BINARY, "nullable": True}),
    form("3.1.0", OCTETS),
    form("3.1.0", {"type": "string", **OCTETS}),
    form("3.2.0", {}),
]


@pytest.mark.parametrize(("old", "new"), [*itertools.permutations(FILES, 2)])
def test_a_file_of_a_form_is_the_same_however_it_is_described(old, new):
    """It is bytes, with a type or without, and cannot be null."""
    assert compare(old, new) == []


def test_a_file_of_a_form_that_becomes_text_or_limited_is_reported():
    file = form("3.1.0", OCTETS)

    changes = [compare(file, form("3.1.0", field)) for field in ({**OCTETS, "maxLength": 3}, STRING)]

    assert {one.rule for one in changes[0]} == {"request-length-narrowed"}
    assert "request-type-narrowed" in {one.rule for one in changes[1]}


def by_position(schema: Any, **encodings: Any) -> Any:
    return of_parts("multipart/mixed", {"schema": {"type": "array", **schema}, **encodings})


LISTS = {"prefixItems": [{"type": "array"}, STRING], "items": {}}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({}, {"prefixEncoding": [{"contentType": "application/json"}, {}]}, []),
        ({}, {"prefixEncoding": [{}, {"contentType": "text/csv"}]}, ["request-part-type-changed"]),
        ({"itemEncoding": {"contentType": "image/png, image/gif"}}, {"itemEncoding": {"contentType": "image/png"}},
         ["request-part-type-changed"]),
        ({"itemEncoding": {"contentType": "image/png"}}, {"itemEncoding": {"contentType": "image/*"}}, []),
    ],
)  # fmt: skip
def test_media_types_of_parts_by_position_are_compared(old, new, expected):
    changes = compare(by_position(LISTS, **old), by_position(LISTS, **new))
    assert [one.rule for one in changes] == expected


def form_part(**encoding: Any) -> Any:
    return "multipart/form-data", {
        "schema": {"type": "object", "properties": {"a": {"type": "array", "items": {}}}},
        "encoding": {"a": encoding},
    }


def first_part(**encoding: Any) -> Any:
    return "multipart/mixed", {"schema": {"type": "array"}, "prefixEncoding": [encoding]}


def each_part(**encoding: Any) -> Any:
    return "multipart/mixed", {"schema": {"type": "array"}, "itemEncoding": encoding}


def inner_part(**encoding: Any) -> Any:
    return form_part(contentType="multipart/mixed", itemEncoding=encoding)


def inner_field(**encoding: Any) -> Any:
    form = {"type": "object", "properties": {"a": {}}}
    inner = {"contentType": "multipart/form-data", "encoding": {"a": encoding}}
    return "multipart/mixed", {"schema": {"type": "array", "items": form}, "itemEncoding": inner}


PLACES = [form_part, first_part, each_part, inner_part, inner_field]
_REQUIRED = {"X-K": {"required": True, "schema": STRING}}
_ENUM = {"X-K": {"schema": {**STRING, "enum": ["a"]}}}
_OPTIONAL = {"X-K": {"schema": STRING}}


@pytest.mark.slow
@pytest.mark.parametrize("described", PLACES)
@pytest.mark.parametrize(
    ("old", "new", "of_requests", "of_responses"),
    [
        ({}, _REQUIRED, "parameter-required-added", "response-header-added"),
        ({}, _OPTIONAL, "parameter-added", "response-header-added"),
        (_OPTIONAL, _REQUIRED, "parameter-became-required", None),
        (_REQUIRED, _OPTIONAL, "parameter-became-optional", "response-header-became-optional"),
        (_OPTIONAL, _ENUM, "request-enum-added", None),
        (_ENUM, _OPTIONAL, None, "response-enum-dropped"),
        (_REQUIRED, {}, "parameter-removed", "response-header-removed"),
        (_ENUM, {"x-k": _ENUM["X-K"]}, None, None),
    ],
)
def test_headers_of_parts_are_compared(described, old, new, of_requests, of_responses):
    """A header that a part must have, or of which fewer values are valid, breaks clients as that of a request."""
    for direction, rule in (("request", of_requests), ("response", of_responses)):
        before, after = (of_parts(*described(headers=one), direction) for one in (old, new))
        changes = compare(before, after)
        assert [one.rule for one in changes] == ([] if rule is None else [rule])
        assert all("header" in one.message or one.rule.endswith("added") for one in changes)


@pytest.mark.parametrize("described", PLACES)
def test_media_types_of_parts_are_compared_in_both_directions(described):
    narrow, wide = (described(contentType=one) for one in ("image/png", "image/png, image/gif"))

    for direction, old, new in (("request", wide, narrow), ("response", narrow, wide)):
        changes = compare(of_parts(*old, direction), of_parts(*new, direction))
        assert [one.rule for one in changes] == [f"{direction}-part-type-changed"]
        assert compare(of_parts(*new, direction), of_parts(*old, direction)) == []


@pytest.mark.parametrize(
    ("schema", "rules"),
    [({"type": "array", "items": STRING}, ["request-parts-validated"]), ({}, []), ({"type": "object"}, [])],
)
def test_a_body_of_parts_that_was_bytes_is_reported(schema, rules):
    for version in ("3.0.3", "3.1.0"):
        old, new = (
            of_parts("multipart/mixed", {"schema": schema}, version=one) for one in (version, "3.2.0")
        )
        assert [one.rule for one in compare(old, new)] == rules
        assert compare(new, old) == []


def test_parts_of_which_one_was_refused_are_not_compared():
    old = {"schema": {"type": "array", "prefixItems": [STRING], "items": False}, "prefixEncoding": [{}]}
    new = {
        "schema": {"type": "array", "prefixItems": [STRING, STRING], "items": False},
        "prefixEncoding": [{}, {"contentType": "image/png", "headers": _REQUIRED}],
    }

    changes = compare(of_parts("multipart/mixed", old), of_parts("multipart/mixed", new))
    assert "request-part-type-changed" not in {one.rule for one in changes}
    assert "parameter-required-added" not in {one.rule for one in changes}


JSON_TEXT = {"type": "string", "contentMediaType": "application/json"}


def in_text(schema: Any, **text: Any) -> dict[str, Any]:
    data = {**JSON_TEXT, "contentSchema": schema, **text}
    return {"type": "object", "properties": {"data": data}}


BASE64 = {"contentEncoding": "base64"}


@pytest.mark.parametrize(
    ("old", "new", "narrowed", "widened", "path"),
    [
        (in_text({"properties": {"a": SCALAR}}), in_text({"properties": {"a": STRING}}), "type-narrowed", "type-widened", ".data.a"),
        (in_text({}), in_text(STRING), "type-narrowed", "type-widened", ".data"),
        (in_text(STRING), in_text(STRING, contentMediaType="application/a+json"), "", "", ""),
        (in_text(STRING, contentMediaType="text/a"), in_text(STRING), "keyword-narrowed", "keyword-widened", ".data"),
        (in_text(STRING, **BASE64), in_text(STRING), "keyword-narrowed", "keyword-widened", ".data"),
    ],
)  # fmt: skip
def test_json_in_a_text_is_compared_by_its_schema(old, new, narrowed, widened, path):
    for before, after, direction, expected in (
        (old, new, "request", narrowed),
        (new, old, "response", widened),
    ):
        found = compare(exchange(before, direction), exchange(after, direction))

        assert {one.rule.removeprefix(f"{direction}-") for one in found} == set(expected.split())
        assert all(one.message.startswith(f"Body{path} (POST /a): ") for one in found)


OWNER = {"type": "object", "required": ["name"], "properties": {"name": STRING, "email": STRING}}

OR_NULL = {"anyOf": [A, {"type": "null"}]}


@pytest.mark.parametrize("wrapped", [OR_NULL, {"oneOf": [{"type": "null"}, A]}])
def test_a_schema_or_null_is_the_schema_where_null_is_not_concerned(wrapped):
    """Its properties are the same ones; only null is new, and belongs to the property that refers to the schema."""

    def found(old: Any, new: Any, direction: str) -> list[tuple[str, str]]:
        sides = [
            exchange({"type": "object", "properties": {"owner": one}}, direction, {"A": OWNER})
            for one in (old, new)
        ]
        return [(one.rule, one.message.partition(" ")[0]) for one in compare(*sides)]

    assert found(A, wrapped, "request") == []
    assert found(wrapped, A, "request") == [("request-null-refused", "Body.owner")]
    assert found(A, wrapped, "response") == [("response-null-added", "Body.owner")]
    assert found(wrapped, A, "response") == []


@pytest.mark.parametrize("direction", ["request", "response"])
@pytest.mark.parametrize("new", [OR_NULL, {"anyOf": [{"type": "null"}, OWNER]}])
def test_what_may_be_null_in_3_0_may_be_null_in_3_1(new, direction):
    nullable = {"nullable": True, "allOf": [A]}
    old = exchange({"properties": {"owner": nullable}}, direction, {"A": OWNER}, version="3.0.3")
    now = exchange({"properties": {"owner": new}}, direction, {"A": OWNER})

    assert compare(old, now) == []
    assert compare(now, old) == []


@pytest.mark.parametrize("location", ["query", "header", "cookie", "path"])
def test_a_parameter_that_takes_null_too_is_written_as_before(location):
    def whole(schema: Any) -> Any:
        taken = {"name": "q", "in": location, "required": location == "path", "schema": schema}
        path = "/a/{q}" if location == "path" else "/a"
        operation = {"parameters": [taken], "responses": {"204": {"description": "ok"}}}
        return read(contract({path: {"get": operation}}, openapi="3.1.1"))

    optional = whole({"anyOf": [STRING, {"type": "null"}]})

    assert [one for one in compare(whole(STRING), optional) if one.severity is not Severity.INFO] == []
    assert compare(optional, whole({"type": ["string", "null"]})) == []


OPEN = {"type": "array", "minItems": 1}
CLOSED = {**OPEN, "unevaluatedItems": False}
ANY = {"contains": True, "minContains": 0}
TWO = {"type": "array", "prefixItems": [STRING, STRING]}
THREE = {"type": "array", "prefixItems": [STRING, STRING, {"type": "integer"}]}
OR_INTEGER = {"anyOf": [STRING, {"type": "integer"}, {"type": "null"}]}


def named(*names: str, **rest: Any) -> Any:
    return {"properties": dict.fromkeys(names, STRING), **rest}


def patterned(others: Any) -> Any:
    return {"type": "object", "additionalProperties": others, "patternProperties": {"^a": SCALAR}}


OPEN_IF = {"if": {"required": ["a"]}, "then": named("c")}
SHUT: Any = {"unevaluatedProperties": False}
NO_MORE: Any = {"unevaluatedItems": False}
EFFECTS: dict[str, list[tuple[Any, Any, list[str] | None, list[str] | None]]] = {
    "what `contains` describes counts as described": [
        (CLOSED, {**CLOSED, **ANY}, [], ["not-widened"]),
        ({**CLOSED, **ANY}, CLOSED, ["not-narrowed"], []),
        (OPEN, CLOSED, ["not-narrowed"], []),
        (CLOSED, OPEN, [], ["not-widened"]),
        ({**OPEN, **ANY}, {**CLOSED, **ANY}, ["keyword-narrowed"], []),
        ({**CLOSED, **ANY, "if": {"minItems": 2}}, {**CLOSED, **ANY}, ["keyword-narrowed"], ["keyword-widened"]),
        ({**CLOSED, "prefixItems": [True]}, {**CLOSED, **ANY}, ["keyword-narrowed"], ["not-widened"]),
    ],
    "a keyword in `allOf` does not know what is next to it; one next to `allOf` knows what is in it": [
        ({**named("a", "b"), **SHUT}, {"allOf": [named("a"), named("b")], **SHUT}, [], []),
        ({"allOf": [named("a")], **named("b"), **SHUT}, {"allOf": [named("a", **SHUT)], **named("b")}, ["property-refused"],
         ["optional-property-removed"]),
        ({"allOf": [named("a", **SHUT)], **named("b")}, {"allOf": [named("a")], **named("b"), **SHUT}, ["property-added"],
         ["closed-property-added"]),
        ({"allOf": [named("a", unevaluatedProperties=True)], **SHUT}, {"allOf": [named("a")], **SHUT},
         ["additional-properties-refused"], []),
        ({"allOf": [named("a")], "unevaluatedProperties": SCALAR}, {"allOf": [named("a", unevaluatedProperties=STRING)]},
         ["type-narrowed"], []),
        ({"allOf": [named("a", **OPEN_IF, **SHUT)]}, {"allOf": [named("a", **OPEN_IF, **SHUT)], **named("a")}, [], []),
        ({"allOf": [named("a", **OPEN_IF)], **named("b"), **SHUT}, {"allOf": [named("a", **OPEN_IF, **SHUT)], **named("b")},
         ["keyword-narrowed"], []),
        ({"prefixItems": [STRING, STRING], **NO_MORE},
         {"allOf": [{"prefixItems": [STRING]}, {"prefixItems": [True, STRING]}], **NO_MORE}, [], []),
        ({"allOf": [{"prefixItems": [STRING]}], "prefixItems": [True, STRING], **NO_MORE},
         {"allOf": [{"prefixItems": [STRING], **NO_MORE}], "prefixItems": [True, STRING]}, ["not-narrowed"], []),
    ],
    "a place that one side does not have is said by the number of items; any value includes null": [
        (TWO, THREE, ["type-narrowed"], []),
        (THREE, TWO, [], ["type-widened"]),
        ({**TWO, "maxItems": 2}, {**THREE, "maxItems": 3}, [], ["items-widened"]),
        ({**THREE, "maxItems": 3}, {**TWO, "maxItems": 2}, ["items-narrowed"], []),
        ({**TWO, "maxItems": 2, "minItems": 2}, {**THREE, "maxItems": 3, "minItems": 3}, ["items-narrowed"], ["items-widened"]),
        ({**TWO, "items": False, "maxItems": 2}, {**THREE, "items": False, "maxItems": 3}, [], ["items-widened"]),
        ({**TWO, "items": False}, {**THREE, "items": False}, [], ["not-widened"]),
        ({**TWO, "maxItems": 4}, {**THREE, "maxItems": 4}, ["type-narrowed"], []),
    ],
    "names that only one side describes by a pattern are additional to the other": [
        row
        for others, narrowed, widened in [
            (STRING, ["type-narrowed"], ["type-widened"]),
            (False, ["keyword-narrowed"], ["keyword-widened"]),
            (SCALAR, [], []),
            (True, [], []),
        ]
        for plain in [{"type": "object", "additionalProperties": others}]
        for row in [(patterned(others), plain, narrowed, None), (plain, patterned(others), None, widened)]
    ],
    "an alternative is added to a schema or null": [
        row
        for narrow in ({"anyOf": [STRING, {"type": "null"}]}, {"type": ["string", "null"]})
        for row in [(narrow, OR_INTEGER, [], None), (OR_INTEGER, narrow, None, [])]
    ],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("why", EFFECTS)
def test_a_change_breaks_those_who_send_or_those_who_receive(why):
    for old, new, of_requests, of_responses in EFFECTS[why]:
        assert of_requests is None or rules(old, new, "request") == of_requests
        assert of_responses is None or rules(old, new, "response") == of_responses


def test_a_property_is_read_only_also_where_its_reference_has_keywords_next_to_it():
    """As the server has it: in the canonical form the reference is in `allOf`."""

    def taking(described: Any) -> Any:
        schema = {"type": "object", "properties": {"id": described}}
        return read(
            whole("3.1.1", schema, {})
            | {"components": {"schemas": {"Id": {"type": "string", "readOnly": True}}}}
        )

    marked = {"$ref": "#/components/schemas/Id"}

    assert compare(taking(marked), taking({**marked, "description": "given by the service"})) == []


@pytest.mark.parametrize(
    ("version", "old", "advice"),
    [
        ("3.0.3", {**STRING, "nullable": True}, "keep `nullable: true`"),
        ("3.1.0", {"type": ["string", "null"]}, "keep null, in the list of `type` or as an alternative"),
        ("3.2.0", {"anyOf": [STRING, {"type": "null"}]}, "keep null, in the list of `type` or as an alternative"),
    ],
)  # fmt: skip
def test_the_advice_is_in_the_words_of_the_new_version(version, old, advice):
    (change,) = compare(
        exchange(old, "request", version=version), exchange(STRING, "request", version=version)
    )

    assert change.message.endswith(f"clients that send null get 400: {advice}")


@pytest.mark.parametrize(
    ("owner", "words", "name"),
    [
        ("flow", {"deviceAuthorizationUrl": "https://a.example/device"}, "deviceAuthorization.deviceAuthorizationUrl"),
        ("scheme", {"oauth2MetadataUrl": "https://a.example/metadata"}, "oauth2MetadataUrl"),
    ],
)  # fmt: skip
def test_the_addresses_of_3_2_at_which_a_credential_is_obtained_are_compared(owner, words, name):
    def document(suffix: str) -> Any:
        known = {
            "deviceAuthorizationUrl": "https://a.example/d",
            "tokenUrl": "https://a.example/t",
            "scopes": {},
        }
        given = {key: f"{value}{suffix}" for key, value in words.items()}
        flow = {**known, **(given if owner == "flow" else {})}
        scheme = {
            "type": "oauth2",
            "flows": {"deviceAuthorization": flow},
            **(given if owner == "scheme" else {}),
        }
        operation = {"security": [{"o": []}], "responses": {"204": {"description": "ok"}}}
        paths = contract({"/a": {"get": operation}}, components={"securitySchemes": {"o": scheme}})
        return read({**paths, "openapi": "3.2.0"})

    changes = compare(document(""), document("2"))
    assert [one.rule for one in changes] == ["security-url-changed"]
    assert f"{name} changed" in changes[0].message


ABOVE = {"type": "integer", "exclusiveMinimum": 0}
DEFINED = {"properties": {"q": {"$ref": "#/components/schemas/Body/$defs/Q"}}}


@pytest.mark.parametrize(
    ("old", "new", "direction", "message"),
    [
        (ABOVE, {**ABOVE, "exclusiveMinimum": 1}, "request", "Body (POST /a): exclusiveMinimum changed from 0 to 1; "),
        (ABOVE, {"type": "integer"}, "response", "Body (POST /a): exclusiveMinimum 0 was removed; "),
        (
            {**ABOVE, "format": "int64"}, {**ABOVE, "format": "int32"}, "request",
            'Body (POST /a): maximum changed from 9223372036854775807 to 2147483647, because the format changed from "int64" to "int32"; ',
        ),
        ({"type": "integer", "minimum": 0}, ABOVE, "request", "Body (POST /a): minimum changed from 0 to 0, now exclusive; "),
        ({**DEFINED, "$defs": {"Q": ABOVE}}, {**DEFINED, "$defs": {"Q": {**ABOVE, "exclusiveMinimum": 1}}}, "request",
         "Body/$defs/Q (POST /a): exclusiveMinimum changed from 0 to 1; "),
        (STRING, {**STRING, "contentEncoding": "base64"}, "request", 'Body (POST /a): contentEncoding "base64" was added; '),
        ({**STRING, "format": "byte"}, {**STRING, "contentEncoding": "base64url"}, "request",
         'Body (POST /a): format changed from "byte" to "base64url"; '),
        ({"prefixItems": [STRING]}, {"prefixItems": [STRING], "items": False}, "request",
         "Body[] (POST /a): no value is accepted now; "),
        ({"properties": {"a": False}}, {"properties": {"a": STRING}}, "response", "Body.a (POST /a): may now have a value; "),
        ({"not": STRING}, {"not": SCALAR}, "request", "Body (POST /a): the values excluded by `not` changed; "),
    ],
)  # fmt: skip
def test_a_change_is_described_by_the_words_of_the_contract(old, new, direction, message):
    changes = compare(exchange(old, direction), exchange(new, direction))
    assert [one.message[: len(message)] for one in changes if one.rule != "request-type-narrowed"] == [
        message
    ]


@pytest.mark.parametrize(
    ("old", "new", "of_requests", "of_responses"),
    [
        (["itemSchema"], ["itemSchema", "schema"], "`schema` was added", None),
        (["itemSchema", "schema"], ["itemSchema"], None, "`schema` was removed"),
        (["itemSchema"], ["schema"], *["`itemSchema` was replaced by `schema`"] * 2),
        (["schema"], ["itemSchema"], *["`schema` was replaced by `itemSchema`"] * 2),
        ([], ["itemSchema"], "`itemSchema` was added", None),
        ([], ["itemSchema", "schema"], "`itemSchema` and `schema` were added", None),
        (["itemSchema"], [], None, "`itemSchema` was removed"),
        (["itemSchema", "schema"], ["itemSchema", "schema"], None, None),
    ],
)
def test_a_body_that_becomes_a_stream_is_one_change(old, new, of_requests, of_responses):
    """A whole body and its items have no schema in common; their types and null were compared with any value."""
    schemas = {"schema": {"type": "array", "items": SCALAR}, "itemSchema": {"type": ["object", "null"]}}

    for direction, words in (("request", of_requests), ("response", of_responses)):
        before, after = (
            of_parts("application/jsonl", {word: schemas[word] for word in one}, direction)
            for one in (old, new)
        )
        changes = compare(before, after)
        part = "request" if direction == "request" else "200"
        kind = "keyword" if {"itemSchema"} <= {*old} & {*new} else "type"
        rule = f"{direction}-{kind}-{'narrowed' if direction == 'request' else 'widened'}"
        assert [one.rule for one in changes] == ([rule] if words else [])
        assert all(one.message.startswith(f"POST /a: {part} body: {words}; ") for one in changes)
