"""Changes between two contracts: each rule reports its change and ignores its near miss: `relay.diff`."""

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.contract.loading import load_contract
from relay.diff import RULES, compare
from support.compiled import read
from support.hosting import contract, with_json_body
from support.public_contracts import public_style
from support.running import SPEC

GARAGE = Path(__file__).parents[1].joinpath("specs") / "garage" / "openapi.yaml"
S = {"type": "string"}
I = {"type": "integer"}  # noqa: E741 -- one letter like S and N, for the tables below
N = {"type": "number"}
A = {"$ref": "#/components/schemas/A"}
B = {"$ref": "#/components/schemas/B"}
SHARED = {
    "A": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["A"]}}},
    "B": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["B"]}}},
}


def an(**properties: Any) -> dict[str, Any]:
    """Return an object schema of some properties; other keywords have a leading underscore."""
    rest = {key[1:]: properties.pop(key) for key in list(properties) if key.startswith("_")}
    return {"type": "object", "properties": properties, **rest}


def closed(**properties: Any) -> dict[str, Any]:
    return an(**properties, _additionalProperties=False)


def discriminator(*names: str) -> dict[str, Any]:
    return {"propertyName": "kind", "mapping": dict.fromkeys(names, A["$ref"])}


REQUESTS: dict[str, tuple[Any, Any, Any]] = {
    "type-narrowed": (N, I, N),
    "null-refused": ({**S, "nullable": True}, S, {**S, "nullable": True, "title": "x"}),
    "enum-value-removed": ({**S, "enum": ["a", "b"]}, {**S, "enum": ["a"]}, {**S, "enum": ["b", "a", "c"]}),
    "enum-added": (S, {**S, "enum": ["a"]}, {**S, "example": "a"}),
    "range-narrowed": ({**I, "minimum": 1}, {**I, "minimum": 1, "exclusiveMinimum": True}, {**I, "minimum": 0}),
    "length-narrowed": ({**S, "maxLength": 9}, {**S, "maxLength": 8}, {**S, "maxLength": 10}),
    "pattern-narrowed": ({**S, "pattern": "^a"}, {**S, "pattern": "^b"}, S),
    "format-narrowed": ({**S, "format": "date"}, {**S, "format": "date-time"}, S),
    "multiple-narrowed": ({**I, "multipleOf": 2}, {**I, "multipleOf": 4}, {**I, "multipleOf": 1}),
    "items-narrowed": (
        {"type": "array", "items": S}, {"type": "array", "items": S, "minItems": 1}, {"type": "array", "items": S, "minItems": 0},
    ),
    "unique-items-added": (
        {"type": "array", "items": S}, {"type": "array", "items": S, "uniqueItems": True}, {"type": "array", "items": {}},
    ),
    "property-count-narrowed": (an(), an(_maxProperties=3), an(_minProperties=0)),
    "property-required-added": (an(), an(a=S, _required=["a"]), an(a=S)),
    "property-became-required": (an(a=S), an(a=S, _required=["a"]), an(a={**S, "readOnly": True}, _required=["a"])),
    "property-refused": (closed(a=S, b=S), closed(a=S), an(b=S)),
    "property-read-only": (an(a=S), an(a={**S, "readOnly": True}), an(a={**S, "writeOnly": True})),
    "additional-properties-refused": (an(a=S), closed(a=S), an(a=S, _additionalProperties={})),
    "alternative-removed": ({"oneOf": [A, B]}, {"oneOf": [A]}, {"oneOf": [B, A]}),
    "alternatives-added": (an(), {"anyOf": [A, B]}, {"anyOf": [an(), B]}),
    "not-narrowed": ({"not": S}, {"not": I}, {}),
    "discriminator-changed": (
        {"oneOf": [A, B], "discriminator": discriminator("x", "y")},
        {"oneOf": [A, B], "discriminator": discriminator("x")},
        {"oneOf": [A, B], "discriminator": discriminator("x", "y", "z")},
    ),
    "property-removed": (an(a=S, b=S), an(a=S), an(a=S, b={})),
    "default-changed": ({**S, "default": "a"}, {**S, "default": "b"}, {**S, "default": "a", "title": "x"}),
    "default-removed": ({**S, "default": "a"}, S, {"default": "a"}),
    "alternatives-overlap": ({"oneOf": [A]}, {"oneOf": [A, an(kind=S)]}, {"oneOf": [A, B]}),
    "property-added": (an(), an(a=S), an(_additionalProperties=True)),
    "property-deprecated": (an(a=S), an(a={**S, "deprecated": True}), an(a={**S, "deprecated": False})),
    "default-added": (S, {**S, "default": "a"}, {}),
}  # fmt: skip
RESPONSES: dict[str, tuple[Any, Any, Any]] = {
    "type-widened": (I, N, I),
    "null-added": (S, {**S, "nullable": True}, {**S, "nullable": False}),
    "enum-dropped": ({**S, "enum": ["a"]}, S, {**S, "enum": ["a"], "maxLength": 1}),
    "enum-value-added": ({**S, "enum": ["a", "b"]}, {**S, "enum": ["a", "b", "c"]}, {**S, "enum": ["a"]}),
    "range-widened": ({**I, "maximum": 5}, {**I, "maximum": 6}, {**I, "maximum": 4}),
    "length-widened": ({**S, "minLength": 1}, S, {**S, "minLength": 2}),
    "pattern-widened": ({**S, "pattern": "^a"}, S, {**S, "pattern": "^a", "maxLength": 3}),
    "format-widened": ({**S, "format": "date"}, S, {**S, "format": "date", "maxLength": 10}),
    "multiple-widened": ({**N, "multipleOf": 2}, {**N, "multipleOf": 1}, {**N, "multipleOf": 4}),
    "items-widened": (
        {"type": "array", "items": S, "maxItems": 2}, {"type": "array", "items": S}, {"type": "array", "items": S, "maxItems": 1},
    ),
    "unique-items-dropped": (
        {"type": "array", "items": S, "uniqueItems": True}, {"type": "array", "items": S},
        {"type": "array", "items": {**S, "maxLength": 1}, "uniqueItems": True},
    ),
    "property-count-widened": (an(_minProperties=1), an(), an(_minProperties=2)),
    "property-became-optional": (an(a=S, _required=["a"]), an(a=S), an(a=S, b=S, _required=["a", "b"])),
    "property-removed": (an(a=S, _required=["a"]), an(), an(a={**S, "maxLength": 3}, _required=["a"])),
    "optional-property-removed": (an(a=S), an(), an(a={**S, "maxLength": 3})),
    "property-write-only": (an(a=S), an(a={**S, "writeOnly": True}), an(a={**S, "readOnly": True})),
    "closed-property-added": (closed(a=S), closed(a=S, b=S), closed(a={**S, "maxLength": 3})),
    "additional-properties-added": (closed(a=S), an(a=S), {**closed(a=S), "maxProperties": 1}),
    "alternative-added": ({"oneOf": [A]}, {"oneOf": [A, B]}, {"oneOf": [A], "title": "x"}),
    "alternatives-dropped": ({"anyOf": [A, B]}, an(), A),
    "alternatives-overlap": (
        {"oneOf": [A, {"type": "object", "properties": {"kind": S, "b": S}, "required": ["b"]}]},
        {"oneOf": [{**SHARED["A"], "maxProperties": 2}, {"type": "object", "properties": {"kind": S, "b": S}, "required": ["b"]}]},
        {"oneOf": [{"type": "object", "properties": {"kind": S, "b": S}, "required": ["b"]}, A]},
    ),
    "not-widened": ({"not": S}, {}, {"not": {**S, "title": "x"}}),
    "discriminator-changed": (
        {"oneOf": [A, B], "discriminator": discriminator("x")},
        {"oneOf": [A, B], "discriminator": discriminator("x", "y")},
        {"oneOf": [A, B], "discriminator": discriminator("x"), "title": "x"},
    ),
    "property-added": (an(), an(a=S), an(_additionalProperties=True)),
    "property-deprecated": (an(a=S), an(a={**S, "deprecated": True}), an(a={**S, "deprecated": False})),
}  # fmt: skip


