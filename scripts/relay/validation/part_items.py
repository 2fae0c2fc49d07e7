"""Writes the items of a multipart body: each is a part with a media type of its own (RFC 2046 section 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from . import media_types as media
from .errors import ResponseViolation
from .item_reading import ReadItem
from .items import Items
from .json_writing import to_json, to_plain, write_json
from .part_rules import RulesByPosition
from .part_writing import DEFAULT_TEXT, PartItem, framed, last_delimiter, with_boundary
from .response_headers import HeaderLines
from .shapes import Shape
from .text_writing import bytes_of
from .validators import Validator
from .violations import Violation


class PartItems(NamedTuple):
    """Parts of one response, or of all as long as there is no boundary."""

    validator: Validator
    shape: Shape
    rules: RulesByPosition
    boundary: str = ""

    def begun(self, media_type: str) -> tuple[Items, str]:
        """Return what writes the parts of one response, with a boundary that no part can contain."""
        boundary, sent = with_boundary(media_type)
        return self._replace(boundary=boundary), sent

    def write(self, item: Any, number: int) -> bytes:
        """Return a valid part. Raises ResponseViolation."""
        part, media_type = self._part(item, number)
        if wrong := self._rejected(media_type, dict(part.headers), number):
            raise ResponseViolation(wrong)
        match media.kind_of(media_type):
            case media.JSON:
                content = write_json(part.content, self.validator, self.shape)
            case _:
                content = _bytes(part.content)
                if isinstance(part.content, str) and not self.validator.accepts(part.content):
                    raise ResponseViolation(self.validator.violations(part.content))
        return self._written(content, media_type, part.headers)

    def write_unvalidated(self, item: Any, number: int) -> bytes:
        """Return a part that is not validated. Raises ResponseViolation if it cannot be written."""
        part, media_type = self._part(item, number)
        is_json = media.is_json(media_type)
        content = to_json(to_plain(part.content, self.shape)) if is_json else _bytes(part.content)
        return self._written(content, media_type, part.headers)

    def end(self) -> bytes:
        """Return the last delimiter."""
        return last_delimiter(self.boundary)

    def violations(self, value: Any) -> list[Violation]:
        """Return the violations of the value of a part that was read; bytes are not validated."""
        return [] if isinstance(value, bytes) else self.validator.violations(value)

    def frame_violations(self, item: ReadItem, number: int) -> list[Violation]:
        """Return the violations of the media type and the headers of a part that was read."""
        return self._rejected(item.media_type, item.headers, number)

    def _part(self, item: Any, number: int) -> tuple[PartItem, str]:
        part = PartItem.of(item)
        documented = part.media_type or self.rules.at(number).media_type()
        return part, documented or _natural_type(part.content)

    def _rejected(self, media_type: str, headers: Mapping[str, str], number: int) -> list[Violation]:
        return [*self.rules.at(number).violations(media_type, headers, "")]

    def _written(self, content: bytes, media_type: str, headers: HeaderLines) -> bytes:
        return framed(self.boundary, content, [("content-type", media_type), *headers])


def _natural_type(content: Any) -> str:
    """Return the media type of a part for which neither handler nor contract name one."""
    if isinstance(content, bytes):
        return media.OCTETS
    return DEFAULT_TEXT if isinstance(content, str) else media.JSON


def _bytes(value: Any) -> bytes:
    if (content := bytes_of(value)) is not None:
        return content
    message = f"a part that is not JSON must be text or bytes, not of the type {type(value).__name__}"
    raise ResponseViolation([Violation("", "type", message)])
