"""The data of a whole run, which all reports are generated from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from relay.contract.diagnostics import Severity

from .contract_rules import RULES
from .coverage import Coverage
from .results import Failure, Phase
from .time_limit import OUT_OF_TIME


@dataclass(slots=True)
class Report:
    """A whole run: what was tested, how, and the results.

    `subject` is the service's address, or None if only recorded traffic was checked; `reproduce` are
    shell lines that set URL and TOKEN for the curl commands of the failures.
    """

    title: str
    spec: str
    subject: str | None
    seed: int | None
    started: datetime
    parts: list[Phase]
    coverage: Coverage
    min_coverage: float | None = None
    reproduce: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def held(self) -> bool:
        """Whether no part found an error."""
        return all(part.held for part in self.parts)

    @property
    def is_cut(self) -> bool:
        """Whether the time limit left something out."""
        return is_cut(self.parts)

    @property
    def failures(self) -> list[Failure]:
        """All findings, sorted by severity and then by the order of the rules."""
        found = [failure for part in self.parts for failure in part.failures]
        return sorted(found, key=_sort_key)


def is_cut(parts: Iterable[Phase]) -> bool:
    """Return True if the time limit left a case of some parts out."""
    return any(one.reason == OUT_OF_TIME for part in parts for one in part.not_run)


_RULE_ORDER = {rule: index for index, rule in enumerate(RULES)}


def _sort_key(failure: Failure) -> tuple[int, int]:
    severity = list(Severity).index(failure.finding.severity)
    return severity, _RULE_ORDER.get(failure.finding.rule, len(_RULE_ORDER))
