"""Contracts of at most 1 MiB that cost far more than their size if a tool reads them without bounds.

`CASES` maps a name to a function that returns the files of a folder; the contract is `openapi.yaml` (JSON is YAML).
It is one table, with what makes a family of cases next to the family, and so one module.
"""

import json
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from .documents import contract, json_of, operation, query, ref

Files = dict[str, bytes]
Case = Callable[[], Files]
Make = Callable[..., Any]

ROOT = "openapi.yaml"
STRING, INTEGER = {"type": "string"}, {"type": "integer"}
OK: dict[str, Any] = {"responses": {"200": {"description": "ok"}}}
FORM = "application/x-www-form-urlencoded"
COMBINATORS = ("allOf", "anyOf", "oneOf")
CASES: dict[str, Case] = {}


def document(paths: dict[str, Any] | None = None, **schemas: Any) -> dict[str, Any]:
    """Return a contract of some paths and schemas; by default one operation sends and receives the schema `S0`."""
    given = operations(ref("S0")) if paths is None else paths
    return contract(given, components={"schemas": schemas})


def operations(schema: Any, path: str = "/a", name: str = "post_it") -> dict[str, Any]:
    """Return a path whose operation sends and receives a schema."""
    body = {"required": True, **json_of(schema)}
    return {path: {"post": operation(name, requestBody=body, responses={"200": json_of(schema)})}}


def taking(*parameters: Any, path: str = "/a") -> dict[str, Any]:
    """Return a path whose operation has some parameters."""
    return {path: {"get": {"parameters": [*parameters], **OK}}}


def querying(schema: Any, **rest: Any) -> dict[str, Any]:
    """Return a path whose operation has a query parameter of a schema."""
    return {"/a": {"get": operation("get_it", parameters=[query("q", schema, **rest)], **OK)}}


def getting(**fields: Any) -> dict[str, Any]:
    """Return a contract of one operation with some fields."""
    return document({"/a": {"get": {**OK, **fields}}})


def answering(response: dict[str, Any], statuses: Iterable[int] = (200,)) -> dict[str, Any]:
    """Return a contract of one operation with a response for some statuses."""
    return getting(responses={str(status): response for status in statuses})


def sending(content: dict[str, Any]) -> dict[str, Any]:
    """Return a contract of one operation with a request body."""
    return document({"/a": {"post": {"requestBody": {"content": content}, **OK}}})


def body(schema: Any) -> dict[str, Any]:
    """Return a contract whose operation sends and receives a schema."""
    return document(S0=schema)


