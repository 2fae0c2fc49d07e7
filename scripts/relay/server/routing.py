"""Maps paths to operations: one look-up for a literal path, one step per segment for a templated one.

OpenAPI 3.0.3, "Paths Object": a concrete path is matched before a templated one. The cost of a
request does not depend on the number of operations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from relay.validation.http import MALFORMED

from .errors import MalformedPath

T = TypeVar("T")

_VARIABLE = re.compile(r"\{([^}]*)\}")


class Match(NamedTuple, Generic[T]):
    """A path of the contract: its methods in upper case, and its variables percent-decoded."""

    methods: dict[str, T]
    variables: dict[str, str]


class _Node(Generic[T]):
    """A node of the tree: the possible next segments, and the methods of the path that ends here."""

    __slots__ = ("literal", "methods", "templated")

    def __init__(self) -> None:
        self.literal: dict[str, _Node[T]] = {}
        self.templated: list[_Templated[T]] = []
        self.methods: dict[str, T] = {}


class _Segment(NamedTuple):
    """A path segment with variables: `pieces` are the literals before, between and after them."""

    pieces: list[str]
    names: list[str]

    def match(self, text: str) -> dict[str, str] | None:
        """Return the value of each variable, at least one character; None if the text does not match.

        Each value but the last is as short as possible, as with a lazy regular expression, but in linear
        time: if the text matches at all, then also with the first occurrence of each literal.
        """
        first, *between, last = self.pieces
        end = len(text) - len(last)
        if not (text.startswith(first) and text.endswith(last)):
            return None
        values: list[str] = []
        start = len(first)
        for literal in between:
            found = text.find(literal, start + 1, end)
            if found < 0:
                return None
            values.append(text[start:found])
            start = found + len(literal)
        if start >= end:
            return None
        return dict(zip(self.names, [*values, text[start:end]], strict=True))


class _Templated(NamedTuple, Generic[T]):
    """A segment with variables, and the node after it."""

    segment: _Segment
    node: _Node[T]


class Routes(Generic[T]):
    """A tree of path segments."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._literal: dict[str, Match[T]] = {}

    def add(self, path: str, method: str, target: T) -> None:
        """Register one method of a path template."""
        node = self._root
        for segment in path.split("/"):
            node = self._child(node, segment)
        node.methods[method.upper()] = target
        if "{" not in path:
            self._literal[path] = Match(node.methods, {})

    def find(self, raw_path: str) -> Match[T] | None:
        """Return the match of a percent-encoded request path; None if there is none.

        Raises MalformedPath if it is not percent-encoded UTF-8.
        """
        if (match := self._literal.get(raw_path)) is not None:
            return match
        if MALFORMED.search(raw_path):
            raise MalformedPath
        try:
            segments = [unquote(segment, errors="strict") for segment in raw_path.split("/")]
        except UnicodeDecodeError as exc:
            raise MalformedPath from exc
        return next(_walk(self._root, segments, 0, {}), None)

    @staticmethod
    def _child(node: _Node[T], segment: str) -> _Node[T]:
        if "{" not in segment:
            return node.literal.setdefault(segment, _Node())
        template = _Segment(_VARIABLE.split(segment)[::2], _VARIABLE.findall(segment))
        for known in node.templated:
            if known.segment == template:
                return known.node
        child: _Node[T] = _Node()
        node.templated.append(_Templated(template, child))
        # `report-{id}` is more specific than `{id}` and is tried first.
        node.templated.sort(key=lambda templated: -len("".join(templated.segment.pieces)))
        return child


def _walk(node: _Node[T], segments: list[str], index: int, variables: dict[str, str]) -> Iterator[Match[T]]:
    """Yield the matching paths, the most specific first."""
    if index == len(segments):
        if node.methods:
            yield Match(node.methods, variables)
        return
    segment = segments[index]
    if (child := node.literal.get(segment)) is not None:
        yield from _walk(child, segments, index + 1, variables)
    for templated in node.templated:
        if (bound := templated.segment.match(segment)) is not None:
            yield from _walk(templated.node, segments, index + 1, {**variables, **bound})
