"""Send a sample request where no generated one succeeded: `scripts/relay/contract_tests/sample_checks.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relay.contract_tests.callers import Callers
from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.contract_rules import finding
from relay.contract_tests.credentials import Credentials
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.results import Failure, NotRun, Phase
from relay.contract_tests.sample_checks import check_samples
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest, load_strict_contract
from relay.contract_tests.time_limit import OUT_OF_TIME, UNLIMITED, TimeLimit
from support.answering import PreparedResponse, answering
from support.hosting import contract, operation

if TYPE_CHECKING:
    from pathlib import Path

PATHS = {
    "/things": {"get": operation("list_things")},
    "//things/new": {"get": operation("show_new")},
    "/rest?method=list": {"get": operation("rest")},
    "/closed": {"get": {**operation("closed"), "security": [{"key": []}]}},
}
SCHEMES = {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}


def checked(folder: Path, answer, limit=UNLIMITED, *, status=404, unanswered=()):
    """The results for a service with given responses, which answered `GET /things` with a status before."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(contract(PATHS, components={"securitySchemes": SCHEMES})), "utf-8")
    found = load_strict_contract(spec, Config())
    with answering(answer) as url:
        subject = ServiceUnderTest(url, found, Config(), ContractSettings())
        before = Exchange(Request("GET", f"{url}/things"), status, (), b"", "properties")
        failures = [Failure(finding(found, "no-answer", (), "-"), about) for about in unanswered]
        part = Phase("properties", exchanges=[before], failures=failures)
        callers = Callers(found, Credentials(subject))
        check_samples(part, subject, callers, ConformanceChecker(found, ""), limit)
    return part, [exchange.request.url.removeprefix(url) for exchange in part.exchanges[1:]]


def good(_asked):
    """A documented success."""
    return PreparedResponse(200, {})


def test_an_operation_without_a_success_gets_a_sample_request(tmp_path):
    """Its path is sent as it is written; none is sent where no request is possible, or no credential is known."""
    part, paths = checked(tmp_path, good)

    assert paths == ["/things", "//things/new"]
    assert (part.failures, part.cases) == ([], 2)


def test_an_operation_with_a_success_gets_none(tmp_path):
    """A generated request has shown that it works."""
    _, paths = checked(tmp_path, good, status=200)

    assert paths == ["//things/new"]


def test_the_response_is_checked(tmp_path):
    """A status that only a valid request gets may be undocumented."""
    part, _ = checked(tmp_path, lambda _asked: PreparedResponse(201, {}))

    assert [failure.finding.rule for failure in part.failures] == ["undocumented-status"] * 2


def test_an_operation_that_does_not_answer_gets_none(tmp_path):
    """The next request would take as long, and it is reported already."""
    _, paths = checked(tmp_path, good, unanswered=["GET /things"])

    assert paths == ["//things/new"]


def test_what_the_time_does_not_allow_is_listed(tmp_path):
    """A run that was cut does not say that an operation never succeeds."""
    part, paths = checked(tmp_path, good, TimeLimit(0))

    assert paths == []
    assert NotRun("a sample request of GET /things", OUT_OF_TIME) in part.not_run


def test_a_closed_connection_is_reported(tmp_path):
    """A valid request needs a response."""
    part, _ = checked(tmp_path, lambda _asked: None)

    assert {failure.operation for failure in part.failures} == {"GET /things", "GET //things/new"}
    assert {failure.finding.rule for failure in part.failures} == {"no-answer"}
