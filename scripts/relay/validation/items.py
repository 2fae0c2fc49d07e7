"""The items of a stream: each is validated against the `itemSchema` of its media type, and written as that says."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from . import media_types as media
from .encoding_objects import ByPosition, PartRules
from .errors import ResponseViolation
from .item_reading import ReadItem
from .json_writing import bytes_of, write_json
from .media_types import FRAMES, Kind
from .part_writing import DEFAULT_TEXT, PartItem, framed, last_delimiter, with_boundary
from .shapes import Shape
from .validators import Validator
from .violations import Violation, within


class ItemViolation(ResponseViolation):
    """An item of a stream violates the contract; the first token of each path is its number, from 0."""


@dataclass(frozen=True, slots=True)
class Items(ABC):
    """How the items of one documented media type are validated and written; compiled at start."""

    kind: Kind
    validator: Validator
    shape: Shape

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return what writes one response, and its media type, which has a boundary if it needs one."""
        return self, media_type

    @abstractmethod
    def write(self, item: Any, number: int, *, is_validated: bool = True) -> bytes:
        """Return a valid item, or without validation any that can be written, as bytes. Raises ResponseViolation."""

    def end(self) -> bytes:
        """Return what follows the last item."""
        return b""

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of the value of an item that was read."""
        return self.validator.violations(value)

    def frame_violations(self, item: ReadItem, number: int) -> list[Violation]:  # noqa: ARG002 -- of the item's part
        """Return the violations of what is around the value of an item that was read."""
        return []


@dataclass(frozen=True, slots=True)
class JsonItems(Items):
    """Items of JSON in a frame."""

    def write(self, item: Any, number: int, *, is_validated: bool = True) -> bytes:  # noqa: ARG002 -- all are written alike
        """Return an item in its frame. Raises ResponseViolation."""
        before, after = FRAMES[self.kind]
        return before + write_json(item, self.validator if is_validated else None, self.shape) + after


@dataclass(frozen=True, slots=True)
class PartItems(Items):
    """Parts of one response, each with a media type of its own, or of all as long as there is no boundary."""

    rules: ByPosition[PartRules]
    boundary: str = ""

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return what writes the parts of one response, with a boundary that no part can contain."""
        boundary, sent = with_boundary(media_type)
        return replace(self, boundary=boundary), sent

    def write(self, item: Any, number: int, *, is_validated: bool = True) -> bytes:
        """Return a part. Raises ResponseViolation."""
        part = PartItem.of(item)
        media_type = part.media_type or self.rules.at(number).media_type() or _natural_type(part.content)
        if is_validated and (wrong := self._rejected(media_type, dict(part.headers), number)):
            raise ResponseViolation(wrong)
        if media.is_json(media_type):
            content = write_json(part.content, self.validator if is_validated else None, self.shape)
        else:
            content = _bytes(part.content)
            is_text = is_validated and isinstance(part.content, str)
            if is_text and (wrong := self.validator.violations(part.content)):
                raise ResponseViolation(wrong)
        return framed(self.boundary, content, [("content-type", media_type), *part.headers])

    def end(self) -> bytes:
        """Return the last delimiter."""
        return last_delimiter(self.boundary)

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of the value of a part that was read; bytes are not validated."""
        return [] if isinstance(value, bytes) else self.validator.violations(value)

    def frame_violations(self, item: ReadItem, number: int) -> list[Violation]:
        """Return the violations of the media type and the headers of a part that was read."""
        return self._rejected(item.media_type, item.headers, number)

    def _rejected(self, media_type: str, headers: Mapping[str, str], number: int) -> list[Violation]:
        return [*self.rules.at(number).violations(media_type, headers, "")]


def _natural_type(content: Any) -> str:
    if isinstance(content, bytes):
        return media.OCTETS
    return DEFAULT_TEXT if isinstance(content, str) else media.JSON


def _bytes(value: Any) -> bytes:
    if (content := bytes_of(value)) is not None:
        return content
    message = f"a part that is not JSON must be text or bytes, not of the type {type(value).__name__}"
    raise ResponseViolation.at("", "type", message)


def write_item(items: Items, item: Any, number: int, *, is_validated: bool = True) -> bytes:
    """Return the item with a number as bytes. Raises ItemViolation."""
    try:
        return items.write(item, number, is_validated=is_validated)
    except ResponseViolation as violation:
        raise ItemViolation(within(str(number), violation.violations)) from None


def written_list(items: Items, body: Any, *, is_validated: bool = True) -> Iterator[bytes]:
    """Yield the items of a body that is in memory as bytes, and what follows them. Raises ResponseViolation."""
    if not isinstance(body, list | tuple):
        message = f"the body must be a list, or an iterator, of items; not of the type {type(body).__name__}"
        raise ResponseViolation.at("", "type", message)
    for number, item in enumerate(body):
        yield write_item(items, item, number, is_validated=is_validated)
    yield items.end()
