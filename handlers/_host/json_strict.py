"""JSON as RFC 8259 means it: bytes in UTF-8, each key once, numbers and text that can be written back."""

from __future__ import annotations

import json
import re
from typing import Any

_MAX_INTEGER_DIGITS = 100
_SURROGATE = re.compile("[\ud800-\udfff]")


class NotJson(ValueError):
    """The bytes are not JSON; the message says why and repeats nothing of them."""


def parse_json(body: bytes) -> Any:
    """Parse one JSON text.

    Raises NotJson, beyond plain syntax, for what parsers disagree on: bytes that are not UTF-8, a
    byte order mark, a repeated key, NaN and infinities, integers of more than 100 digits, lone
    surrogates, NUL in text, and nesting too deep for the parser.
    """
    try:
        text = body.decode()
        value = _decoder.decode(text)
    except NotJson:
        raise
    except json.JSONDecodeError as exc:
        raise NotJson(f"not JSON: line {exc.lineno}, column {exc.colno}") from exc
    except UnicodeDecodeError as exc:
        raise NotJson(f"not UTF-8: byte {exc.start}") from exc
    except RecursionError as exc:
        raise NotJson("nested too deeply") from exc
    # Both can only come in through escapes, which hardly any body has.
    if "\\u" in text and (
        _SURROGATE.search(text := json.dumps(value, ensure_ascii=False)) or "\\u0000" in text
    ):
        raise NotJson("text with a lone surrogate or NUL")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise NotJson("a key stands twice in one object")
    return mapping


def _integer(digits: str) -> int:
    if len(digits) > _MAX_INTEGER_DIGITS:
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
