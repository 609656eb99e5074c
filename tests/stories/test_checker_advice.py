"""C11: what can be used and still looks like a mistake is a warning at its fields; its right neighbour has none."""

from datetime import datetime
from decimal import Decimal

import pytest
from django.utils import translation

from coupons import checking
from coupons.models import Budget, CouponTemplate
from tests import making, using
from tests.stories.test_checker import NEW, RETURNING, SHANGHAI, day, offered, period, square

pytestmark = pytest.mark.django_db

CLAIM_DAY = {"validity_type": "claim_day"}
FOR_NEW = {"use_conditions": NEW}
FEE, ONE_EACH = {"scope": {"shipping": True}}, {"limits": {"customer_count": 1}}
WEEKEND, MORNING = {"weekdays": {"any_of": [6, 7]}}, {"hours": {"inside": [["08:00", "10:00"]]}}


def percent(off, **more):
    return {"type": "percent_off", "percent_off": Decimal(off), "cap_fen": 2000, **more}


#: Code → what has it, at which fields, and what is as near to it as can be and right.
DOUBTFUL = {
    "order_for_nothing": (
        {"amount_fen": 2000, "threshold_fen": 2000},
        {"amount_fen", "threshold_fen"},
        {"amount_fen": 2000, "threshold_fen": 2001},
    ),
    "deep_discount": ({"amount_fen": 5000}, {"amount_fen", "threshold_fen"}, {"amount_fen": 4999}),
    "deep_discount by percentage": (percent(70), {"percent_off"}, percent(30)),
    "cap_always_reached": (
        percent(20, threshold_fen=10000),
        {"cap_fen", "percent_off", "threshold_fen"},
        percent(20, threshold_fen=9999),
    ),
    "uncapped": (percent(20, cap_fen=None), {"cap_fen", "percent_off"}, percent(20)),
    "threshold_of_shipping": (FEE, {"threshold_fen", "scope"}, {**FEE, "type": "no_threshold"}),
    "merchant_pays_all": ({"merchant_fen": 2000}, {"merchant_fen"}, {"merchant_fen": 1999}),
    "share_of_nobody": (
        {**FEE, "type": "no_threshold", "merchant_percent": Decimal(30)},
        {"merchant", "merchant_percent", "merchant_fen"},
        {"type": "no_threshold", "merchant_percent": Decimal(30)},
    ),
    "daily_above_total": (
        {"limits": {"daily_count": 11, "total_count": 10}},
        {"daily_count", "total_count"},
        {"limits": {"daily_count": 10, "total_count": 10}},
    ),
    "customer_above_total": (
        {"limits": {"customer_fen": 9000, "total_fen": 8000}},
        {"customer_fen", "total_fen"},
        {"limits": {"customer_fen": 8000, "total_fen": 8000}},
    ),
    "budget_short": (
        {"budget_fen": 20_000, "limits": {"total_count": 11}},
        {"total_count", "budget"},
        {"budget_fen": 20_000, "limits": {"total_count": 10}},
    ),
    "total_out_of_reach": (  # 28 days are left of June
        {"limits": {"daily_count": 10, "total_count": 281}},
        {"daily_count", "total_count"},
        {"limits": {"daily_count": 10, "total_count": 280}},
    ),
    "claimed_elsewhere": (
        {"claim_cities": ["310000"], "use_conditions": {"cities": {"any_of": ["110000"]}}},
        {"claim_cities", "use_conditions.cities"},
        {"claim_cities": ["310000"], "use_conditions": {"cities": {"any_of": ["110000", "310000"]}}},
    ),
    "claimed_elsewhere, a city and an area": (
        {"claim_cities": ["310000"], "use_conditions": {"areas": {"any_of": ["wangjing"]}}},
        {"claim_cities", "use_conditions.areas"},
        {"claim_cities": ["310000"], "use_conditions": {"areas": {"any_of": ["wangjing", "bund"]}}},
    ),
    "claimed_elsewhere, an area and a city": (
        {"claim_conditions": {"areas": {"any_of": ["bund"]}}, "use_conditions": {"cities": {"any_of": ["110000"]}}},
        {"claim_conditions.areas", "use_conditions.cities"},
        {"claim_conditions": {"areas": {"any_of": ["bund"]}}, "use_conditions": {"cities": {"any_of": ["310000"]}}},
    ),
    "claimed_elsewhere, two areas": (
        {"audience": {"areas": {"any_of": ["bund"]}}, "use_conditions": {"areas": {"any_of": ["wangjing"]}}},
        {"audience.conditions.areas", "use_conditions.areas"},
        {"audience": {"areas": {"any_of": ["bund"]}}, "use_conditions": {"areas": {"any_of": ["lujiazui"]}}},
    ),
    "area_not_in_city": (
        {"use_conditions": {"areas": {"any_of": ["bund"]}, "cities": {"any_of": ["110000"]}}},
        {"use_conditions.areas", "use_conditions.cities"},
        {"use_conditions": {"areas": {"any_of": ["bund"]}, "cities": {"any_of": ["310000"]}}},
    ),
    "no_longer_new": (
        {**FOR_NEW, **ONE_EACH, "audience": NEW, "starts_after_days": 1, "valid_days": 3},
        {"use_conditions.standing", "validity_type"},
        {**FOR_NEW, **ONE_EACH, "audience": NEW, "valid_days": 3},
    ),
    "only_the_first": (
        {**FOR_NEW, "audience": NEW, "limits": {"customer_count": 2}},
        {"customer_count", "use_conditions.standing"},
        {**FOR_NEW, "audience": NEW, **ONE_EACH},
    ),
    "newcomer_for_anybody": (
        {"newcomer": True},
        {"newcomer", "claim_conditions.standing"},
        {"newcomer": True, "claim_conditions": NEW},
    ),
    "claimed_in_vain": (
        {**FOR_NEW, **ONE_EACH},
        {"use_conditions.standing"},
        {**FOR_NEW, **ONE_EACH, "claim_conditions": NEW},
    ),
    "claimed_in_vain, by regulars": (
        {"use_conditions": {"order_count": {"max": 3}}},
        {"use_conditions.order_count"},
        {"use_conditions": {"order_count": {"max": 3}}, "audience": {"order_count": {"max": 2}}},
    ),
    "claimed_in_vain, asleep for longer than it is valid": (
        {"use_conditions": {"last_order_days": {"min": 8}}},
        {"use_conditions.last_order_days"},
        {"use_conditions": {"last_order_days": {"min": 6}}, "claim_conditions": RETURNING},
    ),
    "valid_after_campaign": (
        period(day(1, 7), day(9, 7)),
        {"valid_from", "campaign"},
        period(day(30), day(9, 7)),
    ),
    "claimed_too_late, on a weekday": (
        {"valid_days": 3, "use_conditions": WEEKEND},
        {"validity_type", "use_conditions.weekdays"},
        {"valid_days": 6, "use_conditions": WEEKEND},
    ),
    "claimed_too_late, after the morning": (
        {**CLAIM_DAY, "use_conditions": MORNING},
        {"validity_type", "use_conditions.hours"},
        {**CLAIM_DAY, "use_conditions": MORNING, "release": {"hours": [["00:00", "10:00"]]}},
    ),
    "claimed_too_late, at the end of its period": (
        {**period(day(1), day(9)), "use_conditions": WEEKEND},
        {"validity_type", "use_conditions.weekdays"},
        {**period(day(1), day(8)), "use_conditions": WEEKEND},
    ),
    "valid_for_years": (
        period(day(1), datetime(2062, 6, 1, tzinfo=SHANGHAI)),
        {"validity_type", "valid_until"},
        period(day(1), datetime(2028, 6, 1, tzinfo=SHANGHAI)),
    ),
    "night_is_cut": (
        {"use_conditions": {**WEEKEND, "hours": {"inside": [["22:00", "02:00"]]}}},
        {"use_conditions.hours", "use_conditions.weekdays"},
        {"use_conditions": {**WEEKEND, "hours": {"inside": [["22:00", "00:00"]]}}},
    ),
    "night_is_cut, given out": (
        {"release": {"weekdays": [5], "hours": [["22:00", "02:00"]]}},
        {"release.hours", "release.weekdays"},
        {"release": {"hours": [["22:00", "02:00"]]}},
    ),
}


