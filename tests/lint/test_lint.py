"""`relay lint`: `relay.cli.lint` and `relay.lint`."""

import json
import re
from copy import deepcopy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV30SpecValidator

from relay.contract.diagnostics import SetupError, Severity
from relay.contract.loading import load_contract
from relay.lint import RULES, lint
from relay.project.settings import Settings
from relay.server.compilation import create
from support.hosting import SECRET, contract, query
from support.public_contracts import public_style
from support.running import COMMAND, ROOT, SPEC, ended, relay
from support.schemas import pointers

GARAGE = ROOT / "tests/specs/garage/openapi.yaml"
BEARER = {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}}
STRING = {"type": "string"}
PROBLEM = {"description": "failed", "content": {"application/json": {"schema": {"type": "object"}}}}


def get(**rest: Any) -> dict[str, Any]:
    """Return an operation without findings; `rest` overrides its fields."""
    return {
        "operationId": "get_it",
        "tags": ["Things"],
        "security": [],
        "responses": {"204": {"description": "ok"}, "default": PROBLEM},
        **rest,
    }


def only(operation: dict[str, Any], path: str = "/a", **rest: Any) -> dict[str, Any]:
    return contract({path: {"get": operation}}, **rest)


def answering(schema: Any, **rest: Any) -> dict[str, Any]:
    """Return a contract whose operation responds with a schema; `rest` is added next to the schema."""
    content = {"application/json": {"schema": schema, **rest}}
    return only(get(responses={"200": {"description": "ok", "content": content}, "default": PROBLEM}))


def taking(*parameters: dict[str, Any], path: str = "/a", **rest: Any) -> dict[str, Any]:
    return only(get(parameters=list(parameters), **rest), path)


def posting(schema: Any) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": schema}}}
    return contract({"/a": {"post": get(requestBody=body)}})


def with_schemas(**schemas: Any) -> dict[str, Any]:
    """Return a contract whose response is the schema A of `schemas`."""
    return {**answering({"$ref": "#/components/schemas/A"}), "components": {"schemas": schemas}}


def variable(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": STRING}


def two(first: dict[str, Any], second: dict[str, Any], *paths: str) -> dict[str, Any]:
    one, other = paths or ("/a", "/b")
    return contract({one: {"get": first}, other: {"get": second}})


def two_methods(first: str, second: str) -> dict[str, Any]:
    """Return a contract of GET on one path and POST on another, whose variables are declared."""
    paths = {
        path: {method: get(operationId=method, parameters=[*map(variable, re.findall(r"\{(.*?)\}", path))])}
        for path, method in ((first, "get"), (second, "post"))
    }
    return contract(paths)


def kinds(**mapping: str) -> dict[str, Any]:
    """Return a schema that selects by the mapping of a discriminator."""
    discriminator = {"propertyName": "kind", "mapping": mapping}
    return {"oneOf": [{"$ref": "#/components/schemas/Dog"}], "discriminator": discriminator}


def linked(*links: dict[str, Any]) -> dict[str, Any]:
    named = {f"link{number}": link for number, link in enumerate(links)}
    return only(get(responses={"200": {"description": "ok", "links": named}, "default": PROBLEM}))


def obj(*required: str, **properties: Any) -> dict[str, Any]:
    """Return an object schema that accepts only these properties."""
    shape = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**shape, "required": list(required)} if required else shape


def text(document: dict[str, Any]) -> str:
    return yaml.safe_dump(document, sort_keys=False)


def modern(document: dict[str, Any], version: str = "3.1.0") -> dict[str, Any]:
    return {**document, "openapi": version}


def streaming(media_type: str, item: Any, **rest: Any) -> dict[str, Any]:
    content = {media_type: {"itemSchema": item, **rest}}
    responses = {"200": {"description": "ok", "content": content}, "default": PROBLEM}
    return modern(only(get(responses=responses)), "3.2.0")


NEXT = {"$ref": "#/components/schemas/A"}
STRONG = obj("id", "state", id={"type": "string", "minLength": 1}, state={"enum": ["on", "off"]})

WHOLE_QUERY = {"name": "a", "in": "querystring", "content": {"application/json": {}}}


def both(build, *given: Any, version: str = "3.0.3") -> tuple[Any, ...]:
    """Return a contract that violates a rule and a similar valid one, built in one way."""
    return tuple(modern(build(*one) if isinstance(one, tuple) else build(one), version) for one in given)


def with_schemes(*given: Any, **scheme: Any) -> tuple[Any, ...]:
    """Return contracts whose operation has these requirements of the scheme `key`, by default a bearer token."""
    components = {"securitySchemes": {"key": scheme}} if scheme else BEARER
    return tuple(only(get(security=[one]), components=components) for one in given)


def with_paths(*paths: str) -> dict[str, Any]:
    """Return a contract whose paths have an operation each, with its variables declared."""
    named = {path: [*map(variable, re.findall(r"\{(.*?)\}", path))] for path in paths}
    return contract(
        {one: {"get": get(operationId=f"g{at}", parameters=named[one])} for at, one in enumerate(paths)}
    )


def with_path_item(method: str) -> dict[str, Any]:
    """Return a contract whose path has GET next to a reference to an item with a method."""
    shared = {"pathItems": {"A": {method: get(operationId="other")}}}
    return contract({"/a": {"$ref": "#/components/pathItems/A", "get": get()}}, components=shared)


def form(media_type: str, schema: Any) -> dict[str, Any]:
    return only(get(requestBody={"content": {media_type: {"schema": schema}}}))


def parts(media_type: str) -> dict[str, Any]:
    """Return a contract whose operation takes parts that are objects in a media type."""
    encoded = {
        "schema": {"type": "array", "items": {"type": "object"}},
        "itemEncoding": {"contentType": media_type},
    }
    return only(get(requestBody={"content": {"multipart/mixed": encoded}}))


def typed(**keywords: Any) -> dict[str, Any]:
    return answering({"type": "string", **keywords})


def referring(*, target: Any = STRING, **siblings: Any) -> dict[str, Any]:
    """Return a contract that answers with a reference that has keywords next to it."""
    return {**answering({**NEXT, **siblings}), "components": {"schemas": {"A": target}}}


def discriminated(schema: Any, **others: Any) -> dict[str, Any]:
    """Return a contract of OpenAPI 3.2 whose response is chosen by a discriminator."""
    return modern(with_schemas(A=schema, **others), "3.2.0")


def tagged(*tags: dict[str, Any], version: str = "3.0.3", **rest: Any) -> dict[str, Any]:
    return modern(only(get(), tags=[*tags], **rest), version)


