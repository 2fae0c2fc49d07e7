"""JSON as RFC 8259 means it: bytes in UTF-8, each key once, numbers and text that can be written back."""

from __future__ import annotations

import json
import re
from typing import Any

MAX_DEPTH = 200
"""How many levels of values a body may have; validators and writers give up not far beyond."""

_MAX_INTEGER_DIGITS = 100
_UNWRITABLE = re.compile("[\0\ud800-\udfff]")


class NotJson(ValueError):
    """The bytes are not JSON; the message says why and repeats nothing of them.

    `line` and `column`, from 1, are where the syntax is wrong; None for everything else.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        super().__init__(message)
        self.line = line
        self.column = column


def parse_json(body: bytes) -> Any:
    """Parse one JSON text.

    Raises NotJson, beyond plain syntax, for what parsers disagree on: bytes that are not UTF-8, a
    byte order mark, a repeated key, NaN and infinities, integers of more than 100 digits, lone
    surrogates, NUL in text, and more than MAX_DEPTH levels.
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
    # Hardly any body has that many brackets, or escapes, the only way such text comes in.
    if text.count("[") + text.count("{") >= MAX_DEPTH or "\\u" in text:
        _check(value)
    return value


def _check(value: Any) -> None:
    """Go through a value level by level."""
    level = [value]
    for _ in range(MAX_DEPTH):
        objects = [node for node in level if isinstance(node, dict)]
        texts = [node for node in level if isinstance(node, str)]
        texts += [key for node in objects for key in node]
        if any(_UNWRITABLE.search(text) for text in texts):
            raise NotJson("text with a lone surrogate or NUL")
        lists = [node for node in level if isinstance(node, list)]
        level = [child for node in lists for child in node]
        level += [child for node in objects for child in node.values()]
        if not level:
            return
    raise NotJson("nested too deeply")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise NotJson("a key stands twice in one object")
    return mapping


def _integer(digits: str) -> int:
    if len(digits.lstrip("-")) > _MAX_INTEGER_DIGITS:
        raise NotJson(f"an integer of more than {_MAX_INTEGER_DIGITS} digits")
    return int(digits)


def _number(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise NotJson("a number too large to represent")
    return number


def _constant(name: str) -> Any:
    raise NotJson(f"{name} is not JSON")


_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_int=_integer, parse_float=_number, parse_constant=_constant
)
