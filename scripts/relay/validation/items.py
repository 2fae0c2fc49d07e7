"""The items of a stream: each is validated against the `itemSchema` of its media type, and written as that says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

from .errors import ResponseViolation
from .item_reading import ReadItem
from .json_writing import to_json, to_plain, write_json
from .sequences import Frame
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
