"""Documented media types whose bodies are lists of items: streams of them, and parts by position."""

from __future__ import annotations

import asyncio
import json
from typing import Any, NamedTuple

from .errors import ResponseViolation
from .item_reading import MalformedItem, ReadItem, item_value, read_items, split_items
from .items import Items, ItemViolation, written_list
from .json_strict import NotJson
from .json_writing import to_json
from .media_types import Kind
from .multipart import MalformedForm
from .part_decoders import PartsDecoder
from .part_writing import with_boundary
from .validators import Validator
from .violations import within

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
            split = split_items(self.kind, body, self.media_type)
            return [(one, item_value(self.kind, one)) for one in split]
        except ValueError as exc:
            reason = str(exc) if isinstance(exc, NotJson | MalformedItem) else "an item is malformed"
            raise ResponseViolation.at("", "type", reason) from None

    def _check_whole(self, body: bytes) -> None:
        """Raise ResponseViolation if the values that clients read violate the schema of all of them."""
        if self.whole is None or self.kind == "parts":
            return
        if violations := self.whole.violations([*read_items(self.kind, body, self.media_type)]):
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
            reason = str(exc) if isinstance(exc, NotJson | MalformedForm) else "the parts are malformed"
            raise ResponseViolation.at("", "format", reason) from None
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
