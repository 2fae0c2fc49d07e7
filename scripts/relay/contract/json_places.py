"""Finds the place of a value in a JSON text, which is searched only when a place is asked for."""

from __future__ import annotations

import json
import re
from array import array
from bisect import bisect_right
from functools import cached_property
from typing import NamedTuple

from .parsed import Pointer, text_of

TOKEN = re.compile(
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")(?P<colon>[ \t\r\n]*:)?'
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<bare>[^\s\[\]{}:,\"]+)|(?P<broken>\")"
)
"""One token of a JSON text; a string with a colon is a key. Only a text that is not JSON has a broken one."""

_COLON, _OPEN, _CLOSE = (TOKEN.groupindex[name] for name in ("colon", "open", "close"))
_VALUE = re.compile(r'(?:"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*:)?[ \t\r\n]*')
_LONE = re.compile("[\ud800-\udfff]")


def readable(text: str) -> str:
    """Return a text with lone surrogates, which no encoding can write, replaced by U+FFFD."""
    return _LONE.sub("\ufffd", text)


class JsonPlaces:
    """The places of the values of a JSON file: of a member of an object, that of its key.

    The index takes 16 bytes a value and is made at the first question.
    """

    def __init__(self, source: bytes) -> None:
        self._source = source
        self._children: dict[int, dict[str, int]] = {}

    def find(self, pointer: Pointer) -> tuple[int, int]:
        """Return line and column of the value at `pointer`, or of its nearest existing parent."""
        if not pointer:
            return self.at(len(self._text) - len(self._text.lstrip()))
        value = 0
        for token in pointer:
            child = self._children_of(value).get(token)
            if child is None:
                break
            value = child
        return self.at(self._index.starts[value])

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of a character."""
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    @cached_property
    def _text(self) -> str:
        return text_of(self._source)

    @cached_property
    def _lines(self) -> array[int]:
        """The offsets at which lines begin."""
        return array("L", [0, *(match.end() for match in re.finditer("\r\n|\r|\n", self._text))])

    @cached_property
    def _index(self) -> _Index:
        return _indexed(self._text)

    def _children_of(self, value: int) -> dict[str, int]:
        """Return the children of a value by key or index, kept for the next question."""
        if value not in self._children:
            self._children[value] = self._read_children(value)
        return self._children[value]

    def _read_children(self, value: int) -> dict[str, int]:
        starts, sizes = self._index
        end = value + sizes[value]
        children: dict[str, int] = {}
        is_object = self._opens(value) == "{"
        child = value + 1
        while child < end:
            token = self._key(starts[child]) if is_object else str(len(children))
            children.setdefault(token, child)
            child += sizes[child]
        return children

    def _opens(self, value: int) -> str:
        """Return the first character of a value, which begins with its key if it is a member of an object."""
        match = _VALUE.match(self._text, self._index.starts[value])
        assert match is not None  # the pattern matches an empty text too
        return self._text[match.end()]

    def _key(self, offset: int) -> str:
        match = TOKEN.match(self._text, offset)
        assert match is not None  # the index has the offset of a token
        return readable(json.loads(match["string"]))


class _Index(NamedTuple):
    """The values of a text in their order: where each begins, and how many it contains, itself included."""

    starts: array[int]
    sizes: array[int]


def _indexed(text: str) -> _Index:
    starts, sizes = array("L"), array("L")
    containers: list[int] = []
    key = -1
    for match in TOKEN.finditer(text):
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
    return _Index(starts, sizes)
