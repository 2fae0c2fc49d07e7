"""What changed between two contracts: each rule on what it is for, and not on its near miss: `scripts/comparing/`."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.contracts import public_style
from relay.contract.loading import load_contract
from relay.diff import RULES, compare
from support.compiled import read
from support.hosting import contract
from support.running import SPEC

GARAGE = Path(__file__).parents[1].joinpath("specs") / "garage" / "openapi.yaml"
S = {"type": "string"}
I = {"type": "integer"}  # noqa: E741 -- beside S and N, as in the tables below
N = {"type": "number"}
A = {"$ref": "#/components/schemas/A"}
B = {"$ref": "#/components/schemas/B"}
SHARED = {
    "A": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["A"]}}},
    "B": {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string", "enum": ["B"]}}},
}


def an(**properties: Any) -> dict[str, Any]:
    """An object of some properties; what else it says begins with an underscore."""
    rest = {key[1:]: properties.pop(key) for key in list(properties) if key.startswith("_")}
    return {"type": "object", "properties": properties, **rest}


def closed(**properties: Any) -> dict[str, Any]:
    """An object that allows no other property."""
    return an(**properties, _additionalProperties=False)


def told_by(*names: str) -> dict[str, Any]:
    """A discriminator; its values are the names, and lead to A."""
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
        {"oneOf": [A, B], "discriminator": told_by("x", "y")},
        {"oneOf": [A, B], "discriminator": told_by("x")},
        {"oneOf": [A, B], "discriminator": told_by("x", "y", "z")},
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
        {"oneOf": [A, B], "discriminator": told_by("x")},
        {"oneOf": [A, B], "discriminator": told_by("x", "y")},
        {"oneOf": [A, B], "discriminator": told_by("x"), "title": "x"},
    ),
    "property-added": (an(), an(a=S), an(_additionalProperties=True)),
    "property-deprecated": (an(a=S), an(a={**S, "deprecated": True}), an(a={**S, "deprecated": False})),
}  # fmt: skip


def exchange(direction: str, schema: Any) -> dict[str, Any]:
    """A contract whose one operation sends, or answers, a schema."""
    content = {"content": {"application/json": {"schema": schema}}}
    if direction == "request":
        operation = {"requestBody": content, "responses": {"204": {"description": "ok"}}}
    else:
        operation = {"responses": {"200": {"description": "ok", **content}}}
    document = contract({"/a": {"post": {"operationId": "x", **operation}}}, components={"schemas": SHARED})
    return copy.deepcopy(document)


def on(operation: Any = None, /, path: str = "/pets/{id}", **rest: Any) -> dict[str, Any]:
    """A contract of one operation, and what else it says."""
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
    """An operation with one query parameter."""
    return {"parameters": [{"name": name, "in": "query", "schema": S, **rest}]}


def sends(*media_types: str, **rest: Any) -> dict[str, Any]:
    """An operation that reads a body."""
    return {"requestBody": {"content": {name: {} for name in media_types or ["text/plain"]}, **rest}}


def answers(*statuses: str, **rest: Any) -> dict[str, Any]:
    """An operation that answers with some statuses."""
    return {"responses": {status: {"description": "x", **rest} for status in statuses}}


def reads(*media_types: str) -> dict[str, Any]:
    """An operation that answers with some media types."""
    return answers("200", content={name: {} for name in media_types})


def header(**rest: Any) -> dict[str, Any]:
    """An operation that answers with a header."""
    return answers("200", headers={"X-Count": {"schema": I, **rest}})


def secured(*requirements: Any, **schemes: Any) -> dict[str, Any]:
    """A contract with security; a scheme is `key` or `token` unless said otherwise."""
    known = {
        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
        "token": {"type": "http", "scheme": "bearer"},
        **schemes,
    }
    return on({"security": list(requirements)}, components={"securitySchemes": known})


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
    "request-body-required-added": (on(), on(sends(required=True)), on(sends())),
    "request-body-became-required": (on(sends()), on(sends(required=True)), on(sends(required=False))),
    "request-body-became-optional": (on(sends(required=True)), on(sends()), on(sends(required=True, description="x"))),
    "request-body-added": (on(), on(sends()), on({"summary": "x"})),
    "request-body-removed": (on(sends()), on(), on(sends("text/*"))),
    "request-media-type-removed": (on(sends("text/a", "text/b")), on(sends("text/b")), on(sends("text/a", "text/*"))),
    "request-media-type-added": (on(sends("text/a")), on(sends("text/a", "text/b")), on(sends("Text/A"))),
    "response-success-removed": (on(answers("200", "202")), on(answers("200")), on(answers("200", "2XX"))),
    "response-success-added": (on(answers("200")), on(answers("200", "202")), on(answers("200", "404"))),
    "response-error-removed": (on(answers("200", "404")), on(answers("200")), on(answers("200", "4XX"))),
    "response-error-added": (on(answers("200")), on(answers("200", "default")), on(answers("200"))),
    "response-media-type-removed": (on(reads("text/a", "text/b")), on(reads("text/b")), on(reads("text/b", "text/a"))),
    "response-media-type-added": (on(reads("text/a")), on(reads("text/a", "text/b")), on(reads("text/a; charset=utf-8"))),
    "response-header-removed": (on(header(required=True)), on(), on(header(required=True, description="x"))),
    "response-header-removed-optional": (on(header()), on(), on(header(required=True))),
    "response-header-became-optional": (on(header(required=True)), on(header()), on(header(required=True))),
    "response-header-added": (on(), on(header()), on(answers("200", "204"))),
}  # fmt: skip
TABLE = {
    **{f"request-{rule}": tuple(exchange("request", one) for one in case) for rule, case in REQUESTS.items()},
    **{
        f"response-{rule}": tuple(exchange("response", one) for one in case)
        for rule, case in RESPONSES.items()
    },
    **WHOLE,
}


def rules(old: Any, new: Any) -> list[str]:
    """The rules that tell what changed between two documents."""
    return sorted({change.rule for change in compare(read(old), read(new))})


@pytest.mark.parametrize("rule", TABLE)
def test_tells_a_change_by_one_rule(rule):
    """And by no other, or a reader would have to guess which counts."""
    old, new, _ = TABLE[rule]

    assert rules(old, new) == [rule]


@pytest.mark.parametrize("rule", TABLE)
def test_does_not_tell_the_near_miss(rule):
    """A rule that cries wolf is switched off."""
    old, _, near = TABLE[rule]

    assert rule not in rules(old, near)


def test_every_rule_has_a_case_and_a_reason():
    """What no test shows cannot be relied on."""
    assert set(TABLE) == set(RULES)
    assert len(RULES) > 45
    assert all(rule.why and "\n" not in rule.why for rule in RULES.values())


BACKWARDS = {
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


@pytest.mark.parametrize("rule", BACKWARDS)
def test_seen_backwards_an_addition_is_a_removal(rule):
    """Nothing is missed for the order in which it is read."""
    old, new, _ = TABLE[rule]

    assert rules(new, old) == [BACKWARDS[rule]]


OPERATIONS = 10


@settings(max_examples=20)
@given(kept=st.sets(st.integers(0, OPERATIONS - 1), min_size=1))
def test_what_is_gone_one_way_has_come_the_other(kept):
    """Whichever operations they are."""
    whole = public_style(OPERATIONS)
    part = {**whole, "paths": {}}
    places = [(path, method) for path, item in whole["paths"].items() for method in item]
    for path, method in (places[index] for index in kept):
        part["paths"].setdefault(path, {})[method] = whole["paths"][path][method]
    one, other = read(whole), read(part)

    gone = {change.where for change in compare(one, other)}
    come = {change.where for change in compare(other, one)}

    assert gone == come
    assert len(gone) == OPERATIONS - len(kept)


@pytest.mark.parametrize("path", [GARAGE, SPEC])
def test_a_contract_has_not_changed_from_itself(path):
    """Read twice, so that nothing is equal for being the same object."""
    assert compare(load_contract(path), load_contract(path)) == []


def test_a_large_contract_has_not_changed_from_itself():
    """Nor has one in the style of public APIs."""
    assert compare(read(public_style(50)), read(public_style(50))) == []


def test_a_component_that_is_only_called_differently_has_not_changed():
    """Schemas are compared by what they say; a name is not on the wire."""
    old = exchange("response", an(a=A))
    new = exchange("response", an(a={"$ref": "#/components/schemas/Renamed"}))
    new["components"]["schemas"]["Renamed"] = SHARED["A"]

    assert compare(read(old), read(new)) == []


def test_a_name_that_a_discriminator_sends_is_on_the_wire():
    """Without a mapping, a component's name is the value that tells alternatives apart."""
    old = exchange("response", {"oneOf": [A, B], "discriminator": {"propertyName": "kind"}})
    new = exchange(
        "response",
        {"oneOf": [A, {"$ref": "#/components/schemas/C"}], "discriminator": {"propertyName": "kind"}},
    )
    new["components"]["schemas"]["C"] = SHARED["B"]

    assert rules(old, new) == ["response-discriminator-changed"]