WITHOUT_ID, WITHOUT_SECURITY = (
    {key: one for key, one in get().items() if key != left} for left in ("operationId", "security")
)
OPTIONAL_KIND = {
    "oneOf": [obj("kind", kind=STRING), obj(kind=STRING)],
    "discriminator": {"propertyName": "kind"},
}
OK = {"description": "ok"}
PLAIN = text(only(get()))
WEAK = answering({"type": "object", "properties": {"id": STRING}}, example={"id": "7"})
STRONG_ANSWER = answering(STRONG, example={"id": "7", "state": "on"})

CASES: dict[str, tuple[Any, ...]] = {
    "yaml": ("openapi: 3.0.3\nx: !!python/name:os.system\n", PLAIN),
    "json": (json.dumps(only(get(summary="\ud83d"))), json.dumps(only(get(summary="\U0001f600")))),
    "duplicate-key": tuple(PLAIN.replace("info:", "servers: []\n" * times + "info:") for times in (2, 1)),
    "openapi-version": tuple(only(get()) | {"openapi": version} for version in ("4.0.0", "3.0.0")),
    "structure": (only(get(sumary="x")), only(get(summary="x"))),
    "dangling-ref": (answering({"$ref": "#/components/schemas/Gone"}), with_schemas(A=STRING)),
    "remote-ref": both(answering, {"$ref": "https://example.com/a.yaml"}, STRING),
    "outside-ref": both(answering, {"$ref": "../other.yaml"}, STRING),
    "limit": tuple(with_schemas(A={"allOf": [{"oneOf": [STRING] * count}] * 100}) for count in (200, 20)),
    "circular-ref": (with_schemas(A=NEXT), with_schemas(A=obj(next=NEXT))),
    "endless-schema": (with_schemas(A=obj("next", next=NEXT)), with_schemas(A=obj("next", next={"allOf": [NEXT], "nullable": True}))),
    "server-url": tuple(only(get(), servers=[{"url": url}]) for url in ("http://[::bad/x", "/x")),
    "duplicate-operation-id": (two(get(), get()), two(get(), get(operationId="other"))),
    "name-collision": tuple(two(get(operationId="a-b"), get(operationId="a_b", tags=[tag])) for tag in ("Things", "Others")),
    "tag-collision": tuple(two(get(tags=["Event Logs"]), get(tags=[tag], operationId="other")) for tag in ("event-logs", "Event Log")),
    "duplicate-parameter": both(taking, (query("a"), query("a", required=True)), (query("a"), query("b"))),
    "argument-collision": both(taking, (query("a-b"), query("a_b"), query("A.B")), (query("a-b"), query("a_c"))),
    "unknown-method": tuple(contract({"/a": {"additionalOperations": {name: get()}}}, openapi="3.2.0") for name in ("Copy", "COPY")),
    "divided-query": tuple(
        contract({"/a": {"parameters": [WHOLE_QUERY], "get": get(parameters=[other])}}, openapi="3.2.0")
        for other in (query("b"), {"name": "b", "in": "cookie", "schema": STRING})
    ),
    "ambiguous-path": both(with_paths, ("/a/{x}", "/a/{y}"), ("/x/{x}", "/y/{y}")),
    "same-path": both(two_methods, ("/a/{x}", "/a/{y}"), ("/a/{x}", "/a/{x}-{y}")),
    "unmatchable-path": (only(get(), "/a/{x"), taking(variable("x"), path="/a/{x}")),
    "query-in-path": (only(get(), "/a?b=1"), taking(query("b"))),
    "dangling-mapping": (
        with_schemas(A=kinds(Dog="Cat"), Dog=STRING),
        with_schemas(A=kinds(Dog="Dog", dog="#/components/schemas/Dog"), Dog=STRING),
    ),
    "duplicate-name": (
        tagged({"name": "Things"}, {"name": "Things"}, version="3.2.0"),
        tagged(
            {"name": "Things"},
            {"name": "things"},
            version="3.2.0",
            servers=[{"url": "/", "name": "a"}, {"url": "/"}, {"url": "/"}],
        ),
    ),
    "optional-discriminator": (discriminated(OPTIONAL_KIND), discriminated(kinds(Dog="Dog"), Dog={"allOf": [obj("kind", kind=STRING)]})),
    "dangling-link": (
        linked({"operationId": "gone"}, {"operationRef": "#/paths/~1b/get"}),
        linked({"operationId": "get_it"}, {"operationRef": "#/paths/~1a/get"}),
    ),
    "undeclared-path-parameter": (only(get(), "/a/{x}"), with_paths("/a/{x}")),
    "unused-path-parameter": (taking(variable("x")), with_paths("/a/{x}")),
    "duplicate-path-parameter": (taking(variable("x"), path="/a/{x}/{x}"), with_paths("/a/{x}/{y}")),
    "undefined-security-scheme": with_schemes({"ghost": []}, {"key": []}),
    "schema": both(answering, {"type": "number", "oneOf": []}, {"type": "number", "oneOf": [{}]}),
    "pattern": (typed(pattern=r"\p{Ghost}"), typed(pattern=r"\p{L}")),
    "invalid-example": tuple(answering({"type": "integer"}, example=value) for value in ("three", 3)),
    "invalid-default": tuple(taking(query("q", {"type": "integer", "maximum": 9, "default": value})) for value in (10, 9)),
    "missing-success-response": (only(get(responses={"404": PROBLEM})), only(get(responses={"302": PROBLEM, "default": PROBLEM}))),
    "missing-operation-id": both(only, WITHOUT_ID, get()),
    "python-name": both(taking, query("class"), query("classes")),
    "undeclared-tag": both(tagged, {"name": "Thing"}, {"name": "Things"}),
    "circular-tag": (
        tagged({"name": "Things", "parent": "Things"}, version="3.2.0"),
        tagged({"name": "Things", "parent": "All"}, {"name": "All"}, version="3.2.0"),
    ),
    "overlapping-paths": both(with_paths, ("/a/{x}", "/{y}/b"), ("/a/{x}", "/a/b")),
    "component-name": (
        {**answering({"$ref": "#/components/schemas/A B"}), "components": {"schemas": {"A B": STRING}}},
        with_schemas(A=STRING),
    ),
    "unused-component": (only(get(), components={"schemas": {"A": {"allOf": [NEXT]}}}), with_schemas(A=STRING)),
    "unused-security-scheme": (only(get(), components=BEARER), *with_schemes({"key": []})),
    "unsecured-operation": (only(WITHOUT_SECURITY, security=[]), only(get(), security=[])),
    "undefined-scope": with_schemes(
        {"key": ["write"]},
        {"key": ["read"]},
        type="oauth2",
        flows={"clientCredentials": {"tokenUrl": "/t", "scopes": {"read": "reads"}}},
    ),
    "unexpected-scope": with_schemes({"key": ["read"]}, {"key": []}),
    "unchecked-role": both(dict, *with_schemes({"key": ["admin"]}, {"key": []}), version="3.1.1"),
    "missing-content": (
        only(get(responses={"202": OK, "default": PROBLEM})),
        only(get(responses={"204": OK, "205": OK, "default": PROBLEM})),
    ),
    "missing-error-response": (
        taking(query("q"), responses={"200": OK, "5XX": PROBLEM}),
        taking(query("q"), responses={"200": OK, "4XX": PROBLEM, "500": PROBLEM}),
    ),
    "impossible-range": tuple(taking(query("q", {"type": "integer", "minimum": 5, "maximum": most})) for most in (1, 5)),
    "impossible-enum": (typed(enum=["a", 1]), typed(enum=["a", "1"])),
    "vacuous-request": both(posting, {}, {"type": "object"}),
    "vacuous-response": both(answering, obj(id=STRING), obj("id", id=STRING)),
    "weak-response": (WEAK, STRONG_ANSWER),
    "missing-tag": (only(get(tags=[])), only(get())),
    "unchecked-form": both(form, ("multipart/form-data", STRING), ("multipart/form-data", {"type": "object"})),
    "unvalidated-body": both(form, ("text/xml", {"type": "object"}), ("text/xml", STRING)),
    "unreadable-part": both(parts, "application/xml", "application/json", version="3.2.0"),
    "unchecked-format": (typed(format="phone"), typed(format="email")),
    "response-strength": (STRONG_ANSWER, WEAK),
    "duplicate-id": tuple(
        modern(with_schemas(A={"anyOf": [{"$id": "a", **STRING}, {"$id": name, "type": "integer"}]}))
        for name in ("a", "b")
    ),
    "invalid-identifier": (modern(typed(**{"$anchor": "1bad"})), modern(typed(**{"$anchor": "_good-1.a", "$id": "https://e.x/a#"}))),
    "schema-dialect": tuple(
        modern(typed(**{"$schema": uri}))
        for uri in ("https://example.com/mine", "https://json-schema.org/draft/2020-12/schema")
    ),
    "path-item-collision": both(with_path_item, "get", "put", version="3.1.0"),
    "ignored-ref-siblings": (referring(minLength=1), referring(description="text")),
    "ignored-nullable": both(answering, {**STRING, "nullable": True}, {"type": ["string", "null"]}, version="3.1.0"),
    "binary-format": (modern(typed(format="byte")), modern(typed(contentEncoding="base64"))),
    "schema-example": (modern(typed(example="a")), modern(typed(examples=["a"]))),
    "example-and-examples": (
        modern(answering(STRING, example="a", examples={"b": {"value": "b"}})),
        modern(answering(STRING, examples={"a": {"value": "a"}, "b": {"value": "b"}})),
    ),
    "ineffective-keyword": both(
        answering,
        {"then": STRING, "minContains": 1, "additionalItems": STRING},
        {"if": STRING, "then": STRING, "contains": STRING, "minContains": 1},
        version="3.1.0",
    ),
    "unreachable-items": tuple(modern(answering({"prefixItems": [STRING, STRING], "maxItems": most})) for most in (1, 2)),
    "contradictory-ref": tuple(modern(referring(type="integer", target=target)) for target in (STRING, {"type": ["number", "null"]})),
    "impossible-event": tuple(streaming("text/event-stream", obj("data", data=data)) for data in ({"type": "object"}, STRING)),
    "not-served": both(taking, {"name": "q"}, query("q")),
}  # fmt: skip
"""Of each rule a contract that violates it, and a similar valid one."""


