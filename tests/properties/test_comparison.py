"""Intervals of the comparison: they hold the truth as often as they say, and hold it always in the obvious cases."""

import random
from math import isclose

import numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from stats.reporting.comparing import quotient, share


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_shares_interval_lies_within_0_and_1_around_it_and_narrows(part, more):
    """P10: Wilson."""
    whole = part + more
    found = share(part, whole)
    if whole == 0:
        assert found is None
        return
    assert 0 <= found.low <= part / whole <= found.high <= 1
    assert found.high > found.low
    finer = share(part * 4, whole * 4)
    assert finer.high - finer.low < found.high - found.low
    assert share(whole + 1, whole) is None


def test_a_shares_interval_is_the_textbooks():
    found = share(15, 148)  # Newcombe 1998, method 3: 0.0624 to 0.1605
    assert isclose(found.low, 0.0624, abs_tol=5e-5)
    assert isclose(found.high, 0.1605, abs_tol=5e-5)


def test_the_interval_of_a_cost_per_new_customer_holds_the_truth_in_95_of_100_runs():
    """P10: 300 companies of 120 customers, a tenth to a third of whom are new; their coupons cost different amounts."""
    luck, held, runs = numpy.random.default_rng(20261125), 0, 300
    for run in range(runs):
        chance = (0.12, 0.2, 0.33)[run % 3]
        new = (luck.random(120) < chance).astype(float)
        cost = luck.gamma(2.0, 500.0, 120) + new * 800
        truth = (1000 + 800 * chance) / chance
        found = quotient(120, cost.sum(), new.sum(), (cost**2).sum(), new.sum(), (cost * new).sum())
        held += found is not None and found.low <= truth <= found.high
    assert 0.91 * runs <= held <= runs


def test_a_quotient_of_nothing_has_no_interval_and_of_the_same_a_point():
    assert quotient(1, 5, 5, 25, 25, 25) is None
    assert quotient(40, 5, 0, 25, 0, 0) is None
    number = random.Random(1).randint(2, 90)
    found = quotient(number, 20 * number, number, 400 * number, number, 20 * number)
    assert isclose(found.low, 20)
    assert isclose(found.high, 20)
