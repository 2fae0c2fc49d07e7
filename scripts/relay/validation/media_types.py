"""Media types: which one a message has, which documented one that is (RFC 9110 section 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from email.message import Message
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class MediaType(NamedTuple):
    """A media type in lower case without parameters, and its charset in lower case."""

    name: str
    charset: str


def parse_media_type(header: str) -> MediaType:
    """Parse a Content-Type header's value; a charset that stands twice, or is no plain text, is none."""
    message = Message()
    message["content-type"] = header
    charsets = [value for name, value in message.get_params([]) if name.lower() == "charset"] or ["utf-8"]
    charset = charsets[0] if len(charsets) == 1 else ""
    return MediaType(essence(header), charset.strip().lower() if isinstance(charset, str) else "")


def is_json(name: str) -> bool:
    """Whether a media type is JSON: itself, or by its suffix (RFC 6839 section 3.1)."""
    return essence(name) == "application/json" or essence(name).endswith("+json")


def by_name(content: Mapping[str, T]) -> dict[str, T]:
    """Return what a contract documents by media type, as `find` looks it up."""
    return {essence(media_type): value for media_type, value in content.items()}


def find(name: str, content: Mapping[str, T]) -> T | None:
    """Return what `content` holds for a media type: itself, else its range (`text/*`, `*/*`)."""
    for key in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if key in content:
            return content[key]
    return None


def essence(media_type: str) -> str:
    """Return a media type in lower case, without its parameters."""
    return media_type.partition(";")[0].strip().lower()