def exchange(direction: str, schema: Any) -> dict[str, Any]:
    return copy.deepcopy(with_json_body(direction, schema, SHARED))


def on(operation: Any = None, /, path: str = "/pets/{id}", **rest: Any) -> dict[str, Any]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    own = {
        "operationId": "show",
        "tags": ["Pets"],
        "responses": {"200": {"description": "ok"}},
        **(operation or {}),
    }
    parameters = [{"name": name, "in": "path", "required": True, "schema": S} for name in names]
    item = {"post": own, **({"parameters": parameters} if parameters else {})}
    return copy.deepcopy(contract({path: item, **rest.pop("paths", {})}, **rest))


def query(name: str = "q", /, **rest: Any) -> dict[str, Any]:
    return {"parameters": [{"name": name, "in": "query", "schema": S, **rest}]}


def with_body(*media_types: str, **rest: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {name: {} for name in media_types or ["text/plain"]}, **rest}}


def with_responses(*statuses: str, **rest: Any) -> dict[str, Any]:
    return {"responses": {status: {"description": "x", **rest} for status in statuses}}


def with_response_types(*media_types: str) -> dict[str, Any]:
    return with_responses("200", content={name: {} for name in media_types})


def header(**rest: Any) -> dict[str, Any]:
    return with_responses("200", headers={"X-Count": {"schema": I, **rest}})


