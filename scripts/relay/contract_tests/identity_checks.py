"""The identity matrix: call every secured operation with all valid and invalid credentials."""

from __future__ import annotations

from collections.abc import Mapping

from relay.contract.model import Operation

from .conformance import ConformanceChecker
from .contract_rules import LEAKS, finding
from .credential_matrix import FORBIDDEN, LET_IN, Case, cases
from .credentials import Credentials
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .results import Failure, NotRun, Phase, grouped
from .service_under_test import ServiceUnderTest
from .time_limit import OUT_OF_TIME, UNLIMITED, TimeLimit

MAX_SILENT = 3
"""The number of requests without a response after which an operation is skipped."""

_LIMITED = (
    "the service responded 429, which hides how it treats the credential; lift its rate limit for the test"
)


def check_identities(
    subject: ServiceUnderTest,
    credentials: Credentials,
    models: Mapping[str, Request],
    checker: ConformanceChecker,
    limit: TimeLimit = UNLIMITED,
) -> Phase:
    """Send every case of every secured operation; cases to be accepted come last, as they may change data.

    `models` are requests without credentials, by operation id.
    """
    part = Phase("identity", "cases")
    to_accept: list[tuple[Operation, Case]] = []
    not_run: dict[NotRun, None] = {}
    with Client(part.name) as client:
        secured = [operation for operation in subject.contract.operations if any(operation.security)]
        for operation in limit.within(part, secured):
            if operation.id not in models:
                reason = "no request can be built for it; add examples to its parameters and body"
                not_run[NotRun(str(operation), reason)] = None
                continue
            for case in cases(operation, models[operation.id], subject, credentials):
                if limit.is_over:
                    not_run[NotRun(str(operation), OUT_OF_TIME)] = None
                    break
                if isinstance(case, NotRun):
                    not_run[case] = None
                elif case.expected == LET_IN:
                    to_accept.append((operation, case))
                else:
                    _send(part, client, operation, case, checker)
        for operation, case in limit.within(part, to_accept, lambda one: str(one[0])):
            _send(part, client, operation, case, checker)
    part.failures = grouped(part.failures)
    part.not_run = list(dict.fromkeys([*not_run, *part.not_run]))
    return part


def _is_silent(part: Phase, operation: Operation) -> bool:
    """Whether so many requests of an operation had no response that the other cases are skipped."""
    silent = [
        one for one in part.failures if one.finding.rule == "no-answer" and one.operation == str(operation)
    ]
    return len(silent) >= MAX_SILENT


def _send(part: Phase, client: Client, operation: Operation, case: Case, checker: ConformanceChecker) -> None:
    if _is_silent(part, operation):
        part.not_run.append(NotRun(f"{operation}: {case.name}", "the operation does not respond"))
        return
    part.cases += 1
    exchange = None
    broken: tuple[str, str] | None = None
    try:
        exchange = client.send(case.request, case.name)
    except NoAnswer as exc:
        broken = "no-answer", f"{operation} sent no response ({exc}): {case.name}"
    else:
        part.exchanges.append(exchange)
        part.failures += _checked(exchange, case, checker)
        if exchange.status == 429:
            part.not_run.append(NotRun(f"{operation}: {case.name}", _LIMITED))
        if case.expected == FORBIDDEN and checker.is_unwritten(exchange):
            part.not_run.append(NotRun(f"{operation}: {case.name}", "the operation is not written yet"))
        else:
            broken = verdict(operation, case, exchange.status)
    if broken:
        rule, message = broken
        found = finding(checker.contract, rule, (*operation.pointer, "security"), message)
        part.failures.append(Failure(found, str(operation), exchange, case.expected))


def _checked(exchange: Exchange, case: Case, checker: ConformanceChecker) -> list[Failure]:
    """Check a response; in a refusal other than 401, which may come from a proxy, only look for leaks."""
    failures = checker.check(exchange)
    if exchange.status in case.expected[1:]:
        return [failure for failure in failures if failure.finding.rule in LEAKS]
    return failures


def verdict(operation: Operation, case: Case, status: int) -> tuple[str, str] | None:
    """Return the rule that a response breaks, and a message; None for a correct response."""
    if not case.expected:
        if status not in (401, 403):
            return None
        return "role-refused", f"{operation} refused with {status}: {case.name}; accept it"
    if status in case.expected or status == 429:
        return None
    wanted = case.expected[0]
    if status < 400:
        rule = "role-let-in" if wanted == 403 else "credential-accepted"
        return rule, f"{operation} accepted: {case.name}; respond with {wanted}"
    return "wrong-refusal", f"{operation} responded {status}: {case.name}; respond with {wanted}"
