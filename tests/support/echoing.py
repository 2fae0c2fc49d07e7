"""A contract with every kind of input, and a package that answers what it was given."""

from pathlib import Path
from typing import Any

import orjson

from .hosting import contract, operation, write_package

INTEGER, NUMBER, BOOLEAN, STRING = ({"type": name} for name in ("integer", "number", "boolean", "string"))
INTEGERS, STRINGS = ({"type": "array", "items": items} for items in (INTEGER, STRING))
POINT = {"type": "object", "properties": {"x": INTEGER, "y": INTEGER}, "additionalProperties": False}
FILTER = {
    "type": "object",
    "properties": {"size": POINT, "at": INTEGER, "tags": STRINGS},
    "additionalProperties": False,
}
EITHER = {"oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[A-Z]+$"}]}
THING = {
    "type": "object",
    "required": ["size"],
    "properties": {"size": INTEGER, "ratio": NUMBER, "name": STRING, "any": {}},
}
FORM = {
    "type": "object",
    "properties": {"size": INTEGER, "name": STRING, "ids": INTEGERS},
    "additionalProperties": False,
}
PARTS = {
    "type": "object",
    "properties": {"size": INTEGER, "name": STRING, "file": {**STRING, "format": "binary"}, "thing": THING},
    "additionalProperties": False,
}

THINGS = """
    def plain(value):
        if isinstance(value, dict):
            return {name: plain(one) for name, one in value.items()}
        return value.decode("latin-1") if isinstance(value, bytes) else value

    async def echo(**given):
        return plain({name: one for name, one in given.items() if name not in ("caller", "claims")})

    async def show_claims(claims, integer=None):
        return claims

    def echo_blocking(**given):
        return plain({name: one for name, one in given.items() if name not in ("caller", "claims")})

    query = headers = cookies = path = label = matrix = file = echo
    json = optional = form = parts = text = any_bytes = show = remove = echo
"""
INIT = """
    async def check(credential):
        if credential == "raise":
            raise RuntimeError(f"cannot check {credential}")
        return {"sub": "ours"} if credential == "the-right-key-of-the-test" else None

    verifiers = {"key": check}
"""


def _in(location: str, name: str, schema: Any, **rest: Any) -> dict[str, Any]:
    required = {"required": True} if location == "path" else {}
    return {"name": name, "in": location, "schema": schema, **required, **rest}


def _taking(operation_id: str, media_type: str, schema: Any, *, required: bool = True) -> dict[str, Any]:
    body = {"required": required, "content": {media_type: {"schema": schema}}}
    return operation(operation_id, requestBody=body)


def _with(operation_id: str, *parameters: Any, **rest: Any) -> dict[str, Any]:
    return operation(operation_id, parameters=[*parameters], **rest)


QUERY = _with(
    "query",
    _in("query", "integer", INTEGER),
    _in("query", "number", NUMBER),
    _in("query", "boolean", BOOLEAN),
    _in("query", "string", STRING),
    _in("query", "either", EITHER),
    _in("query", "ids", INTEGERS),
    _in("query", "form", INTEGERS, explode=False),
    _in("query", "space", INTEGERS, style="spaceDelimited", explode=False),
    _in("query", "pipe", INTEGERS, style="pipeDelimited", explode=False),
    _in("query", "words", STRINGS, explode=False),
    _in("query", "filter", FILTER, style="deepObject", explode=True),
    {"name": "json", "in": "query", "content": {"application/json": {"schema": POINT}}},
)
HEADERS = _with(
    "headers",
    _in("header", "X-Integer", INTEGER),
    _in("header", "X-Ids", INTEGERS),
    _in("header", "X-Point", POINT, explode=True),
    _in("header", "X-Text", {**STRING, "maxLength": 40}),
)
COOKIES = _with("cookies", _in("cookie", "integer", INTEGER), _in("cookie", "ids", INTEGERS, explode=False))
PATHS = {
    "/query": {"get": QUERY},
    "/headers": {"get": HEADERS},
    "/cookies": {"get": COOKIES},
    "/path/{integer}": {"get": _with("path", _in("path", "integer", INTEGER))},
    "/label/{ids}": {"get": _with("label", _in("path", "ids", INTEGERS, style="label"))},
    "/matrix/{ids}": {"get": _with("matrix", _in("path", "ids", INTEGERS, style="matrix", explode=True))},
    "/files/{name}": {"get": _with("file", _in("path", "name", STRING))},
    "/json": {"post": _taking("json", "application/json", THING)},
    "/optional": {"post": _taking("optional", "application/json", THING, required=False)},
    "/blocking": {"post": _taking("echo_blocking", "application/json", THING)},
    "/form": {"post": _taking("form", "application/x-www-form-urlencoded", FORM)},
    "/parts": {"post": _taking("parts", "multipart/form-data", PARTS)},
    "/text": {"post": _taking("text", "text/plain", STRING)},
    "/bytes": {"post": _taking("any_bytes", "application/octet-stream", {**STRING, "format": "binary"})},
    "/thing": {"get": operation("show"), "delete": operation("remove")},
    "/token": {"get": _with("show_claims", _in("query", "integer", INTEGER), security=[{"token": []}])},
    "/key": {"get": operation("echo", security=[{"key": []}])},
}
SCHEMES = {
    "token": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
}
DOCUMENT = contract(PATHS, components={"securitySchemes": SCHEMES})


def write(folder: Path) -> list[str]:
    """Write contract and package into a folder and return the options that serve them from there."""
    (folder / "api.json").write_bytes(orjson.dumps(DOCUMENT))
    return ["--spec", "api.json", "--handlers", write_package(folder, init=INIT, things=THINGS)]
