"""Checks for two paths that match the same request."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations

from relay.contract.diagnostics import Diagnostic
from relay.contract.model import Contract

from .lint_rules import finding


def check_paths(contract: Contract) -> Iterator[Diagnostic]:
    """Yield pairs of overlapping templated paths of which neither is more concrete (OpenAPI 3.0.3, "Paths Object")."""
    by_length: defaultdict[int, list[tuple[str, list[str]]]] = defaultdict(list)
    for path in dict.fromkeys(operation.path for operation in contract.operations):
        segments = path.split("/")
        by_length[len(segments)].append((path, segments))
    for paths in by_length.values():
        for (first, left), (second, right) in combinations(paths, 2):
            if _overlap(left, right):
                message = f"a request can match both {second} and {first}; make one of them more concrete"
                yield finding(contract, "overlapping-paths", ("paths", second), message)


def _overlap(left: list[str], right: list[str]) -> bool:
    """Return True if a path can match both, and each is more concrete in some segment."""
    left_wins = right_wins = False
    for one, other in zip(left, right, strict=True):
        if "{" not in one and "{" not in other:
            if one != other:
                return False
        elif "{" not in one:
            left_wins = True
        elif "{" not in other:
            right_wins = True
    return left_wins and right_wins
