"""Writes single parts of multipart bodies (RFC 2046 section 5.1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from . import media_types as media
from .errors import ResponseViolation
from .json_writing import to_json, to_plain
from .media_types import parameters
from .multipart import Part
from .part_fields import Field, Written
from .results import HeaderLines, field_lines, header_lines
from .violations import within

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
        part = PartItem.of(item)
        media_type = part.media_type or _media_type(field, part.content)
        written = _content(field, part.content, media_type, is_validated=is_validated)
        lines = [*head, ("content-type", written.media_type), *part.headers]
        framed_part = framed(boundary, written.content, lines)
    except ResponseViolation as violation:
        raise ResponseViolation(within(at, violation.violations)) from None
    sent = Part(written.content, media.essence(written.media_type), dict(lines))
    if is_validated and (wrong := [*field.violations(sent, "")]):
        raise ResponseViolation(within(at, wrong))
    return written._replace(content=framed_part)


def _content(field: Field, value: Any, media_type: str, *, is_validated: bool) -> Written:
    if field.nested is not None:
        return field.nested.write(value, media_type, is_validated=is_validated)
    if media.is_json(media_type) and not field.is_binary:
        plain = to_plain(value, field.shape)
        return Written(to_json(plain), media_type, plain)
    if isinstance(value, bytes | bytearray | memoryview):
        content = bytes(value)
        text = field.plain(content) if field.is_binary else content.decode(errors="replace")
        return Written(content, media_type, text)
    plain = to_plain(value, field.shape)
    if isinstance(plain, dict | list):
        message = f"a part of {media.essence(media_type)} must be text or bytes, not of the type {type(value).__name__}"
        raise ResponseViolation.at("", "type", message)
    return Written(plain.encode() if isinstance(plain, str) else to_json(plain), media_type, plain)


def _media_type(field: Field, content: Any) -> str:
    if documented := field.rules.media_type():
        return documented
    if field.is_binary or isinstance(content, bytes):
        return media.OCTETS
    return media.JSON if field.is_composed else DEFAULT_TEXT
