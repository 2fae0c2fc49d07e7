"""Relay's performance goals, and by how much a run met or missed them."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

from .figures import exponent, ratios
from .results import Cell, Results

Value = Callable[[Results], float | None]
"""Returns a figure of a run; None if it was not measured."""

CROWD = 10_000
"""Numbers of the largest organization that is measured."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and its bound, `at_least` or `at_most`; without a bound it is only reported."""

    title: str
    value: Value
    at_least: float | None = None
    at_most: float | None = None
    unit: str = "times"

    @property
    def bound(self) -> str:
        """The bound in words."""
        if self.at_least is not None:
            return f"at least {self.at_least:g} {self.unit}"
        return f"at most {self.at_most:g} {self.unit}" if self.at_most is not None else ""

    def found(self, value: float) -> str:
        """Return a value in words."""
        return f"{value:.3g} {self.unit}" if value < 1000 else f"{value:,.0f} {self.unit}"

    def verdict(self, value: float | None) -> str:
        """Say whether a value meets the bound, and by how much of the bound."""
        if value is None:
            return "not measured"
        if self.at_least is not None:
            return _by(value / self.at_least - 1)
        return _by(1 - value / self.at_most) if self.at_most is not None else "reported only"


def _by(share: float) -> str:
    return f"met by {share:.0%}" if share >= 0 else f"missed by {-share:.0%}"


def _rate(ours: str, theirs: str, numbers: int, source: str = "memory") -> Value:
    """Median of the paired ratios of requests a second."""
    cell = Cell(source, numbers, 1)

    def value(results: Results) -> float | None:
        us, them = results.column(cell, ours, "rate"), results.column(cell, theirs, "rate")
        return statistics.median(ratios(us, them)) if us and them else None

    return value


def _start(results: Results, operations: int) -> float | None:
    starts = results.many_starts.get(operations, {})
    if not starts.get("relay") or not starts.get("connexion"):
        return None
    return statistics.median(ratios(starts["relay"], starts["connexion"]))


def _idle(results: Results) -> float | None:
    for peers in results.idle.values():
        if "relay" in peers and "connexion" in peers:
            return peers["relay"] / peers["connexion"]
    return None


def _wait(results: Results) -> float | None:
    return statistics.median(waits) if (waits := results.waits.get("relay")) else None


def _second_worker(results: Results) -> float | None:
    found = []
    for cell in results.samples:
        two = results.column(cell, "relay", "cpu")
        one = results.column(cell._replace(workers=1), "relay", "cpu")
        if cell.workers == 2 and two and one:
            found.append(statistics.median(two) / statistics.median(one))
    return max(found, default=None)


def _largest_to_smallest(of: str) -> Value:
    def value(results: Results) -> float | None:
        for growth in results.growth:
            if growth.of == of:
                return statistics.median(ratios(growth.cpu[-1], growth.cpu[0]))
        return None

    return value


def _fresh(results: Results) -> float | None:
    ours, theirs = results.fresh.get("relay"), results.fresh.get("relay-uncached")
    return statistics.median(ratios(ours, theirs)) if ours and theirs else None


LITERAL, TEMPLATED = "operations, a literal path", "operations, a templated path"
"""Titles of the growth measurements for `python -m bench --growth`."""

GOALS = (
    *(
        Goal(
            f"{ours} to {theirs}, {numbers:,} number{'s' * (numbers != 1)}{place}",
            _rate(ours, theirs, numbers, source),
            bound,
        )
        for ours, theirs, numbers, source, place, bound in (
            ("relay", "fastapi", 1, "memory", "", 4),
            ("relay", "fastapi-cached", 1, "memory", "", 2.5),
            ("relay-uncached", "fastapi", 1, "memory", "", 1.5),
            ("relay", "floor-cached", 1, "memory", "", 0.5),
            ("relay-uncached", "floor", 1, "memory", "", None),
            ("relay", "fastapi", 100, "memory", "", 4),
            ("relay", "fastapi-cached", 100, "memory", "", 3),
            ("relay-uncached", "fastapi", 100, "memory", "", 2.5),
            ("relay", "connexion", 100, "memory", "", 90),
            ("relay", "fastapi", 100, "sqlite", " from SQLite", 3),
            ("relay", "fastapi", 5000, "memory", "", 8),
        )
    ),
    Goal("p99 of small requests during 5,000 numbers", _wait, at_most=20, unit="ms"),
    Goal("start-up to connexion's, 1 operation", lambda results: _start(results, 1), at_most=1),
    Goal("start-up to connexion's, 600 operations", lambda results: _start(results, 600), at_most=0.5),
    Goal("CPU a request, literal path, 600 operations to 1", _largest_to_smallest(LITERAL), at_most=1.1),
    Goal("CPU a request, templated path, 600 operations to 5", _largest_to_smallest(TEMPLATED), at_most=1.1),
    Goal("CPU a request with fresh tokens, to relay-uncached", _fresh, at_most=1.1),
    Goal("memory when idle, to connexion's", _idle, at_most=1.2),
    Goal(f"memory after {CROWD:,} numbers at 32 connections", lambda results: results.crowd, unit="MB"),
    Goal("CPU a request, two workers to one, at worst", _second_worker, at_most=1.1),
)


def growth_exponent(sizes: tuple[int, ...], costs: tuple[tuple[float, ...], ...]) -> float:
    """Return the exponent of the medians."""
    return exponent(sizes, [statistics.median(cost) for cost in costs])
