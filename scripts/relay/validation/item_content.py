"""How bodies that are lists of items are read and written, as the contract documents them: streams of items, and parts by position."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from relay.contract.documents import Pointer
from relay.contract.model import Contract, RequestBody, Schema

from . import media_types as media
from .completion import dropping, filling, reading
from .encoding_objects import has_parts, rules_by_position, warn_nested_in_stream
from .errors import ResponseViolation
from .events import event_items
from .item_reading import ReadItem, Splitter, item_value, read_items, split_items, splitter
from .items import Items, ItemViolation, JsonItems, PartItems, written_list
from .json_writing import to_json
from .media_types import kind_of_items
from .part_decoders import Nesting, PartsDecoder
from .part_writing import with_boundary
from .schemas import Direction, SchemaCompiler
from .shapes import Shape
from .validators import Validator
from .violations import Violation, malformed, within

_AT_ONCE = 128
"""Items of a list that are written before other requests run."""


class ItemContent(NamedTuple):
    """How a body of items is validated and written, as `media_type`; `whole` validates a list of all items."""

    items: Items
    whole: Validator | None = None
    media_type: str = ""

    def begun(self, media_type: str) -> ItemContent:
        """Return what writes one response."""
        items, sent = self.items.begun(media_type)
        return self._replace(items=items, media_type=sent)

    def serialise(self, body: Any, *, is_validated: bool = True) -> bytes:
        """Serialise a list of items. Raises ResponseViolation if one is invalid or cannot be written."""
        written = b"".join(written_list(self.items, body, is_validated=is_validated))
        if is_validated:
            self._check_whole(written)
        return written

    async def pieces(self, body: Any) -> list[bytes]:
        """Do as `serialise`; other requests run in between."""
        pieces: list[bytes] = []
        for piece in written_list(self.items, body):
            pieces.append(piece)
            if len(pieces) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        self._check_whole(b"".join(pieces) if self.whole is not None else b"")
        return pieces

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for a body in bytes that has an invalid item."""
        for number, (item, value) in enumerate(self._read(body)):
            if violations := [*self.items.frame_violations(item, number), *self.items.violations(value)]:
                raise ItemViolation(within(str(number), violations))
        self._check_whole(body)

    def of_example(self, value: Any) -> list[Any]:
        """Return the items of an example, a list of valid ones or the text of a stream. Raises ResponseViolation."""
        if isinstance(value, str):
            value = [one for _, one in self._read(value.encode(errors="surrogatepass"))]
        if not isinstance(value, list):
            raise ResponseViolation.at("", "type", "it is neither a list of items nor text")
        self.serialise(value)
        return value

    def _read(self, body: bytes) -> list[tuple[ReadItem, Any]]:
        try:
            split = split_items(self.items.kind, body, self.media_type)
            return [(one, item_value(self.items.kind, one)) for one in split]
        except ValueError as exc:
            raise ResponseViolation.at("", "type", malformed(exc, "an item is malformed").message) from None

    def _check_whole(self, body: bytes) -> None:
        if self.whole is None or self.items.kind == "parts":
            return
        if violations := self.whole.violations([*read_items(self.items.kind, body, self.media_type)]):
            raise ResponseViolation(violations)


class PartContent(NamedTuple):
    """How a list of parts is validated and written, as `media_type`; `is_given` if the handler chose its boundary."""

    parts: PartsDecoder
    validator: Validator
    media_type: str
    is_given: bool = False

    def begun(self, media_type: str) -> PartContent:
        """Return what writes one response."""
        sent = with_boundary(media_type)[1]
        return self._replace(media_type=sent, is_given=sent == media_type)

    def check_stream(self) -> None:
        """Raise ResponseViolation for a body that is made while it is sent, unless its boundary is known."""
        if not self.is_given:
            message = (
                "a body of parts must be a list; an iterator of bytes needs a media type with its boundary"
            )
            raise ResponseViolation.at("", "type", message)

    def serialise(self, body: Any, *, is_validated: bool = True) -> bytes:
        """Serialise a list of parts. Raises ResponseViolation if one is invalid or cannot be written."""
        written = self.parts.write(body, self.media_type, is_validated=is_validated)
        if is_validated:
            self._check(written.plain)
        return written.content

    async def pieces(self, body: Any) -> list[bytes]:
        """Do as `serialise`."""
        return [self.serialise(body)]

    def check_written(self, body: bytes) -> None:
        """Raise ResponseViolation for a body in bytes that is invalid."""
        try:
            found = self.parts.read(body, self.media_type)
        except ValueError as exc:
            raise ResponseViolation([malformed(exc, "the parts are malformed")]) from None
        if found.violations:
            raise ResponseViolation(found.violations)
        self._check(found.plain)

    def of_example(self, value: Any) -> list[Any]:
        """Return an example, which is a valid list. Raises ResponseViolation for any other value."""
        self.serialise(value)
        listed: list[Any] = value
        return listed

    def _check(self, plain: Any) -> None:
        if not self.validator.accepts(plain):
            raise ResponseViolation(self.validator.violations(json.loads(to_json(plain))))