@pytest.fixture
def found(tmp_path, monkeypatch):
    """Lint a document or text, written to `c.yaml` in the working directory."""
    monkeypatch.chdir(tmp_path)

    def found(document):
        (tmp_path / "c.yaml").write_text(document if isinstance(document, str) else text(document), "utf-8")
        return lint(tmp_path / "c.yaml")

    return found


def rules_of(findings):
    return {finding.rule for finding in findings}


@pytest.mark.slow
@pytest.mark.parametrize("rule", CASES)
def test_each_rule_reports_a_violation_and_accepts_the_near_miss(found, rule):
    """Each finding has a location in the contract and the rule's severity."""
    violation, near_miss = CASES[rule]

    findings = [finding for finding in found(violation) if finding.rule == rule]

    assert findings
    for finding in findings:
        assert str(finding.where).startswith("c.yaml:")
        assert finding.severity is RULES[rule].severity
    assert rule not in rules_of(found(near_miss))


_RULES_OF_TAGS = frozenset(("undeclared-tag", "circular-tag"))


@pytest.mark.parametrize(
    ("parents", "messages"),
    [
        ({"Things": "All", "All": None}, []),
        ({"Things": "Al", "All": None}, ["1: the parent 'Al' of the tag 'Things' is not in the list of tags"]),
        ({"Things": "A", "A": "Things"}, ["1: the parents of the tag 'Things' lead back to it (Things → A → Things)"]),
        (
            {"Things": "B", "A": "B", "B": "C", "C": "B", "D": "D", "E": "C"},
            [
                "3: the parents of the tag 'B' lead back to it (B → C → B)",
                "5: the parents of the tag 'D' lead back to it (D → D)",
            ],
        ),
    ],
)  # fmt: skip
def test_parents_of_tags_are_tags_of_the_list_without_circles(found, parents, messages):
    """Each circle is one finding, at the `parent` of its first tag; a tag of OpenAPI 3.1 has no parent."""
    tags = [{"name": name, **({"parent": parent} if parent else {})} for name, parent in parents.items()]
    rows = "".join(f"  - {json.dumps(tag)}\n" for tag in tags)
    rest = f"info: {{title: T, version: '1'}}\ncomponents: {{}}\ntags:\n{rows}"

    findings = [one for one in found(f"openapi: 3.2.0\n{rest}") if one.rule in _RULES_OF_TAGS]

    assert [f"{one.where.line - 4}: {one.message.split(';')[0]}" for one in findings] == messages
    assert _RULES_OF_TAGS.isdisjoint(rules_of(found(f"openapi: 3.1.1\n{rest}")))


AT = {"type": "object", "required": ["at"], "properties": {"at": {"type": "integer", "minimum": 0}}}
AT_EVENT = {
    "type": "object",
    "required": ["data"],
    "properties": {"data": {**STRING, "contentMediaType": "application/json", "contentSchema": AT}},
}


INTEGERS = {"type": "array", "items": {"type": "integer"}}
FORM = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}
DEEP = {"in": "query", "style": "deepObject", "schema": FORM}


