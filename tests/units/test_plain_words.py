"""U7: what a template means, told to operators."""

from decimal import Decimal

import pytest
from django.utils import translation

from coupons.models import Budget, CouponTemplate, Supply
from coupons.queries.plainly import plain_words

pytestmark = pytest.mark.django_db


def words(language="en", limits=None, budget_fen=None, **fields):
    given = {"amount_fen": 2000, "threshold_fen": 10000, "valid_days": 7, **fields}
    made = CouponTemplate(name="x", budget=Budget(limit_fen=budget_fen), **given)
    made.supply = Supply(**(limits or {}))
    with translation.override(language):
        return plain_words(made)


def test_what_it_costs_at_most_and_who_pays():
    said = words(limits={"total_count": 10_000}, budget_fen=1_000_000, merchant_percent=Decimal(30))["cost"]
    assert said == [
        "One coupon costs at most ¥20.",
        "At its threshold that is 20% of the order, above it less.",
        "The merchant pays 30% of each discount, rounded half up to the fen; the platform the rest.",
        "10,000 coupons are given out at most.",
        "All of them together cost at most ¥200000.",
        "The campaign's budget alone is enough for 500 of them.",
    ]


def test_a_percentage_says_where_its_cap_is_reached_or_that_it_has_none():
    percent = {"type": "percent_off", "amount_fen": None, "threshold_fen": None, "percent_off": Decimal(30)}
    assert words(**percent, cap_fen=1000)["cost"][:2] == [
        "One coupon costs at most ¥10.",
        "Its cap is reached from an order of ¥33.32 on.",
    ]
    assert "no cap" in words(**percent)["cost"][0]


def test_edges_of_time_and_of_what_is_not_known_are_told_in_both_languages():
    rules = {
        "claim_conditions": {"sensitivity": {"min": 0.5}},
        "use_conditions": {"hours": {"inside": [["22:00", "02:00"]]}},
    }
    english, chinese = words(**rules), words("zh-hans", **rules)
    assert "What is not known of a customer is not fulfilled: unknown refuses." in english["claim"]
    assert "The day of the start is day one; the last day ends at its midnight." in english["use"]
    assert any("A window holds its beginning and not its end" in sentence for sentence in english["use"])
    assert "生效当天算第 1 天，最后一天到当晚零点为止。" in chinese["use"]
    assert [len(part) for part in english.values()] == [len(part) for part in chinese.values()]


@pytest.mark.parametrize("validity", ["claim_day", "days_after_claim"])
def test_the_midnight_at_which_it_ends_is_told(validity):
    days = {"valid_days": None} if validity == "claim_day" else {}
    assert any("midnight" in sentence for sentence in words(validity_type=validity, **days)["use"])
