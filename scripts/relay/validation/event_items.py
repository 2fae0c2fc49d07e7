"""Writes the events of `text/event-stream`: an `itemSchema` describes an event as an object of its fields.

The data of an event is text. Where its schema has `contentMediaType` with a media type of JSON, another value is
written as JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Schema
from relay.contract.schema_words import applied_schemas

from . import media_types as media
from .errors import ResponseViolation
from .event import Event
from .event_fields import as_lines, unwritable, with_one_line_break
from .item_reading import ReadItem
from .items import Items
from .json_strict import NotJson, parse_json
from .json_writing import to_json, to_plain, write_json
from .schemas import Direction, SchemaCompiler
from .shapes import Shape
from .validators import Validator
from .violations import Violation, within


class JsonData(NamedTuple):
    """Data of events that is JSON; `validator` is None if only some events have it, which the schema decides."""

    shape: Shape
    validator: Validator | None

    def text(self, data: Any) -> str:
        """Return a value as JSON text. Raises ResponseViolation, with paths in the value."""
        if self.validator is not None:
            return write_json(data, self.validator, self.shape).decode()
        return to_json(to_plain(data, self.shape)).decode()

    def violations(self, text: str) -> list[Violation]:
        """Return what is wrong with text that must be JSON."""
        if self.validator is None:
            return []
        try:
            value = parse_json(text.encode())
        except (NotJson, UnicodeEncodeError):
            return [Violation("", "contentMediaType", "the text is not JSON")]
        return self.validator.violations(value)


class EventItems(NamedTuple):
    """Events; `data` is None if theirs is not JSON."""

    validator: Validator
    shape: Shape
    data: JsonData | None

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return the events as they are."""
        return self, media_type

    def write(self, item: Any, _number: int) -> bytes:
        """Return a valid event. Raises ResponseViolation."""
        if isinstance(item, Event) and item.is_comment:
            return self.write_unvalidated(item, _number)
        fields = self._fields_of(item)
        if violations := [*unwritable(fields)] or self.violations(fields):
            raise ResponseViolation(violations)
        return _written(fields, item)

    def write_unvalidated(self, item: Any, _number: int) -> bytes:
        """Return an event that is not validated. Raises ResponseViolation for one that has no form in a stream."""
        fields = self._fields_of(item, is_validated=False)
        if violations := [*unwritable(fields)]:
            raise ResponseViolation(violations)
        return _written(fields, item)

    def end(self) -> bytes:
        """Return nothing."""
        return b""

    def violations(self, fields: Any) -> list[Violation]:
        """Return the violations of an event."""
        found = self.validator.violations(fields)
        if self.data is None or not isinstance(fields.get("data"), str):
            return found
        of_data = within("data", self.data.violations(fields["data"]))
        return [*(one for one in found if not of_data or one.path != "/data"), *of_data]

    def frame_violations(self, _item: ReadItem, _number: int) -> list[Violation]:
        """Return none."""
        return []

    def _fields_of(self, item: Any, *, is_validated: bool = True) -> dict[str, Any]:
        """Return the fields of an event with its data as text. Raises ResponseViolation."""
        fields = item.fields if isinstance(item, Event) else item
        if not isinstance(fields, Mapping):
            fields = to_plain(fields, self.shape)
        if not isinstance(fields, dict):
            message = f"an event must be a relay.Event or an object, not of the type {type(item).__name__}"
            raise ResponseViolation([Violation("", "type", message)])
        if self.data is not None and not isinstance(fields.get("data", ""), str):
            data = self.data if is_validated else self.data._replace(validator=None)
            try:
                fields = {**fields, "data": data.text(fields["data"])}
            except ResponseViolation as violation:
                raise ResponseViolation(within("data", violation.violations)) from None
        plain: dict[str, Any] = to_plain(fields, self.shape)
        return with_one_line_break(plain)


def event_items(
    schema: Schema,
    validator: Validator,
    direction: Direction,
    contract: Contract,
    compiler: SchemaCompiler,
    pointer: Pointer,
) -> EventItems:
    """Return how the events that a schema describes are written."""
    found = [*_data_schemas(schema, contract)]
    contents = [(one.get("contentSchema", {}), is_always) for one, is_always in found if _is_json(one)]
    data = None
    if contents:
        always = [one for one, is_always in contents if is_always]
        whole = always[0] if len(always) == 1 else {"allOf": always}
        compiled = compiler.compile(whole, direction, pointer) if always else None
        data = JsonData(Shape({"anyOf": [one for one, _ in contents]}, contract), compiled)
    return EventItems(validator, Shape(schema, contract), data)


def _is_json(schema: Schema) -> bool:
    return "contentEncoding" not in schema and media.is_json(str(schema.get("contentMediaType", "")))


def _data_schemas(schema: Schema, contract: Contract) -> Iterator[tuple[Schema, bool]]:
    """Yield the schemas of the data of an event, each with whether it describes the data of all events."""
    for event, is_always in _same_value(schema, contract):
        part = event.get("properties", {}).get("data")
        if isinstance(part, dict):
            yield from ((one, is_always and always) for one, always in _same_value(part, contract))


def _same_value(schema: Schema, contract: Contract) -> Iterator[tuple[Schema, bool]]:
    """Yield a schema and those of the same value, each with whether it always applies."""
    todo: list[tuple[Schema, bool]] = [(schema, True)]
    seen: set[tuple[str, bool]] = set()
    while todo:
        part, is_always = todo.pop()
        if "$ref" in part:
            if (part["$ref"], is_always) in seen:
                continue
            seen.add((part["$ref"], is_always))
            part = contract.resolve(part)
        yield part, is_always
        in_all = part.get("allOf", [])
        todo += [(one, is_always and one in in_all) for one in applied_schemas(part) if isinstance(one, dict)]


def _written(fields: Mapping[str, Any], item: Any) -> bytes:
    return as_lines(fields, item.comment if isinstance(item, Event) else None).encode()
