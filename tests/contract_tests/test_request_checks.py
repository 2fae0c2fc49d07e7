"""Unknown paths and methods, and sample requests: `scripts/relay/contract_tests/request_checks.py`."""

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.request_checks import UNKNOWN, check_routing, check_samples
from relay.contract_tests.results import OUT_OF_TIME, UNLIMITED, Failure, NotRun, Phase, TimeLimit
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest
from relay.contract_tests.session import Session
from support.answering import PreparedResponse, answering
from support.compiled import read
from support.hosting import contract, operation

ERROR = {"type": "object", "required": ["code"]}
REFUSED = {"description": "no", "content": {"application/json": {"schema": ERROR}}}
THINGS = {"/things": {"get": operation("list", responses={"200": {"description": "ok"}, "404": REFUSED})}}
NOT_FOUND = PreparedResponse(404, {"code": "NOT_FOUND"})
NOT_ALLOWED = PreparedResponse(405, {"code": "METHOD"}, headers=(("Allow", "GET"),))


def session(url, paths, limit=UNLIMITED, **rest):
    found = read(contract(paths, **rest))
    subject = ServiceUnderTest(url, found, Config(), ContractSettings())
    return Session(subject, ConformanceChecker(found, ""), limit)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("unknown", "other", "rules"),
    [
        (NOT_FOUND, NOT_ALLOWED, set()),
        (PreparedResponse(200, {}), NOT_ALLOWED, {"undocumented-path"}),
        # A proxy sends its own page, but every documented error is JSON.
        (PreparedResponse(404, b"<h1>Not found</h1>", "text/html"), NOT_ALLOWED, {"error-shape"}),
        (NOT_FOUND, PreparedResponse(200, {}), {"undocumented-method"}),
        (NOT_FOUND, NOT_ALLOWED._replace(headers=(("Allow", "POST"),)), {"incomplete-allow"}),
        (None, None, {"no-answer"}),
    ],
    ids=["correct", "a path", "a schema", "a method", "an incomplete Allow", "no response"],
)
def test_unknown_paths_and_methods_are_refused(unknown, other, rules):
    with answering(lambda asked: unknown if asked.path == UNKNOWN else other) as url:
        part = check_routing(session(url, THINGS))

    assert {failure.rule for failure in part.failures} == rules
    assert part.cases == 2
    sent = [(one.request.method, one.status) for one in part.exchanges]
    assert sent == ([("GET", unknown.status), ("TRACE", other.status)] if unknown else [])


def test_the_unknown_path_is_skipped_if_the_contract_matches_it():
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in ("owner", "repository")
    ]
    anything = {"/{owner}/{repository}": {"get": operation("show_anything", parameters=variables)}}

    with answering(lambda _asked: PreparedResponse(200, {})) as url:
        part = check_routing(session(url, anything))

    assert (part.failures, part.cases) == ([], 0)


PATHS = {
    "/things": {"get": operation("list_things")},
    "//things/new": {"get": operation("show_new")},
    "/rest?method=list": {"get": operation("rest")},
    "/closed": {"get": operation("closed", security=[{"key": []}])},
}
SCHEMES = {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}}
BOTH = ["/things", "//things/new"]


def sampled(answer, limit=UNLIMITED, *, status=404, unanswered=()):
    """Return the results of a service, which answered `GET /things` with a status before, and the paths that were sent."""
    with answering(lambda _asked: answer) as url:
        tested = session(url, PATHS, limit, components=SCHEMES)
        before = Exchange(Request("GET", f"{url}/things"), status, (), b"", "properties")
        failures = [Failure("api.yaml", "-", "no-answer", operation=about) for about in unanswered]
        part = Phase("properties", exchanges=[before], failures=failures)
        check_samples(part, tested)
    return part, [exchange.request.url.removeprefix(url) for exchange in part.exchanges[1:]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "paths"),
    [
        # None is sent where no request is possible, or no credential is known.
        ({}, BOTH),
        ({"status": 200}, ["//things/new"]),
        # The next request would take as long, and it is reported already.
        ({"unanswered": ["GET /things"]}, ["//things/new"]),
    ],
    ids=["no success", "a success", "no answer"],
)
def test_an_operation_without_a_success_gets_a_sample_request(given, paths):
    part, sent = sampled(PreparedResponse(200, {}), **given)

    assert (sent, part.cases) == (paths, len(paths))
    assert len(part.failures) == len(given.get("unanswered", []))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("answer", "rule"), [(PreparedResponse(201, {}), "undocumented-status"), (None, "no-answer")]
)
def test_the_response_to_a_sample_request_is_checked(answer, rule):
    part, _ = sampled(answer)

    found = {(failure.rule, failure.operation) for failure in part.failures}
    assert found == {(rule, "GET /things"), (rule, "GET //things/new")}


def test_what_the_time_does_not_allow_is_listed():
    """A run that was cut does not say that an operation never succeeds."""
    part, paths = sampled(PreparedResponse(200, {}), TimeLimit(0))

    assert paths == []
    assert NotRun("a sample request of GET /things", OUT_OF_TIME) in part.not_run
