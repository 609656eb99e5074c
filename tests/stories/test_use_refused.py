"""Why a coupon is not taken: every code, in quote and redemption alike, and then nothing has changed."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from coupons.lifecycle import ending
from coupons.models import Area, Category, Coupon, Merchant
from coupons.refused import Refused
from redemption.models import Redemption
from tests import making, using
from tests.using import coupon, line, order, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(system):
    return system("redeem")


def refused(till, code, coupons, said=None, path="redemptions/", **more):
    """The same no from both doors, and nothing changed by it."""
    said = said or order()
    before = using.everything()
    answer = till.post("redemptions/", {"order": said, "coupons": coupons, **more}, once="refused")
    assert (answer.status, answer.code) == (409, code), answer.body
    assert all(reason["detail"] for reason in answer.body["reasons"])
    quoted = till.post("quotes/", {"order": said, "coupons": coupons}).body
    assert using.everything() == before, "a refusal must change nothing"
    if len(coupons) == 1:
        assert quoted["usable"] == []
        [unusable] = quoted["unusable"]
        assert unusable["coupon"] == coupons[0]
        without = [{k: v for k, v in reason.items() if k != "coupon"} for reason in answer.body["reasons"]]
        assert unusable["reasons"] == without
    return answer.body["reasons"]


def redeem(till, said, *coupons, **more):
    answer = till.post("redemptions/", {"order": said, "coupons": list(coupons), **more})
    assert answer.status == 201, answer.body
    return answer.body


def test_below_the_threshold_says_how_much_is_missing(till, clock):
    """U8: equal is enough; shipping does not count."""
    one = coupon()
    [reason] = refused(till, "below_threshold", [one], order("o1", "alice", line("a", 9999), shipping_fen=500))
    assert reason["short_by_fen"] == 1
    redeem(till, order("o1", "alice", line("a", 10000)), one)


def test_what_is_missing_is_missing_of_what_the_coupon_is_for(till, clock):
    """U7, U8: more of anything else, or more goods for a lower fee, would not help."""
    Category.objects.update_or_create(key="food", defaults={"name": "美食"})
    fee, food = coupon(scope={"shipping": True}, threshold_fen=2000), coupon(scope={"categories": ["food"]})
    basket = order("o1", "alice", line("a", 90_00, category="food"), line("b", 500_00), shipping_fen=1500)
    remedies = {}
    for one in (fee, food):
        [reason] = refused(till, "below_threshold", [one], basket)
        remedies[reason["short_by_fen"]] = reason["remedy"]
    assert remedies == {500: "还差¥5.00（仅可抵扣运费）", 1000: "还差¥10.00（限美食品类使用）"}


def test_nothing_in_scope(till, clock):
    """Goods of categories and merchants that nobody here knows are goods outside every scope."""
    Merchant.objects.create(key="m1", name="m1")
    one = coupon(scope={"merchants": ["m1"]})
    refused(till, "nothing_in_scope", [one], order("o1", "alice", line("a", merchant="never-heard-of", category="x")))
    redeem(till, order("o1", "alice", line("a", merchant="m1")), one)


def test_a_shipping_coupon_needs_a_shipping_fee(till, clock, ledger):
    one = coupon(type="no_threshold", amount_fen=600, scope={"shipping": True})
    refused(till, "nothing_in_scope", [one])
    made = redeem(till, order("o1", shipping_fen=500), one)
    assert (made["discount_fen"], made["shipping_discount_fen"], made["payable_fen"]) == (0, 500, 12000)
    assert made["cost"] == {"platform_fen": 500, "merchant_fen": 0}
    back = till.post(f"redemptions/{made['id']}/rollbacks/", {"lines": [{"id": "shipping"}]}).body
    assert back["lines"] == [{"id": "shipping", "quantity": 1, "returned_fen": 500}]
    assert back["status"] == "redeemed"
    ledger()


def test_expired(till, clock):
    one = coupon()
    clock.forward(days=8)
    refused(till, "expired", [one])
    assert status(one) == "available", "time decides, no task has run"
    assert ending.expire(timezone.now()) == 1
    refused(till, "expired", [one])


def test_not_yet_valid(till, clock):
    one = coupon(starts_after_days=2)
    [reason] = refused(till, "not_yet_valid", [one])
    assert reason["valid_from"]
    clock.forward(days=2)
    redeem(till, order(), one)


def test_already_redeemed(till, clock):
    one = coupon()
    redeem(till, order("o1"), one)
    refused(till, "already_redeemed", [one], order("o2"))


def test_held_by_another_order_until_the_hold_runs_out(till, clock, ledger):
    one = coupon()
    redeem(till, order("o1"), one, capture=False)
    refused(till, "held_by_other_order", [one], order("o2"))
    assert till.post("quotes/", {"order": order("o1")}).body["best"]["coupons"] == [one], "its own order may"
    clock.forward(minutes=15)
    redeem(till, order("o2"), one)
    ledger()


def test_void_is_not_available(till, clock, ledger):
    one = coupon()
    ending.void(UUID(one), now=timezone.now(), by="ops", reason="typo")
    refused(till, "not_available", [one])
    assert using.purse() == (0, 0)
    with pytest.raises(Refused, match="not_available"):
        ending.void(UUID(one), now=timezone.now(), by="ops", reason="typo")
    ledger()


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda till, one: redeem(till, order(), one), "already_redeemed"),
        (lambda till, one: redeem(till, order(), one, capture=False), "held_by_other_order"),
        (lambda till, one: ending.expire(timezone.now() + timedelta(days=30)), "expired"),
    ],
)
def test_what_is_used_held_or_over_is_not_made_void(till, clock, spoil, code):
    one = coupon()
    spoil(till, one)
    before = using.everything()
    with pytest.raises(Refused, match=code):
        ending.void(UUID(one), now=timezone.now(), by="ops", reason="")
    assert using.everything() == before


def test_order_already_redeemed(till, clock):
    first, second = coupon(), coupon()
    redeem(till, order("o1"), first)
    refused(till, "order_already_redeemed", [second], order("o1"))


def test_a_finished_order_takes_no_more_coupons(till, clock):
    one = coupon()
    till.post("orders/", {"orders": [order("o1")]})
    refused(till, "order_finished", [one], order("o1"))


@pytest.mark.parametrize(
    ("rules", "wrong", "right"),
    [
        ({"clients": {"any_of": ["app"]}}, {"client": "wechat"}, {"client": "app"}),
        ({"cities": {"any_of": ["310000"]}}, {"city": "110000"}, {"city": "310000"}),
        ({"cities": {"any_of": ["310000"]}}, {}, {"city": "310000"}),
        ({"business_modes": {"any_of": ["agent"]}}, {"business_mode": "self_operated"}, {"business_mode": "agent"}),
        ({"hours": {"outside": [["11:00", "13:00"]]}}, {}, None),
        ({"weekdays": {"any_of": [4]}}, {}, None),
        ({"areas": {"any_of": ["bund"]}}, {"position": {"lat": 30, "lng": 120}}, None),
        ({"areas": {"any_of": ["bund"]}}, {}, {"position": {"lat": 31.24, "lng": 121.49}}),
        (
            {"areas": {"any_of": ["bund"]}},
            {"position": {"lat": 31.24, "lng": 121.502}},
            {"position": {"lat": 31.24, "lng": 121.502, "datum": "gcj02"}},
        ),
        ({"order_count": {"min": 1}}, {}, None),
        ({"rival_app": {"is": False}}, {}, None),
    ],
)
def test_conditions_unmet(till, clock, rules, wrong, right):
    """U1, U2, U3, U4, U5, U6: what is unknown does not hold; each reason says what was wanted and what there was."""
    square = [[121.48, 31.23], [121.50, 31.23], [121.50, 31.2599], [121.48, 31.2599], [121.48, 31.23]]
    Area.objects.create(key="bund", name="外滩", geojson={"type": "Polygon", "coordinates": [square]})
    one = coupon(use_conditions=rules)
    whole, *each = refused(till, "conditions_unmet", [one], order("o1", "alice", **wrong))
    assert whole["code"] == "conditions_unmet"
    assert [reason["code"] for reason in each] == list(rules)
    assert all("wanted" in reason and "had" in reason for reason in each)
    if right is not None:
        redeem(till, order("o1", "alice", **right), one)


def test_two_of_one_stack_group_and_an_exclusive_one_cannot_stack(till, clock):
    one, two = coupon(), coupon()
    alone = coupon(stack_group="exclusive", amount_fen=3000)
    other = coupon(stack_group="merchant")
    refused(till, "cannot_stack", [one, two])
    refused(till, "cannot_stack", [alone, other])
    for coupons, language, remedy in (
        ([one, two], "en", "Use only one of “满减券”"),
        ([one, two], "zh-hans", "“满减券”只能使用一张"),
        ([alone, other], "en", "Use “满减券” without any other"),
        ([alone, other], "zh-hans", "“满减券”只能单独使用"),
    ):
        body = {"order": order(), "coupons": coupons}
        no = till.post("redemptions/", body, headers={"Accept-Language": language}).body
        assert remedy in no["reasons"][0]["detail"]
        assert {reason["coupon"] for reason in no["reasons"]} <= set(coupons)
    best = till.post("quotes/", {"order": order()}).body["best"]
    assert best["discount_fen"] == 4000
    assert sorted(best["coupons"]) == sorted([min(one, two), other])
    redeem(till, order(), *best["coupons"])


def test_all_or_none(till, clock):
    """One coupon that does not fit keeps the other from being used."""
    good, late = coupon(stack_group="merchant"), coupon(starts_after_days=3)
    refused(till, "not_yet_valid", [good, late])
    assert status(good) == "available"


def test_more_than_is_left_is_not_given_back(till, clock, ledger):
    one = coupon()
    made = redeem(till, order("o1", "alice", line("a", 6000, 2)), one)
    path = f"redemptions/{made['id']}/rollbacks/"
    assert till.post(path, {"lines": [{"id": "a", "quantity": 1}]}).body["returned_fen"] == 1000
    before = using.everything()
    answer = till.post(path, {"lines": [{"id": "a", "quantity": 2}]}, once="k")
    assert (answer.status, answer.code) == (409, "rollback_exceeds")
    answer = till.post(path, {"lines": [{"id": "b"}]})
    assert (answer.status, answer.wrong) == (400, {"lines.0.id": "unknown_key"})
    assert using.everything() == before
    assert till.post(path, {}, once="k").code == "", "a refusal keeps no answer, so the key is free"
    assert till.post(path, {}).code == "rollback_exceeds"
    ledger()


def test_a_held_or_released_redemption_is_not_rolled_back_and_a_redeemed_one_not_released(till, clock):
    one, two = coupon(), coupon()
    held = redeem(till, order("o1"), one, capture=False)
    assert till.post(f"redemptions/{held['id']}/rollbacks/", {}).code == "not_redeemed"
    made = redeem(till, order("o2"), two)
    before = using.everything()
    assert till.post(f"redemptions/{made['id']}/release/").code == "not_held"
    assert using.everything() == before


def test_a_hold_that_ran_out_is_not_captured(till, clock, ledger):
    """By the clock alone, and the same after the tidying."""
    from coupons.tasks import expire_coupons, lapse_holds
    from redemption import tasks

    one = coupon()
    held = redeem(till, order("o1"), one, capture=False)
    clock.forward(minutes=15)
    before = using.everything()
    path = f"redemptions/{held['id']}/capture/"
    assert till.post(path, once="k").code == "hold_expired"
    assert using.everything() == before
    assert (lapse_holds(), tasks.lapse_holds(), expire_coupons()) == (1, 1, 0)
    assert Redemption.objects.get().status == "released"
    assert status(one) == "available"
    assert till.post(path).code == "hold_expired"
    assert till.post(f"redemptions/{held['id']}/release/").body["status"] == "released"
    ledger()


def test_a_hold_that_ended_by_a_clock_ahead_of_ours_is_not_captured_either(till, clock, ledger):
    """Said as it is, not as a server that is busy."""
    one = coupon()
    held = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}).body["id"]
    assert ending.expire(clock.now() + timedelta(days=30)) == 1
    before = using.everything()
    for _again in range(2):
        no = till.post(f"redemptions/{held}/capture/")
        assert (no.status, no.code) == (409, "hold_expired")
    assert using.everything() == before
    assert till.post(f"redemptions/{held}/release/").status == 200
    ledger()


def test_a_coupon_held_before_its_date_may_be_captured_after_it(till, clock, ledger):
    """The hold promised it; past its date it comes back as expired."""
    clock.set("2026-06-03 23:55")
    one = coupon(validity_type="claim_day")
    held = redeem(till, order("o1"), one, capture=False)
    clock.forward(minutes=10)
    assert ending.expire(timezone.now()) == 0, "the hold keeps its coupon"
    assert till.post(f"redemptions/{held['id']}/capture/").status == 200
    assert using.purse() == (0, 2000)
    back = till.post(f"redemptions/{held['id']}/rollbacks/", {}).body
    assert back["coupons"] == [{"id": one, "status": "expired"}]
    assert using.purse() == (0, 0)
    ledger()


def test_another_hold_of_the_same_order_replaces_the_first(till, clock, ledger):
    one, two = coupon(), coupon()
    first = redeem(till, order("o1"), one, capture=False)
    second = redeem(till, order("o1"), two, capture=False)
    assert first["id"] != second["id"]
    assert (status(one), status(two)) == ("available", "held")
    assert till.post(f"redemptions/{first['id']}/capture/").code == "not_held"
    made = redeem(till, order("o1"), one)
    assert (status(one), status(two)) == ("redeemed", "available")
    assert made["status"] == "redeemed"
    ledger()


def test_a_coupon_that_does_not_come_back_stays_redeemed(till, clock, ledger):
    one = coupon(returns_on_rollback=False)
    made = redeem(till, order("o1"), one)
    back = till.post(f"redemptions/{made['id']}/rollbacks/", {}).body
    assert back["coupons"] == [{"id": one, "status": "redeemed"}]
    assert using.purse() == (0, 0)
    ledger()


def test_what_is_kept_for_a_return_is_freed_when_its_date_is_past(till, clock, ledger):
    """The worst case of a percentage: what it did not take off stays committed as long as it may come back."""
    one = coupon(type="percent_off", percent_off="10", cap_fen=3000)
    made = redeem(till, order("o1"), one)
    assert using.purse() == (1800, 1200)
    clock.forward(days=8)
    assert ending.expire(timezone.now()) == 1
    assert using.purse() == (0, 1200)
    assert Coupon.objects.get().status == "redeemed"
    ledger()
    till.post(f"redemptions/{made['id']}/rollbacks/", {})
    assert using.purse() == (0, 0)
    ledger()


def test_a_newcomer_coupon_does_not_come_back_beside_another(till, clock, ledger):
    """I11: the money goes back all the same."""
    template, other = making.template(newcomer=True), making.template(newcomer=True)
    one = using.give(template)
    made = redeem(till, order("o1"), one)
    using.give(other)
    back = till.post(f"redemptions/{made['id']}/rollbacks/", {}).body
    assert back["returned_fen"] == 2000
    assert back["coupons"] == [{"id": one, "status": "void"}]
    ledger()


def test_a_newcomer_coupon_comes_back_when_the_other_is_past_its_date(till, clock, ledger):
    one = using.give(making.template(newcomer=True, valid_days=30))
    made = redeem(till, order("o1"), one)
    using.give(making.template(newcomer=True, valid_days=2))
    clock.forward(days=3)
    back = till.post(f"redemptions/{made['id']}/rollbacks/", {}).body
    assert back["coupons"] == [{"id": one, "status": "available"}]
    ledger()


@pytest.mark.parametrize("id", ["", "x", "31c5d615-c437-478c-bac4-b5c8b7465c6d", "🎫"])
def test_what_is_not_there_is_not_found(till, clock, id):
    one = coupon()
    before = using.everything()
    for what in ("capture", "release", "rollbacks"):
        assert till.post(f"redemptions/{id or uuid4()}/{what}/").status == 404
    for path in ("redemptions/", "quotes/"):
        answer = till.post(path, {"order": order(), "coupons": [one, id or "31c5d615-c437-478c-bac4-b5c8b7465c6d"]})
        assert (answer.status, answer.code) == (404, "not_found")
    assert using.everything() == before


def test_another_customers_coupon_or_order_is_not_found(till, customer, clock):
    one = coupon("alice")
    mine = using.coupon("bob")
    redeem(till, order("o1", "alice"), one, capture=False)
    before = using.everything()
    for path in ("redemptions/", "quotes/"):
        assert till.post(path, {"order": order("o2", "bob"), "coupons": [one]}).code == "not_found"
        assert till.post(path, {"order": order("o1", "bob"), "coupons": [mine]}).code == "not_found"
    assert customer("bob").post("quotes/", {"order": order("o2", None), "coupons": [one]}).status == 404
    assert using.everything() == before


def test_who_may(system, customer, clock):
    one = coupon()
    body = {"order": order("o1"), "coupons": [one]}
    assert customer("alice").post("redemptions/", body).status == 403
    assert system("issue", "manage", "read", "profile", "approve").post("redemptions/", body).status == 403
    assert system("issue").post("quotes/", {"order": order()}).status == 403
    assert customer("alice").post("orders/", {"orders": [order()]}).status == 403
    assert status(one) == "available"
