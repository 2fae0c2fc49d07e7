"""Compiles how the items of a documented media type are written."""

from __future__ import annotations

from relay.contract.documents import Pointer
from relay.contract.model import Contract, Response, Schema

from .event_items import event_items
from .item_content import ItemContent
from .items import Items, JsonItems
from .part_items import PartItems, PartTypes
from .schemas import Direction, SchemaCompiler
from .sequences import FRAMES, kind_of_items
from .shapes import Shape


def item_content(
    response: Response, name: str, contract: Contract, compiler: SchemaCompiler
) -> ItemContent | None:
    """Return how bodies of a media type of a response are written, which has an `itemSchema`; None if that is unknown."""
    return content_at((*response.pointer, "content", name), "response", contract, compiler)


def content_at(
    pointer: Pointer, direction: Direction, contract: Contract, compiler: SchemaCompiler
) -> ItemContent | None:
    """Do as `item_content` for the Media Type Object at `pointer`."""
    media_object = contract.follow(pointer)[0]
    kind = kind_of_items(pointer[-1])
    items = compile_items(media_object["itemSchema"], direction, contract, compiler, pointer)
    if items is None or kind is None:
        return None
    schema = media_object.get("schema")
    return ItemContent(items, kind, compiler.compile(schema, direction, pointer) if schema else None)


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
        return PartItems(validator, shape, PartTypes.of(contract.follow(pointer)[0]))
    return JsonItems(validator, shape, FRAMES[kind])
