"""Send a sample request to each operation that answered no generated request with a success."""

from __future__ import annotations

from relay.contract.model import Operation

from .callers import Callers
from .conformance import ConformanceChecker
from .contract_rules import finding
from .credentials import signed_in
from .exchanges import Request
from .http_client import Client, NoAnswer
from .results import Failure, Phase, grouped
from .sample_requests import is_unreachable, model_requests
from .service_under_test import ServiceUnderTest
from .time_limit import UNLIMITED, TimeLimit


def check_samples(
    part: Phase,
    subject: ServiceUnderTest,
    callers: Callers,
    checker: ConformanceChecker,
    limit: TimeLimit = UNLIMITED,
) -> None:
    """Add to a part a sample request and its response for each operation that has no success in it.

    Schemathesis generates nothing valid for some contracts: for a pattern that it cannot read, for a file, or for
    a path that HTTP libraries normalize. An operation that did not answer at all is not requested again.
    """
    missing = [one for one in _without_success(part, subject, checker) if not is_unreachable(one)]
    if not missing:
        return
    samples = model_requests(subject.contract, subject.url, checker, part.exchanges)
    known = [operation for operation in missing if operation.id in samples]
    with Client(part.name) as client:
        for operation in limit.within(part, known, "a sample request of {}".format):
            _check(part, client, operation, samples[operation.id], callers, checker)
    part.failures = grouped(part.failures)


def _without_success(part: Phase, subject: ServiceUnderTest, checker: ConformanceChecker) -> list[Operation]:
    successes = (checker.where(one) for one in part.exchanges if 200 <= one.status < 300)
    done = {where.operation.id for where in successes if where and where.operation}
    unanswered = {one.operation for one in part.failures if one.finding.rule == "no-answer"}
    return [one for one in subject.contract.operations if one.id not in done and str(one) not in unanswered]


def _check(
    part: Phase,
    client: Client,
    operation: Operation,
    sample: Request,
    callers: Callers,
    checker: ConformanceChecker,
) -> None:
    """Send a sample with a credential, if the operation requires one and there is one."""
    caller = callers.of(operation)
    request = signed_in(sample, operation, checker.contract, caller.values)
    if request is None:
        return
    part.cases += 1
    try:
        exchange = client.send(request, caller.name if request is not sample else None)
    except NoAnswer as exc:
        message = f"{operation} sends no response to a sample request ({exc}); see its log for the cause"
        found = finding(checker.contract, "no-answer", operation.pointer, message)
        part.failures.append(Failure(found, str(operation)))
        return
    part.exchanges.append(exchange)
    part.failures += checker.check(exchange)