def secured(*requirements: Any, **schemes: Any) -> dict[str, Any]:
    """Return a contract with security; `schemes` extend the schemes `key` and `token`."""
    known = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "token": {"type": "http", "scheme": "bearer"},
        **schemes,
    }
    return on({"security": list(requirements)}, components={"securitySchemes": known})


def oauth(token_url: str, **rest: Any) -> dict[str, Any]:
    return {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": token_url, "scopes": {}}}, **rest}


def multipart(**encoding: Any) -> dict[str, Any]:
    media = {"schema": an(photo={**S, "format": "binary"}, note=S), "encoding": encoding}
    return on({"requestBody": {"content": {"multipart/form-data": media}}})


OTHER = {"get": {"operationId": "other", "responses": {"200": {"description": "ok"}}}}
OLD_OTHER = {"get": {**OTHER["get"], "deprecated": True}}
EXPLODED = {"type": "array", "items": S}
WHOLE: dict[str, tuple[Any, Any, Any]] = {
    "base-path-changed": (on(servers=[{"url": "/v1"}]), on(servers=[{"url": "/v2"}]), on(servers=[{"url": "/v1/"}, {"url": "/v1"}])),
    "server-removed": (
        on(servers=[{"url": "https://a/v1"}, {"url": "https://b/v1"}]), on(servers=[{"url": "https://a/v1"}]),
        on(servers=[{"url": "https://b/v1"}, {"url": "https://a/v1"}]),
    ),
    "version-changed": (on(), {**on(), "info": {"title": "Test", "version": "2"}}, {**on(), "info": {"title": "T", "version": "1"}}),
    "path-removed": (on(paths={"/b": OTHER}), on(), on(paths={"/b": {**OTHER, "summary": "x"}})),
    "operation-removed": (
        on(path="/b", paths={"/b": {**OTHER, "post": on()["paths"]["/pets/{id}"]["post"]}}), on(path="/b"),
        on(path="/b", paths={"/b": {**OTHER, "post": on()["paths"]["/pets/{id}"]["post"]}}),
    ),
    "deprecated-operation-removed": (on(paths={"/b": OLD_OTHER}), on(), on(paths={"/b": OTHER})),
    "operation-moved": (on(path="/a"), on(path="/b"), on(path="/a", paths={"/b": OTHER})),
    "operation-faulty": (on(path="/a/{b}/{c}"), on(path="/a/{b}/{b}"), on(path="/a/{c}/{b}")),
    "operation-added": (on(), on(paths={"/b": OTHER}), on({"summary": "x"})),
    "operation-id-changed": (on(), on({"operationId": "showPet"}), on({"summary": "showPet"})),
    "tag-changed": (on(), on({"tags": ["Dogs"]}), on({"tags": ["Pets", "Dogs"]})),
    "operation-deprecated": (on(), on({"deprecated": True}), on({"deprecated": False})),
    "path-parameter-renamed": (on(), on(path="/pets/{petId}"), on({"description": "petId"})),
    "security-added": (secured(), secured({"key": []}), secured({}, {"key": []})),
    "security-removed": (secured({"key": []}), secured(), secured({"token": []}, {"key": []})),
    "security-requirement-removed": (
        secured({"key": []}, {"token": []}), secured({"token": []}), secured({"token": []}, {"key": []}),
    ),
    "security-requirement-added": (secured({"key": []}), secured({"key": []}, {"token": []}), secured({"key": []})),
    "security-scope-added": (secured({"token": ["a"]}), secured({"token": ["a", "b"]}), secured({"token": []})),
    "security-scope-removed": (secured({"token": ["a", "b"]}), secured({"token": ["b"]}), secured({"token": ["b", "a"]})),
    "security-scheme-changed": (
        secured({"key": []}),
        secured({"key": []}, key={"type": "apiKey", "in": "query", "name": "X-Key"}),
        secured({"key": []}, key={"type": "apiKey", "in": "header", "name": "x-key", "description": "x"}),
    ),
    "security-url-changed": (
        secured({"oauth": []}, oauth=oauth("https://login.example/token")),
        secured({"oauth": []}, oauth=oauth("https://login.example/v2/token")),
        secured({"oauth": []}, oauth=oauth("https://login.example/token", description="x")),
    ),
    "parameter-required-added": (on(), on(query(required=True)), on(query())),
    "parameter-became-required": (on(query()), on(query(required=True)), on(query(required=False))),
    "parameter-became-optional": (on(query(required=True)), on(query()), on(query(required=True, example="x"))),
    "parameter-moved": (
        on(query()), on({"parameters": [{"name": "q", "in": "header", "schema": S}]}), on(query(description="x")),
    ),
    "parameter-style-changed": (
        on(query(schema=EXPLODED)), on(query(schema=EXPLODED, explode=False)), on(query(schema=EXPLODED, style="form")),
    ),
    "parameter-removed": (on(query()), on(), on({"parameters": [*query()["parameters"], *query("r")["parameters"]]})),
    "parameter-added": (on(), on(query()), on({"parameters": [{"name": "Accept", "in": "header", "schema": S}]})),
    "parameter-deprecated": (on(query()), on(query(deprecated=True)), on(query(deprecated=False))),
    "parameter-reserved-refused": (on(query(allowReserved=True)), on(query()), on(query(allowReserved=True, example="x"))),
    "request-body-required-added": (on(), on(with_body(required=True)), on(with_body())),
    "request-body-became-required": (on(with_body()), on(with_body(required=True)), on(with_body(required=False))),
    "request-body-became-optional": (on(with_body(required=True)), on(with_body()), on(with_body(required=True, description="x"))),
    "request-body-added": (on(), on(with_body()), on({"summary": "x"})),
    "request-body-removed": (on(with_body()), on(), on(with_body("text/*"))),
    "request-media-type-removed": (on(with_body("text/a", "text/b")), on(with_body("text/b")), on(with_body("text/a", "text/*"))),
    "request-part-type-changed": (
        multipart(), multipart(photo={"contentType": "image/png"}),
        multipart(photo={"contentType": "image/png, application/*"}, note={"contentType": "text/plain; charset=utf-8"}),
    ),
    "request-media-type-added": (on(with_body("text/a")), on(with_body("text/a", "text/b")), on(with_body("Text/A"))),
    "response-success-removed": (on(with_responses("200", "202")), on(with_responses("200")), on(with_responses("200", "2XX"))),
    "response-success-added": (on(with_responses("200")), on(with_responses("200", "202")), on(with_responses("200", "404"))),
    "response-error-removed": (on(with_responses("200", "404")), on(with_responses("200")), on(with_responses("200", "4XX"))),
    "response-error-added": (on(with_responses("200")), on(with_responses("200", "default")), on(with_responses("200"))),
    "response-media-type-removed": (on(with_response_types("text/a", "text/b")), on(with_response_types("text/b")), on(with_response_types("text/b", "text/a"))),
    "response-media-type-added": (on(with_response_types("text/a")), on(with_response_types("text/a", "text/b")), on(with_response_types("text/a; charset=utf-8"))),
    "response-header-removed": (on(header(required=True)), on(), on(header(required=True, description="x"))),
    "response-header-removed-optional": (on(header()), on(), on(header(required=True))),
    "response-header-became-optional": (on(header(required=True)), on(header()), on(header(required=True))),
    "response-header-added": (on(), on(header()), on(with_responses("200", "204"))),
}  # fmt: skip
TABLE = {
    **{f"request-{rule}": tuple(exchange("request", one) for one in case) for rule, case in REQUESTS.items()},
    **{
        f"response-{rule}": tuple(exchange("response", one) for one in case)
        for rule, case in RESPONSES.items()
    },
    **WHOLE,
}


def both(schema: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Both"}}}
    operation = {
        "requestBody": {"content": content},
        "responses": {"200": {"description": "ok", "content": content}},
    }
    return on(operation, components={"schemas": {"Both": schema}})


def rules(old: Any, new: Any) -> list[str]:
    return sorted({change.rule for change in compare(read(old), read(new))})


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (["a/b; v=1", "a/b; v=2"], ["a/b; v=2"], "removed"),
        (["a/b; v=2"], ["a/b; v=1", "a/b; v=2"], "added"),
        (['A/b;V="1"'], ["a/b; v=1; charset=utf-8"], None),
    ],
)
def test_media_types_with_other_parameters_are_others(old, new, expected):
    """They were one, so that a version could be removed and no change was reported."""
    changes = [] if expected is None else [f"response-media-type-{expected}"]

    assert rules(on(with_response_types(*old)), on(with_response_types(*new))) == changes
    changes = [] if expected is None else [f"request-media-type-{expected}"]
    assert rules(on(with_body(*old)), on(with_body(*new))) == changes
    assert rules(on(with_body("a/b; v=1")), on(with_body("a/b"))) == ["request-media-type-added"]


