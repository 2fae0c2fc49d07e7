"""Requests that Schemathesis makes up from the contract, whose answers we judge."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relay.contract.diagnostics import Diagnostic, SetupError

from . import schemathesis_process
from .conformance import ConformanceChecker
from .contract_config import FILE
from .contract_rules import finding
from .credential_labels import Labels
from .credentials import Credentials, signed_in
from .exchanges import Exchange, Request
from .results import Failure, NotRun, Phase, grouped
from .schemathesis_checks import SchemathesisChecks
from .schemathesis_events import PART, SentCase, Trouble, read_events
from .schemathesis_process import Budget
from .secret_spellings import Spellings
from .service_under_test import ServiceUnderTest

__all__ = ["Budget", "check_properties"]

_NO_ANSWER = frozenset(
    "ConnectionError ReadTimeout ConnectTimeout Timeout ChunkedEncodingError SSLError ContentDecodingError "
    "ServerUnavailable UnresponsiveOperationError UnhealthyAPIError".split()
)
# Their messages quote the contract and nothing that was sent.
_ABOUT_THE_CONTRACT = frozenset(
    "Unsatisfiable UnsupportedRegexPattern InvalidRegexPattern InvalidRegexType InvalidSchema "
    "SerializationNotPossible UnresolvableReference InfiniteRecursiveReference".split()
)
_WARNINGS = {
    "missing_auth": "nothing but 401 and 403 was answered, so that little was tested",
    "base_url_mismatch": "the address may lack the path that the contract's paths lie below",
    "missing_test_data": "hardly anything but 404 was answered; there may be no data to find",
    "validation_mismatch": "most of what the contract allows was refused; the service may ask for more than it says",
    "low_valid_rate": "little of what the contract allows was accepted; the service may ask for more than it says",
    "missing_deserializer": "Schemathesis cannot read a documented media type; its bodies have our judgement only",
    "unused_openapi_auth": "there is a credential for a scheme that no operation asks for",
    "unsupported_regex": "Schemathesis cannot make text for a pattern; examples would help",
    "method_not_allowed": "a documented method was answered with 405",
    "unresolvable_reference": "a $ref leads nowhere",
    "rate_limited": "hardly anything but 429 was answered, so that little was tested",
}


def check_properties(
    subject: ServiceUnderTest,
    credentials: Credentials,
    judge: ConformanceChecker,
    budget: Budget,
    progress: Callable[[int], None],
) -> Phase:
    """Run Schemathesis against a service, signed in as the default identity, and judge every exchange.

    `progress` is told the number of answers so far, a few times a second. Raises SetupError when
    Schemathesis does not run.
    """
    identity = credentials.default
    schemes = subject.contract.security_schemes
    values = {
        name: value
        for name, value in (credentials.of(identity) if identity else {}).items()
        if name in schemes
    }
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:  # 0700: the log has credentials
        folder = Path(temporary)
        code = schemathesis_process.run(folder, subject.contract, subject.url, values, budget, progress)
        report = _report(folder, code, values)
        reading = _Reading(judge, Labels(subject.contract, identity.name if identity else "", values))
        reading.read(folder / schemathesis_process.EVENTS)
    progress(len(reading.exchanges))
    not_run = [*_not_signed_in(subject, values), *reading.not_run, *_left_out(report, budget)]
    return Phase(
        PART,
        cases=len(reading.exchanges),
        failures=grouped(reading.failures),
        not_run=list(dict.fromkeys(not_run)),
        exchanges=reading.exchanges,
        notes=list(_notes(report)) if report else [],
    )


def _not_signed_in(subject: ServiceUnderTest, values: Mapping[str, str]) -> Iterator[NotRun]:
    for operation in subject.contract.operations:
        if signed_in(Request("GET", "/"), operation, subject.contract, values) is None:
            reason = (
                "tested only without a credential: no identity has what it asks for; set the key that tokens "
                f"are signed with, or name variables that hold credentials in {FILE}"
            )
            yield NotRun(str(operation), reason)


def _report(folder: Path, code: int | None, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Read the report; None when the run was ended before it was written. SetupError when it ended itself."""
    try:
        report: dict[str, Any] = json.loads((folder / schemathesis_process.REPORT).read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as exc:
        if code is None:
            return None
        raise SetupError([Diagnostic("schemathesis", _last_words(folder, code, values))]) from exc
    if not report["complete"] and report["stop_reason"] == "error":
        titles = ", ".join(error["title"] for error in report["errors"]) or "without a word"
        told = f"it stopped before its end ({titles}): {_last_words(folder, code, values)}"
        raise SetupError([Diagnostic("schemathesis", told)])
    return report


def _last_words(folder: Path, code: int | None, values: Mapping[str, str]) -> str:
    output = (folder / schemathesis_process.OUTPUT).read_bytes()
    lines = output.decode("utf-8", "replace").strip().splitlines()
    secrets = {part for value in values.values() for part in (value, *value.split(":", 1))}
    last = lines[-1].strip() if lines and not Spellings(secrets).are_in(output) else "it left no word"
    return f"it ended with {code}: {last}"


class _Reading:
    """What the log of a run comes to: exchanges, failures, what could not be tested."""

    def __init__(self, judge: ConformanceChecker, labels: Labels) -> None:
        self._judge = judge
        self._labels = labels
        self._opinions = SchemathesisChecks(judge)
        self._operations = {str(operation): operation for operation in judge.contract.operations}
        self._tried: set[str] = set()
        self._silent: set[str] = set()
        self._troubles: list[Trouble] = []
        self.exchanges: list[Exchange] = []
        self.failures: list[Failure] = []
        self.not_run: list[NotRun] = []

    def read(self, events: Path) -> None:
        """Take in a whole log."""
        for event in read_events(events):
            if isinstance(event, SentCase):
                self._take(event)
            else:
                self._troubles.append(event)
        for trouble in self._troubles:
            self._tried.add(trouble.operation)
            if trouble.kind not in _NO_ANSWER:
                self.not_run.append(NotRun(trouble.operation, _reason(trouble)))
            elif trouble.operation in self._operations.keys() - self._silent or not self._silent:
                self._no_answer(trouble.operation)  # else a request has told of it
        self.not_run += [
            NotRun(name, "Schemathesis sent no request to it; allow it more time")
            for name in self._operations
            if name not in self._tried
        ]

    def _take(self, sent: SentCase) -> None:
        self._tried.add(sent.operation)
        if sent.exchange is None and not sent.failed:
            self._no_answer(sent.operation)
            return
        ours: list[Failure] = []
        if sent.exchange is not None:
            exchange = replace(sent.exchange, credential=self._labels.of(sent.exchange.request))
            sent = replace(sent, exchange=exchange)
            self.exchanges.append(exchange)
            ours = self._judge.judge(exchange)
        self.failures += [*ours, *self._opinions.failures(sent, {one.finding.rule for one in ours})]
        for check in sent.failed:
            if check.crashed:
                reason = f"the check {check.name} of Schemathesis failed itself and tells nothing"
                self.not_run.append(NotRun(sent.operation, reason))

    def _no_answer(self, name: str) -> None:
        self._silent.add(name)
        operation = self._operations.get(name)
        pointer = operation.pointer if operation else ("paths",)
        about = name if operation else "the service"
        message = f"{about} gave no answer: the connection failed, or the time was over; find why in its log"
        found = finding(self._judge.contract, "no-answer", pointer, message)
        self.failures.append(Failure(found, name if operation else None))


def _reason(trouble: Trouble) -> str:
    told = trouble.message.splitlines()[0] if trouble.kind in _ABOUT_THE_CONTRACT else trouble.kind
    return f"{trouble.phase or 'one phase'} of Schemathesis could not go on: {told}"


def _left_out(report: dict[str, Any] | None, budget: Budget) -> Iterator[NotRun]:
    """Tell of a run that did not come to its end."""
    if report is None:
        reason = f"Schemathesis was ended after {budget.limit:.0f} seconds; allow fewer examples"
        yield NotRun("the rest of the run", reason)
    elif report["stop_reason"] not in ("completed", "max_time"):
        reason = f"Schemathesis stopped before its end ({report['stop_reason'].replace('_', ' ')})"
        yield NotRun("the rest of the run", reason)


def _notes(report: dict[str, Any]) -> Iterator[str]:
    """Say which version ran, and what it doubts."""
    yield f"Schemathesis {report['schemathesis_version']}, seed {report['seed']}"
    for name, about in report["warnings"].items():
        if about:
            yield f"{_WARNINGS.get(name, name.replace('_', ' '))}: {', '.join(about)}"
