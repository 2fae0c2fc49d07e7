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


class _Templated(NamedTuple, Generic[T]):
    """A segment with variables, and the node after it."""

    pattern: re.Pattern[str]
    names: list[str]
    concrete: int  # number of literal characters
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
        names = re.findall(r"\{([^}]*)\}", segment)
        pieces = re.split(r"\{[^}]*\}", segment)
        variable = "(.+?)" if len(names) > 1 else "(.+)"
        pattern = re.compile(variable.join(map(re.escape, pieces)), re.DOTALL)
        for known in node.templated:
            if known.pattern == pattern and known.names == names:
                return known.node
        child: _Node[T] = _Node()
        node.templated.append(_Templated(pattern, names, len("".join(pieces)), child))
        # `report-{id}` is more specific than `{id}` and is tried first.
        node.templated.sort(key=lambda templated: -templated.concrete)
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
        if (found := templated.pattern.fullmatch(segment)) is not None:
            bound = dict(zip(templated.names, found.groups(), strict=True))
            yield from _walk(templated.node, segments, index + 1, {**variables, **bound})
