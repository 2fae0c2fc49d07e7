"""What a contract does not have, asked for: `scripts/relay/contract_tests/routing_checks.py`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from relay.contract_tests.conformance import ConformanceChecker
from relay.contract_tests.contract_config import Config
from relay.contract_tests.routing_checks import UNKNOWN, check_routing
from relay.contract_tests.service_under_test import ContractSettings, ServiceUnderTest, load_strict_contract
from support.answering import Told, answering
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
    """The part, against a service whose answers are made up."""
    spec = folder / "openapi.json"
    spec.write_text(json.dumps(contract(paths)), "utf-8")
    found = load_strict_contract(spec, Config())
    with answering(answer) as url:
        subject = ServiceUnderTest(url, found, Config(), ContractSettings())
        return check_routing(subject, ConformanceChecker(found, ""))


def refusing(asked, **changed):
    """Answer as a good service does: 404 for what is unknown, 405 for another method."""
    if asked.path == UNKNOWN:
        return Told(404, {"code": "NOT_FOUND"})
    return Told(405, {"code": "METHOD"}, headers=(("Allow", "GET"),))


def rules(part):
    """The rules that were broken."""
    return {failure.finding.rule for failure in part.failures}


def test_a_service_that_refuses_what_is_not_there_holds(tmp_path):
    """An unknown path, and a method that the path does not have."""
    part = checked(tmp_path, refusing)

    assert part.held
    assert [(one.request.method, one.status) for one in part.exchanges] == [("GET", 404), ("TRACE", 405)]


def test_tells_of_a_path_that_should_not_be_there(tmp_path):
    """A catch-all answers what no contract describes."""
    part = checked(tmp_path, lambda asked: Told(200, {}) if asked.path == UNKNOWN else refusing(asked))

    assert rules(part) == {"undocumented-path"}


def test_tells_of_a_refusal_in_another_shape(tmp_path):
    """A proxy's own page, where every documented failure is JSON."""
    page = Told(404, b"<h1>Not found</h1>", "text/html")

    part = checked(tmp_path, lambda asked: page if asked.path == UNKNOWN else refusing(asked))

    assert rules(part) == {"error-shape"}


def test_tells_of_a_method_that_should_not_be_there(tmp_path):
    """Whatever runs, the contract does not describe it."""
    part = checked(tmp_path, lambda asked: refusing(asked) if asked.path == UNKNOWN else Told(200, {}))

    assert rules(part) == {"undocumented-method"}


def test_tells_of_an_incomplete_allow(tmp_path):
    """It must list what the path has (RFC 9110 section 15.5.6)."""
    short = Told(405, {"code": "METHOD"}, headers=(("Allow", "POST"),))

    part = checked(tmp_path, lambda asked: refusing(asked) if asked.path == UNKNOWN else short)

    assert rules(part) == {"incomplete-allow"}


def test_tells_of_no_answer(tmp_path):
    """A closed connection is none of the documented answers."""
    part = checked(tmp_path, lambda _asked: None)

    assert rules(part) == {"no-answer"}
    assert part.exchanges == []


def test_a_path_for_anything_leaves_none_unknown(tmp_path):
    """What the contract has may be found."""
    names = ("owner", "repository")
    variables = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    anything = {"/{owner}/{repository}": {"get": operation("show_anything", parameters=variables)}}

    part = checked(tmp_path, lambda _asked: Told(200, {}), anything)

    assert (part.failures, part.cases) == ([], 0)
