"""A whole run, as everything that tells of it reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from relay.contract.diagnostics import Severity

from .contract_rules import RULES
from .coverage import Coverage
from .results import Failure, Phase


@dataclass(slots=True)
class Report:
    """A whole run: what was tested, how, what came of it.

    `subject` is the service's address, or None when only recorded traffic was judged; `reproduce` are
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
        """Whether every part held."""
        return all(part.held for part in self.parts)

    @property
    def failures(self) -> list[Failure]:
        """Everything that was found, errors first, the gravest before all."""
        found = [failure for part in self.parts for failure in part.failures]
        return sorted(found, key=_weight)


_GRAVITY = {rule: index for index, rule in enumerate(RULES)}


def _weight(failure: Failure) -> tuple[int, int]:
    severity = list(Severity).index(failure.finding.severity)
    return severity, _GRAVITY.get(failure.finding.rule, len(_GRAVITY))
