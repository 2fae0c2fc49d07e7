"""Brings the schemas of OpenAPI 3.1 and later into the form that readers of 3.0 know, where nothing is lost by it.

In the canonical form every `$ref` of a schema stands alone, no schema is a boolean, a constant is an `enum` with one
member, an exclusive bound is a bound with `exclusiveMinimum: true`, null besides one other type is `nullable`, and every
schema has the keywords of JSON Schema 2020-12. What 3.0 cannot say stays as it is: lists of types, `if`, `prefixItems`.
"""

from __future__ import annotations

from typing import Any

from .bundling import Bundle, collision
from .diagnostics import Diagnostic
from .parsed import Pointer
from .pointers import KINDS_IN_SCHEMA, Kind, chain, exists, kind_within, lookup, parse_pointer, target_of
from .schema_words import COMBINING, CONDITIONAL, SCHEMA_WORDS
from .versions import Dialect, dialect_of, in_2020_12

ANYTHING: dict[str, Any] = {}
NOTHING: dict[str, Any] = {"not": {}}

_BOOLEANS = frozenset(["additionalProperties", "unevaluatedProperties", "unevaluatedItems"])
"""Keywords whose value may be a boolean also in the canonical form."""

_DROPPED = frozenset(["$schema", "$comment", "$vocabulary", "$id", "id", "nullable"])
_ALSO_FOR_NULL = frozenset([*COMBINING, *CONDITIONAL, "not"])
_BOUNDS = {"exclusiveMinimum": ("minimum", max), "exclusiveMaximum": ("maximum", min)}
_MAY_CHANGE = frozenset([*SCHEMA_WORDS, *_DROPPED, *_BOUNDS, "$ref", "const"])


def canonical(bundle: Bundle) -> tuple[dict[str, Any], list[Diagnostic]]:
    """Return the document of a bundle with canonical schemas, and an error for each dialect that is not known."""
    return _Writer(bundle).document()


class _Writer:
    """Writes the canonical form of one document; what does not change is not copied."""

    def __init__(self, bundle: Bundle) -> None:
        self._bundle = bundle
        self._problems: list[Diagnostic] = []

    def document(self) -> tuple[dict[str, Any], list[Diagnostic]]:
        """Write the whole document; one without `paths` has no operations."""
        data = self._bundle.data
        dialect = self._stated(data.get("jsonSchemaDialect"), ("jsonSchemaDialect",)) or "2020-12"
        written = self._value(data, "object", (), dialect)
        paths = {
            path: self._path_item(item, path, written) for path, item in written.get("paths", {}).items()
        }
        return {**written, "paths": paths}, self._problems

    def _path_item(self, item: Any, path: str, document: dict[str, Any]) -> Any:
        seen: set[str] = set()
        while isinstance(item, dict) and isinstance(ref := item.get("$ref"), str) and len(item) > 1:
            others = {key: value for key, value in item.items() if key != "$ref"}
            target = lookup(document, parse_pointer(ref[1:])) if ref not in seen else {}
            for name in sorted((target.keys() & others.keys()) - {"$ref", "summary", "description"}):
                place = self._bundle.place(("paths", path, name))
                self._problems.append(Diagnostic(place, collision(name), "path-item-collision"))
            seen.add(ref)
            item = {**target, **others}
        return item

    def _value(self, value: Any, kind: Kind, at: Pointer, dialect: Dialect) -> Any:
        if isinstance(value, list):
            items = enumerate(value)
            written = [self._value(item, kind, (*at, str(index)), dialect) for index, item in items]
            is_changed = any(one is not other for one, other in zip(written, value, strict=True))
            return written if is_changed else value
        if kind == "schema":
            return self._schema(value, at, dialect)
        if not isinstance(value, dict):
            return value
        if kind == "names" and at[-1] == "content":
            value = {name: self._media_type(media) for name, media in value.items()}
        if kind == "object" and isinstance(value.get("security"), list):
            value = {**value, "security": [self._requirement(one) for one in value["security"]]}
        inner = [(key, kind_within(kind, at, key, item)) for key, item in value.items()]
        return self._with_members(value, [(key, one) for key, one in inner if one is not None], at, dialect)

    def _media_type(self, value: Any) -> Any:
        """Return the Media Type Object for a reference to one (OpenAPI 3.2, "Components Object", `mediaTypes`)."""
        target, data = target_of(value), self._bundle.data
        return value if target is None else lookup(data, chain(data, target)[-1])

    def _requirement(self, value: Any) -> Any:
        """Return a security requirement by names; since OpenAPI 3.2 it may name a scheme by its URI."""
        if self._bundle.version == "3.1" or not isinstance(value, dict):
            return value
        return {self._scheme_name(name): scopes for name, scopes in value.items()}

    def _scheme_name(self, uri: str) -> str:
        document = self._bundle.data
        if exists(document, ("components", "securitySchemes", uri)):
            return uri
        pointer = parse_pointer(uri.removeprefix(str(document.get("$self", ""))).removeprefix("#"))
        is_scheme = pointer[:2] == ("components", "securitySchemes") and len(pointer) == 3
        return pointer[2] if is_scheme else uri

    def _with_members(
        self, value: dict[str, Any], members: list[tuple[str, Kind]], at: Pointer, dialect: Dialect
    ) -> dict[str, Any]:
        changed = {
            key: written
            for key, kind in members
            if (written := self._value(value[key], kind, (*at, key), dialect)) is not value[key]
        }
        return value | changed if changed else value

    def _schema(self, schema: Any, at: Pointer, dialect: Dialect) -> Any:
        if isinstance(schema, bool):
            return ANYTHING if schema else NOTHING
        if not isinstance(schema, dict):
            return schema
        if (
            dialect == "2020-12"
            and _MAY_CHANGE.isdisjoint(schema)
            and not isinstance(schema.get("type"), list)
        ):
            return schema  # most are such leaves
        dialect = self._stated(schema.get("$schema"), (*at, "$schema")) or dialect
        schema = in_2020_12(schema, dialect)
        words = [
            (word, KINDS_IN_SCHEMA[word])
            for word in schema
            if word in KINDS_IN_SCHEMA and not (word in _BOOLEANS and isinstance(schema[word], bool))
        ]
        schema = self._with_members(schema, words, at, dialect)
        if not _DROPPED.isdisjoint(schema):
            schema = {key: value for key, value in schema.items() if key not in _DROPPED}
        return _canonical(schema, dialect)

    def _stated(self, uri: Any, at: Pointer) -> Dialect | None:
        if not isinstance(uri, str):
            return None
        found = dialect_of(uri)
        if found is None:
            message = "is a dialect of JSON Schema that Relay does not know; write the schema in 2020-12, and leave this out"
            self._problems.append(Diagnostic(self._bundle.place(at), f"'{uri}' {message}", "schema-dialect"))
        return found


