"""What becomes of a coupon when its order does not stand: the whole table, case by case (U9)."""

from datetime import timedelta

import pytest
from django.db.models import Sum

from coupons.models import Coupon, CouponEvent, CouponTemplate
from coupons.queries.wording import reversal_words
from redemption.models import GivenBack, Order, Redemption, RedemptionLine
from tests import making, using
from tests.using import coupon, line, order, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(system):
    return system("redeem")


def redeemed(till, *coupons, said=None):
    made = till.post("redemptions/", {"order": said or order(), "coupons": list(coupons)})
    assert made.status == 201, made.body
    return made.body["id"]


def back(till, redemption, **body):
    answer = till.post(f"redemptions/{redemption}/rollbacks/", body)
    assert answer.status == 200, answer.body
    return answer.body


def on_the_order(coupon):
    sums = {"gmv": Sum("gmv_fen"), "paid": Sum("paid_fen"), "order": Sum("order_parts")}
    return CouponEvent.objects.filter(coupon_id=coupon).aggregate(**sums)


CASES = ("cancelled", "unpaid", "refunded")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize("outcome", [None, "returns", "stays"])
def test_the_whole_order_goes_back_by_the_table_or_else_by_the_plain_word(till, clock, ledger, case, plain, outcome):
    table = {} if outcome is None else {case: outcome}
    one = coupon(returns_on_rollback=plain, reversal=table)
    told = back(till, redeemed(till, one), reason=case)
    comes = plain if outcome is None else outcome == "returns"
    assert told["coupons"] == [{"id": one, "status": "available" if comes else "redeemed"}]
    assert using.purse() == (2000 if comes else 0, 0)
    ledger()


def test_with_grace_it_is_valid_for_so_many_days_more(till, clock, ledger):
    """The Nth day ends at its midnight; what is valid for longer stays so."""
    table = {"refunded": "grace", "grace_days": 3}
    short, long = coupon(valid_days=1, reversal=table), coupon("bob", valid_days=30, reversal=table)
    first, second = redeemed(till, short), redeemed(till, long, said=order("o2", "bob"))
    before = Coupon.objects.get(pk=long).valid_until
    back(till, first)
    back(till, second)
    midnight = clock.now().replace(hour=0, minute=0)
    assert Coupon.objects.get(pk=short).valid_until == midnight + timedelta(days=4)
    assert Coupon.objects.get(pk=long).valid_until == before
    assert using.purse() == (4000, 0)
    ledger()


@pytest.mark.parametrize(
    ("late", "became", "committed"),
    [
        ({}, "expired", 0),
        ({"expired": "stays"}, "redeemed", 0),
        ({"expired": "grace", "grace_days": 2}, "available", 2000),
    ],
)
def test_a_coupon_that_has_expired_meanwhile(till, clock, ledger, late, became, committed):
    one = coupon(reversal=late)
    redemption = redeemed(till, one)
    clock.forward(days=9)
    assert back(till, redemption)["coupons"] == [{"id": one, "status": became}]
    assert using.purse() == (committed, 0)
    ledger()
    if became == "available":
        redeemed(till, one, said=order("o2"))
        ledger()


def test_grace_that_the_budget_cannot_bear_is_not_given(till, clock, ledger):
    """spent + committed never exceeds the budget: a percentage gave back 5 of 20, and the rest is gone by now."""
    campaign = making.campaign(budget_fen=2000)
    terms = {"type": "percent_off", "percent_off": "5", "cap_fen": 2000, "valid_days": 1}
    one = using.give(making.template(campaign, reversal={"expired": "grace", "grace_days": 2}, **terms))
    redemption = redeemed(till, one, said=order("o1", "alice", line(price=10000)))
    clock.forward(days=2)
    from coupons.lifecycle import ending

    ending.expire(clock.now())
    using.give(making.template(campaign, type="no_threshold", amount_fen=1500), "bob")
    assert using.purse() == (1500, 500)
    assert back(till, redemption)["coupons"] == [{"id": one, "status": "expired"}]
    assert using.purse() == (1500, 0)
    ledger()


def test_what_is_left_falls_below_the_threshold(till, clock, ledger):
    """The coupon comes back, so the discount on what stays is taken back: nobody has both."""
    one = coupon(reversal={"below_threshold": "returns"}, merchant_percent=30, merchant=_merchant())
    redemption = redeemed(till, one, said=order("o1", "alice", line("a", 8000), line("b", 2000, 2)))
    kept = back(till, redemption, lines=[{"id": "b", "quantity": 1}])
    assert kept["coupons"] == [{"id": one, "status": "redeemed"}], "100.00 is enough"
    told = back(till, redemption, lines=[{"id": "b", "quantity": 1}])
    assert told["coupons"] == [{"id": one, "status": "available"}]
    assert (told["status"], told["returned_fen"], told["withheld_fen"]) == ("rolled_back", 1667, 1333)
    assert told["lines"] == [
        {"id": "a", "quantity": 0, "returned_fen": 1333},
        {"id": "b", "quantity": 1, "returned_fen": 334},
    ]
    assert (Order.objects.get().deducted_fen, using.purse()) == (0, (2000, 0))
    made = Redemption.objects.get()
    assert (made.returned_fen, made.returned_merchant_fen) == (2000, 600)
    rows = GivenBack.objects.values_list("discount_fen", "merchant_fen")
    assert [sum(column) for column in zip(*rows, strict=True)] == [2000, 600]
    before = using.everything()
    assert till.post(f"redemptions/{redemption}/rollbacks/", {}).code == "rollback_exceeds"
    assert using.everything() == before
    ledger()


