"""Reads text as a number, boolean or null, which it is only in its JSON spelling."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


def coerced(text: str, kind: str) -> Any:
    """Return a text as a value of a type; the text itself if it is none of that type."""
    convert = CONVERTERS.get(kind)
    return convert(text) if convert else text


def _integer(text: str) -> Any:
    return int(text) if _INTEGER.fullmatch(text) else text


def _number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and (number := float(text)) not in (float("inf"), float("-inf")):
        return number
    return text


def _boolean(text: str) -> Any:
    return {"true": True, "false": False}.get(text, text)


def _null(text: str) -> Any:
    return None if text == "null" else text


CONVERTERS: dict[str, Callable[[str], Any]] = {
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "null": _null,
    "string": str,
}
"""The conversion of text to each scalar type, in the order in which they are tried."""
