"""A simulated company whose truth we know: what the readings say of it, and how often they hold it."""

import numpy
import pytest

from stats.effect import Arm, customers_needed, difference, margin_per_yuan

LIFT, SUBSIDY = 600.0, 250.0  # fen of GMV and of subsidy that the coupons add to each customer on average


def arm(orders, gmv, subsidy) -> Arm:
    return Arm(
        len(gmv), orders.sum(), (orders**2).sum(), gmv.sum(), (gmv**2).sum(),
        subsidy.sum(), (subsidy**2).sum(), (gmv * subsidy).sum(),
    )  # fmt: skip


def company(luck, customers=4000, share=0.3, lift=LIFT):
    """Most order nothing, a few order much; a coupon is used by a third, who then spend more."""
    base = luck.poisson(0.8, customers) * luck.lognormal(8.2, 0.7, customers)
    control = luck.random(customers) < share
    uses = (luck.random(customers) < 1 / 3) & ~control
    gmv = base + uses * luck.gamma(2.0, 3 * lift / 2.0 or 1e-9, customers)
    subsidy = uses * luck.gamma(4.0, 3 * SUBSIDY / 4.0, customers)
    orders = (base > 0) + uses.astype(float)
    return tuple(arm(orders[who], gmv[who], subsidy[who]) for who in (~control, control))


def test_the_interval_holds_the_truth_in_95_of_100_runs():
    """S9: GMV per customer, and margin per yuan of subsidy; 200 runs, so that 88 % and less would show."""
    luck = numpy.random.default_rng(20261125)
    held = {"gmv": 0, "return": 0}
    runs = 200
    for _run in range(runs):
        coupon, control = company(luck)
        gap = difference(coupon, control, "gmv")
        back = margin_per_yuan(coupon, control, 0.25)
        held["gmv"] += gap.low <= LIFT <= gap.high
        held["return"] += back.low <= 0.25 * LIFT / SUBSIDY <= back.high
    assert 0.91 * runs <= held["gmv"] <= runs
    assert 0.91 * runs <= held["return"] <= runs


def test_where_nothing_was_brought_nothing_is_claimed_but_once_in_twenty():
    """S9: words do not overclaim."""
    luck = numpy.random.default_rng(7)
    runs = 200
    shown = sum(difference(*company(luck, lift=0.0), "gmv").shows for _run in range(runs))
    assert shown <= 0.09 * runs


def test_as_many_customers_as_are_needed_show_the_effect_four_times_of_five():
    luck = numpy.random.default_rng(11)
    _coupon, control = company(luck, customers=40_000, lift=0.0)
    effect = LIFT / control.mean("gmv")
    needed = customers_needed(control, 0.3, effect)
    runs = 120
    shown = sum(difference(*company(luck, customers=needed), "gmv").shows for _run in range(runs))
    assert 0.68 <= shown / runs <= 0.92


@pytest.mark.parametrize("sizes", [(29, 500), (500, 29), (0, 0)])
def test_too_few_are_not_compared(sizes):
    coupon, control = (Arm(size, size, size, size, size, size, size, size) for size in sizes)
    assert difference(coupon, control, "gmv") is None
    assert margin_per_yuan(coupon, control, 0.2) is None


def test_without_subsidy_there_is_nothing_to_divide_by():
    luck = numpy.random.default_rng(3)
    _coupon, control = company(luck)
    assert margin_per_yuan(control, control, 0.2) is None
