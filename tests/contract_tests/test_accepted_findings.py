"""Accepted findings: `scripts/relay/contract_tests/accepted_findings.py`."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from relay.contract.diagnostics import Diagnostic, Severity, SourceLocation
from relay.contract.documents import read_document
from relay.contract.loading import load_contract
from relay.contract_tests.accepted_findings import Acceptance
from relay.contract_tests.contract_config import Accepted, read_config
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.results import Failure
from support.hosting import contract, operation

THEN = datetime(2026, 1, 1, tzinfo=UTC)
HERE = SourceLocation("contract.yaml", 1, 1)


@pytest.fixture
def loaded(tmp_path):
    """A contract with two operations."""
    file = tmp_path / "api.json"
    file.write_text(
        json.dumps(contract({"/a": {"get": operation("show"), "put": operation("keep")}})), "utf-8"
    )
    return load_contract(file)


def failure(rule="credential-accepted", about="GET /a", credential="token of admin without exp", message="x"):
    """A failure shown by a request with a credential."""
    exchange = Exchange(Request("GET", "http://t/a"), 200, (), b"", "identity", credential, started=THEN)
    return Failure(Diagnostic(HERE, message, rule, Severity.ERROR), about, exchange)


def accepted(rule="credential-accepted", about=None, case=None):
    """An entry of the configuration."""
    return Accepted(rule, about, case, "our policy", HERE)


def test_an_accepted_finding_is_a_note_with_its_reason(loaded):
    """It stays in the report."""
    (settled,) = Acceptance([accepted()], loaded).settle([failure()])

    assert settled.finding.severity is Severity.INFO
    assert settled.finding.message == "x (accepted: our policy)"


@pytest.mark.parametrize(
    "entry",
    [
        accepted("wrong-refusal"),
        accepted(about="keep"),
        accepted(case="token of * without sub"),
        accepted(case="expired*"),
    ],
)
def test_an_entry_accepts_nothing_else(loaded, entry):
    """Another rule, operation or case is still an error."""
    acceptance = Acceptance([entry], loaded)

    assert acceptance.settle([failure()]) == [failure()]
    assert [one.rule for one in acceptance.unused()] == ["unused-waiver"]


def test_an_entry_may_name_operation_and_case(loaded):
    """A pattern can stand for the identity's name."""
    acceptance = Acceptance([accepted(about="show", case="token of * without exp")], loaded)

    (settled,) = acceptance.settle([failure()])

    assert settled.finding.severity is Severity.INFO
    assert acceptance.unused() == []


def test_a_failure_is_reported_by_one_part_only(loaded):
    """Generated requests and forged tokens may show the same violation."""
    acceptance = Acceptance([], loaded)

    assert len(acceptance.settle([failure(), failure()])) == 1
    assert acceptance.settle([failure(), failure(about="PUT /a")]) == [failure(about="PUT /a")]


def test_entries_are_read_from_the_configuration(tmp_path):
    """They are under `accepted`, each with its location."""
    file = tmp_path / "c.yaml"
    file.write_text("accepted:\n  - {rule: incomplete-allow, reason: the framework writes it}\n", "utf-8")

    (entry,) = read_config(read_document(file)).accepted

    assert (entry.rule, entry.operation, entry.case) == ("incomplete-allow", None, None)
    assert (entry.place.line, entry.reason) == (2, "the framework writes it")