def test_of_two_coupons_one_comes_back_and_the_other_goes_on(till, clock, ledger):
    leaving = coupon(reversal={"below_threshold": "returns"}, stack_group="merchant")
    staying = coupon(type="no_threshold", amount_fen=600)
    said = order("o1", "alice", line("a", 6000), line("b", 6000))
    redemption = redeemed(till, leaving, staying, said=said)
    told = back(till, redemption, lines=[{"id": "b"}])
    assert {one["id"]: one["status"] for one in told["coupons"]} == {leaving: "available", staying: "redeemed"}
    assert (told["status"], told["returned_fen"], told["withheld_fen"]) == ("redeemed", 2300, 1000)
    assert on_the_order(leaving) == {"gmv": 0, "paid": 0, "order": 0}
    assert on_the_order(staying) == {"gmv": 6000, "paid": 5700, "order": 1_000_000}, "what is left is all its own"
    ledger()
    redeemed(till, leaving, said=order("o2"))  # it is used anew, while the first order stands
    rest = back(till, redemption)
    assert rest["coupons"] == [{"id": staying, "status": "available"}]
    assert rest["returned_fen"] == 300
    assert sum(RedemptionLine.objects.filter(redemption=redemption).values_list("returned_fen", flat=True)) == 2600
    assert status(leaving) == "redeemed"
    assert on_the_order(staying) == {"gmv": 0, "paid": 0, "order": 0}
    ledger()


def test_the_table_is_said_in_words():
    made = CouponTemplate(
        returns_on_rollback=False,
        reversal={
            "cancelled": "returns",
            "unpaid": "returns",
            "refunded": "grace",
            "expired": "stays",
            "grace_days": 3,
        },
    )
    assert reversal_words(made) == [
        "订单取消、超时未支付时，有效期内的券会退回",
        "订单整单退款时券会退回，且至少再有3天有效期",
        "若券已过期则不退回",
    ]


def test_a_table_that_makes_no_sense_is_refused_field_by_field():
    from django.core.exceptions import ValidationError

    with pytest.raises(ValidationError) as wrong:
        making.template(reversal={"refunded": "grace", "eaten": "stays", "unpaid": "maybe"})
    assert set(wrong.value.message_dict) == {"reversal.eaten", "reversal.unpaid", "reversal.grace_days"}


def test_the_outcome_of_an_order_told_late_twice_or_in_the_wrong_order_does_no_harm(till, clock, ledger):
    """U9: each wrong turn is refused and changes nothing; each repeated one is the first one."""
    one = coupon()
    held = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}).body["id"]
    for path, code in ((f"redemptions/{held}/rollbacks/", "not_redeemed"),):
        before = using.everything()
        assert till.post(path, {}).code == code
        assert using.everything() == before
    till.post(f"redemptions/{held}/release/")
    before = using.everything()
    assert till.post(f"redemptions/{held}/capture/").code == "not_held"
    assert till.post(f"redemptions/{held}/release/").body["status"] == "released"
    assert using.everything() == before
    again = redeemed(till, one)
    told = back(till, again)
    assert told["returned_fen"] == 2000
    before = using.everything()
    for path, code in ((f"redemptions/{again}/release/", "not_held"), (f"redemptions/{again}/capture/", "not_held")):
        assert till.post(path).code == code
    assert till.post(f"redemptions/{again}/rollbacks/", {}).code == "rollback_exceeds"
    assert using.everything() == before
    ledger()


def test_an_order_split_over_merchants_is_one_use(till, clock, ledger):
    """U9: one coupon, one redemption, each merchant's share on its own lines."""
    _merchant("m2")
    one = coupon(merchant_percent=50, scope={})
    _merchant("m1")
    said = order("o1", "alice", line("a", 6000, merchant="m1"), line("b", 6000, merchant="m2"))
    redeemed(till, one, said=said)
    shares = dict(RedemptionLine.objects.values_list("merchant_id", "merchant_fen"))
    assert shares == {"m1": 500, "m2": 500}
    assert Redemption.objects.count() == 1
    ledger()


def _merchant(key="m1"):
    from coupons.models import Merchant

    return Merchant.objects.get_or_create(key=key, name=key)[0]
