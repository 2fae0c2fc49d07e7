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
    """Parse a Content-Type header's value."""
    message = Message()
    message["content-type"] = header
    charset = message.get_param("charset", "utf-8")
    return MediaType(_bare(header), charset.strip().lower() if isinstance(charset, str) else "")


def is_json(name: str) -> bool:
    """Whether a media type is JSON: itself, or by its suffix (RFC 6839 section 3.1)."""
    return _bare(name) == "application/json" or _bare(name).endswith("+json")


def find(name: str, content: Mapping[str, T]) -> T | None:
    """Return what `content` holds for a media type: itself, else its range (`text/*`, `*/*`)."""
    by_name = {_bare(key): value for key, value in content.items()}
    for key in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if key in by_name:
            return by_name[key]
    return None


def _bare(name: str) -> str:
    return name.partition(";")[0].strip().lower()