@pytest.fixture(autouse=True)
def _here(clock):
    """Noon of Wednesday, 3 June 2026; two districts of Shanghai, and one of Beijing."""
    square("bund", 121.48, 31.23)
    square("lujiazui", 121.49, 31.235)
    square("wangjing", 116.46, 39.99)


def warnings(**terms):
    verdict = checking.verdict(*offered(**terms))
    assert verdict.possible, verdict.findings
    assert not verdict.errors
    return {finding.code: finding for finding in verdict.warnings}


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_looks_like_a_mistake_is_a_warning_at_its_fields(case):
    """C11, C12"""
    terms, fields, _right = DOUBTFUL[case]
    assert set(warnings(**terms)[case.split(",")[0].split()[0]].fields) == fields


@pytest.mark.parametrize("case", DOUBTFUL)
def test_what_is_right_is_not_warned_of(case):
    """C11"""
    code = case.split(",")[0].split()[0]
    assert code not in warnings(**DOUBTFUL[case][2])


def test_it_says_when_it_is_claimed_in_vain_and_what_is_in_the_way():
    """C11: Wednesday noon, three days, and the weekend comes on the fourth."""
    terms = {"valid_days": 3, "use_conditions": WEEKEND}
    with translation.override("en"):
        assert warnings(**terms)["claimed_too_late"].sentence == (
            "Claimed on June 3, 2026, noon, for instance, it can never be used: "
            "“Valid for 3 days, the day you get it included” — “Only on Saturday or Sunday”."
        )


@pytest.mark.parametrize(("free_fen", "left"), [(1999, "19.99"), (0, "0")])
def test_a_purse_that_is_used_up_gives_none_out(free_fen, left):
    """C10, C11: what is committed to other coupons is nobody's any more."""
    made, placed = offered(budget_fen=50_000)
    Budget.objects.update(committed_fen=30_000, spent_fen=20_000 - free_fen)
    with translation.override("en"):
        verdict = checking.verdict(CouponTemplate.objects.get(pk=made.pk), placed)
    assert verdict.possible is False
    assert [(one.code, one.severity, one.fields) for one in verdict.findings] == [
        ("not_given_out", "warning", ("budget",))
    ]
    assert verdict.findings[0].rules == (f"The campaign's budget has ¥{left} left",)


def test_what_is_out_already_is_not_counted_against_what_the_purse_has_left():
    """C11: 10 of 20,00 each fit into it; one is out, and its 20,00 are committed."""
    made = making.template(making.campaign(budget_fen=20_000), limits={"total_count": 10})
    using.give(made)
    assert [one.code for one in checking.verdict(CouponTemplate.objects.get(pk=made.pk)).findings] == []