def asked(contract: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return a contract with its schema `S0` in a query parameter instead of a body."""
    return contract | {"paths": querying(ref("S0"), **rest)}


def obj(properties: dict[str, Any], **rest: Any) -> dict[str, Any]:
    """Return the schema of an object."""
    return {"type": "object", "properties": properties, **rest}


def array(items: Any, **rest: Any) -> dict[str, Any]:
    """Return the schema of an array."""
    return {"type": "array", "items": items, **rest}


def text(**rest: Any) -> dict[str, Any]:
    """Return the schema of a text."""
    return {"type": "string", **rest}


def numbered(count: int, value: Any, letter: str = "p") -> dict[str, Any]:
    """Return a mapping `p0`, `p1`, … to a value, or to what a function returns for the number."""
    return {f"{letter}{n}": value(n) if callable(value) else value for n in range(count)}


def linked(count: int, make: Make, last: Any = STRING) -> dict[str, Any]:
    """Return a contract of schemas that each refer to the next one."""
    return document(**numbered(count, lambda n: make(ref(f"S{n + 1}")), "S"), **{f"S{count}": last})


def ring(count: int, make: Make) -> dict[str, Any]:
    """Return a contract of schemas that each refer to the next one, the last one to the first."""
    return document(**numbered(count, lambda n: make(ref(f"S{(n + 1) % count}")), "S"))


def mutual(count: int, make: Make) -> dict[str, Any]:
    """Return a contract of schemas made of their number."""
    return document(**numbered(count, make, "S"))


def others(count: int, n: int) -> list[dict[str, str]]:
    """Return references to all schemas but one."""
    return [ref(f"S{m}") for m in range(count) if m != n]


def family(prefix: str, cases: dict[str, Make], around: Make = lambda made: made) -> None:
    """Add cases; `around` makes a document, a text, or files of what they return."""
    for kind, make in cases.items():
        CASES[prefix + kind] = lambda make=make: _files(around(make()))


def _files(made: Any) -> Files:
    files = made if isinstance(made, dict) and ROOT in made else {ROOT: made}
    return {name: _bytes(content) for name, content in files.items()}


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode("utf-8", "surrogatepass")


# Doubling: each schema names the next one twice, so that a walk without memory takes 2 ** length steps.


def doubling(keyword: str, length: int = 40) -> Any:
    """Return schemas of which each has the next one twice in a list."""
    return linked(length, lambda schema: {keyword: [schema] * 2}, obj({"a": STRING}))


def nested(length: int = 40, *, width: int = 2, **rest: Any) -> Any:
    """Return objects of which each has the next one as several properties."""
    return linked(length, lambda schema: obj(numbered(width, schema), **rest), obj({"a": STRING}))


def _tree(level: int) -> Any:
    return {"oneOf": [{"allOf": [_tree(level - 1)]} for _ in range(2)]} if level else STRING


family("doubling_", {keyword: partial(doubling, keyword) for keyword in COMBINATORS})
family("doubling_query_", {keyword: partial(doubling, keyword) for keyword in COMBINATORS}, asked)
family(
    "nested_",
    {
        "body": nested,
        "required": lambda: nested(required=["p0", "p1"]),
        "read_only": lambda: nested(readOnly=True),
        "query": lambda: asked(nested()),
        "query_20": lambda: asked(nested(20)),
        "query_wide": lambda: asked(nested(12, width=50)),
        "deep_object": lambda: asked(nested(), style="deepObject", explode=True),
        "items": lambda: linked(40, lambda schema: array({"oneOf": [schema] * 2})),
        "additional": lambda: linked(40, lambda schema: obj({"p": schema}, additionalProperties=schema)),
        "form": lambda: nested() | {"paths": sending({FORM: {"schema": ref("S0")}})["paths"]},
    },
)


def _product(count: int, choices: int) -> Any:
    """Return an `allOf` of `oneOf`s, whose combinations are a product."""
    names = [[f"r{n}_{i}" for i in range(choices)] for n in range(count)]
    parts = [{"oneOf": [{"required": [name], "properties": {name: STRING}} for name in row]} for row in names]
    return body({"type": "object", "allOf": parts})


def _either_way(schema: Any) -> Any:
    return {"anyOf": [schema, {"allOf": [schema]}]}


def _mutual_alternatives() -> Any:
    return mutual(40, lambda n: {"oneOf": [*others(40, n), obj({"next": ref(f"S{(n + 1) % 40}")})]})


def _mutual_properties() -> Any:
    return mutual(60, lambda _: obj(numbered(60, lambda m: ref(f"S{m}"))))


family(
    "",
    {
        "doubling_not": lambda: linked(40, lambda schema: {"allOf": [{"not": schema}] * 2}),
        # Schemas without a type, whose acceptance of null depends on all below them.
        "doubling_nullable": lambda: linked(40, _either_way, {"nullable": True}),
        "doubling_inline": lambda: document(operations(_tree(11))),
        "combinations": lambda: _product(20, 10),
        "mutual_alternatives": _mutual_alternatives,
        "mutual_properties": _mutual_properties,
        "mutual_query_properties": lambda: asked(_mutual_properties()),
        "mutual_query_alternatives": lambda: asked(_mutual_alternatives()),
        "mutual_all_of": lambda: mutual(30, lambda n: {"allOf": others(30, n)}),
    },
)


# Chains and depth.


def chain(length: int, wrap: Make = lambda schema: schema) -> Any:
    """Return schemas of which each is, or contains, the next one."""
    return linked(length, wrap)


WRAPS: dict[str, Make] = {
    "refs": lambda schema: schema,
    "all_of": lambda schema: {"allOf": [schema]},
    "one_of": lambda schema: {"oneOf": [schema]},
    "not": lambda schema: {"not": schema},
    "items": array,
    "items_required": lambda schema: array(schema, minItems=1),
    "properties": lambda schema: obj({"p": schema}, required=["p"]),
    "optional": lambda schema: obj({"p": schema}),
    "additional": lambda schema: {"type": "object", "additionalProperties": schema},
    "nullable": lambda schema: {"nullable": True, "allOf": [schema]},
    "all_of_example": lambda schema: {"allOf": [schema], "example": "a"},
}
"""A schema that contains another one."""


def _parameters(count: int, make: Make) -> dict[str, Any]:
    return {"components": {"parameters": numbered(count, make, "P")}}


def _parameter(name: Any) -> dict[str, str]:
    return {"$ref": f"#/components/parameters/{name}"}


def _chain_of_parameters() -> Any:
    made = _parameters(3000, lambda n: _parameter(f"P{n + 1}"))
    made["components"]["parameters"]["P3000"] = query("p")
    return document(taking(_parameter("P0"))) | made


family("chain_", {name: partial(chain, 3000, wrap) for name, wrap in WRAPS.items()})
family(
    "chain_",
    {
        "refs_10000": lambda: chain(10_000),
        "parameters": _chain_of_parameters,
        "query": lambda: asked(chain(3000)),
        "query_items": lambda: asked(chain(3000, array)),
        "query_all_of": lambda: asked(chain(3000, WRAPS["all_of"])),
    },
)
CIRCLES = {
    "circle": "refs",
    "circle_all_of": "all_of",
    "circle_items": "items",
    "circle_required": "properties",
}
family("chain_", {name: partial(ring, 3000, WRAPS[wrap]) for name, wrap in CIRCLES.items()})


def deep(levels: int, wrap: Make) -> Any:
    """Return a contract of one schema, nested in itself."""
    schema: Any = STRING
    for _ in range(levels):
        schema = wrap(schema)
    return document(operations(schema))


def _deep_text(start: str, inner: str, levels: int) -> str:
    contract = json.dumps(document(operations("@"), S0=STRING))
    return contract.replace('"@"', start * levels + inner + "}" * levels)


family(
    "deep_",
    {
        "schemas_3000": lambda: _deep_text('{"items":', "{}", 3000),
        "schemas_50000": lambda: _deep_text('{"not":', "{}", 50_000),
        "lists": lambda: "[" * 500_000,
        "lists_closed": lambda: "[" * 300_000 + "]" * 300_000,
        "mappings": lambda: '{"a":' * 150_000,
        "block": lambda: "\n".join("- " * 1000 for _ in range(100)),
        "example": lambda: document(operations(array({}, example=json.loads("[" * 90 + "]" * 90)))),
        "schemas_40": lambda: deep(40, array),
        "properties_40": lambda: deep(40, WRAPS["properties"]),
        "one_of_40": lambda: deep(40, lambda schema: {"oneOf": [schema, INTEGER]}),
        "all_of_40": lambda: deep(40, lambda schema: {"allOf": [schema, {"nullable": True}]}),
        "not_40": lambda: deep(40, WRAPS["not"]),
    },
)


# YAML aliases.


_HEAD = """openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a:
"""


def _aliased(value: str, parameters: str = "") -> str:
    return f"""{_HEAD}    get:
{parameters}      operationId: get_it
      tags: [Things]
      responses:
        "200": {{description: ok}}

{value}
"""


def _laughs(levels: int, width: int) -> str:
    lines = ["x-a0: &a0 [lol]"]
    lines += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def _schema(fields: str, aliases: str = "") -> str:
    """Return the schema `S0` with some lines, and a line for a list of aliases."""
    lines = "".join(f"      {line}\n" for line in fields.splitlines())
    return (
        "components:\n  schemas:\n    S0:\n" + lines + (aliases and _aliases_at(200_000, f"      {aliases}"))
    )


def _aliases_at(count: int, prefix: str) -> str:
    return f"{prefix} [" + ", ".join(["*a"] * count) + "]"


def _lines(count: int, line: Callable[[int], str], first: int = 0) -> str:
    return "\n".join(map(line, range(first, count)))


def _flat_parameters() -> str:
    parameter = "&p {name: q, in: query, schema: {type: string}}"
    parameters = f"      parameters: [{', '.join([parameter, *['*p'] * 60_000])}]\n"
    head = "x-a: &a {name: p, in: query, schema: {type: string}}\ncomponents:\n  x-p:\n"
    return _aliased(head + _aliases_at(200_000, "    p:"), parameters)


DOUBLED = "{{type: object, properties: {{a: *s{0}, b: *s{0}}}}}"
TEXTS = "x-a: &a {type: object, properties: {b: {type: string}}}"
family(
    "aliases_",
    {
        "laughs": lambda: _laughs(30, 9),
        "laughs_2": lambda: _laughs(20, 2),
        "flat_extension": lambda: "x-a: &a {b: c}\n" + _aliases_at(200_000, "x-b:"),
        "flat_example": lambda: _schema("type: array\nitems: {type: object}\nx-a: &a {b: c}", "example:"),
        "flat_enum": lambda: _schema("x-a: &a {b: c}", "enum:"),
        "flat_one_of": lambda: _schema("x-a: &a {type: string}", "oneOf:"),
        "flat_all_of": lambda: _schema("x-a: &a {type: string, minLength: 1, description: abc}", "allOf:"),
    },
    _aliased,
)
family("aliases_", {"flat_parameters": _flat_parameters})
family(
    "aliases_",
    {
        "properties": lambda: (
            _schema(f"type: object\n{TEXTS}\nproperties:") + _lines(50_000, lambda n: f"        p{n}: *a")
        ),
        "paths": lambda: (
            "  /p0: &o {get: {responses: {'200': {description: ok}}}}\n"
            + _lines(60_000, lambda n: f"  /p{n}: *o", 1)
        ),
        "doubling_schemas": lambda: (
            "components:\n  schemas:\n    S0: &s0 {type: string}\n"
            + _lines(17, lambda n: f"    S{n}: &s{n} {DOUBLED.format(n - 1)}", 1)
        ),
        "merge_keys": lambda: (
            "x-0: &m0 {k: v}\n" + _lines(1500, lambda n: f"x-{n}: &m{n} {{<<: *m{n - 1}, k{n}: v}}", 1)
        ),
        "merge_lists": lambda: (
            f"x-0: &m {{{', '.join(f'k{n}: v' for n in range(5000))}}}\nx-1:\n"
            f"  <<: [{', '.join(['*m'] * 20_000)}]"
        ),
        "self": lambda: "x-a: &a [*a]",
        "anchors": lambda: f"x-a: [{', '.join(f'&b{n} c' for n in range(60_000))}]",
        "in_keys": lambda: "x-a: &a b\n" + _lines(20_000, lambda n: f"*a : {n}"),
    },
    _aliased,
)


# Width.


def many_operations(count: int, schema: Make, schemas: Any = None) -> Any:
    """Return a contract of many operations with the schemas of a function, and the components of another contract."""
    paths: dict[str, Any] = {}
    for n in range(count):
        paths |= operations(schema(n), f"/p{n}", f"op{n}")
    return (schemas or document()) | {"paths": paths}


def _path_parameter(name: str) -> dict[str, Any]:
    return query(name, location="path", required=True)


def _path_of_variables(count: int) -> Any:
    names = [f"v{n}" for n in range(count)]
    path = "".join(f"/{{{name}}}" for name in names)
    return document(taking(*map(_path_parameter, names), path=path))


def _overlapping(count: int) -> Any:
    segments = [[f"{{v{i}}}" if n >> i & 1 else "c" for i in range(12)] for n in range(count)]
    return document({"/" + "/".join(one): {"get": OK} for one in segments})


def _path_parameters(count: int) -> Any:
    paths = [taking(_path_parameter("a"), path=f"/p{n}/{{a}}/x{n % 7}") for n in range(count)]
    return document({path: item for one in paths for path, item in one.items()})


def _parameters_by_reference() -> Any:
    parameters = [_parameter(f"P{n}") for n in range(300)]
    paths = {f"/a{m}": taking(*parameters)["/a"] for m in range(60)}
    return document(paths) | _parameters(300, lambda n: query(f"p{n}"))


def _with(**fields: Any) -> dict[str, Any]:
    return document(operations({})) | fields


def _contents(count: int, schema: Any) -> dict[str, Any]:
    return {f"application/x{n}+json": {"schema": schema} for n in range(count)}


def _one_of_references() -> Any:
    schemas = numbered(4000, lambda n: obj({f"p{n}": STRING}), "S")
    return document(**schemas | {"S0": {"oneOf": [ref(f"S{n}") for n in range(1, 4000)]}})


def _server(count: int) -> dict[str, Any]:
    variables = numbered(count, {"default": "x" * 20}, "v")
    return {"url": "/" + "".join(f"{{{name}}}" for name in variables), "variables": variables}


REQUIRED = {"type": "object", "required": ["a"]}
KINDS = {"propertyName": "kind", "mapping": numbered(15_000, "#/components/schemas/S1", "v")}
KIND = obj({"kind": STRING})
CHOICE = {"oneOf": [ref("S1"), ref("S2")], "discriminator": KINDS}
CALLBACK = {"{$request.query.url}": {"post": OK}}


def _names(count: int, letter: str = "p") -> list[str]:
    return [f"{letter}{n}" for n in range(count)]


def _each(count: int, make: Make) -> list[Any]:
    return [make(n) for n in range(count)]


# What one schema has many of.
family(
    "many_",
    {
        "properties": lambda: obj(numbered(30_000, INTEGER)),
        "required_properties": lambda: obj(numbered(15_000, INTEGER), required=_names(15_000)),
        "one_of": lambda: {"oneOf": _each(15_000, lambda n: {"type": "object", "required": [f"r{n}"]})},
        "one_of_equal": lambda: {"oneOf": [{}] * 100_000},
        "all_of": lambda: {"allOf": _each(20_000, lambda n: {"required": [f"r{n}"]})},
        "enum": lambda: {"type": "integer", "enum": list(range(120_000))},
        "enum_strings": lambda: text(enum=_each(60_000, "value {}".format)),
        "enum_wrong": lambda: text(enum=list(range(100_000))),
        "enum_objects": lambda: {"enum": _each(60_000, lambda n: {"a": [n]})},
        "example_items": lambda: array(INTEGER, example=list(range(120_000))),
        "example_wrong_items": lambda: array(STRING, example=list(range(120_000))),
        "example_properties": lambda: obj(
            {"a": STRING}, required=["a"], example={"a": "b", **numbered(60_000, int)}
        ),
        "example_missing": lambda: obj(
            {"a": {"type": "array"}}, required=_names(20_000, "r"), example={"a": list(range(100_000))}
        ),
        "defaults": lambda: obj(numbered(15_000, {"type": "integer", "default": "x"})),
        "dangling_refs": lambda: {"oneOf": _each(15_000, lambda n: ref(f"X{n}"))},
        "unknown_in_schema": lambda: numbered(40_000, lambda n: n, "unknown"),
        "wrong_types": lambda: {"properties": numbered(60_000, lambda n: n)},
    },
    body,
)
# What one operation has many of.
family(
    "many_",
    {
        "parameters": lambda: {"parameters": _each(15_000, lambda n: query(f"p{n}", INTEGER))},
        "security": lambda: {"security": _each(30_000, lambda n: {f"k{n}": []})},
        "callbacks": lambda: {"callbacks": numbered(8000, CALLBACK, "c")},
    },
    lambda fields: getting(**fields),
)
family(
    "many_",
    {
        "operation_tags": lambda: getting(tags=_names(50_000, "t")) | {"tags": [{"name": "other"}]},
        "paths": lambda: many_operations(3000, lambda _: {}),
        "path_parameters": lambda: _path_parameters(5000),
        "overlapping_paths": lambda: _overlapping(2500),
        "path_variables": lambda: _path_of_variables(5000),
        "parameters_by_reference": _parameters_by_reference,
        "query_properties": lambda: document(querying(obj(numbered(25_000, INTEGER)))),
        "schemas": lambda: document(operations({}), **numbered(25_000, {"type": "object"}, "S")),
        "one_of_references": _one_of_references,
        "any_of_query": lambda: document(querying({"anyOf": _each(15_000, lambda n: {"minimum": n, **INTEGER})})),
        "examples": lambda: answering(json_of(STRING, examples=numbered(25_000, lambda n: {"value": n}, "e"))),
        "same_ref": lambda: document(S0={"oneOf": [ref("S1")] * 20_000}, S1=STRING),
        "unknown_fields": lambda: body(STRING) | numbered(40_000, lambda n: n, "unknown"),
        "null_schemas": lambda: document(**numbered(50_000, None, "S")),
        "wrong_paths": lambda: document(numbered(50_000, {})),
        "duplicate_keys": lambda: "openapi: 3.0.3\n" + "a: 1\n" * 150_000,
        "responses": lambda: answering({"description": "ok", "content": _contents(15, REQUIRED)}, range(200, 600)),
        "media_types": lambda: sending(_contents(12_000, {"type": "object"})),
        "headers": lambda: answering({"description": "ok", "headers": numbered(20_000, {"schema": INTEGER}, "X-")}),
        "tags": lambda: _with(tags=_each(40_000, lambda n: {"name": f"t{n}"})),
        "servers": lambda: _with(servers=[_server(8000)]),
        "discriminator": lambda: document(S0=CHOICE, S1=KIND, S2=KIND),
        "operations_deep_schema": lambda: many_operations(1500, lambda _: ref("S0"), linked(1000, WRAPS["properties"])),
        "operations_recursive": lambda: many_operations(1200, lambda n: ref(f"S{n % 60}"), _mutual_properties()),
    },
)  # fmt: skip


# Long strings and keys, and strings that are patterns.

LONG = "a" * 900_000

family(
    "long_",
    {
        "title": lambda: _with(info={"title": LONG, "version": "1"}),
        "key": lambda: body(obj({LONG: STRING})),
        "unknown_key": lambda: _with(**{LONG: 1}),
        "path": lambda: document({f"/{LONG}": {"get": OK}}),
        "path_braces": lambda: document({"/" + "{" * 200_000: {"get": OK}}),
        "path_slashes": lambda: document({"/" * 500_000: {"get": OK}}),
        "operation_id": lambda: document(operations({}, name=LONG)),
        "operation_id_symbols": lambda: document(operations({}, name="-" * 800_000)),
        "tag": lambda: getting(tags=[LONG]),
        "schema_name": lambda: document(operations(ref(LONG[:300_000])), **{LONG[:300_000]: STRING}),
        "enum_value": lambda: body({"enum": [LONG]}),
        "server": lambda: _with(servers=[{"url": "/" + "{a" * 300_000}]),
        "parameter": lambda: document(taking(query(LONG))),
        "description": lambda: body(text(description="word " * 150_000)),
        "pattern": lambda: body(text(pattern="a?" * 200_000)),
        "version": lambda: _with(openapi="3.0." + "1" * 500_000),
        "line": lambda: "openapi: 3.0.3 #" + " " * 900_000,
        "plain_scalar": lambda: "a: b\n" + " c\n" * 200_000,
        "quoted_escapes": lambda: 'a: "' + "\\x41" * 200_000 + '"',
        "literal_block": lambda: "a: |\n" + "  b\n" * 200_000,
        "indentation": lambda: _lines(1000, lambda n: " " * n + "a:"),
    },
)
family(
    "long_",
    {
        "reference": lambda: "#/" + "a/" * 400_000,
        "reference_slashes": lambda: "#" + "/" * 400_000,
        "reference_percent": lambda: "#/" + "%2F" * 200_000,
        "reference_file": lambda: f"{LONG}#/a",
        "reference_folders": lambda: "a/" * 300_000 + "#/a",
        "reference_parents": lambda: "a/../" * 150_000 + "#/a",
    },
    lambda address: body({"$ref": address}),
)
PATTERNS = {
    "groups": "(a+)+" * 20 + "$",
    "repeat": "a{65535}",
    "repeats": "(a{1000}){1000}",
    "nested_repeats": "((((a{100}){100}){100}){100}){100}",
    "classes": "[" + "".join(chr(0x100 + n) for n in range(5000)) + "]{5000}",
    "unicode": r"\p{L}{1000}\p{N}{1000}",
    "deep_groups": "(" * 5000 + "a" + ")" * 5000,
    "alternatives": "|".join(f"a{n}" for n in range(50_000)),
    "lookahead": "(?=a)" * 10_000 + "b",
    "back_references": r"(a*)*\1" * 500,
    "unclosed": "(" * 100_000,
    "empty_repeat": "(|a)+" * 2000,
    "word": r"(\w+\s?)+$" * 20,
}
EXAMPLE = {"minLength": 5000, "example": "a" * 5000 + "!"}


def _patterns(count: int, make: Make) -> dict[str, Any]:
    return obj(numbered(count, lambda n: text(pattern=make(n))))


family(
    "pattern_",
    {
        **{name: partial(text, pattern=found) for name, found in PATTERNS.items()},
        **{f"{name}_long": partial(text, pattern=found, **EXAMPLE) for name, found in PATTERNS.items()},
        "many": lambda: {"allOf": _each(10_000, lambda n: text(pattern=f"^a{{{n}}}(b+)+$"))},
        "properties": lambda: _patterns(990, lambda n: f"^[a-z]{{1,{n + 1}}}$"),
        "unicode_properties": lambda: _patterns(990, lambda n: f"^\\w{{1,{n + 1}}}$"),
    },
    body,
)


# Numbers.

NUMBERS = {
    "2_64": str(2**64),
    "minus_2_64": str(-(2**64)),
    "2_63": str(2**63),
    "hundred_digits": "9" * 100,
    **{f"{count}_digits": "9" * count for count in (4000, 5000, 220_000)},
    "1e308": "1e308",
    "1e400": "1e400",
    "1e_400": "1e-400",
    "1e99999999999": "1e99999999999",
    "tiny": "1e-300",
    "inf": ".inf",
    "minus_inf": "-.inf",
    "nan": ".nan",
    "zero": "0",
    "minus": "-1",
    "half": "0.5",
    "hexadecimal": "0x" + "f" * 220_000,
    "octal": "0o" + "7" * 220_000,
}
KEYWORDS = {
    **dict.fromkeys(("maximum", "multipleOf", "example", "enum", "x-limit"), "type: integer"),
    **dict.fromkeys(("minimum", "multipleOf_number", "default"), "type: number"),
    **dict.fromkeys(("minLength", "maxLength"), "type: string"),
    **dict.fromkeys(("minItems", "maxItems"), "type: array, items: {type: integer}"),
    **dict.fromkeys(("minProperties", "maxProperties"), "type: object"),
}
"""A keyword that has a number, and the rest of its schema."""

EVERYWHERE = ("2_64", "minus_2_64", "hundred_digits", "1e308", "nan")


def number(keyword: str, literal: str) -> str:
    """Return a contract with a number as the value of a keyword: in a body and in a query parameter."""
    value = f"[{literal}, 1]" if keyword == "enum" else literal
    schema = f"{{{KEYWORDS[keyword]}, {keyword.partition('_')[0]}: {value}}}"
    return f"""{_HEAD}    post:
      operationId: post_it
      tags: [Things]
      parameters:
        - {{name: q, in: query, schema: {schema}}}
      requestBody: {{content: {{application/json: {{schema: {schema}}}}}}}
      responses:
        "200": {{description: ok, content: {{application/json: {{schema: {schema}}}}}}}
components: {{schemas: {{S0: {schema}}}}}
"""


family(
    "number_",
    {
        f"{keyword}_{name}": partial(number, keyword, literal)
        for keyword in KEYWORDS
        for name, literal in NUMBERS.items()
        if keyword in ("maximum", "multipleOf", "example") or name in EVERYWHERE
    },
)


# References.

REFERENCES = {
    "nul": "%00",
    "nul_file": "a%00b.yaml#/a",
    "nul_plain": "a\0b.yaml",
    "surrogate": "\ud800.yaml",
    "empty": "",
    "hash": "#",
    "slash": "#/",
    "no_slash": "#a",
    "itself": "#/components/schemas/S0",
    "own_file": "openapi.yaml#/components/schemas/S0",
    "whole_file": "openapi.yaml",
    "root": "/",
    "here": ".",
    "parent": "..",
    "passwd": "/etc/passwd",
    "passwd_pointer": "/etc/passwd#/a",
    "zero": "/dev/zero",
    "random": "/dev/urandom",
    "stdin": "/dev/stdin",
    "proc": "/proc/self/mem",
    "long_name": "a" * 5000,
    "file_scheme": "file:///etc/passwd",
    "scheme": "http://[::1",
    "bracket": "//[",
    "query": "?a=b",
    "percent": "%",
    "percent_bad": "#/%ff%fe",
    "tilde": "#/~2",
    "number": "#/paths/0",
    "big_number": "#/" + "9" * 5000,
    "circle": "#/components/schemas/S0/properties/a",
    "into_data": "#/info/title",
    "newline": "a\nb.yaml",
    "backslash": "..\\..\\a.yaml",
}
family("reference_", {name: partial(body, {"$ref": address}) for name, address in REFERENCES.items()})


def linked_files(count: int, last: Any, letter: str) -> dict[str, Any]:
    """Return a mapping of values that each refer to the next one of the same file."""
    return {**numbered(count, lambda n: {"$ref": f"#/{letter}{n + 1}"}, letter), f"{letter}{count}": last}


def _cyclic_files(count: int) -> Files:
    made = [obj({"p": {"$ref": f"f{(n + 1) % count}.yaml#/S"}}) for n in range(count)]
    return {ROOT: body({"$ref": "f0.yaml#/S"}), **{f"f{n}.yaml": {"S": one} for n, one in enumerate(made)}}


def _doubling_items(count: int) -> Any:
    items = numbered(count, lambda n: {"get": {"parameters": [{"$ref": f"#/I{n + 1}"}] * 2, **OK}}, "I")
    return items | {f"I{count}": query("a")}


family(
    "files_",
    {
        "cyclic": lambda: _cyclic_files(300),
        "path_item_circle": lambda: {
            ROOT: document({"/a": {"$ref": "a.yaml"}}),
            "a.yaml": {"$ref": "b.yaml"},
            "b.yaml": {"$ref": "a.yaml"},
        },
        "many": lambda: {
            ROOT: body({"oneOf": _each(1000, lambda n: {"$ref": f"f{n}.yaml"})}),
            **{f"f{n}.yaml": text(maxLength=n) for n in range(1000)},
        },
        "many_missing": lambda: body({"oneOf": _each(5000, lambda n: {"$ref": f"f{n}.yaml"})}),
        "same_name": lambda: {
            ROOT: body({"oneOf": _each(3000, lambda n: {"$ref": f"f.yaml#/{n}/S"})}),
            "f.yaml": _each(3000, lambda n: {"S": text(maxLength=n)}),
        },
    },
)
family(
    "files_",
    {"doubling_items": lambda: _doubling_items(40), "chain": lambda: linked_files(2000, {"get": OK}, "I")},
    lambda file: {ROOT: document({"/a": {"$ref": "f.yaml#/I0"}}), "f.yaml": file},
)
family(
    "files_",
    {
        "chain_of_schemas": lambda: ("#/S0", linked_files(2000, STRING, "S")),
        "not_utf_8": lambda: ("", b"\xff\xfe\xfa\xff"),
        "no_yaml": lambda: ("", b"secret: [word\n"),
        "scalar": lambda: ("", b"secret word\n"),
        "empty": lambda: ("", b""),
        "large": lambda: ("#/S", {"S": STRING, "x": ["a"] * 200_000}),
    },
    lambda made: {ROOT: body({"$ref": f"f.yaml{made[0]}"}), "f.yaml": made[1]},
)


# Bytes that are no contract.

STRANGE = {"enum": {}, "type": ["string"], "nullable": 1}

family(
    "bytes_",
    {
        "empty": lambda: b"",
        "nul": lambda: b"\0" * 500_000,
        "random": lambda: bytes((n * 7919 + n // 251) % 256 for n in range(300_000)),
        "utf_16": lambda: json.dumps(body(STRING)).encode("utf-16"),
        "utf_32": lambda: json.dumps(body(STRING)).encode("utf-32"),
        "surrogates": lambda: body(text(enum=["\ud800"])),
        "escaped_surrogates": lambda: (
            b'{"openapi": "3.0.3", "info": {"title": "\\ud800", "version": "1"}, "paths": {}}'
        ),
        "byte_order_mark": lambda: b"\xef\xbb\xbf" + json.dumps(body(STRING)).encode(),
        "scalar": lambda: "a",
        "list": lambda: "[]",
        "null": lambda: "null",
        "number": lambda: "1",
        "documents": lambda: "---\na: b\n" * 50_000,
        "directives": lambda: "%YAML 1.1\n---\na: b\n",
        "bad_directives": lambda: "%TAG ! tag:a,2000:\n" * 10_000,
        "tags": lambda: "openapi: 3.0.3\nx-a: [" + "!!python/object/apply:os.system [a], " * 20_000 + "]",
        "comments": lambda: "# a\n" * 250_000,
        "questions": lambda: "? " * 300_000,
        "flow": lambda: "{" * 10 + "[" * 80 + ", " * 200_000,
        "colons": lambda: ": " * 300_000,
        "anchors": lambda: "&a " * 200_000,
        "tabs": lambda: "\t" * 500_000,
        "carriage_returns": lambda: "a: b\r" * 150_000,
        "openapi_3_1": lambda: {"openapi": "3.1.0", "info": {"title": "t", "version": "1"}, "paths": {}},
        "openapi_mapping": lambda: {"openapi": {"a": ["b"] * 50_000}},
        "openapi_number": lambda: "openapi: " + "9" * 5000,
        "bare": lambda: {"openapi": "3.0.3"},
        "null_sections": lambda: {"openapi": "3.0.3", "info": None, "paths": None, "components": None},
        "list_sections": lambda: {"openapi": "3.0.3", "info": [], "paths": [], "components": []},
        "null_items": lambda: document(
            {"/a": None, "/b": {"get": None}, "/c": {"get": {"responses": None, "parameters": None}}}
        ),
        "strange_schemas": lambda: body(
            {"properties": [], "allOf": {}, "items": [], "required": {}, **STRANGE}
        ),
    },
)


# Pages for `relay import`.

INDEXES: dict[str, Callable[[], str]] = {
    "brackets": lambda: "[" * 1_000_000,
    "links": lambda: "[a](" * 250_000,
    "open": lambda: "- [a](b.md" * 100_000,
    "missing": lambda: "".join(f"- [a](p{n}.md)\n" for n in range(50_000)),
    "same": lambda: "- [a](p.md)\n" * 80_000,
    "itself": lambda: "- [a](llms.txt)\n" * 60_000,
    "images": lambda: "![" * 500_000,
    "stars": lambda: "*a_" * 340_000,
    "backticks": lambda: "".join("`" * n + "a" for n in range(1, 1400)),
    "quotes": lambda: "> " * 500_000,
    "quotes_lines": lambda: ("> " * 500 + "a\n") * 1000,
    "lists": lambda: "- " * 500_000,
    "nested_lists": lambda: "".join("  " * n + "- a\n" for n in range(900)),
    "references": lambda: "".join(f"[a{n}]: b{n}.md\n" for n in range(50_000)) + "[a1]",
    "definitions": lambda: "[a]: " * 200_000,
    "angles": lambda: "<" * 1_000_000,
    "html": lambda: "<a " * 300_000,
    "comments": lambda: "<!-- " * 200_000,
    "entities": lambda: "&amp;" * 200_000,
    "escapes": lambda: "\\[" * 500_000,
    "addresses": lambda: "https://" * 125_000,
    "one_line": lambda: "[a](b.md) " * 100_000,
    "tables": lambda: "|a" * 500_000,
    "fences": lambda: "```\n" * 250_000,
    "parentheses": lambda: "[a](" + "(" * 900_000,
    "titles": lambda: '[a](b "' * 140_000,
}
PAGES: dict[str, Callable[[], str]] = {
    **{name: INDEXES[name] for name in ("quotes", "nested_lists", "brackets", "definitions")},
    "fences": lambda: "```yaml\na: b\n```\n" * 60_000,
    "openapi_fences": lambda: "```yaml\nopenapi: 3.0.3\n```\n" * 35_000,
    "open_fence": lambda: "```yaml\n" + "a: b\n" * 200_000,
    "definitions_lines": lambda: "[a]:\n" * 200_000,
    "mdx": lambda: "<A b={" * 160_000,
    "empty": lambda: "",
    "columns": lambda: "".join(f"{' ' * 900}```yaml\n" for _ in range(1000)),
    "in_list": lambda: "- ```yaml\n" + "  openapi: 3.0.3\n" * 50_000 + "  ```\n",
}


def _page(source: str, content: Callable[[], str]) -> tuple[str, Case]:
    return source, lambda: {source: content().encode()}


IMPORTS = {f"index_{name}": _page("llms.txt", content) for name, content in INDEXES.items()}
IMPORTS |= {
    f"page_{name}": _page("page.mdx" if name == "mdx" else "page.md", content)
    for name, content in PAGES.items()
}
