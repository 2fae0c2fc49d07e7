"""What one part of a run found: failures, what could not be run, and what was exchanged meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from relay.contract.diagnostics import Diagnostic, Severity

from .exchanges import Exchange


@dataclass(frozen=True, slots=True)
class Failure:
    """One way in which the service, or what lies beside it, breaks its contract.

    `operation` is the operation it is about, as `GET /pets`, None when it is about none. `exchange` is the
    first exchange that showed it, `count` how many did. `expected` are the statuses that would have been
    right, where the contract alone does not say so.
    """

    finding: Diagnostic
    operation: str | None = None
    exchange: Exchange | None = None
    expected: tuple[int, ...] = ()
    count: int = 1


class NotRun(NamedTuple):
    """A case that could not be run, and why: a sentence with what would make it run."""

    case: str
    reason: str


@dataclass(slots=True)
class Phase:
    """One part of a run: what it exchanged, found, and could not do.

    `cases` counts what was tried, in the part's own unit, which `unit` names in the plural.
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
        """Whether nothing was found that is wrong."""
        return not any(failure.finding.severity is Severity.ERROR for failure in self.failures)


def grouped(failures: Iterable[Failure]) -> list[Failure]:
    """Join failures that tell the same of the same operation; the first exchange stands for all."""
    found: dict[tuple[str | None, Diagnostic], Failure] = {}
    for failure in failures:
        key = failure.operation, failure.finding
        known = found.get(key)
        found[key] = replace(known, count=known.count + failure.count) if known else failure
    return list(found.values())