@pytest.mark.slow
@pytest.mark.parametrize("rule", TABLE)
def test_a_change_is_reported_by_exactly_one_rule_and_a_near_miss_not_by_it(rule):
    """With several rules a reader would not know which one applies; users switch off a rule with false positives."""
    old, new, near = TABLE[rule]

    assert rules(old, new) == [rule]
    assert rule not in rules(old, near)


_SAFE_IN_REQUESTS: list[tuple[Any, Any]] = [
    ({**S, "enum": ["a", "b"]}, {**S, "maxLength": 3}),
    ({**S, "enum": ["a", "b"]}, {**S, "pattern": "^[ab]$"}),
    ({**I, "enum": [1, 2]}, {**I, "minimum": 1, "maximum": 2}),
    ({**N, "enum": [1, 2]}, I),
    ({**I, "enum": [4, 8]}, {**I, "multipleOf": 4}),
    ({"type": "boolean"}, {"type": "boolean", "enum": [True, False]}),
    ({**S, "enum": ["a", "b"]}, {"oneOf": [{**S, "enum": ["a"]}, {**S, "enum": ["b"]}]}),
    (an(a=S), an(a=S, b={**S, "readOnly": True})),
    (closed(a=S), closed(a=S, b={**S, "readOnly": True})),
]
_BREAKS_REQUESTS: list[tuple[Any, Any]] = [
    ({**S, "enum": ["a", "bbbb"]}, {**S, "maxLength": 3}),
    ({**S, "enum": ["a", "b"]}, {**S, "pattern": "^a$"}),
    ({**I, "enum": [1, 2]}, {**I, "minimum": 1, "maximum": 2, "exclusiveMaximum": True}),
    ({**N, "enum": [1, 2.5]}, I),
    ({**I, "enum": [4, 6]}, {**I, "multipleOf": 4}),
    ({"type": "boolean"}, {"type": "boolean", "enum": [True]}),
    ({"oneOf": [{**S, "nullable": True}]}, {"oneOf": [{**S, "nullable": True}, {**I, "nullable": True}]}),
    ({**S, "enum": ["a", "c"]}, {"oneOf": [{**S, "enum": ["a"]}, {**S, "enum": ["b"]}]}),
    ({**S, "enum": ["a", "b"]}, {"oneOf": [{**S, "enum": ["a"]}, {**S, "enum": ["a", "b"]}]}),
]


