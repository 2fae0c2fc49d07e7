"""The data of a whole run, which all reports are generated from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from relay.contract.diagnostics import Severity

from .contract_rules import RULES
from .coverage import Coverage
from .results import Failure, Phase, is_cut

_SEVERITIES, _RULES = list(Severity), [*RULES]


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
        return sorted(found, key=lambda one: (_SEVERITIES.index(one.severity), _rule_order(one.rule)))


def _rule_order(rule: str) -> int:
    return _RULES.index(rule) if rule in RULES else len(RULES)
