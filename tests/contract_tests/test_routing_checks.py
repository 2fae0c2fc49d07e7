"""Check paths and methods that are not in the contract: `scripts/relay/contract_tests/routing_checks.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.routing_checks import UNKNOWN, check_routing
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest, load_strict_contract
from support.answering import PreparedResponse, answering
from support.hosting import contract, operation

if TYPE_CHECKING:
    from pathlib import Path

ERROR = {"type": "object", "required": ["code"]}
REFUSED = {"description": "no", "content": {"application/json": {"schema": ERROR}}}
PATHS = {
    "/things": {
        "get": {**operation("list_things"), "responses": {"200": {"description": "ok"}, "404": REFUSED}}
    }
}


def checked(folder: Path, answer, paths=PATHS):
    """The results for a service with given responses."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(contract(paths)), "utf-8")
    found = load_strict_contract(spec, Config())
    with answering(answer) as url:
        subject = ServiceUnderTest(url, found, Config(), ContractSettings())
        return check_routing(subject, ConformanceChecker(found, ""))


def refusing(asked, **changed):
    """Respond like a correct service: 404 for unknown paths, 405 for other methods."""
    if asked.path == UNKNOWN:
        return PreparedResponse(404, {"code": "NOT_FOUND"})
    return PreparedResponse(405, {"code": "METHOD"}, headers=(("Allow", "GET"),))


def rules(part):
    """The rules that were violated."""
    return {failure.finding.rule for failure in part.failures}


def test_a_service_that_refuses_unknown_paths_and_methods_has_no_failures(tmp_path):
    """An unknown path, and a method that the path does not have."""
    part = checked(tmp_path, refusing)

    assert part.held
    assert [(one.request.method, one.status) for one in part.exchanges] == [("GET", 404), ("TRACE", 405)]


def test_reports_a_path_that_is_not_in_the_contract(tmp_path):
    """A catch-all route responds to any path."""
    part = checked(
        tmp_path, lambda asked: PreparedResponse(200, {}) if asked.path == UNKNOWN else refusing(asked)
    )

    assert rules(part) == {"undocumented-path"}


def test_reports_an_error_with_another_schema(tmp_path):
    """A proxy sends its own page, but every documented error is JSON."""
    page = PreparedResponse(404, b"<h1>Not found</h1>", "text/html")

    part = checked(tmp_path, lambda asked: page if asked.path == UNKNOWN else refusing(asked))

    assert rules(part) == {"error-shape"}


def test_reports_a_method_that_is_not_in_the_contract(tmp_path):
    """The contract does not describe it."""
    part = checked(
        tmp_path, lambda asked: refusing(asked) if asked.path == UNKNOWN else PreparedResponse(200, {})
    )

    assert rules(part) == {"undocumented-method"}


def test_reports_an_incomplete_allow(tmp_path):
    """It must list the path's methods (RFC 9110 section 15.5.6)."""
    short = PreparedResponse(405, {"code": "METHOD"}, headers=(("Allow", "POST"),))

    part = checked(tmp_path, lambda asked: refusing(asked) if asked.path == UNKNOWN else short)

    assert rules(part) == {"incomplete-allow"}


def test_reports_a_missing_response(tmp_path):
    """A closed connection is not a documented response."""
    part = checked(tmp_path, lambda _asked: None)

    assert rules(part) == {"no-answer"}
    assert part.exchanges == []


def test_the_unknown_path_is_skipped_if_the_contract_matches_it(tmp_path):
    """A path template of the contract may match any path."""
    names = ("owner", "repository")
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    anything = {"/{owner}/{repository}": {"get": operation("show_anything", parameters=variables)}}

    part = checked(tmp_path, lambda _asked: PreparedResponse(200, {}), anything)

    assert (part.failures, part.cases) == ([], 0)
