"""Run Schemathesis, which generates requests from the contract, and check the responses."""

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
from .contract_config import FILE
from .http_client import no_answer
from .results import OUT_OF_TIME, Failure, NotRun, Phase, TimeLimit, grouped
from .sample_requests import UNREACHABLE, is_unreachable
from .schemathesis_checks import SchemathesisChecks
from .schemathesis_events import PART, Labels, SentCase, Trouble, read_events
from .schemathesis_process import Budget
from .secret_spellings import Spellings
from .session import Caller, Session

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
_NOT_SIGNED_IN = (
    "tested only without a credential: no identity has the required ones; set the key that tokens "
    f"are signed with, or name variables with credentials in {FILE}"
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


def check_properties(session: Session, budget: Budget, progress: Callable[[int], None]) -> Phase:
    """Run Schemathesis against a service, as each caller for its operations, and check every exchange.

    `progress` is called with the number of responses so far, a few times a second. Raises SetupError if
    Schemathesis does not run.
    """
    part, limit = Phase(PART), TimeLimit(budget.max_seconds)
    groups = session.by_identity()
    for operation in session.closed():
        part.skip(operation, _NOT_SIGNED_IN)
    for number, caller in enumerate(groups):
        reachable = [operation for operation in caller.operations if not _untestable(operation)]
        share = replace(budget, max_seconds=limit.left / (len(groups) - number))
        if reachable:
            _check_as(caller._replace(operations=reachable), part, session, share, progress)
    for operation in session.subject.contract.operations:
        if reason := _untestable(operation):
            part.skip(operation, reason)
    part.failures = grouped(part.failures)
    part.not_run = list(dict.fromkeys(part.not_run))
    part.notes = list(dict.fromkeys(part.notes))
    return part


def _untestable(operation: Operation) -> str:
    if is_unreachable(operation):
        return UNREACHABLE
    return "" if operation.method in METHODS else "Schemathesis does not read `additionalOperations`"


def _check_as(
    caller: Caller, part: Phase, session: Session, budget: Budget, progress: Callable[[int], None]
) -> None:
    before, subject = part.cases, session.subject
    schemes = subject.contract.security_schemes
    values = {name: value for name, value in caller.values.items() if name in schemes}
    caller = caller._replace(values=values)
    # Its mode is 0700, as the log contains credentials.
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:
        folder = Path(temporary)
        code = schemathesis_process.run(
            folder, subject.contract, subject.url, caller, budget, lambda count: progress(before + count)
        )
        report = _report(folder, code, values)
        is_late = report is None and budget.is_short
        untested = OUT_OF_TIME if is_late else "Schemathesis sent no request to it; give it more time"
        labels = Labels(subject.contract, caller.name, values)
        reader = _EventReader(part, session, labels, caller.operations)
        reader.read(folder / schemathesis_process.EVENTS, untested)
    progress(part.cases)
    part.not_run += _incomplete(report, budget)
    part.notes += _notes(report) if report else []


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
    """Adds exchanges, failures and untested operations of an event log to a part."""

    def __init__(
        self, part: Phase, session: Session, labels: Labels, operations: Iterable[Operation]
    ) -> None:
        self._part, self._checker, self._labels = part, session.checker, labels
        self._checks = SchemathesisChecks(session.checker, session.subject.mocked)
        self._operations = {str(operation): operation for operation in operations}
        self._tested: set[str] = set()
        self._unanswered: set[str] = set()

    def read(self, events: Path, untested: str) -> None:
        """Read a whole log; `untested` is the reason of operations without a request."""
        troubles: list[Trouble] = []
        for event in read_events(events):
            if isinstance(event, SentCase):
                self._add_case(event)
            else:
                troubles.append(event)
        for trouble in troubles:
            self._tested.add(trouble.operation)
            if trouble.kind not in _NO_ANSWER:
                self._part.skip(trouble.operation, _reason(trouble))
            elif trouble.operation in self._operations.keys() - self._unanswered or not self._unanswered:
                self._no_answer(trouble.operation)  # otherwise a request has already reported it
        for name in self._operations:
            if name not in self._tested:
                self._part.skip(name, untested)

    def _add_case(self, sent: SentCase) -> None:
        self._tested.add(sent.operation)
        if sent.exchange is None and not sent.failed:
            self._no_answer(sent.operation)
            return
        own_failures: list[Failure] = []
        if sent.exchange is not None:
            exchange = replace(sent.exchange, credential=self._labels.of(sent.exchange.request))
            sent = sent._replace(exchange=exchange)
            self._part.cases += 1
            self._part.exchanges.append(exchange)
            own_failures = self._checker.check(exchange)
        self._part.failures += own_failures
        self._part.failures += self._checks.failures(sent, {one.rule for one in own_failures})
        self._part.not_run += self._checks.disputes(sent)
        for check in sent.failed:
            if check.crashed:
                reason = f"the check {check.name} of Schemathesis crashed and has no result"
                self._part.skip(sent.operation, reason)

    def _no_answer(self, name: str) -> None:
        self._unanswered.add(name)
        operation = self._operations.get(name)
        about = name if operation else "the service"
        message = f"{about} sent no response: the connection failed or timed out; see its log for the cause"
        self._part.failures.append(no_answer(self._checker.contract, message, operation))


def _reason(trouble: Trouble) -> str:
    cause = trouble.message.splitlines()[0] if trouble.kind in _CONTRACT_ERRORS else trouble.kind
    return f"{trouble.phase or 'one phase'} of Schemathesis stopped: {cause}"


def _incomplete(report: dict[str, Any] | None, budget: Budget) -> Iterator[NotRun]:
    if report is None:
        killed = f"Schemathesis was killed after {budget.limit:.0f} seconds; use fewer examples"
        yield NotRun("the rest of the run", OUT_OF_TIME if budget.is_short else killed)
    elif report["stop_reason"] != "completed":
        reason = f"Schemathesis stopped early ({report['stop_reason'].replace('_', ' ')})"
        yield NotRun("the rest of the run", reason)


def _notes(report: dict[str, Any]) -> Iterator[str]:
    yield f"Schemathesis {report['schemathesis_version']}, seed {report['seed']}"
    for name, about in report["warnings"].items():
        if about:
            yield f"{_WARNINGS.get(name, name.replace('_', ' '))}: {', '.join(about)}"
