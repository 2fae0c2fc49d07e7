"""Compiles how the items of a documented media type are written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Response, Schema

from .encoding_objects import has_parts, warn_nested_in_stream
from .event_items import event_items
from .item_content import ItemContent
from .items import Items, JsonItems
from .nested_parts import Nesting
from .part_content import PartContent
from .part_items import PartItems
from .part_lists import PartsDecoder
from .part_rules import RulesByPosition
from .schemas import Direction, SchemaCompiler
from .sequences import FRAMES, kind_of_items
from .shapes import Shape


def item_content(
    response: Response, name: str, contract: Contract, compiler: SchemaCompiler
) -> ItemContent | PartContent | None:
    """Return how bodies of a media type of a response are written that are lists of items; None for others."""
    return content_at((*response.pointer, "content", name), "response", contract, compiler)


def has_items(media_type: str, media_object: Mapping[str, Any], contract: Contract) -> bool:
    """Return True for a media type whose bodies are lists of items: streams of them, or parts by position."""
    is_stream = "itemSchema" in media_object and kind_of_items(media_type) is not None
    return is_stream or has_parts(media_type, media_object, contract)


def content_at(
    pointer: Pointer, direction: Direction, contract: Contract, compiler: SchemaCompiler
) -> ItemContent | PartContent | None:
    """Do as `item_content` for the Media Type Object at `pointer`.

    None, with a problem, for a stream of items that is not known how to write.
    """
    media_object = contract.follow(pointer)[0]
    schema = media_object.get("schema")
    if "itemSchema" not in media_object:
        is_known = has_parts(pointer[-1], media_object, contract)
        return _parts(schema, pointer, direction, contract, compiler) if is_known else None
    kind = kind_of_items(pointer[-1])
    items = compile_items(media_object["itemSchema"], direction, contract, compiler, pointer)
    if items is None or kind is None:
        return None
    return ItemContent(items, kind, compiler.compile(schema, direction, pointer) if schema else None)


def _parts(
    schema: Schema, pointer: Pointer, direction: Direction, contract: Contract, compiler: SchemaCompiler
) -> PartContent | None:
    """Return how parts by position are written; None, with an error, if their schema cannot be compiled."""
    nesting = Nesting(contract, compiler, direction)
    parts = PartsDecoder(schema, contract, compiler, pointer, nesting)
    validator = compiler.compile(schema, direction, pointer)
    return PartContent(parts, validator, pointer[-1]) if validator is not None else None


def compile_items(
    schema: Schema, direction: Direction, contract: Contract, compiler: SchemaCompiler, pointer: Pointer
) -> Items | None:
    """Return how items of an `itemSchema` are written, for the Media Type Object at `pointer`.

    None, with a warning, for a media type that is no known sequence; with an error for a schema that cannot be
    compiled.
    """
    kind = kind_of_items(pointer[-1])
    at = (*pointer, "itemSchema")
    if kind is None:
        message = f"items of {pointer[-1]} are not validated: Relay does not know how it separates them"
        compiler.problems.append(contract.warning(at, message, "unvalidated-items"))
        return None
    validator = compiler.compile(schema, direction, at)
    if validator is None:
        return None
    if kind == "events":
        return event_items(schema, validator, direction, contract, compiler, at)
    shape = Shape(schema, contract)
    if kind == "parts":
        warn_nested_in_stream(*contract.follow(pointer), contract, compiler)
        return PartItems(validator, shape, RulesByPosition.of(pointer, contract, compiler))
    return JsonItems(validator, shape, FRAMES[kind])
