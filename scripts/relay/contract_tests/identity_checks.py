"""The identity matrix: every secured operation, called as everybody who may and may not."""

from __future__ import annotations

from collections.abc import Mapping

from relay.contract.model import Operation

from .conformance import ConformanceChecker
from .contract_rules import LEAKS, finding
from .credential_matrix import LET_IN, Case, cases
from .credentials import Credentials
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .results import Failure, NotRun, Phase, grouped
from .service_under_test import ServiceUnderTest

MAX_SILENT = 3
"""How many requests an operation may leave without an answer before it is sent no more."""

_LIMITED = (
    "answered with 429, which says nothing of the credential; lift the service's limit while it is tested"
)


def check_identities(
    subject: ServiceUnderTest,
    credentials: Credentials,
    models: Mapping[str, Request],
    judge: ConformanceChecker,
) -> Phase:
    """Send every case of every secured operation; those that are to be let in come last, as they may change data.

    `models` are requests without credentials, by operation id.
    """
    part = Phase("identity", "cases")
    let_in: list[tuple[Operation, Case]] = []
    not_run: dict[NotRun, None] = {}
    with Client(part.name) as client:
        for operation in subject.contract.operations:
            if not any(operation.security):
                continue
            if operation.id not in models:
                reason = "no request could be made for it; give its parameters and body examples"
                not_run[NotRun(str(operation), reason)] = None
                continue
            for case in cases(operation, models[operation.id], subject, credentials):
                if isinstance(case, NotRun):
                    not_run[case] = None
                elif case.expected == LET_IN:
                    let_in.append((operation, case))
                else:
                    _send(part, client, operation, case, judge)
        for operation, case in let_in:
            _send(part, client, operation, case, judge)
    part.failures = grouped(part.failures)
    part.not_run = [*not_run, *part.not_run]
    return part


def _is_silent(part: Phase, operation: Operation) -> bool:
    """Whether an operation has let so many requests wait that the others would only take time."""
    silent = [
        one for one in part.failures if one.finding.rule == "no-answer" and one.operation == str(operation)
    ]
    return len(silent) >= MAX_SILENT


def _send(part: Phase, client: Client, operation: Operation, case: Case, judge: ConformanceChecker) -> None:
    if _is_silent(part, operation):
        part.not_run.append(NotRun(f"{operation}: {case.name}", "the operation does not answer"))
        return
    part.cases += 1
    exchange = None
    broken: tuple[str, str] | None
    try:
        exchange = client.send(case.request, case.name)
    except NoAnswer as exc:
        broken = "no-answer", f"{operation} did not answer ({exc}): {case.name}"
    else:
        part.exchanges.append(exchange)
        part.failures += _judged(exchange, case, judge)
        if exchange.status == 429:
            part.not_run.append(NotRun(f"{operation}: {case.name}", _LIMITED))
        broken = verdict(operation, case, exchange.status)
    if broken:
        rule, message = broken
        found = finding(judge.contract, rule, (*operation.pointer, "security"), message)
        part.failures.append(Failure(found, str(operation), exchange, case.expected))


def _judged(exchange: Exchange, case: Case, judge: ConformanceChecker) -> list[Failure]:
    """ConformanceChecker an answer; of a refusal that stands for 401, and may be a proxy's, only what it gives away."""
    failures = judge.judge(exchange)
    if exchange.status in case.expected[1:]:
        return [failure for failure in failures if failure.finding.rule in LEAKS]
    return failures


def verdict(operation: Operation, case: Case, status: int) -> tuple[str, str] | None:
    """Return the rule that an answer breaks, and how; None for an answer that is right."""
    if not case.expected:
        if status not in (401, 403):
            return None
        return "role-refused", f"{operation} refused with {status}: {case.name}; let it in"
    if status in case.expected or status == 429:
        return None
    wanted = case.expected[0]
    if status < 400:
        rule = "role-let-in" if wanted == 403 else "credential-accepted"
        return rule, f"{operation} let in: {case.name}; answer {wanted}"
    return "wrong-refusal", f"{operation} answered {status}: {case.name}; answer {wanted}"