def test_a_schema_that_contains_itself_is_compared_to_its_end():
    """And told once, however often it leads back."""
    tree = an(leaf=S, next={"$ref": "#/components/schemas/Tree"})
    old, new = (exchange("response", {"$ref": "#/components/schemas/Tree"}) for _ in range(2))
    old["components"]["schemas"]["Tree"] = tree
    new["components"]["schemas"]["Tree"] = {**tree, "properties": {**tree["properties"], "leaf": N}}

    (change,) = compare(read(old), read(new))

    assert (change.rule, change.where) == ("response-type-widened", "Tree")
    assert change.names == {"POST /a": {"leaf"}}


def test_a_schema_that_is_only_itself_says_nothing():
    """There is no end to follow it to."""
    old, new = (exchange("response", {"$ref": "#/components/schemas/Loop"}) for _ in range(2))
    old["components"]["schemas"]["Loop"] = S
    new["components"]["schemas"]["Loop"] = {"allOf": [{"$ref": "#/components/schemas/Loop"}]}

    assert rules(old, new) == ["response-type-widened"]


def test_what_is_shared_is_told_once_with_all_that_it_reaches():
    """Once for each direction, not for each use."""
    old, new = public_style(20), public_style(20)
    new["components"]["schemas"]["Diagnostic"]["required"].remove("code")

    (change,) = compare(read(old), read(new))

    assert len(change.operations) == 20
    assert change.message == (
        "Diagnostic.code (GET /resource0s and 19 others): it may be missing now; "
        "clients that read it without looking may find nothing: keep sending it always"
    )


