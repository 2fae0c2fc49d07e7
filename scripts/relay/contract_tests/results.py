"""The results of one phase of a run: failures, cases that could not be run, exchanges; and the limit of its time."""

import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import NamedTuple, Self, TypeVar

from relay.contract.diagnostics import Diagnostic, Severity, errors
from relay.contract.model import Contract

from .contract_config import Accepted
from .contract_rules import RULES
from .exchanges import Exchange

KEPT = "kept failures"  # the name of the part that repeats what failed in earlier runs
OUT_OF_TIME = "the time of the run was over; raise --max-time"
"""The reason of each case that the limit leaves out."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Failure(Diagnostic):
    """One violation of the contract by the service, or by its package or files.

    `operation` is the operation it is about, as `GET /pets`, or None. `exchange` is the first exchange
    that showed it, `count` the number of such exchanges. `expected` are the correct statuses, if the
    contract alone does not define them. Failures are equal if they say the same of the same operation.
    """

    operation: str | None = None
    exchange: Exchange | None = field(default=None, compare=False)
    expected: tuple[int, ...] = field(default=(), compare=False)
    count: int = field(default=1, compare=False)

    @classmethod
    def of(cls, found: Diagnostic, operation: str | None = None) -> Self:
        """Return a diagnostic as a failure."""
        return cls(found.where, found.message, found.rule, found.severity, found.other, operation)


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
        """True if no error was found."""
        return not errors(self.failures)

    def skip(self, case: object, reason: str) -> None:
        """List a case that cannot be run."""
        self.not_run.append(NotRun(str(case), reason))


def is_cut(parts: Iterable[Phase]) -> bool:
    """Return True if the time limit left a case of some parts out."""
    return any(one.reason == OUT_OF_TIME for part in parts for one in part.not_run)


def grouped(failures: Iterable[Failure]) -> list[Failure]:
    """Merge equal failures; the first exchange is kept, the counts are added."""
    found: dict[Failure, Failure] = {}
    for failure in failures:
        known = found.get(failure)
        found[failure] = replace(known, count=known.count + failure.count) if known else failure
    return list(found.values())


def report_once(parts: Iterable[Phase]) -> None:
    """Leave a finding of several parts to the first of them that tests more than kept failures; the counts are added."""
    ordered = sorted(parts, key=lambda one: one.name == KEPT)
    counts: Counter[Failure] = Counter()
    for part in ordered:
        for failure in part.failures:
            counts[failure] += failure.count
    for part in ordered:
        part.failures = [replace(one, count=counts.pop(one)) for one in part.failures if one in counts]


class TimeLimit:
    """The time that is left; without `seconds` there is no end."""

    def __init__(self, seconds: float | None = None) -> None:
        self._end = math.inf if seconds is None else time.monotonic() + seconds

    @property
    def left(self) -> float:
        """The seconds that are left, infinite without a limit."""
        return max(0.0, self._end - time.monotonic())

    @property
    def is_over(self) -> bool:
        """True if no time is left."""
        return self.left == 0

    def within(self, part: Phase, items: Iterable[T], name: Callable[[T], str] = str) -> Iterator[T]:
        """Yield items while there is time, and list the names of the others once each in `part.not_run`."""
        left_out: dict[str, None] = {}
        for item in items:
            if self.is_over:
                left_out[name(item)] = None
            else:
                yield item
        part.not_run += [NotRun(one, OUT_OF_TIME) for one in left_out]


UNLIMITED = TimeLimit()


class Acceptance:
    """Removes repeated failures, and turns those that a team accepts into notes with their reason."""

    def __init__(self, accepted: Sequence[Accepted], contract: Contract) -> None:
        self._names = {operation.id: str(operation) for operation in contract.operations}
        self._unused = dict.fromkeys(accepted)
        self._accepted = accepted
        self._reported: set[Failure] = set()

    def settle(self, failures: Iterable[Failure]) -> list[Failure]:
        """Return the failures that no earlier part has reported."""
        new = [one for one in dict.fromkeys(failures) if one not in self._reported]
        self._reported.update(new)
        return [*map(self._settled, new)]

    def unused(self) -> list[Diagnostic]:
        """Return a warning for each entry that accepts nothing."""
        rule = RULES["unused-waiver"]
        message = "no finding matches this entry; remove it"
        return [Diagnostic(one.place, message, rule.id, rule.severity) for one in self._unused]

    def _settled(self, failure: Failure) -> Failure:
        entry = next((one for one in self._accepted if self._covers(one, failure)), None)
        if entry is None:
            return failure
        self._unused.pop(entry, None)
        message = f"{failure.message} (accepted: {entry.reason})"
        return replace(failure, severity=Severity.INFO, message=message)

    def _covers(self, entry: Accepted, failure: Failure) -> bool:
        credential = failure.exchange.credential if failure.exchange else None
        return (
            entry.rule == failure.rule
            and (entry.operation is None or self._names.get(entry.operation) == failure.operation)
            and (entry.case is None or fnmatchcase(credential or "", entry.case))
        )
