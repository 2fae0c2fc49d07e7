"""Run Schemathesis, which generates requests from the contract, and check the responses."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError
from relay.contract.methods import METHODS
from relay.contract.model import Operation

from . import schemathesis_process
from .callers import Caller, Callers
from .conformance import ConformanceChecker
from .contract_config import FILE
from .contract_rules import finding
from .credential_labels import Labels
from .exchanges import Exchange
from .results import Failure, NotRun, Phase, grouped
from .sample_requests import UNREACHABLE, is_unreachable
from .schemathesis_checks import SchemathesisChecks
from .schemathesis_events import PART, SentCase, Trouble, read_events
from .schemathesis_process import Budget
from .secret_spellings import Spellings
from .service_under_test import ServiceUnderTest
from .time_limit import OUT_OF_TIME, TimeLimit

__all__ = ["Budget", "check_properties"]

_NO_ANSWER = frozenset(
    "ConnectionError ReadTimeout ConnectTimeout Timeout ChunkedEncodingError SSLError ContentDecodingError "
    "ServerUnavailable UnresponsiveOperationError UnhealthyAPIError".split()
)
# Their messages quote the contract, but not the requests.
_CONTRACT_ERRORS = frozenset(
    "Unsatisfiable UnsupportedRegexPattern InvalidRegexPattern InvalidRegexType InvalidSchema "
    "SerializationNotPossible UnresolvableReference InfiniteRecursiveReference".split()
)
_WARNINGS = {
    "missing_auth": "all responses were 401 or 403, so little was tested",
    "base_url_mismatch": "the address may lack the base path of the contract",
    "missing_test_data": "nearly all responses were 404; there may be no data to find",
    "validation_mismatch": "most valid requests were refused; the service may require more than the contract says",
    "low_valid_rate": "few valid requests were accepted; the service may require more than the contract says",
    "missing_deserializer": "Schemathesis cannot read a documented media type; only relay checks its bodies",
    "unused_openapi_auth": "there is a credential for a scheme that no operation requires",
    "unsupported_regex": "Schemathesis cannot generate text for a pattern; add examples",
    "method_not_allowed": "a documented method got a 405",
    "unresolvable_reference": "a $ref cannot be resolved",
    "rate_limited": "nearly all responses were 429, so little was tested",
}


def check_properties(
    subject: ServiceUnderTest,
    callers: Callers,
    checker: ConformanceChecker,
    budget: Budget,
    progress: Callable[[int], None],
) -> Phase:
    """Run Schemathesis against a service, as each caller for its operations, and check every exchange.

    `progress` is called with the number of responses so far, a few times a second. Raises SetupError if
    Schemathesis does not run.
    """
    part, limit = Phase(PART), TimeLimit(budget.max_seconds)
    groups = callers.by_identity()
    for number, caller in enumerate(groups):
        reachable = [operation for operation in caller.operations if not _untestable(operation)]
        share = replace(budget, max_seconds=limit.left / (len(groups) - number))
        if reachable:
            _check_as(caller._replace(operations=reachable), part, subject, checker, share, progress)
    part.failures = grouped(part.failures)
    part.not_run += [
        NotRun(str(operation), reason)
        for operation in subject.contract.operations
        if (reason := _untestable(operation))
    ]
    part.not_run = list(dict.fromkeys([*_not_signed_in(callers), *part.not_run]))
    part.notes = list(dict.fromkeys(part.notes))
    return part


def _untestable(operation: Operation) -> str:
    """Return why no requests are generated for an operation; "" if they are."""
    if is_unreachable(operation):
        return UNREACHABLE
    return "" if operation.method in METHODS else "Schemathesis does not read `additionalOperations`"


def _check_as(
    caller: Caller,
    part: Phase,
    subject: ServiceUnderTest,
    checker: ConformanceChecker,
    budget: Budget,
    progress: Callable[[int], None],
) -> None:
    """Add the results of the operations of one caller to a part."""
    before = part.cases
    values = {
        name: value for name, value in caller.values.items() if name in subject.contract.security_schemes
    }
    caller = caller._replace(values=values)
    with tempfile.TemporaryDirectory(
        prefix="relay-"
    ) as temporary:  # mode 0700, as the log contains credentials
        folder = Path(temporary)
        code = schemathesis_process.run(
            folder, subject.contract, subject.url, caller, budget, lambda count: progress(before + count)
        )
        report = _report(folder, code, values)
        labels = Labels(subject.contract, caller.name, values)
        checks = SchemathesisChecks(checker, subject.mocked)
        reader = _EventReader(checks, checker, labels, caller.operations, _untested(report, budget))
        reader.read(folder / schemathesis_process.EVENTS)
    part.cases += len(reader.exchanges)
    progress(part.cases)
    part.exchanges += reader.exchanges
    part.failures += reader.failures
    part.not_run += [*reader.not_run, *_incomplete(report, budget)]
    part.notes += _notes(report) if report else []


def _not_signed_in(callers: Callers) -> Iterator[NotRun]:
    for operation in callers.closed():
        reason = (
            "tested only without a credential: no identity has the required ones; set the key that tokens "
            f"are signed with, or name variables with credentials in {FILE}"
        )
        yield NotRun(str(operation), reason)


def _report(folder: Path, code: int | None, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Read the report; None if the run was killed before it was written. SetupError if Schemathesis failed."""
    try:
        report: dict[str, Any] = json.loads((folder / schemathesis_process.REPORT).read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as exc:
        if code is None:
            return None
        raise SetupError([Diagnostic("schemathesis", _last_output(folder, code, values))]) from exc
    if not report["complete"] and report["stop_reason"] == "error":
        titles = ", ".join(error["title"] for error in report["errors"]) or "no reason given"
        message = f"it stopped early ({titles}): {_last_output(folder, code, values)}"
        raise SetupError([Diagnostic("schemathesis", message)])
    return report


def _last_output(folder: Path, code: int | None, values: Mapping[str, str]) -> str:
    output = (folder / schemathesis_process.OUTPUT).read_bytes()
    lines = output.decode("utf-8", "replace").strip().splitlines()
    secrets = {part for value in values.values() for part in (value, *value.split(":", 1))}
    last = lines[-1].strip() if lines and not Spellings(secrets).are_in(output) else "no output"
    return f"it exited with {code}: {last}"


class _EventReader:
    """Collects exchanges, failures and untested operations from the event log of a run."""

    def __init__(
        self,
        checks: SchemathesisChecks,
        checker: ConformanceChecker,
        labels: Labels,
        operations: Iterable[Operation],
        untested: str,
    ) -> None:
        self._checker = checker
        self._labels = labels
        self._untested = untested
        self._schemathesis_checks = checks
        self._operations = {str(operation): operation for operation in operations}
        self._tested: set[str] = set()
        self._unanswered: set[str] = set()
        self._troubles: list[Trouble] = []
        self.exchanges: list[Exchange] = []
        self.failures: list[Failure] = []
        self.not_run: list[NotRun] = []

    def read(self, events: Path) -> None:
        """Read a whole log."""
        for event in read_events(events):
            if isinstance(event, SentCase):
                self._add_case(event)
            else:
                self._troubles.append(event)
        for trouble in self._troubles:
            self._tested.add(trouble.operation)
            if trouble.kind not in _NO_ANSWER:
                self.not_run.append(NotRun(trouble.operation, _reason(trouble)))
            elif trouble.operation in self._operations.keys() - self._unanswered or not self._unanswered:
                self._no_answer(trouble.operation)  # otherwise a request has already reported it
        self.not_run += [
            NotRun(name, self._untested) for name in self._operations if name not in self._tested
        ]

    def _add_case(self, sent: SentCase) -> None:
        self._tested.add(sent.operation)
        if sent.exchange is None and not sent.failed:
            self._no_answer(sent.operation)
            return
        own_failures: list[Failure] = []
        if sent.exchange is not None:
            exchange = replace(sent.exchange, credential=self._labels.of(sent.exchange.request))
            sent = replace(sent, exchange=exchange)
            self.exchanges.append(exchange)
            own_failures = self._checker.check(exchange)
        self.failures += [
            *own_failures,
            *self._schemathesis_checks.failures(sent, {one.finding.rule for one in own_failures}),
        ]
        self.not_run += self._schemathesis_checks.disputes(sent)
        for check in sent.failed:
            if check.crashed:
                reason = f"the check {check.name} of Schemathesis crashed and has no result"
                self.not_run.append(NotRun(sent.operation, reason))

    def _no_answer(self, name: str) -> None:
        self._unanswered.add(name)
        operation = self._operations.get(name)
        pointer = operation.pointer if operation else ("paths",)
        about = name if operation else "the service"
        message = f"{about} sent no response: the connection failed or timed out; see its log for the cause"
        found = finding(self._checker.contract, "no-answer", pointer, message)
        self.failures.append(Failure(found, name if operation else None))


def _reason(trouble: Trouble) -> str:
    cause = trouble.message.splitlines()[0] if trouble.kind in _CONTRACT_ERRORS else trouble.kind
    return f"{trouble.phase or 'one phase'} of Schemathesis stopped: {cause}"


def _untested(report: dict[str, Any] | None, budget: Budget) -> str:
    """Return why an operation got no request."""
    return (
        OUT_OF_TIME
        if report is None and budget.is_short
        else "Schemathesis sent no request to it; give it more time"
    )


def _incomplete(report: dict[str, Any] | None, budget: Budget) -> Iterator[NotRun]:
    """Report a run that did not complete."""
    if report is None:
        killed = f"Schemathesis was killed after {budget.limit:.0f} seconds; use fewer examples"
        yield NotRun("the rest of the run", OUT_OF_TIME if budget.is_short else killed)
    elif report["stop_reason"] != "completed":
        reason = f"Schemathesis stopped early ({report['stop_reason'].replace('_', ' ')})"
        yield NotRun("the rest of the run", reason)


def _notes(report: dict[str, Any]) -> Iterator[str]:
    """Yield the version and seed of Schemathesis, and its warnings."""
    yield f"Schemathesis {report['schemathesis_version']}, seed {report['seed']}"
    for name, about in report["warnings"].items():
        if about:
            yield f"{_WARNINGS.get(name, name.replace('_', ' '))}: {', '.join(about)}"
