"""Checks for paths that match the same request, and for keys of `paths` that have a query or a fragment."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import combinations, islice
from typing import NamedTuple

from relay.contract.model import Contract
from relay.contract.path_templates import encoded, requested, requested_alone, unmatchable

from .lint_rules import Found

MAX_OVERLAPS = 1_000
"""Maximum number of paths that are reported; run again after fixing them."""


class _Path(NamedTuple):
    number: int
    text: str
    segments: tuple[str, ...]


_Paths = dict[int, list[_Path]]
"""Paths of one length by the set of their segments with variables, as the bits of a number."""


def check_paths(contract: Contract) -> Iterator[Found]:
    """Yield templated paths of which an earlier one overlaps and neither is more concrete (OpenAPI 3.0.3, "Paths Object")."""
    by_length: defaultdict[int, _Paths] = defaultdict(dict)
    for number, text in enumerate(dict.fromkeys(operation.path for operation in contract.operations)):
        segments = tuple(text.split("/"))
        variable = sum(1 << index for index, segment in enumerate(segments) if "{" in segment)
        by_length[len(segments)].setdefault(variable, []).append(_Path(number, text, segments))
    first: dict[_Path, _Path] = {}
    for earlier, later in islice(_overlaps(by_length.values()), MAX_OVERLAPS):
        first[later] = min(earlier, first.get(later, earlier))
    for later in sorted(first):
        message = (
            f"a request can match both {later.text} and {first[later].text}; make one of them more concrete"
        )
        yield "overlapping-paths", ("paths", later.text), message


def _overlaps(lengths: Iterable[_Paths]) -> Iterator[tuple[_Path, _Path]]:
    """Yield overlapping paths, of which each has a concrete segment where the other has a variable."""
    for paths in lengths:
        for one, other in combinations(paths, 2):
            if one & ~other and other & ~one:
                for path, match in _matches(paths[one], paths[other], one | other):
                    yield min(path, match), max(path, match)


def _matches(paths: list[_Path], others: list[_Path], variable: int) -> Iterator[tuple[_Path, _Path]]:
    """Yield the pairs whose segments outside `variable` are the same."""
    concrete = [index for index in range(len(paths[0].segments)) if not variable >> index & 1]
    if len(paths) == len(others) == 1:  # as most are
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


def check_path_keys(contract: Contract) -> Iterator[Found]:
    """Yield each path that no request has as it is written, and the path that it is served at instead."""
    served = [(operation.method, operation.path) for operation in contract.operations]
    alone = requested_alone([*served, *((one.method, one.path) for one in contract.left_out)])
    for path in dict.fromkeys(path for _, path in served):
        before = requested(path)
        if before == path or unmatchable(path):
            continue
        methods = sorted(method.upper() for method, other in served if other == path)
        ambiguous = [method for method in methods if (method.lower(), path) not in alone]
        what = "query" if path[len(before)] == "?" else "fragment"
        message = f"'{path}' is served at {encoded(path)}"
        if ambiguous:
            message += (
                f" only, because a path of a request has no {what} and other operations have"
                f" {' and '.join(ambiguous)} {before} too; give each a path of its own"
            )
        else:
            message += f", and at {before}, because a path of a request has no {what}; remove it"
        yield "query-in-path", ("paths", path), message