@pytest.mark.parametrize(
    ("parameter", "text", "value", "wrong"),
    [
        ({"in": "path", "required": True, "schema": INTEGERS}, "1,2", [1, 2], "1,b"),
        ({"in": "path", "required": True, "style": "label", "schema": INTEGERS}, ".1,2", [1, 2], "1,2"),
        ({"in": "path", "required": True, "schema": STRING}, "a%20b", "a b", None),
        ({"in": "query", "schema": STRING}, "v=a%20b", "a b", "a b"),
        ({"in": "query", "schema": INTEGERS}, "v=1&v=2", [1, 2], "v=1,2"),
        (DEEP, "v%5Ba%5D=1", {"a": 1}, "v[a]=b"),
        ({"in": "query", "schema": {"type": "object", "additionalProperties": STRING}}, "page=4", {"page": "4"}, None),
        ({"in": "header", "schema": INTEGERS}, "1,2", [1, 2], "a"),
        ({"in": "cookie", "style": "cookie", "schema": {"type": "integer"}}, "v=1", 1, "w=1"),
    ],
)  # fmt: skip
def test_the_text_of_an_example_is_read_by_the_style_of_its_parameter(found, parameter, text, value, wrong):
    """With the name in queries and cookies (OpenAPI 3.2, "Example Object"); it stands for the `dataValue` next to it."""
    given = {"right": {"dataValue": value, "serializedValue": text}} if text else {}
    given |= (
        {"wrong": {"serializedValue": wrong}, "other": {"dataValue": value, "serializedValue": wrong}}
        if wrong
        else {}
    )
    parameter = {"name": "v", **parameter, **({"examples": given} if given else {})}
    path = "/{v}" if parameter["in"] == "path" else "/a"

    findings = found({**taking(parameter, path=path), "openapi": "3.2.0"})

    wrongs = [one.message.split("'")[1] for one in findings if one.rule == "invalid-example"]
    assert wrongs == (["wrong", "other"] if wrong else [])


@pytest.mark.parametrize(
    ("media_type", "text", "is_valid"),
    [
        ("application/x-www-form-urlencoded", "a=1", True),
        ("application/x-www-form-urlencoded", "a=b", False),
        ("application/json", "%7B%22a%22:1%7D", True),
        ("application/json", "%7B", False),
    ],
)
def test_the_text_of_an_example_of_a_whole_query_is_read_as_one(found, media_type, text, is_valid):
    """It is in the Media Type Object, and percent-encoded, as it is sent."""
    content = {media_type: {"schema": FORM, "examples": {"a": {"serializedValue": text}}}}
    document = taking({"name": "v", "in": "querystring", "content": content}, path="/a")
    rules = rules_of(found({**document, "openapi": "3.2.0"}))
    assert ("invalid-example" in rules) is not is_valid


@pytest.mark.slow
@pytest.mark.parametrize(
    ("media_type", "schema", "example", "message"),
    [
        ("application/json", FORM, {"serializedValue": '{"a": 1}'}, None),
        ("application/json", FORM, {"dataValue": {"a": 1}, "serializedValue": '{"a": 1.0}'}, None),
        ("application/json", FORM, {"dataValue": {"a": 1}, "serializedValue": '{"a": 2}'}, "does not stand for its dataValue"),
        ("application/json", FORM, {"serializedValue": '{"a": "b"}'}, "violates its schema at /a"),
        ("application/json", FORM, {"serializedValue": "{"}, "cannot be read: not JSON: line 1"),
        ("application/x-www-form-urlencoded", FORM, {"dataValue": {"a": 1}, "serializedValue": "a=1"}, None),
        ("application/x-www-form-urlencoded", FORM, {"serializedValue": "b=1"}, "violates its schema at /a"),
        ("application/x-www-form-urlencoded", FORM, {"serializedValue": "a=%zz"}, "cannot be read: not percent-encoded"),
        ("text/plain", {**STRING, "maxLength": 3}, {"serializedValue": "abc"}, None),
        ("text/plain", {**STRING, "maxLength": 3}, {"serializedValue": "abcd"}, "violates its schema"),
        ("application/xml", FORM, {"dataValue": {"a": 1}, "serializedValue": "<a>1</a>"}, None),
        ("multipart/form-data", FORM, {"dataValue": {"a": 1}, "serializedValue": "--a"}, None),
    ],
)  # fmt: skip
@pytest.mark.parametrize("is_component", [False, True])
def test_the_text_of_an_example_is_read_by_its_media_type(
    found, media_type, schema, example, message, is_component
):
    """Also where the media type is one of `components`, which says only at its use which one it is."""
    media_object = {"schema": schema, "examples": {"a": example}}
    components = {"mediaTypes": {"B": {"$ref": "#/components/mediaTypes/A"}, "A": media_object}}
    content = {media_type: {"$ref": "#/components/mediaTypes/B"} if is_component else media_object}
    document = only(get(requestBody={"content": content}), components=components if is_component else {})

    findings = [one for one in found({**document, "openapi": "3.2.0"}) if one.rule == "invalid-example"]

    assert [message in one.message for one in findings] == ([True] if message else [])


def test_streams_and_events_of_components_are_checked_once_by_the_media_types_they_are_used_for(found):
    """A Media Type Object does not say which one it is; JSON lines may have what events may not."""
    shared = {
        "itemSchema": obj("at", at={"type": "integer"}),
        "examples": {"a": {"dataValue": [{"at": "b"}]}},
    }
    reference = {"$ref": "#/components/mediaTypes/A"}
    lines = {"application/jsonl": reference, "application/x-ndjson": reference}
    components = {"mediaTypes": {"A": shared}}

    def rules(content):
        response = {"description": "ok", "content": content}
        operation = get(responses={"200": response, "201": response, "default": PROBLEM})
        findings = found({**only(operation, components=components), "openapi": "3.2.0"})
        return [one.rule for one in findings if one.rule in ("invalid-example", "impossible-event")]

    assert rules(lines) == ["invalid-example"]
    assert sorted(rules({**lines, "text/event-stream": reference})) == [
        "impossible-event",
        "invalid-example",
        "invalid-example",
    ]
    assert rules({"image/png": reference}) == []


