"""Checks for two paths that match the same request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .lint_rules import finding

MAX_OVERLAPS = 1_000
"""Maximum number of paths that are reported; run again after fixing them."""


class _Path(NamedTuple):
    """A path: its text, its place in the contract, and its segments."""

    text: str
    number: int
    segments: tuple[str, ...]


_Paths = dict[int, list[_Path]]
"""Paths of one length by the set of their segments with variables, as the bits of a number."""


def check_paths(contract: Contract) -> Iterator[Diagnostic]:
    """Yield templated paths of which an earlier one overlaps and neither is more concrete (OpenAPI 3.0.3, "Paths Object")."""
    by_length: defaultdict[int, _Paths] = defaultdict(dict)
    for number, text in enumerate(dict.fromkeys(operation.path for operation in contract.operations)):
        segments = tuple(text.split("/"))
        variable = sum(1 << index for index, segment in enumerate(segments) if "{" in segment)
        by_length[len(segments)].setdefault(variable, []).append(_Path(text, number, segments))
    first: dict[_Path, _Path] = {}
    for earlier, later in islice(_overlaps(by_length.values()), MAX_OVERLAPS):
        if later not in first or earlier.number < first[later].number:
            first[later] = earlier
    for later in sorted(first, key=lambda path: path.number):
        message = (
            f"a request can match both {later.text} and {first[later].text}; make one of them more concrete"
        )
        yield finding(contract, "overlapping-paths", ("paths", later.text), message)


def _overlaps(lengths: Iterable[_Paths]) -> Iterator[tuple[_Path, _Path]]:
    """Yield overlapping paths, of which each has a concrete segment where the other has a variable."""
    for paths in lengths:
        for one, other in combinations(paths, 2):
            if one & ~other and other & ~one:
                for path, match in _matches(paths[one], paths[other], one | other):
                    yield (path, match) if path.number < match.number else (match, path)


def _matches(paths: list[_Path], others: list[_Path], variable: int) -> Iterator[tuple[_Path, _Path]]:
    """Yield the pairs whose segments outside `variable` are the same."""
    concrete = [index for index in range(len(paths[0].segments)) if not variable >> index & 1]
    if len(paths) == len(others) == 1:
        one, other = paths[0].segments, others[0].segments
        if all(one[index] == other[index] for index in concrete):
            yield paths[0], others[0]
        return
    known: defaultdict[tuple[str, ...], list[_Path]] = defaultdict(list)
    for path in paths:
        known[tuple(path.segments[index] for index in concrete)].append(path)
    for path in others:
        for match in known.get(tuple(path.segments[index] for index in concrete), ()):
            yield path, match
