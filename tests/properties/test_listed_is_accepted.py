"""What the quote lists redeems; what it does not is refused for the same reasons; the wallet says so before."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings as django_settings
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coupons.models import Category, Customer, Merchant
from coupons.queries import catalogue, wallet
from coupons.refused import Refused
from distribution.claiming import NOWHERE
from distribution.queries import offered
from redemption.pricing import Line
from redemption.queries.basket import Basket
from redemption.quoting import quote
from redemption.redeeming import redeem
from tests import making
from tests.using import give

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 6, 3, 12, tzinfo=ZoneInfo(django_settings.TIME_ZONE))

conditions = st.fixed_dictionaries(
    {},
    optional={
        "standing": st.sampled_from([{"any_of": ["platform_new"]}, {"any_of": ["returning"]}]),
        "order_count": st.sampled_from([{"min": 1}, {"max": 2}, {"min": 2, "max": 3}]),
        "sensitivity": st.just({"min": 0.5}),
        "rival_app": st.just({"is": True}),
        "cities": st.sampled_from([{"any_of": ["310000"]}, {"any_of": ["330100", "310000"]}]),
        "clients": st.sampled_from([{"any_of": ["app"]}, {"any_of": ["wechat", "counter"]}]),
        "hours": st.sampled_from([{"outside": [["07:00", "09:00"]]}, {"inside": [["22:00", "02:00"]]}]),
        "weekdays": st.sampled_from([{"any_of": [6, 7]}, {"any_of": [3]}]),
        "business_modes": st.just({"any_of": ["agent"]}),
    },
)
terms = st.fixed_dictionaries(
    {"use_conditions": conditions, "stack_group": st.sampled_from(["order", "merchant", "exclusive"])},
    optional={
        "threshold_fen": st.sampled_from([2000, 5000, 20000]),
        "scope": st.sampled_from([{}, {"categories": ["food"]}, {"merchants": ["m1"]}, {"shipping": True}]),
        "starts_after_days": st.just(2),
    },
)
lines = st.lists(
    st.tuples(st.sampled_from([None, "food"]), st.sampled_from([None, "m1"]), st.integers(0, 30_000)),
    min_size=1,
    max_size=3,
)


def basket(said: dict[str, Any], now: datetime) -> Basket:
    goods = tuple(Line(f"l{i}", kind, whose, None, fen, 1) for i, (kind, whose, fen) in enumerate(said["lines"]))
    place = (said["client"], said["mode"], None, said["city"], None)
    return Basket("o1", "alice", now, *place, goods, said["shipping"])


orders = st.fixed_dictionaries(
    {
        "client": st.sampled_from(["app", "wechat", "counter"]),
        "mode": st.sampled_from([None, "agent"]),
        "city": st.sampled_from([None, "310000", "440100"]),
        "lines": lines,
        "shipping": st.sampled_from([0, 800]),
    }
)
facts = st.fixed_dictionaries(
    {
        "order_count": st.integers(0, 3),
        "sensitivity": st.sampled_from([None, "0.3", "0.7"]),
        "rival_app": st.sampled_from([None, True, False]),
    }
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(given_terms=st.lists(terms, min_size=1, max_size=3), said=orders, known=facts, hours=st.integers(0, 24 * 9))
def test_what_is_listed_redeems_and_what_is_not_is_refused_alike(given_terms, said, known, hours):
    """U1, U8, U6: for any customer, order and moment."""
    with transaction.atomic():
        _try(given_terms, said, known, NOON + timedelta(hours=hours))
        transaction.set_rollback(True)


def _try(given_terms, said, known, now):
    Merchant.objects.get_or_create(key="m1", name="m1")
    Category.objects.get_or_create(key="food", name="food")
    catalogue.start_anew()
    campaign = making.campaign()
    templates = [making.template(campaign, **one) for one in given_terms]
    making.placement(*templates, of=campaign)
    coupons = [give(template, at=NOON) for template in templates]
    Customer.objects.filter(key="alice").update(**known)
    bill = basket(said, now)
    quoted = quote(bill, now, coupons)
    usable = {one["coupon"]: one for one in quoted["usable"]}
    why_not = {one["coupon"]: one["reasons"] for one in quoted["unusable"]}
    assert set(usable) | set(why_not) == set(coupons)
    for one in coupons:
        with transaction.atomic():
            sid = transaction.savepoint()
            if one in usable:
                redeem(bill, [one], captures=True, now=now, by="test")
            else:
                with pytest.raises(Refused) as refused:
                    redeem(bill, [one], captures=True, now=now, by="test")
                told = [{k: str(v) for k, v in r.items() if k != "coupon"} for r in refused.value.reasons]
                assert told == [{k: str(v) for k, v in reason.items()} for reason in why_not[one]]
                assert refused.value.code == why_not[one][0]["code"]
            transaction.savepoint_rollback(sid)
    if quoted["best"]["coupons"]:
        redeem(bill, quoted["best"]["coupons"], captures=False, now=now, by="test")
    # The wallet knows no order; what it has against a coupon, the quote has too, for any order.
    held = [wallet.one("alice", one) for one in coupons]
    book = catalogue.current()
    against = wallet.hindrances("alice", held, book, now)
    for one, row in zip(coupons, held, strict=True):
        told = {reason["code"] for reason in against.get(row.template_id, [])}
        if why_not.get(one, [{"code": ""}])[0]["code"] == "conditions_unmet":
            assert told <= {reason["code"] for reason in why_not[one]}
        assert not (told and one in usable)
    # What is on offer says of the template what the wallet says of its coupons.
    [said] = offered.on_offer(book, "alice", None, now, NOWHERE, size=10).results
    assert [offer["unusable"] for offer in said["offers"]] == [against.get(row.template_id, []) for row in held]


@pytest.mark.usefixtures("clock")
def test_what_is_on_offer_says_so_where_the_customer_could_not_use_it(customer):
    """U1, U6: before it is claimed; who may claim it still may, for a friend or for later."""
    making.placement(making.template(use_conditions={"order_count": {"max": 0}}))
    alice = customer("alice")
    Customer.objects.create(key="alice")
    [open_to_her] = alice.get("placements/").body["results"]
    assert (open_to_her["state"], open_to_her["unusable"]) == ("claimable", [])
    Customer.objects.filter(key="alice").update(order_count=1)
    for language, words in (("zh-hans", "未下单"), ("en", "order")):
        [said] = alice.get("placements/", headers={"Accept-Language": language}).body["results"]
        assert (said["state"], said["unusable"][0]["code"]) == ("claimable", "order_count")
        assert words in said["unusable"][0]["detail"]
        assert said["offers"][0]["unusable"] == said["unusable"]


@pytest.mark.usefixtures("clock")
def test_a_newcomer_coupon_that_is_of_no_use_any_more_says_so_in_the_wallet(customer, system):
    """U6: before trying it."""
    first = making.template(newcomer=True, use_conditions={"standing": {"any_of": ["platform_new"]}})
    second = making.template(use_conditions={"standing": {"any_of": ["platform_new"]}})
    one, two = give(first), give(second)
    alice = customer("alice")
    assert all("unusable" not in coupon for coupon in alice.get("coupons/").body["results"])
    order = {
        "id": "o1",
        "customer": "alice",
        "client": "app",
        "lines": [{"id": "l", "unit_price_fen": 12000, "quantity": 1}],
    }
    till = system("redeem")
    assert till.post("redemptions/", {"order": order, "coupons": [one]}).status == 201
    assert till.post("orders/", {"orders": [order]}).status == 200
    [left] = [coupon for coupon in alice.get("coupons/").body["results"] if coupon["id"] == two]
    assert left["status"] == "available"
    assert left["unusable"][0]["remedy"] == "仅限首单"
    assert alice.get(f"coupons/{two}/").body["unusable"] == left["unusable"]