STREAMS = [
    ("application/jsonl", AT, {"dataValue": [{"at": 5}]}, None),
    ("application/jsonl", AT, {"dataValue": [{"at": 5}, {"at": -5}]}, "at /1/at"),
    ("application/jsonl", AT, {"value": [{}]}, "at /0/at:"),
    ("application/jsonl", AT, {"value": {"at": 5}}, "it is neither a list of items nor text"),
    ("application/jsonl", AT, {"serializedValue": '{"at": 5}\n{"at": 6}\n'}, None),
    ("application/jsonl", AT, {"serializedValue": '{"at": 5}\n{"at": -5}\n'}, "at /1/at"),
    ("application/jsonl", AT, {"serializedValue": '{"at": 5'}, "not JSON: line 1"),
    ("application/jsonl", AT, {"dataValue": [{"at": 5}], "serializedValue": '{"at": 5.0}\n'}, None),
    ("application/jsonl", AT, {"dataValue": [{"at": 5}], "serializedValue": '{"at": 6}\n'}, "not stand for its dataValue"),
    ("application/json-seq", AT, {"serializedValue": '{"at": 5}'}, "record separator"),
    ("text/event-stream", AT_EVENT, {"dataValue": [{"data": {"at": 5}}]}, None),
    ("text/event-stream", AT_EVENT, {"dataValue": [{"data": {"at": -5}}]}, "at /0/data/at"),
    ("text/event-stream", AT_EVENT, {"dataValue": [{"data": "{}", "more": "a"}]}, "at /0/more"),
    ("text/event-stream", AT_EVENT, {"serializedValue": 'data: {"at": 5}\n\n'}, None),
    ("text/event-stream", AT_EVENT, {"dataValue": [{"data": {"at": 5}}], "serializedValue": 'data: {"at": 5}\n\n'}, None),
    ("text/event-stream", AT_EVENT, {"serializedValue": 'data: {"at": "a"}\n\n'}, "at /0/data/at"),
    ("multipart/mixed", AT, {"dataValue": [{"at": -5}]}, "at /0/at"),
    ("multipart/mixed", AT, {"serializedValue": "--a"}, None),
    ("application/vnd.rows", AT, {"dataValue": [{"at": -5}]}, None),
]  # fmt: skip
EVENTS = [
    ({"type": "array"}, "an event is an object"),
    (obj("data", "at", data=STRING, at=STRING), "an event has only the fields data, event, id and retry"),
    ({"allOf": [{"required": ["at"]}, {"properties": {"data": STRING}}]}, "an event has only the fields"),
    (obj(data={"type": "object"}), "the data of an event is text"),
    (obj(data={"$ref": "#/components/schemas/At", "description": "when"}), "the data of an event is text"),
    (obj(data={"oneOf": [AT, {"type": "integer"}]}), "the data of an event is text"),
    ({"oneOf": [obj(data=STRING), obj(data={"enum": [1, None]})]}, "the data of an event is text"),
    (obj(data={"const": 1}), "the data of an event is text"),
    (obj(data=STRING, id={"type": "integer"}), "the field 'id' of an event is text"),
    (obj(data=STRING, retry=STRING), "the field 'retry' of an event is a number"),
    ({"$ref": "#/components/schemas/Endless"}, "the data of an event is text"),
    (AT_EVENT, None),
    ({}, None),
    ({"not": {"required": ["at"]}}, None),
    (obj(data={"oneOf": [AT, STRING]}, retry={"type": "number"}, at=AT), None),
    (obj(data={"type": ["object", "string"]}, event={"const": "a"}), None),
]
ENDLESS = {"allOf": [{"$ref": "#/components/schemas/Endless"}], "properties": {"data": AT}}
AT_AND_ENDLESS = {"schemas": {"At": AT, "Endless": ENDLESS}}


def extending(name, **rest):
    return {"allOf": [{"$ref": f"#/components/schemas/{name}"}], **rest}


def default_mapping(target):
    schema = kinds(Dog="Dog")
    schema["discriminator"]["defaultMapping"] = target
    return discriminated(schema, Dog=obj(kind=STRING))


def bounded(keyword, value):
    """Return a contract with a bound of OpenAPI 3.0 that is alone."""
    return answering({"type": "object", "properties": {"a": {"type": "number", keyword: value}}})


def named(keyword, name, **rest):
    """Return a contract with a schema that names itself."""
    return modern(answering({**rest, "properties": {"a": {keyword: name}}}))


def taking_bodies(*media_types, of=()):
    """Return a contract whose operation takes media types, and documents 204, 500 and other statuses."""
    content = {media_type: {"schema": STRING} for media_type in media_types}
    responses = {"204": OK, "500": PROBLEM, **dict.fromkeys(of, PROBLEM)}
    return only(get(requestBody={"content": content}, responses=responses))


def later(**schema):
    return modern(answering(schema))


def both_ways(media_type, schema):
    """Return a contract whose operation takes and returns a media type, with an example that is a text."""
    sent, given = ({media_type: {"schema": deepcopy(schema), "example": "<a/>"}} for _ in range(2))
    return only(get(requestBody={"content": sent}, responses={"200": {**OK, "content": given}}))


BRACE = "a brace has no partner; write a variable as {name}, and other braces as %7B and %7D"
ALONE = "`{}` means nothing without `{}`; add it, or remove `{}`"
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}
TREE = {"$id": "https://e.x/tree", "$dynamicAnchor": "node", "items": {"$dynamicRef": "#node"}}
OTHER_TREE = {"$id": "https://e.x/other", "$dynamicAnchor": "node", "$ref": "tree"}
CHOSEN = {"type": "object", "discriminator": {"propertyName": "kind", "mapping": {"dog": "Dog"}}}
DEFS = "#/components/schemas/A/$defs"
TO_B = {"anyOf": [{"$ref": f"{DEFS}/B"}]}
NAMELESS = {"get": {"responses": {"200": {"description": ""}}}}
SERVERS = [{"url": "/", "name": "x"}, {"url": "/b", "name": "y"}, {"url": "/c", "name": "x"}]
ONE_NAME = "another server has the name 'x'; rename one of them, or remove it"
BOTH_C = "only, because a path of a request has no fragment and other operations have PUT /c too; give each a path of its own"


def unused(*names, within="components/schemas"):
    """Return the messages about components that nothing uses."""
    return [f"no operation uses '{name}' of {within}; use it or remove it" for name in names]


def defining(*names, **schemas):
    """Return a row about `$defs` in components of OpenAPI 3.1, of which these are not used."""
    found = [
        message
        for name in names
        for message in unused(name, within="$defs" if name != "D" else "components/schemas")
    ]
    return "unused-component", modern(with_schemas(**schemas)), found


