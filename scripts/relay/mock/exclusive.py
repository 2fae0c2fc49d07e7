"""Changes a value so that it is valid for one branch of a `oneOf` only, where open branches overlap."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from relay.contract.model import Contract

from .schema_parts import NoSample, SchemaPart, flatten, items_at, properties_of

MAX_RIVALS = 100
MAX_CHANGES = 500
"""Maximum number of changes tried for one rival."""

_LEVELS = 3  # of nested objects and lists that are changed
_ODD: tuple[Any, ...] = (None, "string", 0, True, [], {}, 0.5, "")
"""Values of different types: a property that a rival describes gets one that the rival rejects."""


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
