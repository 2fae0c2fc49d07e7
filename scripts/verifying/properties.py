"""Requests that Schemathesis makes up from the contract, whose answers we judge."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from handlers._host.problems import Problem, SetupError

from . import schemathesis_process
from .config import FILE
from .credentials import Credentials, carrying, signed_in
from .exchanges import Request
from .judging import Judge
from .results import Failure, NotRun, Part, grouped
from .rules import finding
from .schemathesis_events import PART, Trouble, read_events
from .schemathesis_process import Budget
from .second_opinions import SecondOpinions
from .spellings import Spellings
from .subject import Subject

__all__ = ["Budget", "check_properties"]

WRONG_CREDENTIAL = "a wrong credential"

_NO_ANSWER = frozenset(
    "ConnectionError ReadTimeout ConnectTimeout Timeout ChunkedEncodingError SSLError ContentDecodingError "
    "InvalidHeader ServerUnavailable UnresponsiveOperationError UnhealthyAPIError".split()
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
    subject: Subject,
    credentials: Credentials,
    judge: Judge,
    budget: Budget,
    progress: Callable[[int], None],
) -> Part:
    """Run Schemathesis against a service, signed in as the default identity, and judge every exchange.

    `progress` is told the number of answers so far, a few times a second. Raises SetupError when
    Schemathesis does not run.
    """
    started = time.monotonic()
    part = Part(PART)
    identity = credentials.default
    schemes = subject.contract.security_schemes
    values = {
        name: value
        for name, value in (credentials.of(identity) if identity else {}).items()
        if name in schemes
    }
    part.not_run.extend(_not_signed_in(subject, values))
    with tempfile.TemporaryDirectory(prefix="relay-") as temporary:  # 0700: the log has credentials
        folder = Path(temporary)
        code = schemathesis_process.run(folder, subject.contract, subject.url, values, budget, progress)
        report = _report(folder, code, values)
        labels = Labels(subject, identity.name if identity else "", values)
        _read(folder / schemathesis_process.EVENTS, part, judge, labels)
    progress(len(part.exchanges))
    _conclude(part, report, judge, budget)
    part.cases = len(part.exchanges)
    part.seconds = time.monotonic() - started
    return part


class Labels:
    """Says what requests were signed in with: the default identity's credentials, others, none."""

    def __init__(self, subject: Subject, name: str, values: Mapping[str, str]) -> None:
        self._name = name
        self._right: dict[tuple[str, str], set[str]] = {}
        for scheme_name, scheme in subject.contract.security_schemes.items():
            right = self._right.setdefault(_spot(scheme), set())
            if scheme_name in values:
                signed = carrying(Request("GET", "/"), scheme, values[scheme_name])
                right.add(_carried(signed, _spot(scheme)) or "")

    def of(self, request: Request) -> str | None:
        """Return the name of the identity, WRONG_CREDENTIAL, or None where nothing is carried."""
        carried = {spot: _carried(request, spot) for spot in self._right}
        found = {spot: value for spot, value in carried.items() if value is not None}
        if not found:
            return None
        return (
            self._name
            if all(value in self._right[spot] for spot, value in found.items())
            else WRONG_CREDENTIAL
        )


def _spot(scheme: Mapping[str, Any]) -> tuple[str, str]:
    """Return where a scheme has its credential: a location, and a name there."""
    if scheme["type"] != "apiKey":
        return "header", "authorization"
    return scheme["in"], scheme["name"].lower() if scheme["in"] == "header" else scheme["name"]


def _carried(request: Request, spot: tuple[str, str]) -> str | None:
    location, name = spot
    if location == "query":
        pairs = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    else:
        pairs = [(header.lower(), value) for header, value in request.headers]
    if location == "cookie":
        text = "; ".join(value for header, value in pairs if header == "cookie")
        pairs = [(key.strip(), value) for key, _, value in (one.partition("=") for one in text.split(";"))]
    return dict(pairs).get(name)


def _not_signed_in(subject: Subject, values: Mapping[str, str]) -> Iterator[NotRun]:
    for operation in subject.contract.operations:
        if signed_in(Request("GET", "/"), operation, subject.contract, values) is None:
            reason = (
                "signed in: no identity has the credentials it asks for; set the key that tokens are signed "
                f"with, or name variables that hold them in {FILE}"
            )
            yield NotRun(str(operation), reason)