MESSAGES = [
    # Of the paths that a later one overlaps, the first is named.
    ("overlapping-paths", with_paths("/a/{x}", "/b/{x}", "/{y}/c", "/{y}/d"), ["/{y}/c and /a/{x}", "/{y}/d and /a/{x}"]),
    # Lint ended with a traceback for a media type that is no object.
    ("structure", modern(only(get(responses={"200": {**OK, "content": {"a/b": None}}})), "3.2.0"), ["expected an object, found null"]),
    # Servers of one list have names of their own, those of an operation, too: a client chooses one by its name.
    ("duplicate-name", modern(only(get(servers=SERVERS), servers=SERVERS), "3.2.0"), [ONE_NAME] * 2),
    # The default of a discriminator exists, as the values of its mapping do.
    ("dangling-mapping", default_mapping("Dog"), []),
    ("dangling-mapping", default_mapping("#/components/schemas/Dog"), []),
    ("optional-discriminator", default_mapping("Dog"), []),
    ("dangling-mapping", default_mapping("Cat"), ["'Cat' of the discriminator's defaultMapping does not exist; write"]),
    # Keywords of later versions are checked, with what to write instead.
    ("ignored-nullable", later(type="string", nullable=True), ["`nullable` means nothing since OpenAPI 3.1; write `type: [string, 'null']`"]),
    ("example-and-examples", later(**STRING, example="a", examples=["b"]), ["`example` and `examples` exclude each other; add the example to the others"]),
    ("pattern", later(patternProperties={r"\p{Ghost}": STRING}), ["the pattern is not checked: the Unicode property 'Ghost' is not known"]),
    ("invalid-example", later(type="integer", examples=[1, "b"]), ["the example violates its schema"]),
    ("impossible-enum", later(**{"if": {"const": 1}, "then": {"enum": [1, "b"], "type": "integer"}}), ["member 2"]),
    ("impossible-range", later(contains={}, minContains=2, maxContains=1), ["minContains is greater"]),
    ("invalid-default", later(**{"$defs": {"A": {"type": "string", "default": 1}}}), ["the default violates"]),
    ("ineffective-keyword", later(dependencies={"a": ["b"]}), ["`dependencies` means nothing since JSON Schema 2020-12; write `dependentRequired` or `dependentSchemas`"]),
    ("ineffective-keyword", later(type="string", contentSchema={}), ["`contentSchema` means nothing without `contentMediaType`; add it"]),
    # An exclusive bound of 3.0 without its bound has no effect, and the operation was left out; `false` says nothing wrong.
    *(("ineffective-keyword", bounded(one, True), [ALONE.format(one, one.replace("exclusiveM", "m"), one)]) for one in ("exclusiveMinimum", "exclusiveMaximum")),
    *((rule, bounded(one, value), []) for one in ("exclusiveMinimum", "exclusiveMaximum") for rule, value in (("schema", True), ("schema", False), ("ineffective-keyword", False))),
    # Relay reads invalid identifiers, but no validator of JSON Schema does; in draft 7 a fragment was a name.
    ("invalid-identifier", named("$anchor", "1bad"), ["'1bad' is no valid `$anchor`, which begins"]),
    ("invalid-identifier", named("$dynamicAnchor", "1bad"), ["'1bad' is no valid `$dynamicAnchor`, which begins"]),
    ("invalid-identifier", named("$id", "https://e.x/a#b"), ["'https://e.x/a#b' is no valid `$id`, which has"]),
    ("invalid-identifier", named("$id", "#b", **DRAFT_7), []),
    # `additionalItems` means something in draft 7.
    ("ineffective-keyword", later(additionalItems=False), ["`additionalItems` means nothing since JSON Schema 2020-12"]),
    ("ineffective-keyword", later(**DRAFT_7, **{"not": {"items": [STRING], "additionalItems": False}}), []),
    # Two paths without operationIds may be one word in Python, and the number depends on their order.
    ("name-collision", contract({"/a/b": NAMELESS, "/a-b": NAMELESS}), ["another operation of default.py has the name get_a_b(), so the handler of GET /a-b is get_a_b_2()"]),
    # Connexion finds the function by a Python path; it need not be that of a handlers package.
    ("python-name", only(get(operationId="api.pets.show")), []),
    ("python-name", only(get(operationId="api.pets-show")), ["the operationId 'api.pets-show' is not a Python name"]),
    # A path that no request can have was served under another path, `/d/%7Ba`, without a word.
    *(("unmatchable-path", only(get(), path), [f"no request can match '{path}': {BRACE}"]) for path in ("/d/{a", "/d/a}", "/d/{a{b}}")),
    ("unmatchable-path", only(get(), "/d/{}"), ["no request can match '/d/{}': a variable has no name; write it as {name}"]),
    ("unmatchable-path", only(get(), "/{a/b}"), ["no request can match '/{a/b}': a variable has a slash in its name; rename it"]),
    # A client drops what follows `#`, and a server splits off what follows `?`.
    (
        "query-in-path",
        contract({"/a?b=1": {"get": get()}, "/c#one": {"put": get(operationId="one")}, "/c#two": {"put": get(operationId="two")}}),
        [
            "'/a?b=1' is served at /a%3Fb=1, and at /a, because a path of a request has no query; remove it",
            f"'/c#one' is served at /c%23one {BOTH_C}",
            f"'/c#two' is served at /c%23two {BOTH_C}",
        ],
    ),
    # A schema is used by the mapping of a discriminator, by its own name if it extends the base by allOf, or by such a kind.
    (
        "unused-component",
        with_schemas(
            A=CHOSEN, Dog=obj(), Cat=extending("A", properties={"toy": {"$ref": "#/components/schemas/Toy"}}),
            Kitten=extending("Cat"), Toy=obj(), Car=extending("Toy"), Unused=CHOSEN, OfUnused=extending("Unused"),
        ),
        unused("Car", "Unused", "OfUnused"),
    ),
    # The second name of a component that a dynamic reference needs twice is in no file.
    ("unused-component", modern(with_schemas(A=STRING, Tree=TREE, Other=OTHER_TREE)), unused("Tree", "Other")),
    # JSON Schema has `$defs` within a schema for components; what only an unused one refers to is unused, too.
    defining(A={"$defs": {"B": STRING}, **TO_B}),
    defining("C", A={"$defs": {"B": STRING, "C": STRING}, **TO_B}),
    defining("C", A={"$id": "http://a/a", "$defs": {"B": {"$anchor": "b"}, "C": STRING}, "anyOf": [{"$ref": "#b"}]}),
    defining(A={"$defs": {"B": {"$dynamicAnchor": "b"}}, "items": {"$dynamicRef": "#b"}}),
    defining(
        A={"$id": "http://a/a", "$ref": "l", "$defs": {"B": {"$dynamicAnchor": "b", **STRING}}},
        L={"$id": "http://a/l", "items": {"$dynamicRef": "#b"}, "$defs": {"B": {"$dynamicAnchor": "b"}}},
    ),
    defining(A={"$defs": {"B": {"properties": {"c": STRING}}}, "anyOf": [{"$ref": f"{DEFS}/B/properties/c"}]}),
    defining(A={"$defs": {"B": {"anyOf": [{"$ref": f"{DEFS}/C"}]}, "C": STRING}, **TO_B}),
    defining("C", "D", A={"$defs": {"B": STRING, "C": {"anyOf": [{"$ref": "#/components/schemas/D"}]}}, **TO_B}, D=STRING),
    defining("B", A={"properties": {"a": {"$defs": {"B": {"$ref": f"{DEFS}/B"}}}}}),
    defining(A={"properties": {"$defs": {"properties": {"b": STRING}}}, "const": {"$defs": {"c": 1}}}),
    # Relay sends 415 for any other media type, so `relay contract` would report it.
    ("missing-error-response", taking_bodies("application/json", of=["400"]), ["GET /a can respond with 415; document it, or `default`"]),
    ("missing-error-response", taking_bodies("text/plain", "image/*"), ["GET /a can respond with 400 and 415; document it, or `default`"]),
    *(("missing-error-response", one, []) for one in (
        taking_bodies("*/*", of=["400"]), taking_bodies("text/plain", "*/*; q=1", of=["400"]),
        *(taking_bodies("application/json", of=of) for of in (["4XX"], ["400", "415"], ["default"])),
    )),
    # Bodies of requests and responses that are not validated are reported; their example is a text, which violates no schema.
    *((rule, both_ways(media_type, schema), expected) for media_type, schema in (
        ("application/xml", obj(a=STRING)), ("application/atom+xml", {"type": "array", "items": STRING}),
        ("text/csv", {"type": "array", "items": STRING}), ("application/*", obj(a=STRING)),
        ("application/xml", {"properties": {"a": STRING}}),
    ) for rule, expected in (("unvalidated-body", ["", ""]), ("invalid-example", []))),
    *(("unvalidated-body", both_ways(media_type, schema), []) for media_type, schema in (
        ("application/xml", {}), ("application/pdf", {"type": "string", "format": "binary"}),
        ("text/csv", {"oneOf": [STRING, {"type": "array"}]}), ("application/*+json", obj(a=STRING)),
        ("text/json", obj(a=STRING)),
    )),
    # An example of a stream is checked by `schema`, which describes all items.
    (
        "invalid-example",
        streaming("application/jsonl", AT, schema={"type": "array", "maxItems": 1}, example=[{"at": 1}, {"at": 2}]),
        ["the example violates its schema: the value has more than 1 item; fix one of them"],
    ),
    # Mocks send examples of streams, and readers copy them: they are lists of valid items, or their text.
    *(("invalid-example", streaming(media_type, item, examples={"a": example}), [where] if where else [])
      for media_type, item, example, where in STREAMS),
    # An event has four fields, and all but the time are text: the finding says how a schema describes the JSON in it.
    *(("impossible-event", {**streaming("text/event-stream", item), "components": AT_AND_ENDLESS}, [message] if message else [])
      for item, message in EVENTS),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "document", "messages"), MESSAGES)
