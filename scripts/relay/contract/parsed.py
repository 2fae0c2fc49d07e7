"""Parts that the readers of YAML and of JSON have in common: pointers, places, and the result of parsing a file."""

from __future__ import annotations

import codecs
import math
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from . import limits
from .diagnostics import Diagnostic, SourceLocation
from .limits import MAX_DEPTH, MAX_DIGITS

if TYPE_CHECKING:
    import yaml

Pointer = tuple[str, ...]
"""A JSON pointer (RFC 6901), split and unescaped."""

TOO_MANY = f"has more than {limits.MAX_VALUES:,} values up to here; split it, or write it shorter"
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels; move parts into components and use $ref"


class Places(Protocol):
    """The places of the values of one file."""

    def find(self, pointer: Pointer) -> tuple[int, int]:
        """Return line and column, from 1, of the value at `pointer`, or of its nearest existing parent."""


class Parsed(NamedTuple):
    """The content of a file: plain data, the number of its values, and its errors; `root` only for YAML."""

    data: Any
    size: int
    places: Places
    problems: list[Diagnostic]
    root: yaml.Node | None = None


def display(path: Path) -> str:
    """Return a path for messages: relative to the working directory if that is shorter."""
    relative = os.path.relpath(path)
    return relative if len(relative) < len(str(path)) else str(path)


def duplicate_key(key: str, line: int, *, quotes: bool) -> str:
    """Return the message for a key that a mapping has twice; `line` is that of the first one."""
    which = f" '{key}'" if quotes else ""
    return f"duplicate key{which}, first in line {line}; keep one"


class NotANumber(ValueError):
    """A number that JSON cannot represent; the text is the reason and what to do."""

    def __init__(self, reason: str = "JSON cannot represent this number") -> None:
        super().__init__(f"{reason}; quote it if it is a string")


def parse_integer(text: str) -> int:
    """Parse an integer as YAML 1.2 and JSON write it. Raises NotANumber for one that is too long."""
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise NotANumber(f"an integer has at most {MAX_DIGITS} digits")
    return int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def parse_float(text: str) -> float:
    """Parse a number. Raises NotANumber for infinity, NaN, and a number that would become 0."""
    number = float(text.lstrip("+"))
    if not math.isfinite(number) or (number == 0 and re.match(r"[-+]?[0.]*[1-9]", text)):
        raise NotANumber
    return number


def text_of(source: bytes) -> str:
    """Return the characters of a file, without a byte order mark. Raises UnicodeDecodeError."""
    is_utf_16 = source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return source.decode("utf-16") if is_utf_16 else source.removeprefix(codecs.BOM_UTF8).decode()


def located(path: Path, text: str, offset: int) -> SourceLocation:
    """Return the location of a character of a text."""
    lines = _BREAK.split(text[:offset])
    return SourceLocation(display(path), len(lines), len(lines[-1]) + 1)


_BREAK = re.compile("\r\n|\r|\n")

TEMPLATE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}")

IS_TEMPLATE = "is a Jinja2 template here, which Relay does not render; write the value itself"


def template_fault(path: Path, text: str, lines: Iterable[int]) -> Diagnostic | None:
    """Return the error of a template that makes a text no YAML in some lines; None if it is no template there."""
    wanted = {*lines}
    for match in TEMPLATE.finditer(text):
        place = located(path, text, match.start())
        before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        is_statement = match[0].startswith("{%") and not before.strip()
        if is_statement or place.line in wanted:
            return Diagnostic(place, IS_TEMPLATE, "yaml")
    return None
