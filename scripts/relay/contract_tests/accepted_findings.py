"""Accepted findings: a team lists them with a reason, and they are reported as notes instead of errors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract.model import Contract

from .contract_config import Accepted
from .contract_rules import RULES
from .results import Failure


class Acceptance:
    """Removes repeated failures, and turns accepted ones into notes with their reason."""

    def __init__(self, accepted: Sequence[Accepted], contract: Contract) -> None:
        self._names = {operation.id: str(operation) for operation in contract.operations}
        self._unused = dict.fromkeys(accepted)
        self._accepted = accepted
        self._reported: set[tuple[str | None, Diagnostic]] = set()

    def settle(self, failures: Iterable[Failure]) -> list[Failure]:
        """Return the failures that no earlier part has reported."""
        settled = []
        for failure in failures:
            key = failure.operation, failure.finding
            if key not in self._reported:
                self._reported.add(key)
                settled.append(self._settled(failure))
        return settled

    def unused(self) -> list[Diagnostic]:
        """Return a warning for each entry that accepts nothing."""
        rule = RULES["unused-waiver"]
        message = "no finding matches this entry; remove it"
        return [Diagnostic(one.place, message, rule.id, rule.severity) for one in self._unused]

    def _settled(self, failure: Failure) -> Failure:
        for entry in self._accepted:
            if self._covers(entry, failure):
                self._unused.pop(entry, None)
                message = f"{failure.finding.message} (accepted: {entry.reason})"
                return replace(
                    failure, finding=replace(failure.finding, severity=Severity.INFO, message=message)
                )
        return failure

    def _covers(self, entry: Accepted, failure: Failure) -> bool:
        credential = failure.exchange.credential if failure.exchange else None
        return (
            entry.rule == failure.finding.rule
            and (entry.operation is None or self._names.get(entry.operation) == failure.operation)
            and (entry.case is None or fnmatchcase(credential or "", entry.case))
        )
