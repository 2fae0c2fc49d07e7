"""Check that paths and methods that are not in the contract are refused."""

from __future__ import annotations

from relay.contract.path_templates import encoded

from .conformance import ConformanceChecker
from .contract_rules import finding
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .results import Failure, Phase, grouped
from .sample_requests import is_unreachable
from .service_under_test import ServiceUnderTest
from .time_limit import UNLIMITED, TimeLimit

UNKNOWN = "/relay-contract/there-is-no-such-path"


def check_routing(
    subject: ServiceUnderTest, checker: ConformanceChecker, limit: TimeLimit = UNLIMITED
) -> Phase:
    """Request a path that does not exist, and each path with a method that it does not have.

    The unknown path is skipped if a path template of the contract matches it, or if only some operations
    are tested. The method is TRACE, which
    is safe (RFC 9110 section 9.2.1).
    """
    part = Phase("routing")
    paths = {
        encoded(operation.path): operation
        for operation in subject.contract.operations
        if operation.method != "trace" and "{" not in operation.path and not is_unreachable(operation)
    }
    with Client(part.name) as client:
        is_part = len(subject.contract.operations) < len(checker.contract.operations)
        is_known = is_part or checker.has_path(Request("GET", subject.url + UNKNOWN))
        for path in limit.within(
            part, [*([] if is_known else [UNKNOWN]), *paths], "an unknown method of {}".format
        ):
            request = Request("GET" if path == UNKNOWN else "TRACE", subject.url + path)
            part.cases += 1
            try:
                exchange = client.send(request)
            except NoAnswer as exc:
                message = f"{request.method} {path} gets no response ({exc})"
                part.failures.append(Failure(finding(subject.contract, "no-answer", ("paths",), message)))
                continue
            part.exchanges.append(exchange)
            part.failures += (
                _unknown(exchange, subject, checker) if path == UNKNOWN else checker.check(exchange)
            )
    part.failures = grouped(part.failures)
    return part


def _unknown(exchange: Exchange, subject: ServiceUnderTest, checker: ConformanceChecker) -> list[Failure]:
    if exchange.status < 400:
        message = f"a path that is not in the contract gets a {exchange.status}; respond with 404"
        found = finding(subject.contract, "undocumented-path", ("paths",), message)
        return [Failure(found, None, exchange, (404,))]
    return checker.check_unknown_path(exchange)
