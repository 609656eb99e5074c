"""An order asks what fits, holds, redeems, releases, rolls back."""

import pytest

from coupons.models import CouponEvent
from redemption.models import Order, Redemption
from tests import using
from tests.using import coupon, line, order, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(system):
    return system("redeem")


def test_a_quote_says_what_fits_what_does_not_and_what_is_best(till, customer, clock):
    """U8: best, usable, unusable with the nearest remedy."""
    small = coupon(amount_fen=500, threshold_fen=1000)
    large = coupon()
    dear = coupon(amount_fen=9000, threshold_fen=20000)
    said = order("o1", None, line("a", 8000), line("b", 2000, 2))
    answer = customer("alice").post("quotes/", {"order": said})
    assert answer.status == 200
    body = answer.body
    assert body["best"] == {
        "coupons": [large],
        "discount_fen": 2000,
        "shipping_discount_fen": 0,
        "payable_fen": 10000,
        "lines": [{"id": "a", "discount_fen": 1333}, {"id": "b", "discount_fen": 667}],
    }
    assert body["why_best"] == {"detail": "比“满减券”多省¥15.00", "ahead_fen": 1500}
    assert [one["coupon"] for one in body["usable"]] == [large, small]
    [unusable] = body["unusable"]
    assert unusable["coupon"] == dear
    assert unusable["reasons"][0]["code"] == "below_threshold"
    assert unusable["reasons"][0]["short_by_fen"] == 8000
    assert unusable["reasons"][0]["remedy"] == "还差¥80.00"
    assert till.post("quotes/", {"order": {**said, "customer": "alice"}}).body == body


def test_of_a_bill_so_small_that_others_take_nothing_there_is_no_next_best(till, customer, clock):
    """U8: a percentage of three fen rounds to nothing; it is usable all the same, and accepted."""
    fixed = coupon(type="no_threshold", amount_fen=1, threshold_fen=None)
    percent = coupon(type="percent_off", percent_off=10, cap_fen=1000, amount_fen=None, threshold_fen=None)
    said = order("o1", None, line("a", 3))
    answer = customer("alice").post("quotes/", {"order": said})
    assert answer.status == 200
    assert (answer.body["best"]["coupons"], answer.body["why_best"]) == ([fixed], None)
    assert [(one["coupon"], one["discount_fen"]) for one in answer.body["usable"]] == [(fixed, 1), (percent, 0)]
    taken = till.post("redemptions/", {"order": {**said, "customer": "alice"}, "coupons": [percent]})
    assert (taken.status, taken.body["discount_fen"], taken.body["payable_fen"]) == (201, 0, 3)


def test_a_customer_never_heard_of_is_quoted_nothing(customer, clock):
    body = customer("nobody").post("quotes/", {"order": order("o1", None)}).body
    assert body["best"]["coupons"] == body["usable"] == body["unusable"] == []
    assert body["best"]["payable_fen"] == 12000


def test_an_order_redeems_in_one_call(till, clock, ledger):
    """U9: once, with its shares, its events and its budget."""
    one = coupon(merchant_percent="30", merchant=making_merchant())
    using_before = using.purse()
    answer = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": True}, once="k1")
    assert answer.status == 201, answer.body
    body = answer.body
    assert (body["status"], body["held_until"], body["discount_fen"]) == ("redeemed", None, 2000)
    assert body["cost"] == {"platform_fen": 1400, "merchant_fen": 600}
    assert body["lines"] == [{"id": "l1", "discount_fen": 2000}]
    assert status(one) == "redeemed"
    assert using_before == (2000, 0)
    assert using.purse() == (0, 2000)
    event = CouponEvent.objects.get(kind="redeemed")
    assert (event.spent_fen, event.merchant_fen, event.gmv_fen, event.paid_fen) == (2000, 600, 12000, 10000)
    again = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": True}, once="k1")
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (201, body, "true")
    refused = till.post("redemptions/", {"order": order(), "coupons": [one]})
    assert (refused.status, refused.code) == (409, "order_already_redeemed")
    ledger()


