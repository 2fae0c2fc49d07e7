"""Reads JSON (RFC 8259) strictly; a text is searched for places only where an error needs one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from . import limits
from .diagnostics import Diagnostic, SetupError, SourceLocation
from .json_places import ENCODED_TOKEN, TOKEN, JsonPlaces, readable
from .limits import MAX_DEPTH
from .parsed import (
    TOO_DEEP,
    TOO_MANY,
    NotANumber,
    Parsed,
    display,
    duplicate_key,
    located,
    parse_float,
    parse_integer,
)

_SURROGATE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
_SPACE = " \t\r\n"
_Number = TypeVar("_Number", int, float)


def parse_json(path: Path, text: str, source: bytes, *, quotes: bool, required: bool) -> Parsed | None:
    """Parse a text; errors quote it only if `quotes`. Raises SetupError if it exceeds the limits.

    The first of two members with one key is used, a number that JSON cannot represent is None, a lone surrogate
    becomes U+FFFD. A text that is not JSON raises SetupError if JSON is `required`; else the result is None.
    """
    if not text.strip(_SPACE):
        raise SetupError([Diagnostic(display(path), "is empty", "json")])
    if _may_have_too_many(text):
        _check_limits(path, text)
    reader = _Reader()
    try:
        data = reader.decode(text)
    except json.JSONDecodeError as exc:
        if not required:
            return None
        _check_limits(path, text[: exc.pos])
        message = f"is not JSON: {exc.msg[:1].lower()}{exc.msg[1:]}{_hint(text)}"
        raise SetupError([Diagnostic(located(path, text, exc.pos), message, "json")]) from exc
    except RecursionError:
        _check_limits(path, text)
        raise
    if reader.has_constants and not required:
        return None
    size, levels = _measured(data)
    if levels > MAX_DEPTH:
        _check_limits(path, text)
    places = JsonPlaces(source)
    if not (reader.has_faults or _SURROGATE.search(text)):
        return Parsed(data, size, places, [])
    problems = [
        Diagnostic(SourceLocation(display(path), *places.at(offset)), message, rule)
        for offset, message, rule in _faults(places, quotes=quotes)
    ]
    return Parsed(_readable(data) if problems else data, size, places, problems)


def _hint(text: str) -> str:
    """Return what to do with a file that is probably YAML."""
    return "; if it is YAML, name it .yaml" if re.match(r"\s*(\w|#|---)", text) else ""


def _may_have_too_many(text: str) -> bool:
    """Return True unless there are too few commas and brackets for too many values."""
    return text.count(",") + text.count("[") + text.count("{") >= limits.MAX_VALUES


def _check_limits(path: Path, text: str) -> None:
    """Raise SetupError for too many levels or values, at the first one too many."""
    values = level = 0
    for token in TOKEN.finditer(text):
        kind = token.lastgroup
        if kind == "broken":
            return
        values += kind in ("string", "bare", "open")
        level += (kind == "open") - (kind == "close")
        if level > MAX_DEPTH or values > limits.MAX_VALUES:
            message = TOO_DEEP if level > MAX_DEPTH else TOO_MANY
            raise SetupError([Diagnostic(located(path, text, token.start()), message, "json")])


class _Reader:
    """A decoder that remembers whether a text has what JSON allows but a contract does not."""

    def __init__(self) -> None:
        self.has_faults = self.has_constants = False
        decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._float,
            parse_constant=self._constant,
        )
        self.decode = decoder.decode

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self.has_faults = True
            found = dict(reversed(pairs))
        return found

    def _integer(self, text: str) -> int | None:
        return self._number(parse_integer, text)

    def _float(self, text: str) -> float | None:
        return self._number(parse_float, text)

    def _number(self, parse: Callable[[str], _Number], text: str) -> _Number | None:
        try:
            return parse(text)
        except NotANumber:
            self.has_faults = True
            return None

    def _constant(self, _: str) -> None:
        self.has_faults = self.has_constants = True


def _measured(data: Any) -> tuple[int, int]:
    """Return how many values there are, and how deeply they are nested; counts no deeper than one level too many."""
    level, size, levels = [data], 1, 0
    while levels <= MAX_DEPTH and (containers := [one for one in level if isinstance(one, dict | list)]):
        level = [value for one in containers for value in (one.values() if isinstance(one, dict) else one)]
        size += len(level)
        levels += 1
    return size, levels


def _faults(places: JsonPlaces, *, quotes: bool) -> Iterator[tuple[int, str, str]]:
    """Yield the offset, the message and the rule of each part that has no place in a contract."""
    containers: list[dict[str, int]] = []
    for token in ENCODED_TOKEN.finditer(places.encoded):
        match token.lastgroup:
            case "open":
                containers.append({})
            case "close":
                containers.pop()
            case "bare":
                if (reason := _wrong_number(token["bare"].decode())) is not None:
                    yield token.start(), reason, "json"
            case kind:
                value = json.loads(token["string"])
                if value != readable(value):
                    message = "has half of a surrogate pair, which is no character; correct the escape"
                    yield token.start(), message, "json"
                first = containers[-1].setdefault(value, token.start()) if kind == "colon" else token.start()
                if first != token.start():
                    line, _ = places.at(first)
                    yield token.start(), duplicate_key(value, line, quotes=quotes), "duplicate-key"


def _wrong_number(text: str) -> str | None:
    """Return why a token is no number that can be represented; None for other tokens."""
    if text in ("true", "false", "null"):
        return None
    try:
        parse_integer(text) if text.lstrip("-").isdecimal() else parse_float(text)
    except NotANumber as exc:
        return str(exc)
    return None


def _readable(data: Any) -> Any:
    """Return data with the lone surrogates of all its texts replaced."""
    if isinstance(data, str):
        return readable(data)
    if isinstance(data, list):
        return [_readable(item) for item in data]
    if isinstance(data, dict):
        return {readable(key): _readable(value) for key, value in data.items()}
    return data
