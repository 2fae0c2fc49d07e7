"""Finds the place of a value in a JSON text, which is searched only when a place is asked for."""

from __future__ import annotations

import codecs
import json
import re
from array import array
from bisect import bisect_right
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from .parsed import Pointer, text_of

_SYNTAX = (
    r'(?P<string>"[^"\\]*(?:\\.[^"\\]*)*")(?P<colon>[ \t\r\n]*:)?'
    r"|(?P<open>[\[{])|(?P<close>[\]}])|(?P<bare>[^\s\[\]{}:,\"]+)|(?P<broken>\")"
)
TOKEN = re.compile(_SYNTAX)
"""One token of a JSON text; a string with a colon is a key. Only a text that is not JSON has a broken one."""

ENCODED_TOKEN = re.compile(_SYNTAX.encode())
"""The same in UTF-8, which takes a byte for most characters; a `str` takes four for each if there is one emoji."""

_COLON, _OPEN, _CLOSE = (TOKEN.groupindex[name] for name in ("colon", "open", "close"))
_VALUE = re.compile(rb'(?:"[^"\\]*(?:\\.[^"\\]*)*"[ \t\r\n]*:)?[ \t\r\n]*')
_CONTINUATION = bytes(range(0x80, 0xC0))
"""The bytes of UTF-8 that begin no character."""
_BLOCK = 4096  # bytes whose characters are counted together
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
            return self.at(len(self.encoded) - len(self.encoded.lstrip()))
        value = 0
        for token in pointer:
            child = self._children_of(value).get(token)
            if child is None:
                break
            value = child
        return self.at(self._index.starts[value])

    def at(self, offset: int) -> tuple[int, int]:
        """Return line and column, from 1, of the character at an offset of `encoded`."""
        line = bisect_right(self._lines, offset)
        return line, self._characters(offset) - self._characters(self._lines[line - 1]) + 1

    @cached_property
    def encoded(self) -> bytes:
        """The text in UTF-8, without a byte order mark."""
        if self._source.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return text_of(self._source).encode()
        return self._source.removeprefix(codecs.BOM_UTF8)

    @cached_property
    def _lines(self) -> array[int]:
        """The offsets at which lines begin."""
        return array("L", [0, *(match.end() for match in re.finditer(b"\r\n|\r|\n", self.encoded))])

    def _characters(self, offset: int) -> int:
        """Return the number of characters before an offset."""
        block = offset // _BLOCK
        return self._blocks[block] + _count(self.encoded[block * _BLOCK : offset])

    @cached_property
    def _blocks(self) -> array[int]:
        """The number of characters before each block."""
        counts = (
            _count(self.encoded[start : start + _BLOCK]) for start in range(0, len(self.encoded), _BLOCK)
        )
        return array("L", accumulate(counts, initial=0))

    @cached_property
    def _index(self) -> _Index:
        return _indexed(self.encoded)

    def _children_of(self, value: int) -> dict[str, int]:
        """Return the children of a value by key or index, kept for the next question."""
        if value not in self._children:
            self._children[value] = self._read_children(value)
        return self._children[value]

    def _read_children(self, value: int) -> dict[str, int]:
        starts, sizes = self._index
        end = value + sizes[value]
        children: dict[str, int] = {}
        is_object = self._opens(value) == ord("{")
        child = value + 1
        while child < end:
            token = self._key(starts[child]) if is_object else str(len(children))
            children.setdefault(token, child)
            child += sizes[child]
        return children

    def _opens(self, value: int) -> int:
        """Return the first byte of a value, which begins with its key if it is a member of an object."""
        match = _VALUE.match(self.encoded, self._index.starts[value])
        assert match is not None  # the pattern matches an empty text too
        return self.encoded[match.end()]

    def _key(self, offset: int) -> str:
        match = ENCODED_TOKEN.match(self.encoded, offset)
        assert match is not None  # the index has the offset of a token
        return readable(json.loads(match["string"]))


class _Index(NamedTuple):
    """The values of a text in their order: where each begins, and how many it contains, itself included."""

    starts: array[int]
    sizes: array[int]


def _count(encoded: bytes) -> int:
    return len(encoded.translate(None, _CONTINUATION))


def _indexed(encoded: bytes) -> _Index:
    starts, sizes = array("L"), array("L")
    containers: list[int] = []
    key = -1
    for match in ENCODED_TOKEN.finditer(encoded):
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
