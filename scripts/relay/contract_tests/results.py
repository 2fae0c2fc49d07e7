"""The results of one part of a run: failures, cases that could not be run, and exchanges."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, Severity

from .exchanges import Exchange

KEPT = "kept failures"
"""The name of the part that repeats what failed in earlier runs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One violation of the contract by the service, or by its package or files.

    `operation` is the operation it is about, as `GET /pets`, or None. `exchange` is the first exchange
    that showed it, `count` the number of such exchanges. `expected` are the correct statuses, if the
    contract alone does not define them.
    """

    finding: Diagnostic
    operation: str | None = None
    exchange: Exchange | None = None
    expected: tuple[int, ...] = ()
    count: int = 1


class NotRun(NamedTuple):
    """A case that could not be run; `reason` says why and what to set to run it."""

    case: str
    reason: str


@dataclass(slots=True)
class Phase:
    """One part of a run: its exchanges, its findings, and the cases that could not be run.

    `cases` counts what was tested; `unit` is the plural noun for it.
    """

    name: str
    unit: str = "requests"
    cases: int = 0
    failures: list[Failure] = field(default_factory=list)
    not_run: list[NotRun] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        """Whether no error was found."""
        return not any(failure.finding.severity is Severity.ERROR for failure in self.failures)


def grouped(failures: Iterable[Failure]) -> list[Failure]:
    """Merge equal findings of the same operation; the first exchange is kept, the counts are added."""
    found: dict[tuple[str | None, Diagnostic], Failure] = {}
    for failure in failures:
        key = failure.operation, failure.finding
        known = found.get(key)
        found[key] = replace(known, count=known.count + failure.count) if known else failure
    return list(found.values())


def report_once(parts: Iterable[Phase]) -> None:
    """Leave a finding of several parts to the first of them that tests more than kept failures; the counts are added."""
    found: dict[tuple[str | None, Diagnostic], tuple[list[Failure], int]] = {}
    for part in sorted(parts, key=lambda one: one.name == KEPT):
        own: list[Failure] = []
        for failure in part.failures:
            failures, at = found.setdefault((failure.operation, failure.finding), (own, len(own)))
            if failures is own and at == len(own):
                own.append(failure)
            else:
                failures[at] = replace(failures[at], count=failures[at].count + failure.count)
        part.failures = own
