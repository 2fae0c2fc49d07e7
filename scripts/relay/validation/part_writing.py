"""Writes single parts of multipart bodies (RFC 2046 section 5.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import media_types as media
from .encoding_objects import RulesByPosition
from .errors import ResponseViolation
from .item_reading import ReadItem
from .items import Items
from .json_writing import bytes_of, to_json, to_plain, write_json
from .multipart import Part
from .part_fields import Field, Written
from .results import HeaderLines, field_lines, header_lines
from .shapes import Shape
from .structured_fields import parameters
from .validators import Validator
from .violations import Violation, within

DEFAULT_TEXT = "text/plain; charset=utf-8"


class Described:
    """A value with a media type and headers of its own, as handlers return it; without a media type, the contract says it."""

    __slots__ = ()
    body: Any
    headers: Mapping[str, Any]
    media_type: str | None


class PartItem(NamedTuple):
    """The value of a part with its media type and its headers; without a media type, the contract says it."""

    content: Any
    media_type: str | None
    headers: HeaderLines

    @classmethod
    def of(cls, item: Any) -> PartItem:
        """Return what a handler returned for a part. Raises ResponseViolation for headers that cannot be written."""
        if isinstance(item, Described):
            return cls(item.body, item.media_type, header_lines(item.headers))
        return item if isinstance(item, PartItem) else cls(item, None, [])


def with_boundary(media_type: str) -> tuple[str, str]:
    """Return the boundary of a media type, and the media type with it: a new one, which no part can contain, if it has none."""
    given = dict(parameters(media_type)[1]).get("boundary")
    if given:
        return given, media_type
    boundary = secrets.token_hex(16)
    return boundary, f"{media_type}; boundary={boundary}"


def framed(boundary: str, content: bytes, headers: HeaderLines) -> bytes:
    """Return a part with its delimiter and its headers. Raises ResponseViolation for headers that cannot be sent."""
    head = b"".join(b"%s: %s\r\n" % line for line in field_lines(headers))
    return b"--%s\r\n%s\r\n%s\r\n" % (boundary.encode("latin-1"), head, content)


def last_delimiter(boundary: str) -> bytes:
    """Return what follows the last part."""
    return f"--{boundary}--\r\n".encode("latin-1")


def write_part(
    field: Field, item: Any, boundary: str, at: str, *, head: HeaderLines, is_validated: bool
) -> Written:
    """Return a part with its delimiter, its headers after those of `head`, and its value; `at` is its path.

    Its media type, its headers and what it consists of are validated, its value is not. Raises ResponseViolation.
    """
    try:
        return _written(field, PartItem.of(item), boundary, head, is_validated)
    except ResponseViolation as violation:
        raise ResponseViolation(within(at, violation.violations)) from None


def _written(
    field: Field,
    part: PartItem,
    boundary: str,
    head: HeaderLines,
    is_validated: bool,  # noqa: FBT001 -- it is passed on
) -> Written:
    written = _content(field, part.content, part.media_type or _media_type(field, part.content), is_validated)
    lines = [*head, ("content-type", written.media_type), *part.headers]
    sent = Part(written.content, media.essence(written.media_type), dict(lines))
    if is_validated and (wrong := [*field.violations(sent, "")]):
        raise ResponseViolation(wrong)
    return written._replace(content=framed(boundary, written.content, lines))


def _content(field: Field, value: Any, media_type: str, is_validated: bool) -> Written:  # noqa: FBT001 -- it is passed on
    """Return the content of a part."""
    if field.nested is not None:
        return field.nested.write(value, media_type, is_validated=is_validated)
    if media.is_json(media_type) and not field.is_binary:
        plain = to_plain(value, field.shape)
        return Written(to_json(plain), media_type, plain)
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        return Written(content, media_type, field.plain(content) if field.is_binary else _text(content))
    plain = to_plain(value, field.shape)
    if isinstance(plain, dict | list):
        message = f"a part of {media.essence(media_type)} must be text or bytes, not of the type {type(value).__name__}"
        raise ResponseViolation([Violation("", "type", message)])
    return Written(bytes_of(plain) if isinstance(plain, str) else to_json(plain), media_type, plain)  # type: ignore[arg-type]


def _text(content: bytes) -> str:
    return content.decode(errors="replace")


def _media_type(field: Field, content: Any) -> str:
    """Return the media type of a part for which the handler names none. Raises ResponseViolation."""
    if documented := field.rules.media_type():
        return documented
    if field.is_binary or isinstance(content, bytes):
        return media.OCTETS
    return media.JSON if field.is_composed else DEFAULT_TEXT


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
