"""Findings of the parts of a run: `scripts/relay/contract_tests/results.py`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relay.contract.diagnostics import Diagnostic, Severity
from relay.contract_tests.results import KEPT, Failure, Phase, report_once


def failure(message, operation="GET /a", count=1):
    """A finding of an operation."""
    return Failure(Diagnostic("openapi.yaml", message, "r", Severity.ERROR), operation, count=count)


def test_a_finding_of_an_earlier_run_is_reported_where_it_is_found_again():
    """Once, with all its requests; what only the kept request shows stays with it."""
    kept = Phase(KEPT, failures=[failure("again"), failure("only here")])
    properties = Phase("properties", failures=[failure("again", count=5)])
    identity = Phase("identity", failures=[failure("again"), failure("again", "GET /b")])

    report_once([kept, properties, identity])

    assert kept.failures == [failure("only here")]
    assert properties.failures == [failure("again", count=7)]
    assert identity.failures == [failure("again", "GET /b")]


@given(st.lists(st.lists(st.sampled_from("abc"), max_size=4), max_size=4))
def test_no_finding_is_lost_and_none_is_reported_twice(messages):
    """In any order of parts, and within one."""
    parts = [
        Phase(f"part {at}" if at else KEPT, failures=[*map(failure, one)]) for at, one in enumerate(messages)
    ]

    report_once(parts)

    found = [one for part in parts for one in part.failures]
    assert sorted(one.finding.message for one in found) == sorted({*"".join(map("".join, messages))})
    assert sum(one.count for one in found) == sum(map(len, messages))