def test_a_finding_says_what_is_wrong(found, rule, document, messages):
    """Each message contains the expected text, and there is no other of its rule."""
    said = [one.message for one in found(document) if one.rule == rule]
    assert len(said) == len(messages), said
    assert [one for one in messages if not any(one in message for message in said)] == []


def test_an_error_of_a_path_is_at_the_path(found):
    (finding,) = [one for one in found(text(only(get(), "/d/{}"))) if one.rule == "unmatchable-path"]
    assert finding.where.line == 6


def test_every_rule_has_a_case():
    """Without a case, a rule could stop working unnoticed."""
    assert set(RULES) == set(CASES) | {"chosen-name"}  # in pyproject.toml, not in a contract


def test_webhooks_and_callbacks_use_components_and_are_checked(found):
    """Their schemas are part of the contract as others are."""
    hook = {"post": get(operationId="hook", requestBody={"$ref": "#/components/requestBodies/Hook"})}
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/A"}, "example": 1}}
    document = modern(
        only(get(callbacks={"on": {"{$request.body#/url}": {"$ref": "#/components/pathItems/B"}}}))
    )
    document |= {"webhooks": {"hook": {"$ref": "#/components/pathItems/A"}}}
    other = {
        "post": get(
            operationId="other", requestBody={"content": {"text/plain": {"schema": {"default": 1, **STRING}}}}
        )
    }
    document |= {
        "components": {
            "schemas": {"A": STRING},
            "requestBodies": {"Hook": {"content": content}},
            "pathItems": {"A": hook, "B": other},
        }
    }

    findings = found(document)

    assert "unused-component" not in rules_of(findings)
    assert {"invalid-example", "invalid-default"} <= rules_of(findings)


def test_one_error_does_not_hide_another(found):
    """Errors in operations, in components and at the top level are reported together."""
    document = f"""\
openapi: 3.0.3
info: {{title: x}}
security: []
security: []
paths:
  /a:
    get: {{operationId: a, tags: [A], parameters: [{{name: q}}], responses: {{default: {{description: x}}}}}}
  /b:
    get: {{operationId: b, tags: [A], security: [{{ghost: []}}], responses: {{default: {{$ref: '#/nowhere'}}}}}}
  /c:
    get: {{operationId: c, tags: [A], responses: {{default: {{$ref: '#/components/responses/R'}}}}}}
  /d/{{x}}:
    get: {{operationId: class, tags: [A], responses: {{default: {{description: x}}}}, typo: 1}}
components:
  responses: {{R: {{}}}}
  schemas:
    Node: {{$ref: '#/components/schemas/Node'}}
    Bad: {{type: integer, default: {'"1"'}}}
"""
    assert {(finding.where.line, finding.rule) for finding in found(document)} >= {
        (2, "structure"),
        (4, "duplicate-key"),
        (7, "structure"),
        (7, "not-served"),
        (9, "dangling-ref"),
        (9, "undefined-security-scheme"),
        (9, "not-served"),
        (13, "structure"),
        (13, "undeclared-path-parameter"),
        (13, "python-name"),
        (13, "unsecured-operation"),
        (15, "structure"),
        (17, "circular-ref"),
        (17, "unused-component"),
        (18, "invalid-default"),
    }


def test_extensions_among_paths_and_responses_are_ignored(found):
    """`x-groups: {get: text}` was taken for a path with an operation, and lint ended with a traceback."""
    document = only(get())
    extensions = {"x-text": "a", "x-list": [{"$ref": "#/nowhere"}], "x-none": None, "x-item": {"get": "text"}}
    extensions |= {"x-parameters": {"parameters": "text"}, "x-ref": {"$ref": "nowhere.yaml"}}
    extended = deepcopy(document)
    extended["paths"] |= extensions
    extended["paths"]["/a"]["get"]["responses"]["x-ref"] = {"$ref": "#/nowhere"}

    assert rules_of(found(extended)) == rules_of(found(document))


