"""Decodes the items of a request body, each validated against the `itemSchema` of its media type."""

from __future__ import annotations

from typing import Any

from relay.contract.model import Contract, RequestBody, Schema

from . import media_types as media
from .defaults import Defaults
from .integers import Integers
from .item_compiling import compile_items
from .item_reading import ReadItem, Splitter, item_value, splitter
from .items import Items
from .json_strict import NotJson
from .read_only import ReadOnly
from .schemas import SchemaCompiler
from .sequences import Kind, kind_of_items
from .violations import Violation, within

_MALFORMED = "the item is not valid for its media type"


class ItemDecoder:
    """Decodes the items of one documented media type."""

    def __init__(
        self,
        kind: Kind,
        items: Items,
        schema: Schema,
        contract: Contract,
        compiler: SchemaCompiler,
    ) -> None:
        self._kind = kind
        self._items = items
        self._drop = ReadOnly(contract, compiler).of(schema)
        self._fill = Defaults(contract, compiler).of(schema)
        self._decode = Integers(contract, compiler).reading(schema, self._decoded)
        self._refuses_nul = compiler.strictness.nul

    def splitter(self, content_type: str, limit: int) -> Splitter:
        """Return what splits a body into items of at most `limit` bytes. Raises MalformedItem."""
        return splitter(self._kind, content_type, limit)

    def decode(self, item: ReadItem, number: int) -> tuple[Any, list[Violation]]:
        """Return the value of an item and its violations, whose paths begin with its number."""
        return self._decode(item, number)

    def _decoded(self, item: ReadItem, number: int) -> tuple[Any, list[Violation]]:
        try:
            value = item_value(self._kind, item, refuses_nul=self._refuses_nul)
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, NotJson) else _MALFORMED
            return None, [Violation(f"/{number}", "format", reason)]
        violations = [*self._items.frame_violations(item, number), *self._items.violations(value)]
        if not violations and not isinstance(value, bytes):
            self._complete(value)
        return value, within(str(number), violations)

    def read(self, body: Any, content_type: str) -> tuple[Any, list[Violation]]:
        """Return the items of a body in memory; a body that is read while it arrives is returned as it is.

        Raises ValueError if it is malformed.
        """
        if not isinstance(body, bytes):
            return body, []
        found = self.splitter(content_type, len(body))
        decoded = [self.decode(item, number) for number, item in enumerate((*found.feed(body), *found.end()))]
        return [value for value, _ in decoded], [one for _, wrong in decoded for one in wrong]

    def _complete(self, value: Any) -> None:
        """Remove read-only properties, and add defaults."""
        if self._drop is not None:
            self._drop(value)
        if self._fill is not None:
            self._fill(value, lambda filled: not self._items.violations(filled))


def item_decoders(body: RequestBody, contract: Contract, compiler: SchemaCompiler) -> dict[str, ItemDecoder]:
    """Return the decoders of the media types of a body that are streams of items, as `media.find` expects them."""
    found: dict[str, ItemDecoder] = {}
    for name, schema in body.items.items():
        pointer = (*body.pointer, "content", name)
        items = compile_items(schema, "request", contract, compiler, pointer)
        kind = kind_of_items(name)
        if items is not None and kind is not None:
            found[name] = ItemDecoder(kind, items, schema, contract, compiler)
    return media.by_name(found)
