"""A documented media type whose bodies are streams of items."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from .errors import ResponseViolation
from .item_reading import MalformedItem, ReadItem, item_value, read_items, split_items
from .items import Items, ItemViolation, written_list
from .json_strict import NotJson
from .sequences import Kind
from .validators import Validator
from .violations import Violation, within

_AT_ONCE = 128
"""Items of a list that are written before other requests run."""


class ItemContent(NamedTuple):
    """How a body of items is validated and written, as `media_type`; `whole` validates a list of all items."""

    items: Items
    kind: Kind
    whole: Validator | None = None
    media_type: str = ""

    def begun(self, media_type: str) -> ItemContent:
        """Return what writes one response."""
        items, sent = self.items.begun(media_type)
        return self._replace(items=items, media_type=sent)

    def serialise(self, body: Any) -> bytes:
        """Serialise a list of valid items. Raises ResponseViolation."""
        written = b"".join(written_list(self.items, body))
        self._check_whole(written)
        return written

    def serialise_unvalidated(self, body: Any) -> bytes:
        """Serialise a list of items. Raises ResponseViolation if it cannot be written."""
        return b"".join(written_list(self.items, body, is_validated=False))

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
        """Return the items of an example, which is a list of valid ones or the text of a stream of them.

        Raises ResponseViolation for any other value.
        """
        if isinstance(value, str):
            value = [one for _, one in self._read(value.encode(errors="surrogatepass"))]
        if not isinstance(value, list):
            raise ResponseViolation([Violation("", "type", "it is neither a list of items nor text")])
        self.serialise(value)
        return value

    def _read(self, body: bytes) -> list[tuple[ReadItem, Any]]:
        """Return the items of a body, each with its value. Raises ResponseViolation."""
        try:
            return [
                (one, item_value(self.kind, one)) for one in split_items(self.kind, body, self.media_type)
            ]
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, NotJson | MalformedItem) else "an item is malformed"
            raise ResponseViolation([Violation("", "type", reason)]) from None

    def _check_whole(self, body: bytes) -> None:
        """Raise ResponseViolation if the values that clients read violate the schema of all of them."""
        if self.whole is None or self.kind == "parts":
            return
        if violations := self.whole.violations([*read_items(self.kind, body, self.media_type)]):
            raise ResponseViolation(violations)