@pytest.mark.parametrize(
    ("old", "new", "breaks"),
    [*((*pair, False) for pair in _SAFE_IN_REQUESTS), *((*pair, True) for pair in _BREAKS_REQUESTS)],
)
def test_a_request_breaks_only_if_a_value_is_refused(old, new, breaks):
    """Whichever keywords say so: the harmless ones were once called breaking."""
    assert bool(rules(exchange("request", old), exchange("request", new))) == breaks


def test_a_new_read_only_property_of_a_shared_schema_breaks_nobody():
    """Responses have one property more; in requests it is ignored."""
    old, new = an(a=S), an(a=S, b={**S, "readOnly": True})

    found = rules(both(old), both(new))

    assert found == ["response-property-added"]


OF_LATER_VERSIONS = {
    "request-keyword-narrowed",
    "response-keyword-widened",
    "request-parts-validated",
    "response-part-type-changed",
}
"""Rules of which test_versions.py has the cases."""


def test_every_rule_has_a_case_and_a_reason():
    assert set(TABLE) | OF_LATER_VERSIONS == set(RULES)
    assert len(RULES) > 45
    assert all(rule.why and "\n" not in rule.why for rule in RULES.values())


REVERSED = {
    "operation-added": "path-removed",
    "parameter-added": "parameter-removed",
    "parameter-required-added": "parameter-removed",
    "request-body-added": "request-body-removed",
    "request-media-type-added": "request-media-type-removed",
    "response-success-added": "response-success-removed",
    "response-error-added": "response-error-removed",
    "response-media-type-added": "response-media-type-removed",
    "response-header-added": "response-header-removed-optional",
    "request-property-added": "request-property-removed",
    "response-property-added": "response-optional-property-removed",
    "security-added": "security-removed",
    "security-requirement-added": "security-requirement-removed",
    "security-scope-added": "security-scope-removed",
}


