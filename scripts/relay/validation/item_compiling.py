"""Compiles how the items of a documented media type are read and written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, RequestBody, Response, Schema

from . import media_types as media
from .completion import dropping, filling, reading
from .encoding_objects import RulesByPosition, has_parts, warn_nested_in_stream
from .events import event_items
from .item_content import ItemContent, PartContent
from .item_reading import ReadItem, Splitter, item_value, splitter
from .items import Items, JsonItems, PartItems
from .json_strict import NotJson
from .media_types import FRAMES, Kind, kind_of_items
from .part_decoders import Nesting, PartsDecoder
from .schemas import Direction, SchemaCompiler
from .shapes import Shape
from .violations import Violation, within


def item_content(response: Response, name: str, compiler: SchemaCompiler) -> ItemContent | PartContent | None:
    """Return how bodies of a media type of a response are written that are lists of items; None for others."""
    return content_at((*response.pointer, "content", name), "response", compiler)


def has_items(media_type: str, media_object: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a media type whose bodies are lists of items: streams of them, or parts by position."""
    is_stream = "itemSchema" in media_object and kind_of_items(media_type) is not None
    return is_stream or has_parts(media_type, media_object, contract)


def content_at(
    pointer: Pointer, direction: Direction, compiler: SchemaCompiler
) -> ItemContent | PartContent | None:
    """Do as `item_content` for a Media Type Object; None, with a problem, for an unknown stream of items."""
    media_object = compiler.contract.follow(pointer)[0]
    schema = media_object.get("schema")
    if "itemSchema" not in media_object:
        if not has_parts(pointer[-1], media_object, compiler.contract):
            return None
        parts = PartsDecoder(schema, compiler, pointer, Nesting(compiler, direction))
        validator = compiler.compile(schema, direction, pointer)
        return PartContent(parts, validator, pointer[-1]) if validator is not None else None
    kind = kind_of_items(pointer[-1])
    items = compile_items(media_object["itemSchema"], direction, compiler, pointer)
    if items is None or kind is None:
        return None
    return ItemContent(items, kind, compiler.compile(schema, direction, pointer) if schema else None)


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
        return PartItems(validator, shape, RulesByPosition.of(pointer, compiler))
    return JsonItems(validator, shape, FRAMES[kind])


class ItemDecoder:
    """Decodes the items of one documented media type."""

    def __init__(self, kind: Kind, items: Items, schema: Schema, compiler: SchemaCompiler) -> None:
        self._kind = kind
        self._items = items
        self._drop = dropping(schema, compiler)
        self._fill = filling(schema, compiler)
        self.decode = reading(schema, compiler, self._decoded)
        """Return the value of an item that has a number, and its violations, whose paths begin with that."""
        self._refuses_nul = compiler.strictness.nul

    def splitter(self, content_type: str, limit: int) -> Splitter:
        """Return what splits a body into items of at most `limit` bytes. Raises MalformedItem."""
        return splitter(self._kind, content_type, limit)

    def _decoded(self, item: ReadItem, number: int) -> tuple[Any, list[Violation]]:
        try:
            value = item_value(self._kind, item, refuses_nul=self._refuses_nul)
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, NotJson) else "the item is not valid for its media type"
            return None, [Violation(f"/{number}", "format", reason)]
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
        items = compile_items(schema, "request", compiler, pointer)
        kind = kind_of_items(name)
        if items is not None and kind is not None:
            found[name] = ItemDecoder(kind, items, schema, compiler)
    return media.by_name(found)