def _canonical(schema: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    if "const" in schema:
        constant = {"enum": [schema["const"]]}
        others = {key: value for key, value in schema.items() if key != "const"}
        schema = others | constant if "enum" not in others else _with_part(others, constant)
    if dialect != "draft-04":
        for keyword in [word for word in _BOUNDS if word in schema]:
            schema = _with_bound(schema, keyword)
    if isinstance(schema.get("type"), list):
        schema = _with_types(schema)
    if "$ref" in schema and len(schema) > 1:
        others = {key: value for key, value in schema.items() if key != "$ref"}
        schema = _with_part(others, {"$ref": schema["$ref"]})
    return schema


def _with_part(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return {**schema, "allOf": [*schema.get("allOf", []), part]}


def _with_bound(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    """Return a schema with one bound for two, the narrower one."""
    bound, narrower = _BOUNDS[keyword]
    exclusive = schema[keyword]
    others = {key: value for key, value in schema.items() if key != keyword}
    inclusive = others.get(bound, exclusive)
    if inclusive != exclusive and narrower(inclusive, exclusive) == inclusive:
        return others
    return {**others, bound: exclusive, keyword: True}


def use_numeric_bounds(schema: dict[str, Any]) -> None:
    """Write the exclusive bounds of a canonical schema as 2020-12 has them, numbers instead of true, in place."""
    for exclusive, (bound, _) in _BOUNDS.items():
        if schema.pop(exclusive, False) and bound in schema:  # alone it means nothing, in draft 4
            schema[exclusive] = schema.pop(bound)


def _with_types(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema with one type for a list of one, and `nullable` for one and null, if null needs no other keyword."""
    types = schema["type"]
    others = [name for name in types if name != "null"]
    if len(types) == 1:
        return {**schema, "type": types[0]}
    if len(others) == 1 and _ALSO_FOR_NULL.isdisjoint(schema) and "$ref" not in schema:
        return {**schema, "type": others[0], "nullable": True}
    return schema
