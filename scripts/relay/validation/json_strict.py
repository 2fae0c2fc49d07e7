"""Strict JSON (RFC 8259): UTF-8, unique keys, and only numbers and strings that can be serialised again."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from math import isinf
from typing import Any

MAX_DEPTH = 200
"""Maximum nesting of a body; validators and serialisers fail at slightly deeper nesting."""

_MAX_INTEGER_DIGITS = 100
_UNWRITABLE = re.compile("[\ud800-\udfff]")
_UNWRITABLE_OR_NUL = re.compile("[\0\ud800-\udfff]")


class Malformed(ValueError):
    """The text that was sent cannot be read; the text may be sent to the client. `rule` and `path` are those of its violation."""

    def __init__(self, message: str, rule: str = "format", path: str = "") -> None:
        super().__init__(message)
        self.rule, self.path = rule, path


class NotJson(Malformed):
    """The bytes are not JSON. The message gives the reason and does not quote the bytes.

    `line` and `column`, from 1, are the location of a syntax error; None for other errors.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse_json(body: bytes, *, refuses_nul: bool = False) -> Any:
    """Parse one JSON text.

    Raises NotJson for syntax errors and for input on which parsers disagree: bytes that are not UTF-8, a byte
    order mark, a duplicate key, NaN and infinities, integers of more than 100 digits, lone surrogates in
    strings, and more than MAX_DEPTH levels; with `refuses_nul` also for NUL in strings.
    """
    try:
        text = body.decode()
        value = _decoder.decode(text)
    except NotJson:
        raise
    except json.JSONDecodeError as exc:
        raise NotJson(f"not JSON: line {exc.lineno}, column {exc.colno}", exc.lineno, exc.colno) from exc
    except UnicodeDecodeError as exc:
        raise NotJson(f"not UTF-8: byte {exc.start}") from exc
    except RecursionError as exc:
        raise NotJson("nested too deeply") from exc
    # Few bodies have that many brackets, or escapes, without which no surrogate or NUL can occur.
    if text.count("[") + text.count("{") >= MAX_DEPTH or "\\u" in text:
        _check(value, _UNWRITABLE_OR_NUL if refuses_nul else _UNWRITABLE)
    return value


def _check(value: Any, unwanted: re.Pattern[str]) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        objects = [node for node in level if isinstance(node, dict)]
        texts = [node for node in level if isinstance(node, str)]
        texts += [key for node in objects for key in node]
        if any(unwanted.search(text) for text in texts):
            raise NotJson(
                "a string contains a lone surrogate"
                if unwanted is _UNWRITABLE
                else "a string contains a lone surrogate or NUL"
            )
        lists = [node for node in level if isinstance(node, list)]
        level = [child for node in lists for child in node]
        level += [child for node in objects for child in node.values()]
        if not level:
            return
    raise NotJson("nested too deeply")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise NotJson("an object contains a duplicate key")
    return mapping


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_INTEGER_DIGITS:
        raise NotJson(f"an integer of more than {_MAX_INTEGER_DIGITS} digits")
    return int(digits)


class _WholeFloats(threading.local):
    count = 0


_whole_floats = _WholeFloats()


def whole_floats() -> int:
    """Return how many numbers such as `42.0` this thread has parsed, which are integers for JSON Schema."""
    return _whole_floats.count


def _number(text: str) -> float:
    number = float(text)
    if isinf(number):
        raise NotJson("a number too large to represent")
    if number.is_integer():
        _whole_floats.count += 1
    return number


def _constant(name: str) -> Any:
    raise NotJson(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_number, parse_constant=_constant
)


_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,99})(\.[0-9]{1,99})?([eE][-+]?[0-9]{1,3})?", re.ASCII)


def _text_number(text: str) -> Any:
    if _INTEGER.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and (number := float(text)) not in (float("inf"), float("-inf")):
        return number
    return text


CONVERTERS: dict[str, Callable[[str], Any]] = {
    "integer": lambda text: int(text) if _INTEGER.fullmatch(text) else text,
    "number": _text_number,
    "boolean": lambda text: {"true": True, "false": False}.get(text, text),
    "null": lambda text: None if text == "null" else text,
    "string": str,
}
"""The conversion of text to each scalar type, which returns a text that is none of it; in the order in which they are tried."""
