"""Medians, paired ratios, growth: `scripts/bench/figures.py`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.figures import exponent, ratios, spread

positive = st.floats(0.001, 1e6)


@given(st.floats(-2, 3), positive, st.lists(st.integers(1, 10**6), min_size=2, max_size=8, unique=True))
def test_computes_the_exponent_of_a_power_law(k, c, sizes):
    """For any unit of the cost and any order of the sizes."""
    assert exponent(sizes, [c * size**k for size in sizes]) == pytest.approx(k, abs=1e-6)


@given(st.lists(positive, min_size=1, max_size=20))
def test_median_and_quartiles_are_ordered_and_within_the_values(values):
    """A single value is its own median."""
    low, median, high = spread(values)

    assert min(values) <= low <= median <= high <= max(values)


@given(st.lists(st.tuples(positive, positive, positive), min_size=1, max_size=9))
def test_slowing_a_whole_round_does_not_change_its_ratio(rounds):
    """Rounds are paired because a busy machine slows both servers."""
    slowed = ratios([a * by for a, _, by in rounds], [b * by for _, b, by in rounds])

    assert slowed == pytest.approx(ratios([a for a, _, _ in rounds], [b for _, b, _ in rounds]))


def test_rejects_rounds_without_a_counterpart():
    """A missing round would shift all later pairs."""
    with pytest.raises(ValueError, match="shorter"):
        ratios([1.0, 2.0], [1.0])
