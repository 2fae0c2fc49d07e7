"""Provoke internal errors, and check that the response is the documented 500 and leaks nothing."""

from __future__ import annotations

from collections.abc import Mapping

from relay.contract.model import Operation

from .callers import Callers
from .conformance import ConformanceChecker
from .contract_rules import finding
from .credentials import signed_in
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .mocked import MOCK
from .results import Failure, NotRun, Phase
from .service_under_test import ServiceUnderTest
from .time_limit import UNLIMITED, TimeLimit


def check_faults(
    subject: ServiceUnderTest,
    copy: str | None,
    callers: Callers,
    models: Mapping[str, Request],
    checker: ConformanceChecker,
    limit: TimeLimit = UNLIMITED,
) -> Phase:
    """Send a valid request to each operation that documents a 500, on a copy of the service that fails.

    `copy` is the address of a copy of the service whose handlers fail. Without it no case can be run, as
    a service that was not started here cannot be made to fail.
    """
    part = Phase("faults")
    documented = can_fail(subject)
    part.not_run = [
        NotRun(f"500 of {operation}", MOCK)
        for operation in subject.contract.operations
        if operation.response(500) and operation not in documented
    ]
    if copy is None:
        reason = "only a service that is started here can be made to fail; omit --url, or waive this response"
        part.not_run += [NotRun(f"500 of {operation}", reason) for operation in documented]
        return part
    with Client(part.name) as client:
        for operation in limit.within(part, documented, "500 of {}".format):
            model = models.get(operation.id)
            caller = callers.of(operation)
            request = signed_in(model, operation, subject.contract, caller.values) if model else None
            if request is None:
                reason = (
                    "no request can be built for it; add examples to its parameters, "
                    "and an identity that may call it"
                )
                part.not_run.append(NotRun(f"500 of {operation}", reason))
                continue
            part.cases += 1
            moved = Request(
                request.method,
                copy + request.url.removeprefix(subject.url),
                request.headers,
                request.body,
            )
            name = caller.name if operation.security else None
            try:
                exchange = client.send(moved, name)
            except NoAnswer as exc:
                message = f"{operation} sends no response ({exc}) when its handler fails"
                found = finding(subject.contract, "no-answer", operation.pointer, message)
                part.failures.append(Failure(found, str(operation)))
            else:
                part.exchanges.append(exchange)
                part.failures += _failures(exchange, operation, subject, checker)
    return part


def can_fail(subject: ServiceUnderTest) -> list[Operation]:
    """Return the operations that document a 500 and have a handler, which can be made to fail."""
    return [
        operation
        for operation in subject.contract.operations
        if operation.response(500) and operation.id not in subject.mocked.operations
    ]


def _failures(
    exchange: Exchange, operation: Operation, subject: ServiceUnderTest, checker: ConformanceChecker
) -> list[Failure]:
    failures = checker.check(exchange)
    if exchange.status != 500:
        message = f"{operation} responds {exchange.status} when its handler fails; the contract documents 500"
        response = operation.response(500)
        pointer = response.pointer if response else operation.pointer
        found = finding(subject.contract, "wrong-fault-answer", pointer, message)
        failures.append(Failure(found, str(operation), exchange, (500,)))
    return failures
