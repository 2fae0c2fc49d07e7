"""Failures inside, provoked: what the contract documents as 500 is seen to happen, and to tell nothing."""

from __future__ import annotations

from collections.abc import Mapping

from relay.contract.model import Operation

from .conformance import ConformanceChecker
from .contract_rules import finding
from .credentials import Credentials, signed_in
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .results import Failure, NotRun, Phase
from .service_under_test import ServiceUnderTest


def check_faults(
    subject: ServiceUnderTest,
    copy: str | None,
    credentials: Credentials,
    models: Mapping[str, Request],
    judge: ConformanceChecker,
) -> Phase:
    """Send each operation that documents a 500 a good request that ends in a failure.

    `copy` is the address of a copy of the service whose handlers fail. Without it, none of them can be run: somebody else's service cannot be made to fail.
    """
    part = Phase("faults")
    documented = [operation for operation in subject.contract.operations if operation.response(500)]
    if copy is None:
        reason = "only a service that is started here can be made to fail; leave --url out, or waive it"
        part.not_run = [NotRun(f"500 of {operation}", reason) for operation in documented]
        return part
    identity = credentials.default
    values = credentials.of(identity) if identity else {}
    with Client(part.name) as client:
        for operation in documented:
            model = models.get(operation.id)
            request = signed_in(model, operation, subject.contract, values) if model else None
            if request is None:
                reason = "no request for it can be made; give its parameters examples, and an identity that may call it"
                part.not_run.append(NotRun(f"500 of {operation}", reason))
                continue
            part.cases += 1
            moved = Request(
                request.method,
                copy + request.url.removeprefix(subject.url),
                request.headers,
                request.body,
            )
            name = identity.name if identity and operation.security else None
            try:
                exchange = client.send(moved, name)
            except NoAnswer as exc:
                message = f"{operation} gives no answer ({exc}) when its handler fails"
                told = finding(subject.contract, "no-answer", operation.pointer, message)
                part.failures.append(Failure(told, str(operation)))
            else:
                part.exchanges.append(exchange)
                part.failures += _failures(exchange, operation, subject, judge)
    return part


def _failures(
    exchange: Exchange, operation: Operation, subject: ServiceUnderTest, judge: ConformanceChecker
) -> list[Failure]:
    failures = judge.judge(exchange)
    if exchange.status != 500:
        message = f"{operation} answers {exchange.status} when its handler fails; the contract documents 500"
        response = operation.response(500)
        pointer = response.pointer if response else operation.pointer
        told = finding(subject.contract, "wrong-fault-answer", pointer, message)
        failures.append(Failure(told, str(operation), exchange, (500,)))
    return failures
