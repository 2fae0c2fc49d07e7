"""Which failures of Schemathesis are failures of the service: `relay.contract_tests.schemathesis_checks`."""

from __future__ import annotations

import pytest

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.schemathesis_checks import SchemathesisChecks
from relay.contract_tests.schemathesis_events import FailedCheck, SentCase
from support.compiled import read
from support.hosting import contract, operation

VARIABLE = {"in": "path", "required": True, "schema": {"type": "string"}}
CHECKER = ConformanceChecker(
    read(
        contract(
            {
                "/plain": {"get": operation("plain")},
                "/x/{id}": {"get": operation("one", parameters=[{"name": "id", **VARIABLE}])},
                "/x/{key}": {"put": operation("two", parameters=[{"name": "key", **VARIABLE}])},
                "/list#a": {"get": operation("three")},
                "/list#b": {"put": operation("four")},
                "/many#a": {"get": operation("five")},
                "/many#b": {"get": operation("six")},
                "//twice": {"get": operation("seven")},
            }
        )
    ),
    "",
)


@pytest.mark.parametrize(
    ("about", "method", "path", "status", "is_reported"),
    [
        ("GET /plain", "PUT", "/plain", 404, True),
        ("GET /x/{id}", "PUT", "/x/7", 200, False),
        ("GET /x/{id}", "OPTIONS", "/x/7", 405, False),
        ("GET /list#a", "PUT", "/list", 200, False),
        ("GET /many#a", "PUT", "/many", 404, False),
        ("GET //twice", "PUT", "/twice", 404, False),
        ("GET //twice", "PUT", "//twice", 404, True),
    ],
)
@pytest.mark.parametrize("check", ["unsupported_method", "allow_header_conformance"])
def test_methods_are_judged_by_paths_that_match_the_same_requests(
    check, about, method, path, status, is_reported
):
    """Schemathesis takes `/x/{id}` and `/x/{key}` for two paths, and sends `/list#a` without its fragment."""
    request = Request(method, f"http://x{path}")
    exchange = Exchange(request, status, (("Allow", "GET, PUT"),), b"", "property tests")
    sent = SentCase(about, exchange, (FailedCheck(check),))

    failures = SchemathesisChecks(CHECKER).failures(sent, ())

    assert bool(failures) is is_reported


MISSING = {**operation("missing"), "requestBody": {"$ref": "#/components/requestBodies/Missing"}}
PARTIAL = ConformanceChecker(
    read(
        contract(
            {
                "/trams": {"get": operation("list"), "put": MISSING},
                "/depots": {"get": {**MISSING, "operationId": "depots"}},
            }
        )
    ),
    "",
)


@pytest.mark.parametrize(
    ("method", "path", "status", "checks"),
    [
        ("PUT", "/trams", 501, ["not_a_server_error", "unsupported_method"]),
        ("OPTIONS", "/trams", 405, ["allow_header_conformance", "unsupported_method"]),
        ("GET", "/depots", 501, ["not_a_server_error"]),
    ],
)
def test_nothing_is_expected_of_an_operation_that_is_left_out(method, path, status, checks):
    """Its errors are in the contract, so it is answered with 501; Schemathesis believes that it does not exist."""
    exchange = Exchange(
        Request(method, f"http://x{path}"), status, (("Allow", "GET, PUT"),), b"", "properties"
    )
    sent = SentCase("GET /trams", exchange, tuple(map(FailedCheck, checks)))

    assert PARTIAL.contract.left_out
    assert PARTIAL.check(exchange) == []
    assert SchemathesisChecks(PARTIAL).failures(sent, ()) == []


@pytest.mark.parametrize("path", ["/trams", "/depots"])
def test_an_undocumented_method_of_a_path_with_an_operation_that_is_left_out_is_reported(path):
    """What is left out excuses only requests to it."""
    exchange = Exchange(Request("DELETE", f"http://x{path}"), 200, (), b"", "properties")

    assert [failure.finding.rule for failure in PARTIAL.check(exchange)] == ["undocumented-method"]
