"""What the contract does not have: paths that must not be found, methods that must be refused."""

from __future__ import annotations

from .conformance import ConformanceChecker
from .contract_rules import finding
from .exchanges import Exchange, Request
from .http_client import Client, NoAnswer
from .results import Failure, Phase, grouped
from .service_under_test import ServiceUnderTest

UNKNOWN = "/relay-contract/there-is-no-such-path"


def check_routing(subject: ServiceUnderTest, judge: ConformanceChecker) -> Phase:
    """Ask for a path that does not exist, and each path with a method that it does not have.

    A contract may have a path for whatever is asked, and then none is unknown. The method is TRACE, which
    changes nothing anywhere (RFC 9110 section 9.2.1).
    """
    part = Phase("routing")
    paths = {
        operation.path: operation
        for operation in subject.contract.operations
        if operation.method != "trace" and "{" not in operation.path
    }
    with Client(part.name) as client:
        unknown = [] if judge.knows(Request("GET", subject.url + UNKNOWN)) else [UNKNOWN]
        for path in [*unknown, *paths]:
            request = Request("GET" if path == UNKNOWN else "TRACE", subject.url + path)
            part.cases += 1
            try:
                exchange = client.send(request)
            except NoAnswer as exc:
                told = f"{request.method} {path} gives no answer ({exc})"
                part.failures.append(Failure(finding(subject.contract, "no-answer", ("paths",), told)))
                continue
            part.exchanges.append(exchange)
            part.failures += _unknown(exchange, subject, judge) if path == UNKNOWN else judge.judge(exchange)
    part.failures = grouped(part.failures)
    return part


def _unknown(exchange: Exchange, subject: ServiceUnderTest, judge: ConformanceChecker) -> list[Failure]:
    if exchange.status < 400:
        message = f"a path that the contract does not have is answered with {exchange.status}; answer 404"
        told = finding(subject.contract, "undocumented-path", ("paths",), message)
        return [Failure(told, None, exchange, (404,))]
    return judge.judge_outside(exchange)
