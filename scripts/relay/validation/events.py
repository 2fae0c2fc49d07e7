"""Event streams (WHATWG HTML, "Server-sent events"): `relay.Event`, the fields of an event, and how events are written.

An `itemSchema` describes an event as an object of its fields, whose data is text. Where the schema of the data has
`contentMediaType` with a media type of JSON, another value is written as JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import ABSENT, Schema

from . import media_types as media
from .coercion import parts_of
from .errors import ResponseViolation
from .items import Items
from .json_strict import NotJson, parse_json
from .json_writing import to_plain, write_json
from .schemas import Direction, SchemaCompiler
from .shapes import Shape
from .validators import Validator
from .violations import Violation, within

FIELDS = ("event", "id", "retry", "data")
_LINE_BREAK = re.compile("\r\n|\r|\n")
_NO_LINE = {"event": re.compile("[\r\n]"), "id": re.compile("[\r\n\0]")}


@dataclass(frozen=True, slots=True)
class Event:
    """One event of `text/event-stream` (WHATWG HTML, "Server-sent events").

    `data` is text, or a value that is written as JSON where the contract says that the data is JSON. `retry` is in
    milliseconds. A `comment` is not seen by clients; an event that is only a comment keeps a connection open.
    """

    data: Any = ABSENT
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    comment: str | None = None

    @property
    def fields(self) -> dict[str, Any]:
        """The fields that are set, as the contract describes an event; without the comment."""
        found = {} if self.data is ABSENT else {"data": self.data}
        others = {"event": self.event, "id": self.id, "retry": self.retry}
        return found | {name: value for name, value in others.items() if value is not None}

    @property
    def is_comment(self) -> bool:
        """True if it is nothing but a comment."""
        return self.comment is not None and not self.fields


def _unwritable(fields: Mapping[str, Any]) -> Iterator[Violation]:
    for name in fields.keys() - FIELDS:
        yield Violation(f"/{name}", "event", "an event has only the fields data, event, id and retry")
    for name, value in fields.items():
        if name == "retry":
            if type(value) is not int or value < 0:
                yield Violation("/retry", "event", "the time must be a number of milliseconds")
        elif name in FIELDS and not isinstance(value, str):
            yield Violation(f"/{name}", "type", "the field of an event must be text")
        elif name in _NO_LINE and _NO_LINE[name].search(value):
            yield Violation(f"/{name}", "event", "the field must not contain a line break, nor an id NUL")


def _as_lines(fields: Mapping[str, Any], comment: str | None) -> str:
    lines = [f": {line}" for line in _LINE_BREAK.split(comment)] if comment is not None else []
    lines += [f"{name}: {fields[name]}" for name in FIELDS[:-1] if name in fields]
    if "data" in fields:
        lines += [f"data: {line}" for line in fields["data"].split("\n")]
    return "\n".join([*lines, "", ""])


@dataclass(frozen=True, slots=True)
class EventItems(Items):
    """Events; `data` is None if theirs is not JSON, and `of_data` if the schema decides which have it."""

    data: Shape | None
    of_data: Validator | None

    def write(self, item: Any, number: int, *, is_validated: bool = True) -> bytes:  # noqa: ARG002 -- all are written alike
        """Return an event. Raises ResponseViolation, also for one that has no form in a stream."""
        is_event = isinstance(item, Event)
        is_validated = is_validated and not (is_event and item.is_comment)
        fields = self._fields_of(item, is_validated=is_validated)
        if violations := [*_unwritable(fields)] or (self.violations(fields) if is_validated else []):
            raise ResponseViolation(violations)
        return _as_lines(fields, item.comment if is_event else None).encode()

    def violations(self, fields: Any) -> list[Violation]:
        """Return the violations of an event."""
        found = self.validator.violations(fields)
        if self.of_data is None or not isinstance(fields.get("data"), str):
            return found
        try:
            wrong = self.of_data.violations(parse_json(fields["data"].encode()))
        except (NotJson, UnicodeEncodeError):
            wrong = [Violation("", "contentMediaType", "the text is not JSON")]
        return [*(one for one in found if not wrong or one.path != "/data"), *within("data", wrong)]

    def _fields_of(self, item: Any, *, is_validated: bool) -> dict[str, Any]:
        """Return the fields of an event with its data as text, as clients read them. Raises ResponseViolation."""
        fields = item.fields if isinstance(item, Event) else item
        if not isinstance(fields, Mapping):
            fields = to_plain(fields, self.shape)
        if not isinstance(fields, dict):
            message = f"an event must be a relay.Event or an object, not of the type {type(item).__name__}"
            raise ResponseViolation.at("", "type", message)
        if self.data is not None and not isinstance(fields.get("data", ""), str):
            validator = self.of_data if is_validated else None
            try:
                text = write_json(fields["data"], validator, self.data).decode()
            except ResponseViolation as violation:
                raise ResponseViolation(within("data", violation.violations)) from None
            fields = {**fields, "data": text}
        plain: dict[str, Any] = {**to_plain(fields, self.shape)}
        if isinstance(plain.get("data"), str):
            plain["data"] = _LINE_BREAK.sub("\n", plain["data"])
        return plain


def event_items(
    schema: Schema, validator: Validator, direction: Direction, compiler: SchemaCompiler, pointer: Pointer
) -> EventItems:
    """Return how the events that a schema describes are written."""
    contract = compiler.contract
    always = _contents(schema, contract.with_parts)
    contents = _contents(schema, partial(parts_of, contract=contract))
    whole = always[0] if len(always) == 1 else {"allOf": always}
    of_data = compiler.compile(whole, direction, pointer) if always else None
    data = Shape({"anyOf": contents}, contract) if contents else None
    return EventItems("events", validator, Shape(schema, contract), data, of_data)


def _contents(schema: Schema, parts: Callable[[Schema], Iterable[Schema]]) -> list[Schema]:
    """Return the schemas of data that is JSON, by the parts of the schema of an event that are looked at."""
    data = [event["properties"]["data"] for event in parts(schema) if "data" in event.get("properties", {})]
    return [one.get("contentSchema", {}) for each in data for one in parts(each) if _is_json(one)]


def _is_json(schema: Schema) -> bool:
    return "contentEncoding" not in schema and media.is_json(str(schema.get("contentMediaType", "")))
