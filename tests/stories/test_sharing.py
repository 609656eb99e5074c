"""An order's customer shares a packet; friends take its slots, one each, and the sum is what was promised."""

import pytest
from django.db.models import Sum

from coupons.models import Coupon, CouponEvent, Customer
from coupons.queries import catalogue
from distribution.models import Placement, RiskRule, SharePacket, SharePlan, ShareTake
from tests import making

pytestmark = pytest.mark.django_db


def plan(slots=4, pot_fen=2000, split="luck", faces=(300, 500, 800), **more):
    """Four friends share ¥20 out of coupons of ¥3, ¥5 and ¥8."""
    templates = [
        making.template(type="no_threshold", amount_fen=face, name=f"{face // 100}元红包", limits={"customer_count": 5})
        for face in faces
    ]
    placement = making.placement(*templates, channel="share", pick="random")
    made = SharePlan(placement=placement, slots_count=slots, pot_fen=pot_fen, split=split, **more)
    made.full_clean()
    made.save()
    return made


@pytest.fixture
def shop(system, clock):
    return system("issue")


def share(shop, made, order="o1", customer="alice"):
    return shop.post("shares/", {"placement": made.placement.key, "order": order, "customer": customer})


def take(caller, token, **more):
    return caller.post(f"shares/{token}/claims/", {}, **more)


def state():
    return (Coupon.objects.count(), ShareTake.objects.count(), SharePacket.objects.aggregate(n=Sum("taken_count"))["n"])


def test_friends_take_a_packet_until_none_is_left_and_the_sum_is_exact(shop, customer, ledger):
    """P11: the sharer sees who took what, by masked names; the luckiest is known once all is taken."""
    made = plan()
    answer = share(shop, made)
    assert answer.status == 201
    token = answer.body["token"]
    assert answer.body["url"].endswith(f"/h5/share/{token}/")
    assert (answer.body["state"], answer.body["pot_fen"], answer.body["takes"]) == ("open", 2000, [])
    for friend in ("bob", "carl", "dora", "eve"):
        Customer.objects.create(key=friend, nickname=friend.title())
        got = take(customer(friend), token)
        assert got.status == 201
        assert len(got.body["coupons"]) == 1
    seen = customer("alice").get(f"shares/{token}/").body
    assert (seen["state"], seen["taken_count"], seen["yours"], seen["mine"]) == ("taken", 4, True, None)
    assert [one["name"] for one in seen["takes"]] == ["B**", "C**", "D**", "E**"]
    assert sum(one["amount_fen"] for one in seen["takes"]) == 2000
    assert sum(one["luckiest"] for one in seen["takes"]) == 1
    assert {one["amount_fen"] for one in seen["takes"]} <= {300, 500, 800}
    assert Coupon.objects.aggregate(fen=Sum("committed_fen"))["fen"] == 2000
    assert set(CouponEvent.objects.values_list("reason", flat=True)) == {"share:o1"}
    assert customer("bob").get(f"shares/{token}/").body["mine"]["amount_fen"] == seen["takes"][0]["amount_fen"]
    before = state()
    late = take(customer("fred"), token)
    assert (late.status, late.code) == (409, "sold_out")
    assert state() == before
    ledger()


def test_one_order_makes_one_packet(shop):
    """P11: told again, the same link; another customer's is not theirs."""
    made = plan()
    first, again = share(shop, made), share(shop, made)
    assert first.body["token"] == again.body["token"]
    other = share(shop, made, customer="mallory")
    assert (other.status, other.code) == (409, "not_your_order")
    assert share(shop, made, order="o2").body["token"] != first.body["token"]


def test_each_friend_takes_once_and_the_sharer_not_at_all(shop, customer):
    made = plan()
    token = share(shop, made).body["token"]
    assert take(customer("bob"), token).status == 201
    before = state()
    assert take(customer("bob"), token).code == "customer_limit"
    assert take(customer("alice"), token).code == "own_share"
    assert state() == before


def test_the_sharer_takes_where_the_plan_lets_them(shop, customer):
    made = plan(sharer_takes=True)
    assert take(customer("alice"), share(shop, made).body["token"]).status == 201


def test_a_repeated_tap_takes_one(shop, customer):
    token = share(shop, plan()).body["token"]
    bob = customer("bob")
    first, again = take(bob, token, once="tap"), take(bob, token, once="tap")
    assert (first.status, again.status) == (201, 201)
    assert first.content == again.content
    assert ShareTake.objects.count() == 1


def test_a_packet_closes_after_its_hours(shop, customer, clock):
    token = share(shop, plan(hours=24)).body["token"]
    clock.forward(hours=24)
    before = state()
    assert take(customer("bob"), token).code == "ended"
    assert customer("bob").get(f"shares/{token}/").body["state"] == "ended"
    assert state() == before


def test_nobody_takes_from_the_pot_without_a_packet(shop, customer):
    """P11: from the moment that a plan is made; what it offers stands in no list."""
    made = plan()
    before, key = state(), made.placement.key
    made.delete()
    assert [one["key"] for one in customer("bob").get("placements/", channel="share").body["results"]] == [key]
    SharePlan.objects.create(placement=made.placement, slots_count=4, pot_fen=2000)
    catalogue.forget()
    for caller, body in ((customer("bob"), {}), (shop, {"customer": "bob"})):
        assert caller.post(f"placements/{key}/claims/", body).status == 404
    assert customer("bob").get("placements/", channel="share").body["results"] == []
    assert state() == before
    token = share(shop, made).body["token"]
    assert take(customer("bob"), token).status == 201


def test_friends_are_known_by_their_address_as_whoever_claims_is(shop, customer):
    """I10: three friends of one address may take, a fourth may not."""
    RiskRule.objects.create(kind="ip", minutes=60, most_count=3)
    token = share(shop, plan()).body["token"]
    assert [take(customer(friend), token).status for friend in ("bob", "carl", "dora")] == [201] * 3
    before = state()
    assert take(customer("emil"), token).code == "risk_refused"
    assert state() == before


def test_who_may_not_have_the_coupon_leaves_the_slot_to_the_next(shop, customer):
    """I10: the rules of the coupon hold for friends, too."""
    made = plan(slots=2, pot_fen=1000, split="even", faces=(500,))
    template = made.placement.offers.get().template
    template.claim_conditions = {"tags": {"any_of": ["vip"]}}
    template.save()
    token = share(shop, made).body["token"]
    before = state()
    assert take(customer("bob"), token).code == "conditions_unmet"
    assert state() == before
    Customer.objects.create(key="carl", tags=["vip"])
    assert take(customer("carl"), token).status == 201


def test_what_cannot_be_cut_is_refused_and_makes_nothing(shop):
    made = plan()
    SharePlan.objects.update(pot_fen=2100, split="even")
    answer = share(shop, made)
    assert (answer.status, answer.code) == (409, "share_impossible")
    assert not SharePacket.objects.exists()


def test_a_paused_placement_makes_no_packets_and_gives_none(shop, customer):
    made = plan()
    token = share(shop, made).body["token"]
    Placement.objects.update(status="paused")
    before = state()
    assert share(shop, made, order="o2").code == "paused"
    assert take(customer("bob"), token).code == "paused"
    assert state() == before


def test_a_link_that_is_not_there_is_not_found(customer):
    assert customer("bob").get("shares/nope/").status == 404
    assert take(customer("bob"), "nope").status == 404


def test_customers_do_not_make_packets_themselves(customer):
    made = plan()
    assert share(customer("alice"), made).status == 403
