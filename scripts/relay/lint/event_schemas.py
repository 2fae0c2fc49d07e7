"""Checks schemas of the items of `text/event-stream`: an event has four fields, of which three are text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract
from relay.contract.schema_words import CHOICES, COMBINING
from relay.validation.events import FIELDS
from relay.validation.media_types import EVENTS, essence

from .lint_rules import Found
from .schema_sites import nodes

_MAX_DEPTH = 8
"""Levels of combined schemas that are considered for one field."""

_OBJECT = {"object": dict}
_TEXT = {"string": str}
_NUMBER = {"integer": int, "number": float}

_INSTEAD = {
    "data": "the data of an event is text, which this schema refuses; write `type: string` with"
    " `contentMediaType: application/json`, and describe the JSON by `contentSchema`",
    "retry": "the field 'retry' of an event is a number, which this schema refuses; write `type: integer`",
    "event": "the field 'event' of an event is text, which this schema refuses; write `type: string`",
    "id": "the field 'id' of an event is text, which this schema refuses; write `type: string`",
}


def check_events(contract: Contract) -> Iterator[Found]:
    """Yield what no event has in the schemas of events: other required fields, and fields of another type."""
    seen: set[Pointer] = set()
    for node in nodes(contract):
        if essence(node.media_type or "") == EVENTS and "itemSchema" in node.value:
            for schema, at in _alternatives(contract, (*node.pointer, "itemSchema"), seen):
                for within, message in _flaws(contract, schema, at):
                    yield "impossible-event", (*at, *within), message


def _alternatives(
    contract: Contract, pointer: Pointer, seen: set[Pointer]
) -> Iterator[tuple[dict[str, Any], Pointer]]:
    """Yield a schema, and those that it combines, with their pointers; each that is in `seen` is left out."""
    todo = [pointer]
    while todo:
        schema, at = contract.follow(todo.pop())
        if at not in seen and isinstance(schema, dict):
            seen.add(at)
            yield schema, at
            todo += [one for keyword in COMBINING for one in _members(schema, keyword, at)]


def _flaws(contract: Contract, schema: Mapping[str, Any], at: Pointer) -> Iterator[tuple[Pointer, str]]:
    if _states_others(schema, _OBJECT):
        yield (), "an event is an object of its fields; write `type: object` with the property `data`"
    for name in schema.get("required", []):
        if name not in FIELDS:
            where = "put it into the `contentSchema` of `data`"
            message = f"an event has only the fields data, event, id and retry, so never '{name}'; {where}"
            yield ("required",), message
    for name in schema.get("properties", {}):
        kinds = _NUMBER if name == "retry" else _TEXT
        if name in FIELDS and _refuses(contract, (*at, "properties", name), kinds):
            yield ("properties", name), _INSTEAD[name]


def _refuses(contract: Contract, pointer: Pointer, kinds: Mapping[str, Any], depth: int = 0) -> bool:
    """Return True if the schema at a pointer accepts no value of some types."""
    schema, at = contract.follow(pointer)
    if depth > _MAX_DEPTH or not isinstance(schema, dict):
        return False
    if _states_others(schema, kinds):
        return True
    if any(_refuses(contract, one, kinds, depth + 1) for one in _members(schema, "allOf", at)):
        return True
    choices = [_members(schema, keyword, at) for keyword in CHOICES if schema.get(keyword)]
    return any(all(_refuses(contract, one, kinds, depth + 1) for one in members) for members in choices)


def _states_others(schema: Mapping[str, Any], kinds: Mapping[str, Any]) -> bool:
    stated = schema.get("type")
    types = [stated] if isinstance(stated, str) else stated
    if types and kinds.keys().isdisjoint(types):
        return True
    members = schema.get("enum", [])
    return bool(members) and not any(isinstance(one, kind) for one in members for kind in kinds.values())


def _members(schema: Mapping[str, Any], keyword: str, at: Pointer) -> list[Pointer]:
    return [(*at, keyword, str(index)) for index in range(len(schema.get(keyword, [])))]
