"""Parses media types and finds the documented one (RFC 9110 section 8.3)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

from .structured_fields import parameters

T = TypeVar("T")

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


class MediaType(NamedTuple):
    """A media type in lower case without parameters, and its charset in lower case."""

    name: str
    charset: str


def parse_media_type(header: str) -> MediaType:
    """Parse a Content-Type value. A repeated charset, or one in RFC 2231 encoding, gives an empty charset."""
    _, found = parameters(header)
    charsets = [(name, value) for name, value in found if name.partition("*")[0] == "charset"]
    match charsets:
        case []:
            charset = "utf-8"
        case [("charset", value)]:
            charset = value.strip().lower()
        case _:
            charset = ""
    return MediaType(essence(header), charset)


def is_json(name: str) -> bool:
    """Return True for application/json and for the suffix `+json` (RFC 6839 section 3.1)."""
    return essence(name) == "application/json" or essence(name).endswith("+json")


def is_form(name: str) -> bool:
    """Return True for the media types of HTML forms."""
    return essence(name) in (URLENCODED, MULTIPART)


def is_binary(name: str) -> bool:
    """Return True for a media type that is neither JSON, a form, XML nor another text."""
    name = essence(name)
    is_xml = name == "application/xml" or name.endswith("+xml")
    return not (is_json(name) or is_form(name) or is_xml or name.startswith("text/"))


def by_name(content: Mapping[str, T]) -> dict[str, T]:
    """Return `content` keyed by essence, as `find` expects it; `*` is read as `*/*`."""
    return {"*/*" if name == "*" else essence(name): value for name, value in content.items()}


def find(name: str, content: Mapping[str, T]) -> T | None:
    """Return the value of a media type in `content`: the exact one, else its range (`text/*`, `*/*`)."""
    for key in (name, f"{name.partition('/')[0]}/*", "*/*"):
        if key in content:
            return content[key]
    return None


def essence(media_type: str) -> str:
    """Return a media type in lower case, without parameters."""
    return media_type.partition(";")[0].strip().lower()
