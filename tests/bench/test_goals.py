"""Relay's performance goals: `scripts/bench/goals.py`."""

from __future__ import annotations

import pytest

from bench.goals import GOALS, LITERAL, Goal, growth_exponent
from bench.results import Cell, Growth, Results, Sample


def samples(*rates, cpu=1.0):
    """Return rounds with these requests a second."""
    return [Sample(rate, 1.0, 2.0, cpu, 50.0) for rate in rates]


def value_of(title, results):
    """Return the value of the goal with this title."""
    [goal] = [goal for goal in GOALS if goal.title == title]
    return goal.value(results)


@pytest.mark.parametrize(
    ("goal", "value", "verdict"),
    [
        (Goal("", lambda _: None, at_least=4), 5.0, "met by 25%"),
        (Goal("", lambda _: None, at_least=4), 4.0, "met by 0%"),
        (Goal("", lambda _: None, at_least=4), 3.0, "missed by 25%"),
        (Goal("", lambda _: None, at_most=20), 15.0, "met by 25%"),
        (Goal("", lambda _: None, at_most=20), 30.0, "missed by 50%"),
        (Goal("", lambda _: None), 30.0, "reported only"),
        (Goal("", lambda _: None, at_least=4), None, "not measured"),
    ],
)
def test_says_by_how_much_a_goal_is_met(goal, value, verdict):
    """As a share of the bound, for minimum and maximum goals."""
    assert goal.verdict(value) == verdict


def test_compares_round_by_round():
    """The median of ratios, not the ratio of medians: 4, 8, 5."""
    rounds = {"relay": samples(400, 1600, 250), "fastapi": samples(100, 200, 50)}
    results = Results(samples={Cell("memory", 100, 1): rounds})

    assert value_of("relay to fastapi, 100 numbers", results) == 5
    assert value_of("relay to fastapi, 1 number", results) is None
    assert value_of("relay to fastapi, 100 numbers from SQLite", results) is None


def test_compares_two_workers_with_one_by_processor_time():
    """Not by requests a second, because the load generator uses the same cores."""
    results = Results(
        samples={
            Cell("memory", 100, 1): {"relay": samples(100, cpu=0.20)},
            Cell("memory", 100, 2): {"relay": samples(150, cpu=0.21)},
            Cell("memory", 5000, 1): {"relay": samples(9, cpu=2.0)},
            Cell("memory", 5000, 2): {"relay": samples(9, cpu=1.9)},
        }
    )

    assert value_of("CPU a request, two workers to one, at worst", results) == pytest.approx(1.05)


def test_no_goal_is_met_without_measurements():
    """A goal without figures must not count as met."""
    assert {goal.verdict(goal.value(Results())) for goal in GOALS} == {"not measured"}


def test_reads_start_memory_waits_and_growth():
    """Each value comes from its own part of the results."""
    results = Results(
        idle={Cell("memory", 1, 1): {"relay": 90.0, "connexion": 60.0}},
        waits={"relay": [12.0, 10.0, 11.0]},
        many_starts={600: {"relay": [1.0, 1.2], "connexion": [4.0, 4.0]}},
        crowd=321.0,
        growth=[Growth(LITERAL, (1, 600), ((0.1, 0.1), (0.2, 0.2)), ((1.0,), (1.0,)))],
        fresh={"relay": [1.2], "relay-uncached": [1.0]},
    )

    assert value_of("memory when idle, to connexion's", results) == 1.5
    assert value_of("p99 of small requests during 5,000 numbers", results) == 11.0
    assert value_of("start-up to connexion's, 600 operations", results) == pytest.approx(0.275)
    assert value_of("start-up to connexion's, 1 operation", results) is None
    assert value_of("memory after 10,000 numbers at 32 connections", results) == 321.0
    assert value_of("CPU a request, literal path, 600 operations to 1", results) == 2.0
    assert value_of("CPU a request with fresh tokens, to relay-uncached", results) == pytest.approx(1.2)


def test_growth_is_computed_from_medians():
    """One disturbed round does not change it."""
    assert growth_exponent((1, 10, 100), ((1.0, 1.0, 50.0), (10.0, 10.0, 10.0), (100.0, 0.1, 100.0))) == (
        pytest.approx(1)
    )
