"""Walks through plain data by JSON pointers (RFC 6901), and through a contract by what its values are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import unquote

from .parsed import Pointer
from .schema_words import SCHEMA_WORDS

Kind = Literal["object", "names", "schema", "schemas"]
"""The kind of a value: an object of OpenAPI, an object whose keys an author chose, a schema, or names of schemas.

The kind of a list is that of its items.
"""

SECTIONS = {
    "parameters": "Parameter",
    "responses": "Response",
    "requestBodies": "RequestBody",
    "headers": "Header",
    "examples": "Example",
    "links": "Link",
    "callbacks": "Callback",
    "securitySchemes": "SecurityScheme",
    "paths": "PathItem",
    "pathItems": "PathItem",
    "webhooks": "PathItem",
    "mediaTypes": "MediaType",
    "content": "MediaType",
    "schemas": "Schema",
}
"""The kind of object that the entries of a section are."""

NAMED = frozenset([*SECTIONS, *"encoding variables scopes mapping additionalOperations".split()]).union(
    word for word, container in SCHEMA_WORDS.items() if container == "map"
)
"""Keywords whose objects have keys chosen by the author, not keywords of the specification."""

KINDS_IN_SCHEMA: dict[str, Kind] = {
    word: "schemas" if container == "map" else "schema" for word, container in SCHEMA_WORDS.items()
}
"""The kind of what each keyword of a schema contains."""

_LITERAL = frozenset("example default enum const value dataValue serializedValue".split())


def escape(token: str) -> str:
    """Escape one token of a JSON pointer (RFC 6901 section 3)."""
    return token.replace("~", "~0").replace("/", "~1")


def parse_pointer(fragment: str) -> Pointer:
    """Split a URI fragment that is a JSON pointer (RFC 6901 section 6) into its tokens."""
    if not fragment:
        return ()
    return tuple(
        unquote(token).replace("~1", "/").replace("~0", "~")
        for token in fragment.removeprefix("/").split("/")
    )


class PointerNotFound(Exception):
    """A JSON pointer has no value in the document."""


def lookup(data: Any, pointer: Pointer) -> Any:
    """Return the value at `pointer`. Raises PointerNotFound if there is none."""
    for token in pointer:
        try:
            data = data[_index(token)] if isinstance(data, list) else data[token]
        except (KeyError, IndexError, ValueError, TypeError) as exc:
            raise PointerNotFound from exc
    return data


def found_at(data: Any, pointer: Pointer, default: Any = None) -> Any:
    """Return the value at `pointer`; the default if there is none."""
    try:
        return lookup(data, pointer)
    except PointerNotFound:
        return default


def exists(data: Any, pointer: Pointer) -> bool:
    """Return True if there is a value at `pointer`."""
    return found_at(data, pointer, _ABSENT) is not _ABSENT


_ABSENT = object()


def target_of(value: Any) -> Pointer | None:
    """Return where the `$ref` of an object leads in the document itself; None if it has none."""
    ref = value.get("$ref") if isinstance(value, dict) else None
    return parse_pointer(ref[1:]) if isinstance(ref, str) and ref.startswith("#") else None


def _index(token: str) -> int:
    """Parse an array index (RFC 6901 section 4). Raises ValueError for a sign or leading zeros."""
    index = int(token)
    if str(index) != token or index < 0:
        raise ValueError
    return index


def chain(document: Any, pointer: Pointer) -> list[Pointer]:
    """Return a pointer and those that it leads to by `$ref`s, each once; the last may have no value."""
    passed: dict[Pointer, None] = {}
    at: Pointer | None = pointer
    while at is not None and at not in passed:
        passed[at] = None
        at = target_of(found_at(document, at))
    return [*passed]


def references(value: Any) -> Iterator[tuple[Pointer, str]]:
    """Yield the pointer and the target of each `$ref` in a value; a `$ref` key inside data is skipped."""
    for pointer, mapping in mappings(value):
        if isinstance(ref := mapping.get("$ref"), str):
            yield pointer, ref


def mappings(value: Any, *, named: bool = False) -> Iterator[tuple[Pointer, dict[str, Any]]]:
    """Yield each object of a value and its pointer, in order; data is skipped."""
    yield from ((at, one) for at, one, _ in kinds_of(value, (), "names" if named else "object"))


def kinds_of(
    value: Any, at: Pointer = (), start: Kind = "object"
) -> Iterator[tuple[Pointer, dict[str, Any], Kind]]:
    """Yield each object of a value, in order, with its pointer and whether it is a schema; data is skipped."""
    pending: list[tuple[Any, Pointer, Kind]] = [(value, at, start)]
    while pending:
        value, at, kind = pending.pop()
        if isinstance(value, list):
            inner = [
                (item, (*at, str(index)), kind)
                for index, item in enumerate(value)
                if isinstance(item, (dict, list))
            ]
        elif isinstance(value, dict):
            if kind in ("object", "schema"):
                yield at, value, kind
            inner = [
                (item, (*at, key), within)
                for key, item in value.items()
                if isinstance(item, (dict, list)) and (within := kind_within(kind, at, key, item)) is not None
            ]
        else:
            continue
        pending += reversed(inner)


def kind_within(kind: Kind, at: Pointer, key: str, value: Any) -> Kind | None:
    """Return the kind of the value at a key of an object of some kind at a pointer; None for data and extensions."""
    if kind == "names":
        return None if is_extension(at, key) else "object"
    if kind == "schemas":
        return "schema"
    if kind == "schema" or key in KINDS_IN_SCHEMA:
        return KINDS_IN_SCHEMA.get(key)
    if is_data(key, value):
        return None
    found = _KINDS.get(key, "object")
    return "object" if found == "names" and isinstance(value, list) else found


_KINDS: dict[str, Kind] = {
    **dict.fromkeys(NAMED, "names"),
    **dict.fromkeys(("schema", "itemSchema"), "schema"),
    "schemas": "schemas",
}
"""The kinds of what is neither a schema nor within one, where it is no plain object."""


def is_data(key: str, value: Any = None) -> bool:
    """Return True if a keyword's value is data or an extension, not part of the contract.

    The `examples` of a schema are a list of values; other objects name Example Objects there.
    """
    return key in _LITERAL or key.startswith("x-") or (key == "examples" and isinstance(value, list))


def is_extension(at: Pointer, key: str) -> bool:
    """Return True for an extension among paths or responses, whose other keys are names.

    Components have only names (OpenAPI 3.0.3, "Paths Object", "Responses Object", "Components Object").
    """
    return key.startswith("x-") and at[:1] == ("paths",) and at[-1] in ("paths", "responses")


_SITES = ("schema", "itemSchema")
_IN_SCHEMAS = frozenset(
    [*_SITES, *(word for word, container in SCHEMA_WORDS.items() if container == "schema")]
)
_OF_SCHEMAS = SCHEMA_WORDS.keys() - _IN_SCHEMAS
_OWNERS = ("content", "mediaTypes", "parameters", "headers")


def kind_at(pointer: Pointer) -> str:
    """Return the kind of object that OpenAPI expects at a pointer."""
    if len(pointer) < 2 or within_schema(pointer):
        return "Schema"
    if pointer[-3:-2] == ("callbacks",):
        return "PathItem"
    if pointer[-1] == "requestBody":
        return "RequestBody"
    if pointer[-2] == "security":
        return "SecurityRequirement"
    found = SECTIONS.get(pointer[-2], "Schema")
    return "Schema" if found == "MediaType" and pointer[-1] in _SITES else found


def within_schema(pointer: Pointer) -> tuple[Pointer, str | None] | None:
    """Return the innermost Schema Object that a pointer leads into, and the keyword there; None for no schema.

    The keyword is None if the pointer leads to the schema itself.
    """
    start = 3 if pointer[:2] == ("components", "schemas") else _schema_start(pointer)
    if start is None or start > len(pointer):
        return None
    while start < len(pointer):
        names_schema = pointer[start] in _IN_SCHEMAS or (
            pointer[start] in _OF_SCHEMAS and start + 1 < len(pointer)
        )
        if not names_schema:
            return pointer[:start], pointer[start]
        start += 1 if pointer[start] in _IN_SCHEMAS else 2
    return pointer, None


def _schema_start(pointer: Pointer) -> int | None:
    """Return the length of a pointer to the schema of a media type, parameter or header that a pointer leads into."""
    found = (at for at in range(2, len(pointer)) if pointer[at] in _SITES and pointer[at - 2] in _OWNERS)
    return next((at + 1 for at in found), None)
