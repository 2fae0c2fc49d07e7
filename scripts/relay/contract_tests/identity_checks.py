"""The identity matrix: call every secured operation with all valid and invalid credentials."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from relay.contract.model import Operation

from .conformance import ConformanceChecker
from .contract_rules import LEAKS
from .credential_matrix import FORBIDDEN, LET_IN, Case, cases
from .exchanges import Request
from .http_client import Client, NoAnswer
from .results import OUT_OF_TIME, Failure, NotRun, Phase, grouped
from .session import Session

MAX_SILENT = 3  # the number of requests without a response after which an operation is skipped
_LIMITED = (
    "the service responded 429, which hides how it treats the credential; lift its rate limit for the test"
)


def check_identities(session: Session, models: Mapping[str, Request]) -> Phase:
    """Send every case of every secured operation; cases to be accepted come last, as they may change data.

    `models` are requests without credentials, by operation id.
    """
    part, limit = Phase("identity", "cases"), session.limit
    to_accept: list[tuple[Operation, Case]] = []
    not_run: list[NotRun] = []
    with Client(part) as client:
        matrix = _Matrix(part, client, session.checker)
        secured = [operation for operation in session.subject.contract.operations if any(operation.security)]
        for operation in limit.within(part, secured):
            if operation.id not in models:
                reason = "no request can be built for it; add examples to its parameters and body"
                not_run.append(NotRun(str(operation), reason))
                continue
            for case in cases(operation, models[operation.id], session.subject, session.credentials):
                if limit.is_over:
                    not_run.append(NotRun(str(operation), OUT_OF_TIME))
                    break
                if isinstance(case, NotRun):
                    not_run.append(case)
                elif case.expected == LET_IN:
                    to_accept.append((operation, case))
                else:
                    matrix.send(operation, case)
        for operation, case in limit.within(part, to_accept, lambda one: str(one[0])):
            matrix.send(operation, case)
    part.failures = grouped(part.failures)
    part.not_run = list(dict.fromkeys([*not_run, *part.not_run]))
    return part


class _Matrix:
    """Sends cases and adds the results to a part; an operation that is silent too often is skipped."""

    def __init__(self, part: Phase, client: Client, checker: ConformanceChecker) -> None:
        self._part, self._client, self._checker = part, client, checker
        self._silent: Counter[str] = Counter()

    def send(self, operation: Operation, case: Case) -> None:
        """Send a case and judge the response."""
        part, name = self._part, f"{operation}: {case.name}"
        if self._silent[operation.id] >= MAX_SILENT:
            part.skip(name, "the operation does not respond")
            return
        place = self._checker.contract.place((*operation.pointer, "security"))
        try:
            exchange = self._client.send(case.request, case.name)
        except NoAnswer as exc:
            self._silent[operation.id] += 1
            message = f"{operation} sent no response ({exc}): {case.name}"
            part.failures.append(Failure(place, message, "no-answer", operation=str(operation)))
            return
        failures = self._checker.check(exchange)
        # A refusal other than 401 may come from a proxy.
        is_proxy = exchange.status in case.expected[1:]
        part.failures += [one for one in failures if not is_proxy or one.rule in LEAKS]
        if exchange.status == 429:
            part.skip(name, _LIMITED)
        if case.expected == FORBIDDEN and self._checker.is_unwritten(exchange):
            part.skip(name, "the operation is not written yet")
        elif broken := verdict(operation, case, exchange.status):
            found = Failure(place, broken[1], broken[0], operation=str(operation))
            part.failures.append(replace(found, exchange=exchange, expected=case.expected))


def verdict(operation: Operation, case: Case, status: int) -> tuple[str, str] | None:
    """Return the rule that a response breaks, and a message; None for a correct response."""
    if not case.expected:
        is_refused = status in (401, 403)
        message = f"{operation} refused with {status}: {case.name}; accept it"
        return ("role-refused", message) if is_refused else None
    if status in case.expected or status == 429:
        return None
    wanted = case.expected[0]
    if status < 400:
        rule = "role-let-in" if wanted == 403 else "credential-accepted"
        return rule, f"{operation} accepted: {case.name}; respond with {wanted}"
    return "wrong-refusal", f"{operation} responded {status}: {case.name}; respond with {wanted}"
