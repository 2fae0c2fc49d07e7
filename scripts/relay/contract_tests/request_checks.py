"""Parts of a run that send one request for each operation: unknown paths and methods, samples, provoked faults."""

from collections.abc import Mapping
from dataclasses import replace

from relay.contract.model import Operation
from relay.contract.path_templates import encoded

from .conformance import ConformanceChecker
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer, no_answer
from .results import Failure, Phase, grouped
from .sample_requests import is_unreachable, model_requests
from .service_under_test import MOCK, ServiceUnderTest
from .session import Session

UNKNOWN = "/relay-contract/there-is-no-such-path"


def check_routing(session: Session) -> Phase:
    """Request a path that does not exist, and each path with a method that it does not have.

    The unknown path is skipped if a path template of the contract matches it, or if only some operations
    are tested. The method is TRACE, which is safe (RFC 9110 section 9.2.1).
    """
    part = Phase("routing")
    subject, checker = session.subject, session.checker
    paths = dict.fromkeys(
        encoded(operation.path)
        for operation in subject.contract.operations
        if operation.method != "trace" and "{" not in operation.path and not is_unreachable(operation)
    )
    is_part = len(subject.contract.operations) < len(checker.contract.operations)
    is_known = is_part or checker.where(Request("GET", subject.url + UNKNOWN)) is not None
    requested = [*([] if is_known else [UNKNOWN]), *paths]
    with Client(part) as client:
        for path in session.limit.within(part, requested, "an unknown method of {}".format):
            request = Request("GET" if path == UNKNOWN else "TRACE", subject.url + path)
            try:
                exchange = client.send(request)
            except NoAnswer as exc:
                message = f"{request.method} {path} gets no response ({exc})"
                part.failures.append(no_answer(subject.contract, message))
                continue
            part.failures += _unknown(exchange, checker) if path == UNKNOWN else checker.check(exchange)
    part.failures = grouped(part.failures)
    return part


def _unknown(exchange: Exchange, checker: ConformanceChecker) -> list[Failure]:
    if exchange.status >= 400:
        return checker.check_unknown_path(exchange)
    message = f"a path that is not in the contract gets a {exchange.status}; respond with 404"
    place = checker.contract.place(("paths",))
    return [Failure(place, message, "undocumented-path", exchange=exchange, expected=(404,))]


def check_samples(part: Phase, session: Session) -> None:
    """Add to a part a sample request and its response for each operation that has no success in it.

    Schemathesis generates nothing valid for some contracts: for a pattern that it cannot read, for a file, or for
    a path that HTTP libraries normalize. An operation that did not answer at all is not requested again.
    """
    subject, checker = session.subject, session.checker
    successes = (checker.operation_of(one.request) for one in part.exchanges if 200 <= one.status < 300)
    succeeded = {operation.id for operation in successes if operation}
    unanswered = {one.operation for one in part.failures if one.rule == "no-answer"}
    missing = [
        one
        for one in subject.contract.operations
        if one.id not in succeeded and str(one) not in unanswered and not is_unreachable(one)
    ]
    samples = model_requests(subject.contract, subject.url, checker, part.exchanges) if missing else {}
    known = [operation for operation in missing if operation.id in samples]
    with Client(part) as client:
        for operation in session.limit.within(part, known, "a sample request of {}".format):
            sample = samples[operation.id]
            request = session.signed(sample, operation)
            if request is None:
                continue
            try:
                who = session.caller_of(operation).name if request is not sample else None
                part.failures += checker.check(client.send(request, who))
            except NoAnswer as exc:
                message = (
                    f"{operation} sends no response to a sample request ({exc}); see its log for the cause"
                )
                part.failures.append(no_answer(checker.contract, message, operation))
    part.failures = grouped(part.failures)


def check_faults(session: Session, copy: str | None, models: Mapping[str, Request]) -> Phase:
    """Send a valid request to each operation that documents a 500, on a copy of the service that fails.

    `copy` is the address of a copy of the service whose handlers fail. Without it no case can be run, as
    a service that was not started here cannot be made to fail. `models` are requests by operation id.
    """
    part, subject = Phase("faults"), session.subject
    documented = can_fail(subject)
    for operation in subject.contract.operations:
        if operation.response(500) and operation not in documented:
            part.skip(f"500 of {operation}", MOCK)
    if copy is None:
        reason = "only a service that is started here can be made to fail; omit --url, or waive this response"
        for operation in documented:
            part.skip(f"500 of {operation}", reason)
        return part
    with Client(part) as client:
        for operation in session.limit.within(part, documented, "500 of {}".format):
            model = models.get(operation.id)
            request = session.signed(model, operation) if model else None
            if request is None:
                reason = "no request can be built for it; add examples to its parameters, and an identity that may call it"
                part.skip(f"500 of {operation}", reason)
                continue
            moved = replace(request, url=copy + request.url.removeprefix(subject.url))
            try:
                who = session.caller_of(operation).name if operation.security else None
                part.failures += _failures_of_fault(client.send(moved, who), operation, session.checker)
            except NoAnswer as exc:
                message = f"{operation} sends no response ({exc}) when its handler fails"
                part.failures.append(no_answer(subject.contract, message, operation))
    return part


def can_fail(subject: ServiceUnderTest) -> list[Operation]:
    """Return the operations that document a 500 and have a handler, which can be made to fail."""
    return [
        operation
        for operation in subject.contract.operations
        if operation.response(500) and operation.id not in subject.mocked.operations
    ]


def _failures_of_fault(
    exchange: Exchange, operation: Operation, checker: ConformanceChecker
) -> list[Failure]:
    failures = checker.check(exchange)
    if exchange.status != 500:
        message = f"{operation} responds {exchange.status} when its handler fails; the contract documents 500"
        response = operation.response(500)
        place = checker.contract.place(response.pointer if response else operation.pointer)
        found = Failure(place, message, "wrong-fault-answer", operation=str(operation))
        failures.append(replace(found, exchange=exchange, expected=(500,)))
    return failures
