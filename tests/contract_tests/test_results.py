"""Findings of the parts of a run, those that a team accepts, and the time limit: `scripts/relay/contract_tests/results.py`."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import Severity, SourceLocation
from relay.contract_tests.contract_config import Accepted
from relay.contract_tests.exchanges import Exchange, Request
from relay.contract_tests.results import (
    KEPT,
    OUT_OF_TIME,
    UNLIMITED,
    Acceptance,
    Failure,
    NotRun,
    Phase,
    TimeLimit,
    report_once,
)
from support.compiled import read
from support.hosting import contract, operation

HERE = SourceLocation("contract.yaml", 1, 1)
TWO = read(contract({"/a": {"get": operation("show"), "put": operation("keep")}}))


def failure(message="x", about="GET /a", count=1):
    exchange = Exchange(Request("GET", "http://t/a"), 200, (), b"", "identity", "token of admin without exp")
    rule = "credential-accepted"
    return Failure(HERE, message, rule, operation=about, exchange=exchange, count=count)


def counted(part):
    return [(one.message, one.operation, one.count) for one in part.failures]


def test_a_finding_of_an_earlier_run_is_reported_where_it_is_found_again():
    """Once, with all its requests; what only the kept request shows stays with it."""
    kept = Phase(KEPT, failures=[failure("again"), failure("only here")])
    properties = Phase("properties", failures=[failure("again", count=5)])
    identity = Phase("identity", failures=[failure("again"), failure("again", "GET /b")])

    report_once([kept, properties, identity])

    assert counted(kept) == [("only here", "GET /a", 1)]
    assert counted(properties) == [("again", "GET /a", 7)]
    assert counted(identity) == [("again", "GET /b", 1)]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=4))
def test_no_finding_is_lost_and_none_is_reported_twice(messages):
    parts = [
        Phase(f"part {at}" if at else KEPT, failures=[*map(failure, one)]) for at, one in enumerate(messages)
    ]

    report_once(parts)

    found = [one for part in parts for one in part.failures]
    assert sorted(one.message for one in found) == sorted({*"".join(map("".join, messages))})
    assert sum(one.count for one in found) == sum(map(len, messages))


def accepting(rule="credential-accepted", about=None, case=None):
    return Acceptance([Accepted(rule, about, case, "our policy", HERE)], TWO)


@pytest.mark.parametrize("acceptance", [accepting(), accepting(about="show", case="token of * without exp")])
def test_an_accepted_finding_is_a_note_with_its_reason(acceptance):
    (settled,) = acceptance.settle([failure()])

    assert settled.severity is Severity.INFO
    assert settled.message == "x (accepted: our policy)"
    assert acceptance.unused() == []


@pytest.mark.parametrize(
    "acceptance",
    [
        accepting("wrong-refusal"),
        accepting(about="keep"),
        accepting(case="token of * without sub"),
        accepting(case="expired*"),
    ],
)
def test_an_entry_accepts_nothing_else(acceptance):
    assert acceptance.settle([failure()]) == [failure()]
    assert [one.rule for one in acceptance.unused()] == ["unused-waiver"]


def test_a_failure_is_reported_by_one_part_only():
    """Generated requests and forged tokens may show the same violation."""
    acceptance = Acceptance([], TWO)

    assert len(acceptance.settle([failure(), failure()])) == 1
    assert acceptance.settle([failure(), failure(about="PUT /a")]) == [failure(about="PUT /a")]


def test_cases_after_the_end_are_listed_once_by_name(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    part, limit, run = Phase("identity"), TimeLimit(5), []

    for case in limit.within(part, ["GET /a", "GET /b", "GET /b", "GET /c"]):
        run.append(case)
        now[0] += 5

    assert run == ["GET /a"]
    assert part.not_run == [NotRun("GET /b", OUT_OF_TIME), NotRun("GET /c", OUT_OF_TIME)]


def test_without_a_limit_everything_is_run():
    part = Phase("identity")

    assert list(UNLIMITED.within(part, "abc")) == ["a", "b", "c"]
    assert part.not_run == []
    assert not UNLIMITED.is_over
