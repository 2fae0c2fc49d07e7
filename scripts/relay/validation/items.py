"""The items of a stream: each is validated against the `itemSchema` of its media type, and written as that says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from .errors import ResponseViolation
from .item_reading import MalformedItem, ReadItem, item_value, read_items, split_items
from .json_strict import NotJson
from .json_writing import to_json, to_plain, write_json
from .media_types import Frame, Kind
from .shapes import Shape
from .validators import Validator
from .violations import Violation, within


class ItemViolation(ResponseViolation):
    """An item of a stream violates the contract; the first token of each path is its number, from 0."""

    @classmethod
    def of(cls, number: int, violation: ResponseViolation) -> ItemViolation:
        """Return the violation of an item as one of its stream."""
        return cls(within(str(number), violation.violations))


class Items(Protocol):
    """How the items of one documented media type are validated and written; compiled at start."""

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return what writes one response, and its media type, which has a boundary if it needs one."""

    def write(self, item: Any, number: int) -> bytes:
        """Return a valid item as bytes. Raises ResponseViolation, with paths in the item."""

    def write_unvalidated(self, item: Any, number: int) -> bytes:
        """Return an item as bytes, whatever the contract says. Raises ResponseViolation if it cannot be written."""

    def end(self) -> bytes:
        """Return what follows the last item."""

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of the value of an item that was read."""

    def frame_violations(self, item: ReadItem, number: int) -> list[Violation]:
        """Return the violations of what is around the value of an item that was read."""


class JsonItems(NamedTuple):
    """Items of JSON in a frame."""

    validator: Validator
    shape: Shape
    frame: Frame

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return the items as they are."""
        return self, media_type

    def write(self, item: Any, _number: int) -> bytes:
        """Return a valid item in its frame. Raises ResponseViolation."""
        return self._framed(write_json(item, self.validator, self.shape))

    def write_unvalidated(self, item: Any, _number: int) -> bytes:
        """Return an item in its frame. Raises ResponseViolation if it cannot be written."""
        return self._framed(to_json(to_plain(item, self.shape)))

    def end(self) -> bytes:
        """Return nothing."""
        return b""

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of an item that was read."""
        return self.validator.violations(value)

    def frame_violations(self, _item: ReadItem, _number: int) -> list[Violation]:
        """Return none."""
        return []

    def _framed(self, text: bytes) -> bytes:
        return b"".join((self.frame.before, text, self.frame.after))


def write_item(items: Items, item: Any, number: int, *, is_validated: bool = True) -> bytes:
    """Return the item with a number as bytes. Raises ItemViolation."""
    try:
        return items.write(item, number) if is_validated else items.write_unvalidated(item, number)
    except ResponseViolation as violation:
        raise ItemViolation.of(number, violation) from None


def written_list(items: Items, body: Any, *, is_validated: bool = True) -> Iterator[bytes]:
    """Yield the items of a body that is in memory as bytes, and what follows them. Raises ResponseViolation."""
    if not isinstance(body, list | tuple):
        message = f"the body must be a list, or an iterator, of items; not of the type {type(body).__name__}"
        raise ResponseViolation([Violation("", "type", message)])
    for number, item in enumerate(body):
        yield write_item(items, item, number, is_validated=is_validated)
    yield items.end()


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
