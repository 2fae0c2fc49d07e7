"""Makes bytes of the pieces of a stream: pieces of bytes as they are, items as their media type says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from relay.validation.items import Items, ItemViolation, write_item

from .streams import as_bytes

Report = Callable[[ItemViolation, Any], None]
"""Records the violation of an item that is sent nevertheless; gets the scope of the request, too."""


class PieceWriter:
    """Writes pieces of bytes and text."""

    def first(self, piece: Any, *, is_validated: bool) -> bytes:  # noqa: ARG002 -- there is nothing to validate
        """Return the first piece as bytes. Raises ResponseViolation."""
        return as_bytes(piece)

    def write(self, piece: Any, _scope: Any) -> bytes:
        """Return a piece as bytes. Raises ResponseViolation for one that is neither bytes nor text."""
        return as_bytes(piece)

    def end(self) -> bytes:
        """Return nothing."""
        return b""


class ItemWriter:
    """Writes the items of one response; with `report`, a violation is reported, and the item is sent."""

    def __init__(self, items: Items, report: Report | None) -> None:
        self._items = items
        self._report = report
        self._number = 0

    def first(self, item: Any, *, is_validated: bool) -> bytes:
        """Return the first item as bytes. Raises ItemViolation."""
        return self._written(item, is_validated=is_validated)

    def write(self, item: Any, scope: Any) -> bytes:
        """Return the next item as bytes. Raises ItemViolation."""
        self._number += 1
        try:
            return self._written(item)
        except ItemViolation as violation:
            if self._report is None:
                raise
            self._report(violation, scope)
            return self._written(item, is_validated=False)

    def end(self) -> bytes:
        """Return what follows the last item."""
        return self._items.end()

    def _written(self, item: Any, *, is_validated: bool = True) -> bytes:
        return write_item(self._items, item, self._number, is_validated=is_validated)
