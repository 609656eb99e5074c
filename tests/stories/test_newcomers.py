"""新客券: one live newcomer coupon for a person, however many accounts, channels and devices they come by."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coupons.models import Coupon, Customer
from coupons.queries.direct import row
from coupons.rules.identity import identity
from tests import making, using

pytestmark = pytest.mark.django_db


def _newcomer(**more):
    return making.placement(making.template(newcomer=True, **more))


def _tell(system, **facts):
    assert system("profile").post("customers/", {"customers": [{"key": key, **told} for key, told in facts.items()]})


@pytest.mark.parametrize(
    ("one", "other", "asked"),
    [
        ({"phone": "13800138000"}, {"phone": "+86 138-0013-8000"}, {}),
        ({"wechat_id": "oX1"}, {"wechat_id": "oX1"}, {}),
        ({}, {}, {"device": "d-1"}),
    ],
)
def test_two_accounts_of_one_person_get_one(system, clock, one, other, asked):
    """I11: by phone, by WeChat account, by device; whatever the channel; and again when the first is gone."""
    here, there = _newcomer(), _newcomer()
    _tell(system, alice=one, alicia=other)
    caller = system("issue")
    assert caller.post(f"placements/{here.key}/claims/", {"customer": "alice", **asked}).status == 201
    answer = caller.post(f"placements/{there.key}/claims/", {"customer": "alicia", **asked})
    assert (answer.status, answer.code) == (409, "newcomer_coupon_held")
    assert Coupon.objects.count() == 1
    listed = caller.get("placements/", customer="alicia", **asked).body["results"]
    assert {one["reasons"][0]["code"] for one in listed} == {"newcomer_coupon_held"}
    clock.forward(days=8)
    assert caller.post(f"placements/{there.key}/claims/", {"customer": "alicia", **asked}).status == 201


def test_what_is_learnt_later_counts_as_well(system):
    """I11: the number became known after the coupon was given, or changed since."""
    placement = _newcomer()
    caller = system("issue")
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "a"}).status == 201
    _tell(system, a={"phone": "13800138000"}, b={"phone": "13800138000"})
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "b"}).code == "newcomer_coupon_held"
    _tell(system, c={"phone": "13900139000"})
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "c"}).status == 201
    _tell(system, c={"phone": None}, d={"phone": "13900139000"})
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "d"}).code == "newcomer_coupon_held"


def test_strangers_and_other_coupons_are_not_touched(system):
    """I11: nothing known is nothing alike; a coupon that is none for newcomers may be had by all."""
    placement, usual = _newcomer(), making.placement(making.template())
    caller = system("issue")
    for name in ("a", "b"):
        assert caller.post(f"placements/{placement.key}/claims/", {"customer": name}).status == 201
        assert caller.post(f"placements/{usual.key}/claims/", {"customer": name, "device": "d"}).status == 201
    assert Coupon.objects.filter(newcomer=False, newcomer_device=None).count() == 2


def test_a_coupon_does_not_come_back_where_the_same_person_holds_another(system, ledger):
    """I11, U9: rolled back after another account of the same phone got one: void, and the money stands right."""
    template = making.template(newcomer=True)
    _tell(system, alice={"phone": "13800138000"}, alicia={"phone": "13800138000"})
    first = using.give(template, "alice")
    caller = system("redeem", "issue")
    redeemed = caller.post("redemptions/", {"order": using.order(), "coupons": [first]})
    assert redeemed.status == 201
    using.give(template, "alicia")
    assert caller.post(f"redemptions/{redeemed.body['id']}/rollbacks/", {}).status == 200
    assert using.status(first) == "void"
    ledger()


def test_holders_fall_through_to_the_returning_customers_coupon(system):
    """I10: newcomer, else the coupon for those who know us; by another account of theirs as well."""
    welcome, again = making.template(newcomer=True, key="welcome"), making.template(key="again")
    placement = making.placement(welcome, again)
    _tell(system, alice={"phone": "13800138000"}, alicia={"phone": "13800138000"})
    caller = system("issue")
    got = [
        caller.post(f"placements/{placement.key}/claims/", {"customer": name}).body["coupons"][0]["template"]
        for name in ("alice", "alicia", "bob")
    ]
    assert got == ["welcome", "again", "welcome"]


def test_bands_of_sensitivity_and_a_rival_app_choose_the_amount(system):
    """I4, I7, I10: the first offer that fits; whose facts nobody told falls to the last."""
    rival = making.audience({"rival_app": {"is": True}})
    keen, cool = (making.audience({"sensitivity": band}) for band in ({"min": 0.7}, {"min": 0.3, "max": 0.7}))
    t30, t20, t10, t5 = (making.template(key=f"t{n}", amount_fen=n * 100) for n in (30, 20, 10, 5))
    placement = making.placement((t30, rival), (t20, keen), (t10, cool), t5)
    _tell(
        system,
        a={"facts": {"rival_app": True, "sensitivity": 0.1}},
        b={"facts": {"rival_app": False, "sensitivity": 0.9}},
        c={"facts": {"sensitivity": 0.5}},
        d={"facts": {"sensitivity": 0.1}},
    )
    caller = system("issue")
    got = {
        name: caller.post(f"placements/{placement.key}/claims/", {"customer": name}).body["coupons"][0]["template"]
        for name in "abcde"
    }
    assert got == {"a": "t30", "b": "t20", "c": "t10", "d": "t5", "e": "t5"}


def test_exclusive_coupons_follow_each_other_in_time(system, clock):
    """I10: none while an unexpired exclusive coupon is held; used or expired it excludes nobody."""
    one, two = (making.placement(making.template(exclusive_group="recall")) for _ in range(2))
    caller = system("issue", "redeem")
    first = caller.post(f"placements/{one.key}/claims/", {"customer": "alice"}).body["coupons"][0]["id"]
    assert caller.post(f"placements/{two.key}/claims/", {"customer": "alice"}).code == "exclusive_coupon_held"
    assert caller.post(f"placements/{two.key}/claims/", {"customer": "bob"}).status == 201
    assert caller.post("redemptions/", {"order": using.order(), "coupons": [first]}).status == 201
    assert caller.post(f"placements/{two.key}/claims/", {"customer": "alice"}).status == 201
    clock.forward(days=8)
    assert caller.post(f"placements/{one.key}/claims/", {"customer": "alice"}).status == 201


def test_the_wechat_account_is_kept_as_a_digest_alone(system):
    """I11: two accounts can be told to be one; whose it is cannot be read."""
    _tell(system, a={"wechat_id": "oHidden"})
    assert Customer.objects.get().wechat == identity("wechat", "oHidden")
    _tell(system, a={"wechat_id": None})
    assert Customer.objects.get().wechat is None


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["phone", "wechat", "device"]), st.text(st.characters(exclude_categories=["Cs"], min_codepoint=1))
)
def test_the_database_digests_as_python_does(kind, value):
    found = row("SELECT coupons_identity(%s::text, %s::text)", (kind, value))
    assert found is not None
    assert found[0] == identity(kind, value)
