"""Contracts of at most 1 MiB that cost far more than their size if a tool reads them without bounds.

`CASES` maps a name to a function that returns the files of a folder; the contract is `openapi.yaml` (JSON is YAML).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

Files = dict[str, bytes]
Case = Callable[[], Files]

ROOT = "openapi.yaml"
BIG = 2**64
STRING = {"type": "string"}
CASES: dict[str, Case] = {}


def document(paths: dict[str, Any] | None = None, **schemas: Any) -> dict[str, Any]:
    """Return a contract of some paths and schemas; by default one operation sends and receives the schema `S0`."""
    return {
        "openapi": "3.0.3",
        "info": {"title": "Hostile", "version": "1"},
        "paths": operations(reference("S0")) if paths is None else paths,
        "components": {"schemas": schemas},
    }


def operations(schema: Any, path: str = "/a", name: str = "post_it") -> dict[str, Any]:
    """Return a path whose operation sends and receives a schema."""
    content = {"application/json": {"schema": schema}}
    return {
        path: {
            "post": {
                "operationId": name,
                "tags": ["Things"],
                "requestBody": {"required": True, "content": content},
                "responses": {"200": {"description": "ok", "content": content}},
            }
        }
    }


def querying(schema: Any, **rest: Any) -> dict[str, Any]:
    """Return a path whose operation has a query parameter of a schema."""
    parameter = {"name": "q", "in": "query", "schema": schema, **rest}
    return {
        "/a": {
            "get": {
                "operationId": "get_it",
                "tags": ["Things"],
                "parameters": [parameter],
                "responses": {"200": {"description": "ok"}},
            }
        }
    }


def reference(name: str) -> dict[str, str]:
    """Return a `$ref` to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def case(function: Callable[[], Any]) -> Callable[[], Any]:
    """Add a function to the cases; it returns a document, a text, or files."""
    CASES[function.__name__] = lambda: _files(function())
    return function


def family(name: str, documents: dict[str, Callable[[], Any]]) -> None:
    """Add a case for each of some documents."""
    for kind, make in documents.items():
        CASES[f"{name}_{kind}"] = lambda make=make: _files(make())


def _files(made: Any) -> Files:
    if isinstance(made, dict) and ROOT in made:
        return {name: _bytes(content) for name, content in made.items()}
    return {ROOT: _bytes(made)}


def _bytes(content: Any) -> bytes:
    if isinstance(content, bytes):
        return content
    return (content if isinstance(content, str) else json.dumps(content)).encode("utf-8", "surrogatepass")


# Doubling: each schema names the next one twice, so that a walk without memory takes 2 ** length steps.


def doubling(keyword: str, length: int = 40, where: Callable[[Any], dict[str, Any]] | None = None) -> Any:
    """Return schemas of which each has the next one twice in a list."""
    schemas = {f"S{n}": {keyword: [reference(f"S{n + 1}")] * 2} for n in range(length)}
    paths = None if where is None else where(reference("S0"))
    return document(paths, **schemas, **{f"S{length}": {"type": "object", "properties": {"a": STRING}}})


def nested(length: int = 40, *, width: int = 2, where: Any = None, **rest: Any) -> Any:
    """Return objects of which each has the next one as several properties."""
    schemas: dict[str, Any] = {
        f"S{n}": {
            "type": "object",
            "properties": {f"p{i}": reference(f"S{n + 1}") for i in range(width)},
            **rest,
        }
        for n in range(length)
    }
    paths = None if where is None else where(reference("S0"))
    return document(paths, **schemas, **{f"S{length}": {"type": "object", "properties": {"a": STRING}}})


