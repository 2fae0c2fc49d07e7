"""Maps paths to operations in a step per segment; concrete paths go before templated ones (OpenAPI 3.0.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar
from urllib.parse import unquote

from relay.contract.methods import in_request
from relay.contract.path_templates import VARIABLE, literal, requested_alone
from relay.validation.http import MALFORMED_OR_NUL

from .errors import MalformedPath

T = TypeVar("T")


class _Route(NamedTuple, Generic[T]):
    target: T
    names: list[str]
    """The names that the method gives to the path's variables."""


class Match(NamedTuple, Generic[T]):
    """A path of the contract: its methods in upper case, and the values of its variables, percent-decoded."""

    routes: dict[str, _Route[T]]
    values: tuple[str, ...]

    @property
    def methods(self) -> dict[str, T]:
        """The target of each method."""
        return {method: route.target for method, route in self.routes.items()}

    def variables(self, method: str) -> dict[str, str]:
        """Return the variables by the names that the path of a method gives them."""
        return dict(zip(self.routes[method].names, self.values, strict=True))


@dataclass(slots=True, eq=False)
class _Node(Generic[T]):
    """The next segments, templated ones by their literals, and the methods of the path that ends here."""

    literal: dict[str, _Node[T]] = field(default_factory=dict)
    templated: dict[tuple[str, ...], _Node[T]] = field(default_factory=dict)
    routes: dict[str, _Route[T]] = field(default_factory=dict)

    def next(self, segment: str) -> _Node[T]:
        """Return the node after a segment, a new one for a new segment."""
        pieces = tuple(literal(piece) for piece in VARIABLE.split(segment)[::2])
        if len(pieces) == 1:
            return self.literal.setdefault(pieces[0], _Node())
        child = self.templated.setdefault(pieces, _Node())
        # `report-{id}` is more specific than `{id}` and is tried first.
        self.templated = dict(sorted(self.templated.items(), key=lambda one: -len("".join(one[0]))))
        return child


def _values(pieces: tuple[str, ...], text: str) -> tuple[str, ...] | None:
    """Return the values of variables, each as short as possible, in linear time; None for no match."""
    first, *between, last = pieces
    end = len(text) - len(last)
    if not (text.startswith(first) and text.endswith(last)):
        return None
    values: list[str] = []
    start = len(first)
    for piece in between:
        found = text.find(piece, start + 1, end)
        if found < 0:
            return None
        values.append(text[start:found])
        start = found + len(piece)
    return (*values, text[start:end]) if start < end else None


class Routes(Generic[T]):
    """A tree of path segments."""

    def __init__(self) -> None:
        self._root: _Node[T] = _Node()
        self._literal: dict[str, Match[T]] = {}

    @classmethod
    def of(cls, targets: Mapping[tuple[str, str], T], base_path: str = "") -> Routes[T]:
        """Return the routes of methods and paths, also without a query or fragment that is the only one."""
        routes = cls()
        for (method, path), target in targets.items():
            routes.add(base_path + path, method, target)
        for (method, path), requested in requested_alone(targets).items():
            routes.add(base_path + requested, method, targets[method, path])
        return routes

    def add(self, path: str, method: str, target: T) -> None:
        """Register one method of a path template; the first of two with the same shape is kept."""
        node = self._root
        for segment in path.split("/"):
            node = node.next(segment)
        names = VARIABLE.findall(path)
        node.routes.setdefault(in_request(method), _Route(target, names))
        if not names:
            self._literal[path] = Match(node.routes, ())

    def find(self, raw_path: str) -> Match[T] | None:
        """Return the match of a percent-encoded request path, or None. Raises MalformedPath."""
        if (match := self._literal.get(raw_path)) is not None:
            return match
        if MALFORMED_OR_NUL.search(raw_path):
            raise MalformedPath
        try:
            segments = [unquote(segment, errors="strict") for segment in raw_path.split("/")]
        except UnicodeDecodeError as exc:
            raise MalformedPath from exc
        return next(_walk(self._root, segments, 0, ()), None)


def _walk(node: _Node[T], segments: list[str], index: int, values: tuple[str, ...]) -> Iterator[Match[T]]:
    """Yield the matching paths, the most specific first."""
    if index == len(segments):
        if node.routes:
            yield Match(node.routes, values)
        return
    segment = segments[index]
    if (child := node.literal.get(segment)) is not None:
        yield from _walk(child, segments, index + 1, values)
    for pieces, child in node.templated.items():
        if (bound := _values(pieces, segment)) is not None:
            yield from _walk(child, segments, index + 1, values + bound)
