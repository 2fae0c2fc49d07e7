"""The time limit of a run: `scripts/relay/contract_tests/time_limit.py`."""

from __future__ import annotations

import time

import pytest

from relay.contract_tests.results import NotRun, Phase
from relay.contract_tests.time_limit import OUT_OF_TIME, UNLIMITED, TimeLimit


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test sets."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_cases_after_the_end_are_listed_once_by_name(clock):
    """A case that was left out must not look like one that passed."""
    part, limit, run = Phase("identity"), TimeLimit(5), []

    for case in limit.within(part, ["GET /a", "GET /b", "GET /b", "GET /c"]):
        run.append(case)
        clock[0] += 5

    assert run == ["GET /a"]
    assert part.not_run == [NotRun("GET /b", OUT_OF_TIME), NotRun("GET /c", OUT_OF_TIME)]


def test_without_a_limit_everything_is_run():
    """Nobody asked for an end."""
    part = Phase("identity")

    assert list(UNLIMITED.within(part, "abc")) == ["a", "b", "c"]
    assert part.not_run == []
    assert not UNLIMITED.is_over
