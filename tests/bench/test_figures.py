"""Medians, paired ratios, growth: `scripts/bench/figures.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import exponent, ratios, spread

positive = st.floats(0.001, 1e6)


@given(st.floats(-2, 3), positive, st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True))
def test_finds_the_exponent_that_costs_were_made_with(k, c, sizes):
    """Whatever the unit of the cost, and in whatever order the sizes come."""
    assert exponent(sizes, [c * size**k for size in sizes]) == pytest.approx(k, abs=1e-6)


@given(st.lists(positive, min_size=1, max_size=20))
def test_a_median_lies_between_its_quartiles_and_these_within_the_rounds(values):
    """A single round is its own median."""
    low, median, high = spread(values)

    assert min(values) <= low <= median <= high <= max(values)


@given(st.lists(st.tuples(positive, positive, positive), min_size=1, max_size=9))
def test_what_slows_a_whole_round_leaves_its_ratio(rounds):
    """That is why rounds are paired: a busy machine slows both."""
    slowed = ratios([a * by for a, _, by in rounds], [b * by for _, b, by in rounds])

    assert slowed == pytest.approx(ratios([a for a, _, _ in rounds], [b for _, b, _ in rounds]))


def test_refuses_to_pair_what_has_no_counterpart():
    """A round that was lost would shift all that follow."""
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])
