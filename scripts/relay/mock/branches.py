"""The choices that a schema leaves: branches of which one is taken, tags, and values that only one branch accepts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.model import Contract, Schema
from relay.contract.pointers import escape, parse_pointer
from relay.contract.schema_words import CHOICES, CONDITIONAL
from relay.validation.schemas import SchemaCompiler

from .schema_parts import NoSample, SchemaPart, flatten, items_at, properties_of

Branch = list[SchemaPart]

MAX_RIVALS = 100
MAX_CHANGES = 500
"""Maximum number of changes tried for one rival."""

_LEVELS = 3  # of nested objects and lists that are changed
_ODD: tuple[Any, ...] = (None, "string", 0, True, [], {}, 0.5, "")
"""Values of different types: a property that a rival describes gets one that the rival rejects."""

_COMPONENTS = "#/components/schemas/"
_CHILDREN = ("sample", "children")
_DEPENDENT = ("dependentSchemas", "dependentRequired")
_WORDS = ("oneOf", "anyOf", *_DEPENDENT, "if")


def first_choice(parts: list[SchemaPart]) -> tuple[int, str] | None:
    """Return the index of the first schema with a choice, and the keyword of the choice."""
    found = ((index, word) for index, part in enumerate(parts) for word in _WORDS if word in part.schema)
    return next(found, None)


def branches_of(part: SchemaPart, keyword: str, *, is_deep: bool) -> list[Branch]:
    """Return the branches of a choice; the first ones give larger values, unless the value `is_deep` in another."""
    schema = part.schema
    if keyword == "if":
        return [*_conditional(part)]
    if keyword in CHOICES:
        return [[part.branch(one, keyword, str(index))] for index, one in enumerate(schema[keyword])]
    if not schema[keyword]:
        return [[]]
    name, found = next(iter(schema[keyword].items()))
    with_it: Schema = found if keyword == "dependentSchemas" else {"required": found}
    without: Schema = {"properties": {name: {"not": {}}}}
    branches = [[part.branch(one, keyword, name)] for one in (with_it, without)]
    return branches[::-1] if is_deep else branches


def without_choice(part: SchemaPart, keyword: str) -> SchemaPart:
    """Return a schema without a choice: of `dependentSchemas` and `dependentRequired` the first one."""
    rest = dict([*part.schema[keyword].items()][1:]) if keyword in _DEPENDENT else None
    if rest:
        return part._replace(schema={**part.schema, keyword: rest})
    return part.without(*(CONDITIONAL if keyword == "if" else [keyword]))


def _conditional(part: SchemaPart) -> Iterator[Branch]:
    if part.schema.keys().isdisjoint(("then", "else")):
        yield []
        return
    condition = part.schema["if"]
    for schema, keyword in ((condition, "then"), ({"not": condition}, "else")):
        more = [part.branch(part.schema[keyword], keyword)] if keyword in part.schema else []
        yield [part.branch(schema, "if"), *more]


def tag_of(schema: Schema, ref: str) -> dict[str, str]:
    """Return the discriminator's property with the value that names `ref`; {} without one (OpenAPI 3.0.3)."""
    discriminator = schema.get("discriminator")
    if discriminator is None or not ref:
        return {}
    mapping = discriminator.get("mapping") or {}
    named = (value for value, target in mapping.items() if ref in (target, _COMPONENTS + target))
    return {discriminator["propertyName"]: next(named, parse_pointer(ref[1:])[-1])}


def inherited_tags(parts: list[SchemaPart]) -> dict[str, str]:
    """Return the tags that the discriminators of base schemas require, for the schemas that extend them."""
    tags: dict[str, str] = {}
    for part in parts:
        if not _has_branches(part.schema):
            tags |= tag_of(part.schema, part.name)
    return tags


def subtypes(part: SchemaPart, compiler: SchemaCompiler) -> list[str]:
    """Return the `$ref`s of the schemas that extend a base with a discriminator; [] if the value has one."""
    if "discriminator" not in part.schema or _has_branches(part.schema):
        return []
    if not part.here or part.name != part.here[-1]:
        return []
    if _CHILDREN not in compiler.memo:
        children = compiler.memo.setdefault(_CHILDREN, {})
        schemas = (compiler.contract.document.get("components") or {}).get("schemas") or {}
        for name, schema in schemas.items():
            for base in (one["$ref"] for one in schema.get("allOf", ()) if "$ref" in one):
                children.setdefault(base, []).append(_COMPONENTS + escape(name))
    found: list[str] = compiler.memo[_CHILDREN].get(part.name, [])
    mapping = part.schema["discriminator"].get("mapping") or {}
    mapped = [ref for target in mapping.values() for ref in (target, _COMPONENTS + target) if ref in found]
    return [*dict.fromkeys([*mapped, *found])]


def _has_branches(schema: Schema) -> bool:
    return not schema.keys().isdisjoint(CHOICES)


class Rival(NamedTuple):
    """Another branch of the `oneOf`: its schema, and its verdict."""

    part: SchemaPart
    accepts: Callable[[Any], bool]


def exclusive(
    value: Any, own: Callable[[Any], bool], rivals: Sequence[Rival], contract: Contract, limit: int
) -> tuple[Any, int]:
    """Return a variant that `own` accepts and, if possible, no rival, and how many were tried, at most `limit`."""
    tried = 0
    for index, rival in enumerate(rivals[:MAX_RIVALS], 1):
        if not rival.accepts(value):
            continue
        most = min(MAX_CHANGES, limit - tried)
        for changed in islice(_changes(value, [rival.part], contract, _LEVELS), most):
            tried += 1
            if own(changed) and not any(one.accepts(changed) for one in rivals[:index]):
                value = changed
                break
        else:
            break
    return value, tried


def _changes(value: Any, given: list[SchemaPart], contract: Contract, levels: int) -> Iterator[Any]:
    """Yield variants that the schemas of a rival may reject, the least odd first."""
    try:
        parts = flatten(given, contract)
    except NoSample:
        return
    match value:
        case dict():
            yield from _changed_object(value, parts, contract, levels)
        case list():
            yield []
            if value and levels:
                first, *others = value
                changed = _changes(first, items_at(parts, 0), contract, levels - 1)
                yield from ([item, *others] for item in changed)
            yield from ([*value, odd] for odd in _ODD)
        case int() | float():
            yield from (value + 0.5, value - 0.5, value + 1, value - 1)
        case str():
            yield from (f"{value}1", value[:1], "")


def _changed_object(
    value: dict[str, Any], parts: list[SchemaPart], contract: Contract, levels: int
) -> Iterator[Any]:
    """Yield an object without a required property, with an unknown one, or with one of another type."""
    required = {name for part in parts for name in part.schema.get("required", ())}
    for name in sorted(required & value.keys()):
        yield {key: item for key, item in value.items() if key != name}
    if any(part.schema.get("additionalProperties") is False for part in parts):
        yield {**value, "property1": "string"}
    properties = properties_of(parts)
    shared = [name for name in properties if name in value]
    yield from ({**value, name: odd} for name in properties if name not in value for odd in _ODD)
    for name in shared if levels else ():
        changed = _changes(value[name], properties[name], contract, levels - 1)
        yield from ({**value, name: item} for item in changed)
    yield from ({**value, name: odd} for name in shared for odd in _ODD)