def _report(folder: Path, code: int | None, values: Mapping[str, str]) -> dict[str, Any] | None:
    """Read the report; None when the run was ended before it was written. SetupError when it ended itself."""
    try:
        report: dict[str, Any] = json.loads((folder / schemathesis_process.REPORT).read_text("utf-8"))
    except (OSError, json.JSONDecodeError) as exc:
        if code is None:
            return None
        raise SetupError([Problem("schemathesis", _last_words(folder, code, values))]) from exc
    if not report["complete"] and report["stop_reason"] == "error":
        titles = ", ".join(error["title"] for error in report["errors"]) or "without a word"
        told = f"it stopped before its end ({titles}): {_last_words(folder, code, values)}"
        raise SetupError([Problem("schemathesis", told)])
    return report


def _last_words(folder: Path, code: int | None, values: Mapping[str, str]) -> str:
    output = (folder / schemathesis_process.OUTPUT).read_bytes()
    lines = output.decode("utf-8", "replace").strip().splitlines()
    last = lines[-1] if lines and not Spellings(values.values()).are_in(output) else "it left no word"
    return f"it ended with {code}: {last}"


def _read(events: Path, part: Part, judge: Judge, labels: Labels) -> None:
    """Judge what was exchanged; write down what failed and what could not be tested."""
    opinions = SecondOpinions(judge.contract, judge)
    operations = {str(operation): operation for operation in judge.contract.operations}
    failures: list[Failure] = []

    def no_answer(about: str) -> Failure:
        operation = operations.get(about)
        pointer = operation.pointer if operation else ("paths",)
        message = (
            f"{about} gave no answer: the connection was closed, or the time was over; find why in its log"
        )
        return Failure(finding(judge.contract, "no-answer", pointer, message), about if operation else None)

    troubles: dict[Trouble, None] = {}
    for event in read_events(events):
        if isinstance(event, Trouble):
            troubles[event] = None
            continue
        if event.exchange is None and not event.failed:
            failures.append(no_answer(event.operation))
            continue
        sent = event
        ours: list[Failure] = []
        if event.exchange is not None:
            exchange = replace(event.exchange, credential=labels.of(event.exchange.request))
            part.exchanges.append(exchange)
            sent = replace(event, exchange=exchange)
            ours = judge.judge(exchange)
        failures += [*ours, *opinions.failures(sent, {one.finding.rule for one in ours})]
        part.not_run += [
            NotRun(sent.operation, f"the check {check.name} of Schemathesis failed itself; it tells nothing")
            for check in sent.failed
            if check.crashed
        ]
    told = {failure.operation for failure in failures if failure.finding.rule == "no-answer"}
    for trouble in troubles:
        if trouble.kind not in _NO_ANSWER:
            part.not_run.append(NotRun(trouble.operation, _reason(trouble)))
        elif trouble.operation not in told:
            failures.append(no_answer(trouble.operation))
    part.failures = grouped(failures)


def _reason(trouble: Trouble) -> str:
    told = trouble.message.splitlines()[0] if trouble.kind in _ABOUT_THE_CONTRACT else trouble.kind
    return f"{trouble.phase or 'one phase'} of Schemathesis could not go on: {told}"


def _conclude(part: Part, report: dict[str, Any] | None, judge: Judge, budget: Budget) -> None:
    """Write down which version ran, its doubts, and what it left out."""
    part.not_run = list(dict.fromkeys(part.not_run))
    seen = {where.operation.id for one in part.exchanges if (where := judge.where(one)) and where.operation}
    silent = {failure.operation for failure in part.failures if failure.finding.rule == "no-answer"}
    told = {case for case, _ in part.not_run}
    for operation in judge.contract.operations:
        if operation.id not in seen and str(operation) not in silent | told:
            part.not_run.append(
                NotRun(str(operation), "Schemathesis sent no request to it; allow it more time")
            )
    if report is None:
        reason = f"Schemathesis was ended after {budget.limit:.0f} seconds; allow fewer examples"
        part.not_run.append(NotRun("the rest of the run", reason))
        return
    part.notes.append(f"Schemathesis {report['schemathesis_version']}, seed {report['seed']}")
    if report["stop_reason"] not in ("completed", "max_time"):
        reason = f"Schemathesis stopped before its end ({report['stop_reason'].replace('_', ' ')})"
        part.not_run.append(NotRun("the rest of the run", reason))
    for name, about in report["warnings"].items():
        if about:
            part.notes.append(f"{_WARNINGS.get(name, name.replace('_', ' '))}: {', '.join(about)}")