@pytest.mark.slow
@pytest.mark.parametrize("operations", [1, 50])
def test_a_valid_contract_has_no_findings(found, operations):
    """Except notes, and with one operation a schema that it does not use."""
    findings = [finding for finding in found(public_style(operations)) if finding.severity != Severity.INFO]
    assert [finding.rule for finding in findings] == ["unused-component"] * (operations == 1)


def test_reports_that_our_own_contract_is_weak():
    """It is upstream's contract: every property is optional, so `{}` is valid."""
    findings = lint(SPEC)
    assert sorted(finding.rule for finding in findings) == ["vacuous-response", "weak-response"]
    assert any("rejects 14 of 32 mutations" in finding.message for finding in findings)


@pytest.mark.slow
def test_a_stricter_schema_is_stronger(found):
    """The share rises with `required`, `additionalProperties: false` and narrower types."""

    def strength(schema):
        (finding,) = [
            finding
            for finding in found(answering(schema, example={"id": "7", "tags": ["a"]}))
            if finding.rule in ("weak-response", "response-strength")
        ]
        return int(finding.message.partition("(")[2].partition("%")[0])

    tags = {"type": "array", "items": STRING}
    steps = [
        {"type": "object"},
        {"type": "object", "properties": {"id": STRING}},
        {"type": "object", "properties": {"id": STRING, "tags": tags}},
        obj(id=STRING, tags=tags),
        obj("id", "tags", id=STRING, tags=tags),
        obj("id", "tags", id={**STRING, "minLength": 1}, tags={**tags, "minItems": 1}),
    ]
    assert sorted(map(strength, steps)) == list(map(strength, steps))
    assert strength(steps[0]) < 30
    assert strength(steps[-1]) > 90


BASES = [json.loads(json.dumps(load_contract(path).document)) for path in (SPEC, GARAGE)]
ODD = st.sampled_from(
    [None, 0, "", "x", [], {}, [{}], {"$ref": "#/x"}, {"$ref": 1}, True, {"a": {"b": []}}]
).map(deepcopy)  # a later edit of the same example would change the sample itself


def _spoiled(data):
    """Draw a contract in which up to three values are missing, or are others."""
    document = json.loads(json.dumps(data.draw(st.sampled_from(BASES))))
    for _ in range(data.draw(st.integers(1, 3))):
        *within, last = data.draw(st.sampled_from([at for at, _ in pointers(document) if at]))
        container = document
        for key in within:
            container = container[key]
        if data.draw(st.booleans()):
            del container[last]
        else:
            container[last] = data.draw(ODD)
    return document


@pytest.mark.slow
@settings(max_examples=150)
@given(data=st.data())
def test_reports_any_invalid_contract(tmp_path_factory, data):
    """No document causes a traceback, and lint reports all that openapi-spec-validator rejects."""
    document = _spoiled(data)
    path = tmp_path_factory.mktemp("lint") / "c.json"
    path.write_text(json.dumps(document), "utf-8")

    found = lint(path)
    has_errors = any(one.severity is Severity.ERROR or one.rule in NOT_SERVED_LESS for one in found)

    try:
        rejected = next(OpenAPIV30SpecValidator(document).iter_errors(), None)
    except Exception:  # noqa: BLE001 -- it raises errors for references it cannot resolve
        return
    assert has_errors or rejected is None, rejected


@pytest.mark.slow
@settings(max_examples=30)
@given(data=st.data())
def test_errors_are_what_keeps_a_service_from_starting_strictly(tmp_path_factory, data):
    """The linter and the server have one list. Otherwise the server starts, whatever is wrong in single operations."""
    path = tmp_path_factory.mktemp("lint") / "c.json"
    path.write_text(json.dumps(_spoiled(data)), "utf-8")
    found = [finding for finding in lint(path) if finding.severity is Severity.ERROR]
    given = {"spec": path, "missing": ["mock"], "jwt_secret": SECRET}

    refused = _refused(Settings(strict=True, **given))

    of_contract = [
        one for one in refused if one.rule != "unverified-scheme"
    ]  # our package could have the verifier
    assert {*map(str, of_contract)} == {*map(str, found)}
    assert {problem.rule for problem in _refused(Settings(**given))} <= WHOLE | {"unverified-scheme"}


def _refused(settings):
    """Return the errors for which a service does not start."""
    try:
        create(settings)
    except SetupError as exc:
        return exc.problems
    return []


NOT_SERVED_LESS = {"invalid-default", "invalid-example", "pattern"}
"""Rules of warnings about what openapi-spec-validator calls an error."""

WHOLE = {"openapi-version", "limit", "yaml", "json", "unreadable"}
"""Rules about a file as a whole."""


class TestCommand:
    """`relay lint` run in a subprocess."""

    def test_notes_are_reported_on_request_and_in_json(self, tmp_path):
        """By default a terminal shows only findings that need action."""
        (tmp_path / "c.yaml").write_text(text(only(get(tags=[]))), "utf-8")

        quiet = relay(tmp_path, "lint", "c.yaml")
        with_notes = relay(tmp_path, "lint", "c.yaml", "--notes")
        machine = relay(tmp_path, "lint", "c.yaml", "--format", "json")

        assert quiet.stdout == "relay lint: nothing found\n"
        assert "[missing-tag]" in with_notes.stdout
        assert json.loads(machine.stdout)["counts"] == {"error": 0, "warning": 0, "info": 1}

    def test_cannot_run_without_a_contract(self, tmp_path):
        result = relay(tmp_path, "lint", "gone.yaml")
        assert result.returncode == 2
        assert result.stderr == "error: gone.yaml: cannot be read: No such file or directory\n"

    def test_lists_its_rules(self, tmp_path):
        result = relay(tmp_path, "lint", "--rules")
        assert len(result.stdout.splitlines()) == len(RULES)
        assert "error   dangling-ref: " in result.stdout

    @pytest.mark.slow
    def test_reads_standard_input(self, tmp_path):
        """A contract that another program writes needs no file; what it refers to is found from here."""
        (tmp_path / "things.yaml").write_text("Thing: {type: strin}\n", "utf-8")
        schema = {"$ref": "things.yaml#/Thing"}
        answer = {"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}}
        document = json.dumps(contract({"/a": {"get": {"responses": answer}}}))

        result, broken = (ended([*COMMAND, "lint", "-"], tmp_path, input=text) for text in (document, "{"))

        assert (result.returncode, result.stderr) == (1, "")
        assert "things.yaml:1:9: error: the value is not one of array, " in result.stdout
        assert result.stdout.splitlines()[1].startswith("-:1:82: warning: GET /a has no operationId")
        assert broken.stdout.startswith("-:2:1: error: is not YAML: ")