family(
    "doubling",
    {keyword: lambda keyword=keyword: doubling(keyword) for keyword in ("allOf", "anyOf", "oneOf")},
)
family(
    "doubling_query",
    {
        keyword: lambda keyword=keyword: doubling(keyword, where=querying)
        for keyword in ("allOf", "anyOf", "oneOf")
    },
)
family(
    "nested",
    {
        "body": nested,
        "required": lambda: nested(required=["p0", "p1"]),
        "read_only": lambda: nested(readOnly=True),
        "query": lambda: nested(where=querying),
        "query_20": lambda: nested(20, where=querying),
        "query_wide": lambda: nested(12, width=50, where=querying),
        "deep_object": lambda: nested(
            where=lambda schema: querying(schema, style="deepObject", explode=True)
        ),
        "items": lambda: document(
            **{
                f"S{n}": {"type": "array", "items": {"oneOf": [reference(f"S{n + 1}")] * 2}}
                for n in range(40)
            },
            S40=STRING,
        ),
        "additional": lambda: document(
            **{
                f"S{n}": {
                    "type": "object",
                    "properties": {"p": reference(f"S{n + 1}")},
                    "additionalProperties": reference(f"S{n + 1}"),
                }
                for n in range(40)
            },
            S40=STRING,
        ),
        "form": lambda: document(
            {
                "/a": {
                    "post": {
                        "requestBody": {
                            "content": {"application/x-www-form-urlencoded": {"schema": reference("S0")}}
                        },
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            },
            **nested()["components"]["schemas"],
        ),
    },
)


@case
def doubling_not() -> Any:
    """`not` in `allOf`, twice at each level."""
    schemas = {f"S{n}": {"allOf": [{"not": reference(f"S{n + 1}")}] * 2} for n in range(40)}
    return document(**schemas, S40=STRING)


@case
def doubling_nullable() -> Any:
    """Schemas without a type, whose acceptance of null depends on all below them."""
    schemas = {
        f"S{n}": {"anyOf": [reference(f"S{n + 1}"), {"allOf": [reference(f"S{n + 1}")]}]} for n in range(40)
    }
    return document(**schemas, S40={"nullable": True})


@case
def doubling_inline() -> Any:
    """Inline `allOf` within `oneOf`, 12 levels of a real tree."""

    def tree(level: int) -> Any:
        return {"oneOf": [{"allOf": [tree(level - 1)]} for _ in range(2)]} if level else STRING

    return document(operations(tree(11)))


@case
def combinations() -> Any:
    """An `allOf` of many `oneOf`s, whose combinations are a product."""
    parts = [
        {"oneOf": [{"required": [f"r{n}_{i}"], "properties": {f"r{n}_{i}": STRING}} for i in range(10)]}
        for n in range(20)
    ]
    return document(S0={"type": "object", "allOf": parts})


@case
def mutual_alternatives() -> Any:
    """Forty schemas, each of which is one of all others."""
    schemas = {
        f"S{n}": {
            "oneOf": [
                *(reference(f"S{m}") for m in range(40) if m != n),
                {"type": "object", "properties": {"next": reference(f"S{(n + 1) % 40}")}},
            ]
        }
        for n in range(40)
    }
    return document(**schemas)


@case
def mutual_properties() -> Any:
    """Sixty objects, each with all others as properties."""
    schemas = {
        f"S{n}": {"type": "object", "properties": {f"p{m}": reference(f"S{m}") for m in range(60)}}
        for n in range(60)
    }
    return document(**schemas)


family(
    "mutual_query",
    {
        "properties": lambda: document(
            querying(reference("S0")), **mutual_properties()["components"]["schemas"]
        ),
        "alternatives": lambda: document(
            querying(reference("S0")), **mutual_alternatives()["components"]["schemas"]
        ),
    },
)


@case
def mutual_all_of() -> Any:
    """Thirty schemas, each of which is all others: a circle through `allOf`."""
    return document(
        **{f"S{n}": {"allOf": [reference(f"S{m}") for m in range(30) if m != n]} for n in range(30)}
    )


# Chains and depth.


def chain(length: int, wrap: Callable[[Any], Any] = lambda schema: schema) -> Any:
    """Return schemas of which each is, or contains, the next one."""
    schemas = {f"S{n}": wrap(reference(f"S{n + 1}")) for n in range(length)}
    return document(**schemas, **{f"S{length}": STRING})


family(
    "chain",
    {
        "refs": lambda: chain(3000),
        "refs_10000": lambda: chain(10_000),
        "all_of": lambda: chain(3000, lambda schema: {"allOf": [schema]}),
        "one_of": lambda: chain(3000, lambda schema: {"oneOf": [schema]}),
        "not": lambda: chain(3000, lambda schema: {"not": schema}),
        "items": lambda: chain(3000, lambda schema: {"type": "array", "items": schema}),
        "items_required": lambda: chain(
            3000, lambda schema: {"type": "array", "minItems": 1, "items": schema}
        ),
        "properties": lambda: chain(
            3000, lambda schema: {"type": "object", "required": ["p"], "properties": {"p": schema}}
        ),
        "optional": lambda: chain(3000, lambda schema: {"type": "object", "properties": {"p": schema}}),
        "additional": lambda: chain(3000, lambda schema: {"type": "object", "additionalProperties": schema}),
        "nullable": lambda: chain(3000, lambda schema: {"nullable": True, "allOf": [schema]}),
        "parameters": lambda: {
            **document(
                {
                    "/a": {
                        "get": {
                            "parameters": [{"$ref": "#/components/parameters/P0"}],
                            "responses": {"200": {"description": "ok"}},
                        }
                    }
                }
            ),
            "components": {
                "parameters": {
                    **{f"P{n}": {"$ref": f"#/components/parameters/P{n + 1}"} for n in range(3000)},
                    "P3000": {"name": "p", "in": "query", "schema": STRING},
                }
            },
        },
        "query": lambda: document(querying(reference("S0")), **chain(3000)["components"]["schemas"]),
        "query_items": lambda: document(
            querying(reference("S0")),
            **chain(3000, lambda schema: {"type": "array", "items": schema})["components"]["schemas"],
        ),
        "query_all_of": lambda: document(
            querying(reference("S0")),
            **chain(3000, lambda schema: {"allOf": [schema]})["components"]["schemas"],
        ),
        "all_of_example": lambda: document(
            **chain(3000, lambda schema: {"allOf": [schema], "example": "a"})["components"]["schemas"]
        ),
        "circle": lambda: document(**{f"S{n}": reference(f"S{(n + 1) % 3000}") for n in range(3000)}),
        "circle_all_of": lambda: document(
            **{f"S{n}": {"allOf": [reference(f"S{(n + 1) % 3000}")]} for n in range(3000)}
        ),
        "circle_items": lambda: document(
            **{f"S{n}": {"type": "array", "items": reference(f"S{(n + 1) % 3000}")} for n in range(3000)}
        ),
        "circle_required": lambda: document(
            **{
                f"S{n}": {
                    "type": "object",
                    "required": ["p"],
                    "properties": {"p": reference(f"S{(n + 1) % 3000}")},
                }
                for n in range(3000)
            }
        ),
    },
)


def deep(levels: int, wrap: Callable[[Any], Any]) -> Any:
    """Return a contract of one schema, nested in itself."""
    schema: Any = STRING
    for _ in range(levels):
        schema = wrap(schema)
    return document(operations(schema))


def _deep_text(start: str, inner: str, end: str, levels: int) -> str:
    text = json.dumps(document(operations("@"), S0=STRING))
    return text.replace('"@"', start * levels + inner + end * levels)


family(
    "deep",
    {
        "schemas_3000": lambda: _deep_text('{"items":', "{}", "}", 3000),
        "schemas_50000": lambda: _deep_text('{"not":', "{}", "}", 50_000),
        "lists": lambda: "[" * 500_000,
        "lists_closed": lambda: "[" * 300_000 + "]" * 300_000,
        "mappings": lambda: '{"a":' * 150_000,
        "block": lambda: "\n".join("- " * 1000 for _ in range(100)),
        "example": lambda: document(
            operations({"type": "array", "items": {}, "example": json.loads("[" * 90 + "]" * 90)})
        ),
        "schemas_40": lambda: deep(40, lambda schema: {"type": "array", "items": schema}),
        "properties_40": lambda: deep(
            40, lambda schema: {"type": "object", "required": ["p"], "properties": {"p": schema}}
        ),
        "one_of_40": lambda: deep(40, lambda schema: {"oneOf": [schema, {"type": "integer"}]}),
        "all_of_40": lambda: deep(40, lambda schema: {"allOf": [schema, {"nullable": True}]}),
        "not_40": lambda: deep(40, lambda schema: {"not": schema}),
    },
)


# YAML aliases.


_HEAD = """openapi: 3.0.3
info: {title: t, version: "1"}
paths:
  /a:
"""


def _aliased(value: str, rest: str = "") -> str:
    return f"""{_HEAD}    get:
      operationId: get_it
      tags: [Things]
      responses:
        "200": {{description: ok}}
{rest}
{value}
"""


def _laughs(levels: int, width: int) -> str:
    lines = ["x-a0: &a0 [lol]"]
    lines += [f"x-a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines)


def _aliases_at(count: int, prefix: str) -> str:
    return f"{prefix} [" + ", ".join(["*a"] * count) + "]"


family(
    "aliases",
    {
        "laughs": lambda: _aliased(_laughs(30, 9)),
        "laughs_2": lambda: _aliased(_laughs(20, 2)),
        "flat_extension": lambda: _aliased("x-a: &a {b: c}\n" + _aliases_at(200_000, "x-b:")),
        "flat_example": lambda: _aliased(
            "components:\n  schemas:\n    S0:\n      type: array\n      items: {type: object}\n"
            "      x-a: &a {b: c}\n" + _aliases_at(200_000, "      example:")
        ),
        "flat_enum": lambda: _aliased(
            "components:\n  schemas:\n    S0:\n      x-a: &a {b: c}\n" + _aliases_at(200_000, "      enum:")
        ),
        "flat_one_of": lambda: _aliased(
            "components:\n  schemas:\n    S0:\n      x-a: &a {type: string}\n"
            + _aliases_at(200_000, "      oneOf:")
        ),
        "flat_all_of": lambda: _aliased(
            "components:\n  schemas:\n    S0:\n      x-a: &a {type: string, minLength: 1, description: abc}\n"
            + _aliases_at(200_000, "      allOf:")
        ),
        "flat_parameters": lambda: _aliased(
            "x-a: &a {name: p, in: query, schema: {type: string}}\n"
            "components:\n  x-p:\n" + _aliases_at(200_000, "    p:")
        ).replace(
            "      operationId",
            "      parameters: ["
            + ", ".join(["&p {name: q, in: query, schema: {type: string}}"] + ["*p"] * 60_000)
            + "]\n      operationId",
        ),
        "properties": lambda: _aliased(
            "components:\n  schemas:\n    S0:\n      type: object\n      x-a: &a {type: object, properties: {b: {type: string}}}\n      properties:\n"
            + "\n".join(f"        p{n}: *a" for n in range(50_000))
        ),
        "paths": lambda: _aliased(
            "\n".join(
                f"  /p{n}: *o" if n else "  /p0: &o {get: {responses: {'200': {description: ok}}}}"
                for n in range(60_000)
            )
        ).replace("paths:\n", "paths:\n", 1),
        "doubling_schemas": lambda: _aliased(
            "components:\n  schemas:\n    S0: &s0 {type: string}\n"
            + "\n".join(
                f"    S{n}: &s{n} {{type: object, properties: {{a: *s{n - 1}, b: *s{n - 1}}}}}"
                for n in range(1, 17)
            )
        ),
        "merge_keys": lambda: _aliased(
            "x-0: &m0 {k: v}\n"
            + "\n".join(f"x-{n}: &m{n} {{<<: *m{n - 1}, k{n}: v}}" for n in range(1, 1500))
        ),
        "merge_lists": lambda: _aliased(
            "x-0: &m {"
            + ", ".join(f"k{n}: v" for n in range(5000))
            + "}\nx-1:\n  <<: ["
            + ", ".join(["*m"] * 20_000)
            + "]"
        ),
        "self": lambda: _aliased("x-a: &a [*a]"),
        "anchors": lambda: _aliased("x-a: [" + ", ".join(f"&b{n} c" for n in range(60_000)) + "]"),
        "in_keys": lambda: _aliased("x-a: &a b\n" + "\n".join(f"*a : {n}" for n in range(20_000))),
    },
)


# Width.


def _many_paths(count: int) -> Any:
    paths: dict[str, Any] = {}
    for n in range(count):
        paths |= operations({}, f"/p{n}", f"op{n}")
    return document(paths)


family(
    "many",
    {
        "paths": lambda: _many_paths(3000),
        "path_parameters": lambda: document(
            {
                f"/p{n}/{{a}}/x{n % 7}": {
                    "get": {
                        "parameters": [{"name": "a", "in": "path", "required": True, "schema": STRING}],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
                for n in range(5000)
            }
        ),
        "overlapping_paths": lambda: document(
            {
                "/" + "/".join(f"{{v{i}}}" if n >> i & 1 else "c" for i in range(12)): {
                    "get": {"responses": {"200": {"description": "ok"}}}
                }
                for n in range(2500)
            }
        ),
        "path_variables": lambda: document(
            {
                "/" + "/".join(f"{{v{n}}}" for n in range(5000)): {
                    "get": {
                        "parameters": [
                            {"name": f"v{n}", "in": "path", "required": True, "schema": STRING}
                            for n in range(5000)
                        ],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
        "parameters": lambda: document(
            {
                "/a": {
                    "get": {
                        "parameters": [
                            {"name": f"p{n}", "in": "query", "schema": {"type": "integer"}}
                            for n in range(15_000)
                        ],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
        "parameters_by_reference": lambda: {
            **document(
                {
                    f"/a{m}": {
                        "get": {
                            "parameters": [{"$ref": f"#/components/parameters/P{n}"} for n in range(300)],
                            "responses": {"200": {"description": "ok"}},
                        }
                    }
                    for m in range(60)
                }
            ),
            "components": {
                "parameters": {
                    f"P{n}": {"name": f"p{n}", "in": "query", "schema": STRING} for n in range(300)
                }
            },
        },
        "properties": lambda: document(
            S0={"type": "object", "properties": {f"p{n}": {"type": "integer"} for n in range(30_000)}}
        ),
        "required_properties": lambda: document(
            S0={
                "type": "object",
                "required": [f"p{n}" for n in range(15_000)],
                "properties": {f"p{n}": {"type": "integer"} for n in range(15_000)},
            }
        ),
        "query_properties": lambda: document(
            querying({"type": "object", "properties": {f"p{n}": {"type": "integer"} for n in range(25_000)}})
        ),
        "schemas": lambda: document(operations({}), **{f"S{n}": {"type": "object"} for n in range(25_000)}),
        "one_of": lambda: document(
            S0={"oneOf": [{"type": "object", "required": [f"r{n}"]} for n in range(15_000)]}
        ),
        "one_of_equal": lambda: document(S0={"oneOf": [{}] * 100_000}),
        "one_of_references": lambda: document(
            S0={"oneOf": [reference(f"S{n}") for n in range(1, 4000)]},
            **{f"S{n}": {"type": "object", "properties": {f"p{n}": STRING}} for n in range(1, 4000)},
        ),
        "any_of_query": lambda: document(
            querying({"anyOf": [{"type": "integer", "minimum": n} for n in range(15_000)]})
        ),
        "all_of": lambda: document(S0={"allOf": [{"required": [f"r{n}"]} for n in range(20_000)]}),
        "enum": lambda: document(S0={"type": "integer", "enum": list(range(120_000))}),
        "enum_strings": lambda: document(
            S0={"type": "string", "enum": [f"value {n}" for n in range(60_000)]}
        ),
        "enum_wrong": lambda: document(S0={"type": "string", "enum": list(range(100_000))}),
        "enum_objects": lambda: document(S0={"enum": [{"a": [n]} for n in range(60_000)]}),
        "example_items": lambda: document(
            S0={"type": "array", "items": {"type": "integer"}, "example": list(range(120_000))}
        ),
        "example_wrong_items": lambda: document(
            S0={"type": "array", "items": {"type": "string"}, "example": list(range(120_000))}
        ),
        "example_properties": lambda: document(
            S0={
                "type": "object",
                "required": ["a"],
                "properties": {"a": STRING},
                "example": {"a": "b", **{f"p{n}": n for n in range(60_000)}},
            }
        ),
        "example_missing": lambda: document(
            S0={
                "type": "object",
                "required": [f"r{n}" for n in range(20_000)],
                "properties": {"a": {"type": "array"}},
                "example": {"a": list(range(100_000))},
            }
        ),
        "examples": lambda: document(
            {
                "/a": {
                    "get": {
                        "responses": {
                            "200": {
                                "description": "ok",
                                "content": {
                                    "application/json": {
                                        "schema": STRING,
                                        "examples": {f"e{n}": {"value": n} for n in range(25_000)},
                                    }
                                },
                            }
                        }
                    }
                }
            }
        ),
        "defaults": lambda: document(
            S0={
                "type": "object",
                "properties": {f"p{n}": {"type": "integer", "default": "x"} for n in range(15_000)},
            }
        ),
        "dangling_refs": lambda: document(S0={"oneOf": [reference(f"X{n}") for n in range(15_000)]}),
        "same_ref": lambda: document(S0={"oneOf": [reference("S1")] * 20_000}, S1=STRING),
        "unknown_fields": lambda: {**document(S0=STRING), **{f"unknown{n}": n for n in range(40_000)}},
        "unknown_in_schema": lambda: document(S0={f"unknown{n}": n for n in range(40_000)}),
        "wrong_types": lambda: document(S0={"properties": {f"p{n}": n for n in range(60_000)}}),
        "null_schemas": lambda: document(**{f"S{n}": None for n in range(50_000)}),
        "wrong_paths": lambda: document({f"p{n}": {} for n in range(50_000)}),
        "duplicate_keys": lambda: "openapi: 3.0.3\n" + "a: 1\n" * 150_000,
        "responses": lambda: document(
            {
                "/a": {
                    "get": {
                        "responses": {
                            **{
                                f"{status}": {
                                    "description": "ok",
                                    "content": {
                                        f"application/x{n}+json": {
                                            "schema": {"type": "object", "required": ["a"]}
                                        }
                                        for n in range(15)
                                    },
                                }
                                for status in range(200, 600)
                            },
                        }
                    }
                }
            }
        ),
        "media_types": lambda: document(
            {
                "/a": {
                    "post": {
                        "requestBody": {
                            "content": {
                                f"application/x{n}+json": {"schema": {"type": "object"}}
                                for n in range(12_000)
                            }
                        },
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
        "headers": lambda: document(
            {
                "/a": {
                    "get": {
                        "responses": {
                            "200": {
                                "description": "ok",
                                "headers": {f"X-{n}": {"schema": {"type": "integer"}} for n in range(20_000)},
                            }
                        }
                    }
                }
            }
        ),
        "tags": lambda: {
            **document(operations({})),
            "tags": [{"name": f"t{n}"} for n in range(40_000)],
        },
        "operation_tags": lambda: (
            document(
                {
                    "/a": {
                        "get": {
                            "tags": [f"t{n}" for n in range(50_000)],
                            "responses": {"200": {"description": "ok"}},
                        }
                    }
                }
            )
            | {"tags": [{"name": "other"}]}
        ),
        "security": lambda: document(
            {
                "/a": {
                    "get": {
                        "security": [{f"k{n}": []} for n in range(30_000)],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
        "servers": lambda: {
            **document(operations({})),
            "servers": [
                {
                    "url": "/" + "".join(f"{{v{n}}}" for n in range(8000)),
                    "variables": {f"v{n}": {"default": "x" * 20} for n in range(8000)},
                }
            ],
        },
        "discriminator": lambda: document(
            S0={
                "oneOf": [reference("S1"), reference("S2")],
                "discriminator": {
                    "propertyName": "kind",
                    "mapping": {f"v{n}": "#/components/schemas/S1" for n in range(15_000)},
                },
            },
            S1={"type": "object", "properties": {"kind": STRING}},
            S2={"type": "object", "properties": {"kind": STRING}},
        ),
        "operations_deep_schema": lambda: document(
            {
                path: item
                for n in range(1500)
                for path, item in operations(reference("S0"), f"/p{n}", f"op{n}").items()
            },
            **{
                f"S{n}": {
                    "type": "object",
                    "required": ["p"],
                    "properties": {"p": reference(f"S{n + 1}"), "q": STRING},
                }
                for n in range(1000)
            },
            S1000=STRING,
        ),
        "operations_recursive": lambda: document(
            {
                path: item
                for n in range(1200)
                for path, item in operations(reference(f"S{n % 60}"), f"/p{n}", f"op{n}").items()
            },
            **mutual_properties()["components"]["schemas"],
        ),
        "callbacks": lambda: document(
            {
                "/a": {
                    "get": {
                        "callbacks": {
                            f"c{n}": {
                                "{$request.query.url}": {
                                    "post": {"responses": {"200": {"description": "ok"}}}
                                }
                            }
                            for n in range(8000)
                        },
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
    },
)


# Long strings and keys, and strings that are patterns.

LONG = "a" * 900_000

family(
    "long",
    {
        "title": lambda: {**document(operations({})), "info": {"title": LONG, "version": "1"}},
        "key": lambda: document(S0={"type": "object", "properties": {LONG: STRING}}),
        "unknown_key": lambda: {**document(operations({})), LONG: 1},
        "path": lambda: document({f"/{LONG}": {"get": {"responses": {"200": {"description": "ok"}}}}}),
        "path_braces": lambda: document(
            {"/" + "{" * 200_000: {"get": {"responses": {"200": {"description": "ok"}}}}}
        ),
        "path_slashes": lambda: document(
            {"/" * 500_000: {"get": {"responses": {"200": {"description": "ok"}}}}}
        ),
        "operation_id": lambda: document(operations({}, name=LONG)),
        "operation_id_symbols": lambda: document(operations({}, name="-" * 800_000)),
        "tag": lambda: document(
            {"/a": {"get": {"tags": [LONG], "responses": {"200": {"description": "ok"}}}}}
        ),
        "schema_name": lambda: document(operations(reference(LONG[:300_000])), **{LONG[:300_000]: STRING}),
        "enum_value": lambda: document(S0={"enum": [LONG]}),
        "reference": lambda: document(S0={"$ref": "#/" + "a/" * 400_000}),
        "reference_slashes": lambda: document(S0={"$ref": "#" + "/" * 400_000}),
        "reference_percent": lambda: document(S0={"$ref": "#/" + "%2F" * 200_000}),
        "reference_file": lambda: document(S0={"$ref": f"{LONG}#/a"}),
        "reference_folders": lambda: document(S0={"$ref": "a/" * 300_000 + "#/a"}),
        "reference_parents": lambda: document(S0={"$ref": "a/../" * 150_000 + "#/a"}),
        "server": lambda: {**document(operations({})), "servers": [{"url": "/" + "{a" * 300_000}]},
        "parameter": lambda: document(
            {
                "/a": {
                    "get": {
                        "parameters": [{"name": LONG, "in": "query", "schema": STRING}],
                        "responses": {"200": {"description": "ok"}},
                    }
                }
            }
        ),
        "description": lambda: document(S0={"type": "string", "description": "word " * 150_000}),
        "pattern": lambda: document(S0={"type": "string", "pattern": "a?" * 200_000}),
        "version": lambda: {**document(operations({})), "openapi": "3.0." + "1" * 500_000},
        "line": lambda: "openapi: 3.0.3 #" + " " * 900_000,
        "plain_scalar": lambda: "a: b\n" + " c\n" * 200_000,
        "quoted_escapes": lambda: 'a: "' + "\\x41" * 200_000 + '"',
        "literal_block": lambda: "a: |\n" + "  b\n" * 200_000,
        "indentation": lambda: "\n".join(" " * n + "a:" for n in range(1000)),
    },
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
family(
    "pattern",
    {
        **{
            name: lambda text=text: document(S0={"type": "string", "pattern": text})
            for name, text in PATTERNS.items()
        },
        **{
            f"{name}_long": lambda text=text: document(
                S0={"type": "string", "pattern": text, "minLength": 5000, "example": "a" * 5000 + "!"}
            )
            for name, text in PATTERNS.items()
        },
        "many": lambda: document(
            S0={"allOf": [{"type": "string", "pattern": f"^a{{{n}}}(b+)+$"} for n in range(10_000)]}
        ),
        "properties": lambda: document(
            S0={
                "type": "object",
                "properties": {
                    f"p{n}": {"type": "string", "pattern": f"^[a-z]{{1,{n + 1}}}$"} for n in range(990)
                },
            }
        ),
        "unicode_properties": lambda: document(
            S0={
                "type": "object",
                "properties": {
                    f"p{n}": {"type": "string", "pattern": f"^\\w{{1,{n + 1}}}$"} for n in range(990)
                },
            }
        ),
    },
)


# Numbers.

NUMBERS = {
    "2_64": str(2**64),
    "minus_2_64": str(-(2**64)),
    "2_63": str(2**63),
    "hundred_digits": "9" * 100,
    "4000_digits": "9" * 4000,
    "5000_digits": "9" * 5000,
    "220000_digits": "9" * 220_000,
    "1e308": "1e308",
    "1e400": "1e400",
    "1e_400": "1e-400",
    "1e99999999999": "1e99999999999",
    "inf": ".inf",
    "minus_inf": "-.inf",
    "nan": ".nan",
    "zero": "0",
    "minus": "-1",
    "tiny": "1e-300",
    "half": "0.5",
    "hexadecimal": "0x" + "f" * 220_000,
    "octal": "0o" + "7" * 220_000,
}
KEYWORDS = {
    "maximum": "type: integer",
    "minimum": "type: number",
    "multipleOf": "type: integer",
    "multipleOf_number": "type: number",
    "minLength": "type: string",
    "maxLength": "type: string",
    "minItems": "type: array, items: {type: integer}",
    "maxItems": "type: array, items: {type: integer}",
    "minProperties": "type: object",
    "maxProperties": "type: object",
    "example": "type: integer",
    "default": "type: number",
    "enum": "type: integer",
    "x-limit": "type: integer",
}


EVERYWHERE = ("2_64", "minus_2_64", "hundred_digits", "1e308", "nan")


def number(keyword: str, text: str) -> str:
    """Return a contract with a number as the value of a keyword: in a body and in a query parameter."""
    value = f"[{text}, 1]" if keyword == "enum" else text
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
    "number",
    {
        f"{keyword}_{name}": lambda keyword=keyword, text=text: number(keyword, text)
        for keyword in KEYWORDS
        for name, text in NUMBERS.items()
        if keyword in ("maximum", "multipleOf", "example") or name in EVERYWHERE
    },
)


# References.


def _referring(ref: str, **files: Any) -> Files:
    return {ROOT: document(S0={"$ref": ref}), **files}


family(
    "reference",
    {
        name: lambda ref=ref: _referring(ref)
        for name, ref in {
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
        }.items()
    },
)


def _cyclic_files(count: int) -> Files:
    files = {
        f"f{n}.yaml": {"S": {"type": "object", "properties": {"p": {"$ref": f"f{(n + 1) % count}.yaml#/S"}}}}
        for n in range(count)
    }
    return {ROOT: document(S0={"$ref": "f0.yaml#/S"}), **files}


family(
    "files",
    {
        "cyclic": lambda: _cyclic_files(300),
        "path_item_circle": lambda: {
            ROOT: document({"/a": {"$ref": "a.yaml"}}),
            "a.yaml": {"$ref": "b.yaml"},
            "b.yaml": {"$ref": "a.yaml"},
        },
        "many": lambda: {
            ROOT: document(S0={"oneOf": [{"$ref": f"f{n}.yaml"} for n in range(1000)]}),
            **{f"f{n}.yaml": {"type": "string", "maxLength": n} for n in range(1000)},
        },
        "many_missing": lambda: {ROOT: document(S0={"oneOf": [{"$ref": f"f{n}.yaml"} for n in range(5000)]})},
        "same_name": lambda: {
            ROOT: document(S0={"oneOf": [{"$ref": f"f.yaml#/{n}/S"} for n in range(3000)]}),
            "f.yaml": [{"S": {"type": "string", "maxLength": n}} for n in range(3000)],
        },
        "doubling_items": lambda: {
            ROOT: document({"/a": {"$ref": "f.yaml#/I0"}}),
            "f.yaml": {
                **{
                    f"I{n}": {
                        "get": {
                            "parameters": [{"$ref": f"#/I{n + 1}"}, {"$ref": f"#/I{n + 1}"}],
                            "responses": {"200": {"description": "ok"}},
                        }
                    }
                    for n in range(40)
                },
                "I40": {"name": "a", "in": "query", "schema": STRING},
            },
        },
        "chain": lambda: {
            ROOT: document({"/a": {"$ref": "f.yaml#/I0"}}),
            "f.yaml": {
                **{f"I{n}": {"$ref": f"#/I{n + 1}"} for n in range(2000)},
                "I2000": {"get": {"responses": {"200": {"description": "ok"}}}},
            },
        },
        "chain_of_schemas": lambda: {
            ROOT: document(S0={"$ref": "f.yaml#/S0"}),
            "f.yaml": {**{f"S{n}": {"$ref": f"#/S{n + 1}"} for n in range(2000)}, "S2000": STRING},
        },
        "not_utf_8": lambda: {ROOT: document(S0={"$ref": "f.yaml"}), "f.yaml": b"\xff\xfe\xfa\xff"},
        "no_yaml": lambda: {ROOT: document(S0={"$ref": "f.yaml"}), "f.yaml": b"secret: [word\n"},
        "scalar": lambda: {ROOT: document(S0={"$ref": "f.yaml"}), "f.yaml": b"secret word\n"},
        "empty": lambda: {ROOT: document(S0={"$ref": "f.yaml"}), "f.yaml": b""},
        "large": lambda: {
            ROOT: document(S0={"$ref": "f.yaml#/S"}),
            "f.yaml": {"S": STRING, "x": ["a"] * 200_000},
        },
    },
)


# Bytes that are no contract.

family(
    "bytes",
    {
        "empty": lambda: b"",
        "nul": lambda: b"\0" * 500_000,
        "random": lambda: bytes((n * 7919 + n // 251) % 256 for n in range(300_000)),
        "utf_16": lambda: json.dumps(document(S0=STRING)).encode("utf-16"),
        "utf_32": lambda: json.dumps(document(S0=STRING)).encode("utf-32"),
        "surrogates": lambda: document(S0={"type": "string", "enum": ["\ud800"]}),
        "escaped_surrogates": lambda: (
            b'{"openapi": "3.0.3", "info": {"title": "\\ud800", "version": "1"}, "paths": {}}'
        ),
        "byte_order_mark": lambda: b"\xef\xbb\xbf" + json.dumps(document(S0=STRING)).encode(),
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
        "strange_schemas": lambda: document(
            S0={
                "properties": [],
                "allOf": {},
                "items": [],
                "required": {},
                "enum": {},
                "type": ["string"],
                "nullable": 1,
            }
        ),
    },
)


PAGE = "# Get it\n\n```yaml\n{}\n```\n"


def pages(contract: bytes) -> Files:
    """Return documentation pages around a contract, and an index of them."""
    return {
        "docs/page.md": PAGE.format(contract.decode("utf-8", "replace")).encode("utf-8", "replace"),
        "docs/llms.txt": b"- [page](page.md)\n",
    }


IMPORTS: dict[str, tuple[str, Case]] = {
    name: (source, lambda source=source, content=content: {source: content().encode()})
    for name, (source, content) in {
        "index_brackets": ("llms.txt", lambda: "[" * 1_000_000),
        "index_links": ("llms.txt", lambda: "[a](" * 250_000),
        "index_open": ("llms.txt", lambda: "- [a](b.md" * 100_000),
        "index_missing": ("llms.txt", lambda: "".join(f"- [a](p{n}.md)\n" for n in range(50_000))),
        "index_same": ("llms.txt", lambda: "- [a](p.md)\n" * 80_000),
        "index_itself": ("llms.txt", lambda: "- [a](llms.txt)\n" * 60_000),
        "index_images": ("llms.txt", lambda: "![" * 500_000),
        "index_stars": ("llms.txt", lambda: "*a_" * 340_000),
        "index_backticks": ("llms.txt", lambda: "".join("`" * n + "a" for n in range(1, 1400))),
        "index_quotes": ("llms.txt", lambda: "> " * 500_000),
        "index_quotes_lines": ("llms.txt", lambda: ("> " * 500 + "a\n") * 1000),
        "index_lists": ("llms.txt", lambda: "- " * 500_000),
        "index_nested_lists": ("llms.txt", lambda: "".join("  " * n + "- a\n" for n in range(900))),
        "index_references": (
            "llms.txt",
            lambda: "".join(f"[a{n}]: b{n}.md\n" for n in range(50_000)) + "[a1]",
        ),
        "index_definitions": ("llms.txt", lambda: "[a]: " * 200_000),
        "index_angles": ("llms.txt", lambda: "<" * 1_000_000),
        "index_html": ("llms.txt", lambda: "<a " * 300_000),
        "index_comments": ("llms.txt", lambda: "<!-- " * 200_000),
        "index_entities": ("llms.txt", lambda: "&amp;" * 200_000),
        "index_escapes": ("llms.txt", lambda: "\\[" * 500_000),
        "index_addresses": ("llms.txt", lambda: "https://" * 125_000),
        "index_one_line": ("llms.txt", lambda: "[a](b.md) " * 100_000),
        "index_tables": ("llms.txt", lambda: "|a" * 500_000),
        "index_fences": ("llms.txt", lambda: "```\n" * 250_000),
        "index_parentheses": ("llms.txt", lambda: "[a](" + "(" * 900_000),
        "index_titles": ("llms.txt", lambda: '[a](b "' * 140_000),
        "page_fences": ("page.md", lambda: "```yaml\na: b\n```\n" * 60_000),
        "page_openapi_fences": ("page.md", lambda: "```yaml\nopenapi: 3.0.3\n```\n" * 35_000),
        "page_open_fence": ("page.md", lambda: "```yaml\n" + "a: b\n" * 200_000),
        "page_quotes": ("page.md", lambda: "> " * 500_000),
        "page_lists": ("page.md", lambda: "".join("  " * n + "- a\n" for n in range(900))),
        "page_brackets": ("page.md", lambda: "[" * 1_000_000),
        "page_definitions": ("page.md", lambda: "[a]: " * 200_000),
        "page_definitions_lines": ("page.md", lambda: "[a]:\n" * 200_000),
        "page_mdx": ("page.mdx", lambda: "<A b={" * 160_000),
        "page_empty": ("page.md", lambda: ""),
        "page_columns": ("page.md", lambda: "".join(f"{' ' * 900}```yaml\n" for _ in range(1000))),
        "page_in_list": ("page.md", lambda: "- ```yaml\n" + "  openapi: 3.0.3\n" * 50_000 + "  ```\n"),
    }.items()
}