def test_the_same_change_means_the_opposite_in_requests_and_responses():
    """A schema that is used in both is told in the direction that it breaks."""
    document = on(
        {**sends("application/json"), **reads("application/json")}, components={"schemas": {"P": S}}
    )
    operation = document["paths"]["/pets/{id}"]["post"]
    for message in (operation["requestBody"], operation["responses"]["200"]):
        message["content"]["application/json"]["schema"] = {"$ref": "#/components/schemas/P"}
    narrow = copy.deepcopy(document)
    narrow["components"]["schemas"]["P"] = {**S, "maxLength": 3}

    assert rules(document, narrow) == ["request-length-narrowed"]
    assert rules(narrow, document) == ["response-length-widened"]


def test_a_scheme_is_known_by_what_it_is():
    """Clients never see its name."""
    old = secured({"key": []})
    new = secured({"other": []}, other={"type": "apiKey", "in": "header", "name": "X-Key"})
    del new["components"]["securitySchemes"]["key"]

    assert compare(read(old), read(new)) == []


def test_one_alternative_of_a_credential_is_enough():
    """The list is an OR of ANDs: whoever held both may hold one, not the other way round."""
    both, one = secured({"key": [], "token": []}), secured({"key": []})

    assert rules(both, one) == ["security-requirement-added"]
    assert rules(one, both) == ["security-requirement-removed"]


def test_a_status_that_a_range_covered_is_compared_with_it():
    """Writing out what `default` said is no change; answering otherwise is one."""
    content = {"content": {"application/json": {"schema": an(a=S, _required=["a"])}}}
    other = {"content": {"application/json": {"schema": an(a=S)}}}
    old = on(answers("default", **content))

    assert rules(old, on(answers("404", "default", **content))) == []
    new = on(answers("404", **other))
    new["paths"]["/pets/{id}"]["post"]["responses"]["default"] = {"description": "x", **content}
    assert rules(old, new) == ["response-error-added", "response-property-became-optional"]


def described(**responses):
    """A contract of one operation with responses that differ in what they are called."""
    shared = {"Rest": {"description": "It failed."}}
    own = {key.lstrip("_"): {"description": text} for key, text in responses.items()}
    rest = {"default": {"$ref": "#/components/responses/Rest"}}
    return on({"responses": {**rest, **own}}, components={"responses": shared})


@pytest.mark.parametrize(
    ("own", "told", "back"),
    [
        ({"_404": "None is there."}, "response-error-removed", "response-error-added"),
        ({"_4XX": "None is there."}, "response-error-removed", "response-error-added"),
        ({"_202": "It was taken."}, "response-success-removed", "response-success-added"),
        ({"_404": "It failed."}, None, None),
    ],
)
def test_a_status_that_falls_under_default_is_told_where_that_says_something_else(own, told, back):
    """Nothing on the wire may differ but what it means, which only the words say."""
    old, new = described(_200="Here.", **own), described(_200="Here.")

    assert rules(old, new) == [told] * (told is not None)
    assert rules(new, old) == [back] * (back is not None)


def test_a_status_that_says_less_than_default_is_told():
    """What breaks nobody has changed all the same."""
    either, one = (
        {"content": {"application/json": {"schema": {**S, "enum": list(some)}}}} for some in ("ab", "a")
    )
    old = on(answers("404", **either))
    new = on(answers("default", **one))
    old["paths"]["/pets/{id}"]["post"]["responses"]["default"] = {"description": "x", **one}

    (change,) = compare(read(old), read(new))

    assert (change.rule, change.severity) == ("response-error-removed", "info")
    assert (
        "the status 404 is no longer told by itself, and default says something else of it" in change.message
    )


def test_a_success_that_a_range_covers_is_still_one():
    """What it is called beside is no news."""
    old = on(answers("200", "2XX"))
    old["paths"]["/pets/{id}"]["post"]["responses"]["200"]["description"] = "y"

    assert rules(old, on(answers("2XX"))) == []
