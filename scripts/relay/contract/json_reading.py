"""Reads JSON (RFC 8259) strictly; a text is searched for places only where an error needs one."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from . import limits
from .diagnostics import Diagnostic, SetupError, SourceLocation
from .limits import MAX_DEPTH
from .parsed import (
    TOO_DEEP,
    TOO_MANY,
    NotANumber,
    Parsed,
    Pointer,
    display,
    duplicate_key,
    located,
    parse_float,
    parse_integer,
    text_of,
)

TOKEN = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")(?P<colon>[ \t\r\n]*:)?'
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<bare>[^\s\[\]{}:,\"]+)|(?P<broken>\")"
)
"""One token of a JSON text; a string with a colon is a key. Only a text that is not JSON has a broken one."""

_COLON, _OPEN, _CLOSE = (TOKEN.groupindex[name] for name in ("colon", "open", "close"))
_SURROGATE = re.compile(r"\\u[dD][89abAB]|\\u[dD][c-fC-F]")
_LONE = re.compile("[\ud800-\udfff]")


def parse_json(path: Path, text: str, source: bytes, *, quotes: bool, required: bool) -> Parsed | None:
    """Parse a text; errors quote it only if `quotes`. Raises SetupError if it exceeds the limits.

    The first of two members with one key is used, a number that JSON cannot represent is None, a lone surrogate
    becomes U+FFFD. A text that is not JSON raises SetupError if JSON is `required`; else the result is None.
    """
    if not text.strip(" \t\r\n"):
        raise SetupError([Diagnostic(display(path), "is empty", "json")])
    if text.count(",") + text.count("[") + text.count("{") >= limits.MAX_VALUES:  # else there are too few
        _check_limits(path, text)
    reader = _Reader()
    try:
        data = reader.decode(text)
    except json.JSONDecodeError as exc:
        if not required:
            return None
        _check_limits(path, text[: exc.pos])
        hint = "; if it is YAML, name it .yaml" if re.match(r"\s*(\w|#|---)", text) else ""
        message = f"is not JSON: {exc.msg[:1].lower()}{exc.msg[1:]}{hint}"
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
        self.decode = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=partial(self._number, parse_integer),
            parse_float=partial(self._number, parse_float),
            parse_constant=self._constant,
        ).decode

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            self.has_faults = True
            found = dict(reversed(pairs))
        return found

    def _number(self, parse: Callable[[str], float], text: str) -> float | None:
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
    for token in TOKEN.finditer(places.text):
        start = token.start()
        match token.lastgroup:
            case "open":
                containers.append({})
            case "close":
                containers.pop()
            case "bare":
                if (reason := _wrong_number(token["bare"])) is not None:
                    yield start, reason, "json"
            case kind:
                value = json.loads(token["string"])
                if _LONE.search(value):
                    message = "has half of a surrogate pair, which is no character; correct the escape"
                    yield start, message, "json"
                first = containers[-1].setdefault(value, start) if kind == "colon" else start
                if first != start:
                    yield start, duplicate_key(value, places.at(first)[0], quotes=quotes), "duplicate-key"


def _wrong_number(text: str) -> str | None:
    """Return why a token is no number that can be represented; None for other tokens."""
    if text not in ("true", "false", "null"):
        try:
            parse_integer(text) if text.lstrip("-").isdecimal() else parse_float(text)
        except NotANumber as exc:
            return str(exc)
    return None


def _readable(data: Any) -> Any:
    """Return data with the lone surrogates of all its texts, which no encoding can write, replaced by U+FFFD."""
    if isinstance(data, str):
        return _LONE.sub("\ufffd", data)
    if isinstance(data, list):
        return [_readable(item) for item in data]
    if isinstance(data, dict):
        return {_readable(key): _readable(value) for key, value in data.items()}
    return data


class JsonPlaces:
    """The places of the values of a JSON file: of a member of an object, that of its key.

    The index takes 16 bytes a value and is made at the first question.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._children: dict[int, dict[str, int]] = {}

    def find(self, pointer: Pointer) -> tuple[int, int]:
        """Return line and column of the value at `pointer`, or of its nearest existing parent."""
        value = 0
        for token in pointer:
            child = self._children_of(value).get(token)
            if child is None:
                break
            value = child
        return self.at(self._index[0][value])

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of a character of `text`."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    @cached_property
    def text(self) -> str:
        """The characters of the file."""
        return text_of(self._source)

    @cached_property
    def _lines(self) -> array[int]:
        return array("L", [0, *(match.end() for match in re.finditer("\r\n|\r|\n", self.text))])

    @cached_property
    def _index(self) -> tuple[array[int], array[int]]:
        """The values in their order: where each begins, and how many it contains, itself included."""
        starts, sizes = array("L"), array("L")
        containers: list[int] = []
        key = -1
        for match in TOKEN.finditer(self.text):
            kind = match.lastindex
            if kind == _COLON:
                key = match.start()
            elif kind == _CLOSE:
                container = containers.pop()
                sizes[container] = len(starts) - container
            else:
                if kind == _OPEN:
                    containers.append(len(starts))
                starts.append(match.start() if key < 0 else key)
                sizes.append(1)
                key = -1
        return starts, sizes

    def _children_of(self, value: int) -> dict[str, int]:
        """Return the children of a value by key or index, kept for the next question."""
        if value not in self._children:
            starts, sizes = self._index
            children = self._children[value] = {}
            child = value + 1
            while child < value + sizes[value]:
                token = TOKEN.match(self.text, starts[child])
                assert token is not None  # the index has the offset of a token
                is_member = token["colon"] is not None
                name = _readable(json.loads(token["string"])) if is_member else str(len(children))
                children.setdefault(name, child)
                child += sizes[child]
        return self._children[value]