@pytest.mark.parametrize("rule", REVERSED)
def test_a_reversed_addition_is_a_removal(rule):
    old, new, _ = TABLE[rule]

    assert rules(new, old) == [REVERSED[rule]]


OPERATIONS = 10


@pytest.mark.slow
@settings(max_examples=20)
@given(kept=st.sets(st.integers(0, OPERATIONS - 1), min_size=1))
def test_removed_operations_are_added_in_the_reverse_comparison(kept):
    whole = public_style(OPERATIONS)
    part = {**whole, "paths": {}}
    places = [(path, method) for path, item in whole["paths"].items() for method in item]
    for path, method in (places[index] for index in kept):
        part["paths"].setdefault(path, {})[method] = whole["paths"][path][method]
    one, other = read(whole), read(part)

    removed = {change.where for change in compare(one, other)}
    added = {change.where for change in compare(other, one)}

    assert removed == added
    assert len(removed) == OPERATIONS - len(kept)


@pytest.mark.slow
@pytest.mark.parametrize(
    "load",
    [lambda: load_contract(GARAGE), lambda: load_contract(SPEC), lambda: read(public_style(50))],
    ids=["garage", "own", "large"],
)
def test_a_contract_equals_itself(load):
    """It is loaded twice, so that equality does not rest on object identity."""
    assert compare(load(), load()) == []


def test_renaming_a_component_is_not_a_change():
    old = exchange("response", an(a=A))
    new = exchange("response", an(a={"$ref": "#/components/schemas/Renamed"}))
    new["components"]["schemas"]["Renamed"] = SHARED["A"]

    assert compare(read(old), read(new)) == []


def test_renaming_a_component_changes_a_discriminator_without_mapping():
    """Without a mapping, the component's name is the discriminator value that is sent."""
    old = exchange("response", {"oneOf": [A, B], "discriminator": {"propertyName": "kind"}})
    new = exchange(
        "response",
        {"oneOf": [A, {"$ref": "#/components/schemas/C"}], "discriminator": {"propertyName": "kind"}},
    )
    new["components"]["schemas"]["C"] = SHARED["B"]

    assert rules(old, new) == ["response-discriminator-changed"]


def test_compares_a_recursive_schema():
    tree = an(leaf=S, next={"$ref": "#/components/schemas/Tree"})
    old, new = (exchange("response", {"$ref": "#/components/schemas/Tree"}) for _ in range(2))
    old["components"]["schemas"]["Tree"] = tree
    new["components"]["schemas"]["Tree"] = {**tree, "properties": {**tree["properties"], "leaf": N}}

    (change,) = compare(read(old), read(new))

    assert (change.rule, change.where) == ("response-type-widened", "Tree")
    assert change.names == {("paths", "/a", "post"): {"leaf"}}


def test_a_schema_that_is_only_a_reference_to_itself_accepts_anything():
    old, new = (exchange("response", {"$ref": "#/components/schemas/Loop"}) for _ in range(2))
    old["components"]["schemas"]["Loop"] = S
    new["components"]["schemas"]["Loop"] = {"allOf": [{"$ref": "#/components/schemas/Loop"}]}

    assert rules(old, new) == ["response-type-widened"]