def making_merchant(key="m1"):
    from coupons.models import Merchant

    return Merchant.objects.get_or_create(key=key, name=key)[0]


def test_an_order_holds_captures_and_gives_one_line_back(till, clock, ledger):
    """U9: held, captured, one line back, then the rest: the coupon comes back with all of its worst case."""
    one = coupon()
    said = order("o1", "alice", line("a", 8000), line("b", 2000, 2))
    held = till.post("redemptions/", {"order": said, "coupons": [one], "capture": False}).body
    assert held["status"] == "held"
    assert held["held_until"].startswith("2026-06-03T12:15:00")
    assert status(one) == "held"
    assert using.purse() == (2000, 0)
    clock.forward(minutes=1)
    again = till.post("redemptions/", {"order": said, "coupons": [one], "capture": False}).body
    assert again["id"] == held["id"]
    assert again["held_until"].startswith("2026-06-03T12:16:00")

    captured = till.post(f"redemptions/{held['id']}/capture/")
    assert (captured.status, captured.body["status"]) == (200, "redeemed")
    assert captured.body["lines"] == held["lines"]
    assert till.post(f"redemptions/{held['id']}/capture/").body == captured.body
    assert CouponEvent.objects.filter(kind="redeemed").count() == 1
    assert using.purse() == (0, 2000)
    ledger()

    back = till.post(f"redemptions/{held['id']}/rollbacks/", {"lines": [{"id": "b", "quantity": 1}]})
    assert back.status == 200, back.body
    assert back.body["lines"] == [{"id": "b", "quantity": 1, "returned_fen": 333}]
    assert back.body["status"] == "redeemed"
    assert back.body["coupons"] == [{"id": one, "status": "redeemed"}]
    assert using.purse() == (333, 1667)
    ledger()
    rest = till.post(f"redemptions/{held['id']}/rollbacks/", {}).body
    assert rest["returned_fen"] == 1667
    assert rest["status"] == "rolled_back"
    assert rest["coupons"] == [{"id": one, "status": "available"}]
    assert using.purse() == (2000, 0)
    sums = CouponEvent.objects.filter(kind__in=("redeemed", "rolled_back"))
    assert sum(sums.values_list("gmv_fen", flat=True)) == 0
    assert sum(sums.values_list("paid_fen", flat=True)) == 0
    assert till.post(f"redemptions/{held['id']}/rollbacks/", {}).code == "rollback_exceeds"
    assert till.post("redemptions/", {"order": said, "coupons": [one]}).status == 201
    ledger()


def test_a_released_coupon_is_available_again(till, clock, ledger):
    one = coupon()
    held = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}).body
    released = till.post(f"redemptions/{held['id']}/release/")
    assert (released.status, released.body["status"]) == (200, "released")
    assert till.post(f"redemptions/{held['id']}/release/").body == released.body
    assert status(one) == "available"
    assert till.post(f"redemptions/{held['id']}/capture/").code == "not_held"
    assert Redemption.objects.get().status == "released"
    assert Order.objects.get().deducted_fen == 0
    ledger()


def test_a_quote_is_one_look_and_a_redemption_one_look_and_one_call(till, clock, query_count, settings):
    """Fast where it matters: nothing is asked per coupon or per line."""
    settings.CATALOGUE_SECONDS = 60
    coupons = [coupon(stack_group=f"g{number}") for number in range(3)]
    lines = [line(f"l{number}", 9000) for number in range(5)]
    for _turn in range(2):  # the first finds a new version of the catalogue, the second compiles what is left of it
        till.post("quotes/", {"order": order("o1", "alice", *lines, city="310000")})
    with query_count() as count:
        till.post("quotes/", {"order": order("o1", "alice", *lines, city="310000")})
    assert count.statements == 1
    with query_count() as count:
        made = till.post("redemptions/", {"order": order("o1", "alice", *lines), "coupons": coupons}, once="k")
    assert made.status == 201
    assert count.statements == 2