ListContent = ItemContent | PartContent
"""How a body that is a list of items is validated and written."""


def has_items(media_type: str, media_object: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a media type whose bodies are lists of items: streams of them, or parts by position."""
    is_stream = "itemSchema" in media_object and kind_of_items(media_type) is not None
    return is_stream or has_parts(media_type, media_object, contract)


def content_at(pointer: Pointer, direction: Direction, compiler: SchemaCompiler) -> ListContent | None:
    """Return how bodies of a Media Type Object are written that are lists of items; None for others.

    None, with a problem, for an unknown stream of items.
    """
    media_object = compiler.contract.follow(pointer)[0]
    schema = media_object.get("schema")
    if "itemSchema" not in media_object:
        if not has_parts(pointer[-1], media_object, compiler.contract):
            return None
        parts = PartsDecoder(schema, compiler, pointer, Nesting(compiler, direction))
        validator = compiler.compile(schema, direction, pointer)
        return PartContent(parts, validator, pointer[-1]) if validator is not None else None
    items = compile_items(media_object["itemSchema"], direction, compiler, pointer)
    if items is None:
        return None
    return ItemContent(items, compiler.compile(schema, direction, pointer) if schema else None)


def compile_items(
    schema: Schema, direction: Direction, compiler: SchemaCompiler, pointer: Pointer
) -> Items | None:
    """Return how items of an `itemSchema` are written, for the Media Type Object at `pointer`.

    None, with a warning, for a media type that is no known sequence; with an error for a schema that cannot be
    compiled.
    """
    kind = kind_of_items(pointer[-1])
    at = (*pointer, "itemSchema")
    if kind is None:
        message = f"items of {pointer[-1]} are not validated: Relay does not know how it separates them"
        compiler.warn(at, message, "unvalidated-items")
        return None
    validator = compiler.compile(schema, direction, at)
    if validator is None:
        return None
    if kind == "events":
        return event_items(schema, validator, direction, compiler, at)
    shape = Shape(schema, compiler.contract)
    if kind == "parts":
        warn_nested_in_stream(*compiler.contract.follow(pointer), compiler)
        return PartItems(kind, validator, shape, rules_by_position(pointer, compiler))
    return JsonItems(kind, validator, shape)


class ItemDecoder:
    """Decodes the items of one documented media type."""

    def __init__(self, items: Items, schema: Schema, compiler: SchemaCompiler) -> None:
        self._items = items
        self._drop = dropping(schema, compiler)
        self._fill = filling(schema, compiler)
        self.decode = reading(schema, compiler, self._decoded)
        """Return the value of an item that has a number, and its violations, whose paths begin with that."""
        self._refuses_nul = compiler.strictness.nul

    def splitter(self, content_type: str, limit: int) -> Splitter:
        """Return what splits a body into items of at most `limit` bytes. Raises Malformed."""
        return splitter(self._items.kind, content_type, limit)

    def _decoded(self, item: ReadItem, number: int) -> tuple[Any, list[Violation]]:
        try:
            value = item_value(self._items.kind, item, refuses_nul=self._refuses_nul)
        except ValueError as exc:
            return None, [malformed(exc, "the item is not valid for its media type", f"/{number}")]
        violations = [*self._items.frame_violations(item, number), *self._items.violations(value)]
        if not violations and not isinstance(value, bytes):
            if self._drop is not None:
                self._drop(value)
            if self._fill is not None:
                self._fill(value, lambda filled: not self._items.violations(filled))
        return value, within(str(number), violations)

    def read(self, body: Any, content_type: str) -> tuple[Any, list[Violation]]:
        """Return the items of a body; one that is read while it arrives is returned as it is. Raises ValueError."""
        if not isinstance(body, bytes):
            return body, []
        found = self.splitter(content_type, len(body))
        decoded = [self.decode(item, number) for number, item in enumerate((*found.feed(body), *found.end()))]
        return [value for value, _ in decoded], [one for _, wrong in decoded for one in wrong]


def item_decoders(body: RequestBody, compiler: SchemaCompiler) -> dict[str, ItemDecoder]:
    """Return the decoders of the media types of a body that are streams of items, as `media.find` expects them."""
    found: dict[str, ItemDecoder] = {}
    for name, schema in body.items.items():
        pointer = (*body.pointer, "content", name)
        if (items := compile_items(schema, "request", compiler, pointer)) is not None:
            found[name] = ItemDecoder(items, schema, compiler)
    return media.by_name(found)