def test_a_change_of_a_shared_schema_is_reported_once_with_its_operations():
    old, new = public_style(20), public_style(20)
    new["components"]["schemas"]["Diagnostic"]["required"].remove("code")

    (change,) = compare(read(old), read(new))

    assert len(change.operations) == 20
    assert change.message == (
        "Diagnostic.code (GET /resource0s and 19 others): may now be missing; "
        "clients that do not check for it may fail: keep sending it always"
    )


def test_the_same_change_has_opposite_effects_in_requests_and_responses():
    document = on(
        {**with_body("application/json"), **with_response_types("application/json")},
        components={"schemas": {"P": S}},
    )
    operation = document["paths"]["/pets/{id}"]["post"]
    for message in (operation["requestBody"], operation["responses"]["200"]):
        message["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/P"}
    narrow = copy.deepcopy(document)
    narrow["components"]["schemas"]["P"] = {**S, "maxLength": 3}

    assert rules(document, narrow) == ["request-length-narrowed"]
    assert rules(narrow, document) == ["response-length-widened"]


def test_security_schemes_are_matched_by_content():
    old = secured({"key": []})
    new = secured({"other": []}, other={"type": "apiKey", "in": "header", "name": "X-Key"})
    del new["components"]["securitySchemes"]["key"]

    assert compare(read(old), read(new)) == []


def test_one_requirement_of_the_list_is_sufficient():
    """The list is an OR of ANDs: a client with both credentials has one, but not the reverse."""
    both, one = secured({"key": [], "token": []}), secured({"key": []})

    assert rules(both, one) == ["security-requirement-added"]
    assert rules(one, both) == ["security-requirement-removed"]


def test_a_status_covered_by_another_key_is_compared_with_it():
    """Copying the response of `default` to a status is not a change; a different response is."""
    content = {"content": {"application/json": {"schema": an(a=S, _required=["a"])}}}
    other = {"content": {"application/json": {"schema": an(a=S)}}}
    old = on(with_responses("default", **content))

    assert rules(old, on(with_responses("404", "default", **content))) == []
    new = on(with_responses("404", **other))
    new["paths"]["/pets/{id}"]["post"]["responses"]["default"] = {"description": "x", **content}
    assert rules(old, new) == ["response-error-added", "response-property-became-optional"]


def described(**responses):
    shared = {"Rest": {"description": "It failed."}}
    own = {key.lstrip("_"): {"description": text} for key, text in responses.items()}
    rest = {"default": {"$ref": "#/components/responses/Rest"}}
    return on({"responses": {**rest, **own}}, components={"responses": shared})


@pytest.mark.parametrize(
    ("own", "expected", "reverse"),
    [
        ({"_404": "None is there."}, "response-error-removed", "response-error-added"),
        ({"_4XX": "None is there."}, "response-error-removed", "response-error-added"),
        ({"_202": "It was taken."}, "response-success-removed", "response-success-added"),
        ({"_404": "It failed."}, None, None),
    ],
)
def test_a_status_that_is_now_covered_by_default_is_reported_if_default_differs(own, expected, reverse):
    """The meaning may differ even if the schemas are equal, so descriptions are compared."""
    old, new = described(_200="Here.", **own), described(_200="Here.")

    assert rules(old, new) == [expected] * (expected is not None)
    assert rules(new, old) == [reverse] * (reverse is not None)


def test_reports_a_status_that_default_now_covers_even_if_nothing_breaks():
    either, one = (
        {"content": {"application/json": {"schema": {**S, "enum": list(some)}}}} for some in ("ab", "a")
    )
    old = on(with_responses("404", **either))
    new = on(with_responses("default", **one))
    old["paths"]["/pets/{id}"]["post"]["responses"]["default"] = {"description": "x", **one}

    (change,) = compare(read(old), read(new))

    assert (change.rule, change.severity) == ("response-error-removed", "info")
    assert (
        "the status 404 is no longer documented separately, and default describes it differently"
        in change.message
    )


def test_a_success_status_covered_by_a_range_is_not_a_change():
    old = on(with_responses("200", "2XX"))
    old["paths"]["/pets/{id}"]["post"]["responses"]["200"]["description"] = "y"

    assert rules(old, on(with_responses("2XX"))) == []
