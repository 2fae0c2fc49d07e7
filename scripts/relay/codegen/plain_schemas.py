"""Writes schemas of OpenAPI 3.1 and later with the keywords that types are made of, which are those of 3.0.

What is only true of some values (`if`, `dependentSchemas`), or of values that a type cannot tell apart (`not`, names
that match a pattern), is left out: a type may accept more than its schema, and never less.
"""

from __future__ import annotations

from collections.abc import Container, Iterable

from relay.contract.model import Schema
from relay.contract.schema_words import CHOICES, COMBINING, SCHEMA_WORDS, applied_schemas

_OF_OBJECTS = ("properties", "required", "additionalProperties")
_OF_TYPE = {"array": ("items",), "object": (*_OF_OBJECTS, "title")}
_OF_TEXT = ("format", "contentMediaType", "contentEncoding")
_LIMITS = frozenset(
    (
        "minimum maximum exclusiveMinimum exclusiveMaximum multipleOf minLength maxLength pattern minItems maxItems "
        "uniqueItems minProperties maxProperties"
    ).split()
)
_NOT_OF_PARTS = ("enum", "properties", "required", *CHOICES)
"""Keywords that add to the type of a part of `allOf`; the others at most narrow it."""

_SCALARS = ("string", "integer", "number", "boolean", "null")
_WORDS = _LIMITS.union(["type", "nullable", "enum", "items", "title"], _OF_OBJECTS, _OF_TEXT, COMBINING)


def plain_throughout(schema: Schema) -> Schema:
    """Return a canonical schema, and all schemas in it, as `plain` does."""
    found = plain(schema)
    for keyword, value in found.items():
        match SCHEMA_WORDS.get(keyword), value:
            case "list", list():
                found[keyword] = [plain_throughout(part) for part in value]
            case "map", dict():
                found[keyword] = {name: plain_throughout(part) for name, part in value.items()}
            case "schema", dict():
                found[keyword] = plain_throughout(value)
    return found


def plain(schema: Schema) -> Schema:
    """Return a canonical schema with the keywords of 3.0 that say something of its type; {} if none does."""
    if "$ref" in schema:
        return {"$ref": schema["$ref"]}
    if _is_impossible(schema):
        return {}
    found = _only(schema, _WORDS)
    found |= _items(schema) | _properties(schema)
    if isinstance(mapped := schema.get("discriminator"), dict):
        found["discriminator"] = {
            word: one for word, one in mapped.items() if word in ("propertyName", "mapping")
        }
    found = _with_types(_with_members(_with_choices(found)))
    if "allOf" in found and found.keys().isdisjoint(_NOT_OF_PARTS):
        if len(found["allOf"]) == 1:
            return plain(found["allOf"][0])
        if found.get("type") in _SCALARS:
            del found["allOf"]
    return found if _has_class(found) else _only(found, found.keys() - {"title"})


def _has_class(schema: Schema) -> bool:
    """Return True if a class is made of a schema, or of one of its choices; its title is a name for it."""
    choices = (part for keyword in CHOICES for part in schema.get(keyword, []))
    return not schema.keys().isdisjoint(["properties", "allOf"]) or any(
        "properties" in one for one in choices
    )


def _is_impossible(schema: Schema) -> bool:
    """Return True for a schema that no value conforms to, as `false` is written in the canonical form."""
    return schema.get("not") == {} or any(part.get("not") == {} for part in schema.get("allOf", []))


def _items(schema: Schema) -> Schema:
    """Return one schema for all items: an array of JSON is a list, also where each item has a schema of its own."""
    items = schema.get("items", {})
    if "prefixItems" not in schema:
        return {"items": {}} if _is_impossible(items) else {}
    prefix = schema["prefixItems"]
    evaluates_others = {"items", "contains", "if"} & schema.keys() or any(applied_schemas(schema))
    is_closed = (
        _is_impossible(items)
        or schema.get("maxItems", len(prefix) + 1) <= len(prefix)
        or (schema.get("unevaluatedItems") is False and not evaluates_others)
    )
    return {"items": _any_of([*prefix, *([] if is_closed else [items])])}


def _properties(schema: Schema) -> Schema:
    """Return the properties that a value may have, and one schema for all others."""
    found: Schema = {}
    additional = schema.get("additionalProperties", True)
    if isinstance(additional, dict) and _is_impossible(additional):
        additional = found["additionalProperties"] = False
    if "properties" in schema:
        possible = {name: one for name, one in schema["properties"].items() if not _is_impossible(one)}
        found["properties"] = possible
    if patterns := schema.get("patternProperties"):
        others = [] if additional is False else [{} if additional is True else additional]
        found["additionalProperties"] = bool(schema.get("properties")) or _any_of(
            [*patterns.values(), *others]
        )
    return found


def _any_of(schemas: Iterable[Schema]) -> Schema:
    """Return a schema for values of any of several; {} if one of them may be anything."""
    possible: list[Schema] = []
    for one in schemas:
        if not _is_impossible(one) and one not in possible:
            possible.append(one)
    if len(possible) == 1:
        return possible[0]
    return {"anyOf": possible} if possible and all(map(plain, possible)) else {}


def _with_choices(schema: Schema) -> Schema:
    """Return a schema without combined schemas that say nothing of its type."""
    for keyword in CHOICES:
        if keyword in schema:
            possible = [part for part in schema[keyword] if not _is_impossible(part)]
            schema = _with(schema, keyword, possible if all(map(plain, possible)) else [])
    if "allOf" in schema:
        schema = _with(schema, "allOf", [part for part in schema["allOf"] if plain(part)])
    return schema


def _with(schema: Schema, keyword: str, parts: list[Schema]) -> Schema:
    others = _only(schema, schema.keys() - {keyword})
    return {**others, keyword: parts} if parts else others


def _with_members(schema: Schema) -> Schema:
    """Return a schema whose members decide, not its types: null is valid only if it is one."""
    members = schema.get("enum")
    if members is None:
        return schema
    types = ["type"] if isinstance(schema.get("type"), list) else []
    others = _only(schema, schema.keys() - {"enum", "nullable", *types})
    if all(one is None for one in members):
        return {"type": "null"} if members else {}
    return {**others, "enum": members} | ({"nullable": True} if None in members else {})


def _with_types(schema: Schema) -> Schema:
    """Return a schema with a choice in place of several types, each with the keywords for its values."""
    types = schema.get("type")
    if not isinstance(types, list):
        return schema
    if schema.keys().isdisjoint(COMBINING):
        return {"anyOf": [{"type": name, **_only(schema, _OF_TYPE.get(name, _OF_TEXT))} for name in types]}
    if {*types} != {"object", "null"}:
        return _only(schema, COMBINING)  # the combined schemas decide, unless it is that of an object
    return {**_only(schema, schema.keys() - {"type"}), "nullable": True}


def _only(schema: Schema, words: Container[str]) -> Schema:
    return {word: value for word, value in schema.items() if word in words}
