"""Every code of the contract's "why not" is reached through the doors, and each has one shape in both languages."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.utils import translation

from coupons.lifecycle import ending
from coupons.models import Merchant
from coupons.refused import SENTENCES
from tests.stories.campaign_documents import summer
from tests.stories.doors import effects, must_have, problem
from tests.using import coupon, line, order

pytestmark = pytest.mark.django_db

CLAIM = {
    *("not_started", "ended", "paused", "outside_release", "sold_out", "budget_spent", "daily_limit"),
    *("customer_limit", "customer_daily_limit", "conditions_unmet", "exclusive_coupon_held", "newcomer_coupon_held"),
    *("risk_refused", "in_control_group", "code_invalid"),
}
USE = {
    *("not_available", "already_redeemed", "held_by_other_order", "expired", "not_yet_valid", "below_threshold"),
    *("nothing_in_scope", "conditions_unmet", "cannot_stack", "order_already_redeemed", "rollback_exceeds"),
}
#: What needs more than a document: told in test_risk, test_control_group and test_exchanging.
ELSEWHERE = {"risk_refused", "in_control_group", "code_invalid"}


# --- claim -----------------------------------------------------------------------------------------------------------


def offered(*templates: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The contract's document with templates like its own, each placed by itself: placement-0, placement-1 …"""
    plain = {"release": {}, "limits": {}, "use_conditions": {}}
    document = summer(audiences=[], **changes)
    first, placed = document["templates"][0], document["placements"][0]
    document["templates"] = [
        {**first, **plain, "key": f"s{number}", **terms} for number, terms in enumerate(templates or [{}])
    ]
    document["placements"] = [
        {**placed, "key": f"placement-{number}", "offers": [{"template": template["key"]}]}
        for number, template in enumerate(document["templates"])
    ]
    return document


#: Code → the document, and how many claims are answered with coupons before: placement-0, placement-1 …
CLAIMS: dict[str, tuple[dict[str, Any], int]] = {
    "not_started": (offered(starts_at="2026-06-03T12:00:01+08:00"), 0),
    "ended": (offered(starts_at="2026-05-01T00:00:00+08:00", ends_at="2026-06-03T12:00:00+08:00"), 0),
    "paused": (offered({"status": "paused"}), 0),
    "outside_release": (offered({"release": {"hours": [["10:00", "12:00"]]}}), 0),
    "sold_out": (offered({"limits": {"total_count": 1}}), 1),
    "budget_spent": (offered(budget_fen=3999), 1),
    "daily_limit": (offered({"limits": {"daily_fen": 3999}}), 1),
    "customer_limit": (offered({"limits": {"customer_count": 1}}), 1),
    "customer_daily_limit": (offered({"limits": {"customer_daily_fen": 3999}}), 1),
    "conditions_unmet": (offered({"claim_conditions": {"clients": {"any_of": ["wechat"]}}}), 0),
    "exclusive_coupon_held": (offered({"exclusive_group": "summer"}, {"exclusive_group": "summer"}), 1),
    "newcomer_coupon_held": (offered({"newcomer": True}, {"newcomer": True}), 1),
}


@pytest.mark.parametrize("code", CLAIMS)
def test_a_claim_is_refused_by_this_code_and_the_list_says_so_before(system, customer, clock, code):
    """C5 C10 I10 I11"""
    document, before = CLAIMS[code]
    assert system("manage", "approve").post("campaigns/", document).status == 201
    alice, said = customer("alice"), {"client": "app", "city": "310000"}
    path = "placements/placement-0/claims/"
    for _ in range(before):
        assert alice.post(path, said).status == 201
    if len(document["placements"]) > 1:
        path = "placements/placement-1/claims/"
    listed = alice.get("placements/", client="app", city="310000").body["results"][-1]
    found = effects()
    told = problem(alice.post(path, said, once="refused"), 409, code)
    english = problem(alice.post(path, said, headers={"Accept-Language": "en"}), 409, code)
    assert effects() == found, "a refusal must change nothing"
    with translation.override("en"):
        assert english["detail"] == str(SENTENCES[code]) != told["detail"]
    assert listed["state"] != "claimable"
    assert listed["reasons"] == told["reasons"]
    [reason] = told["reasons"]
    if code == "conditions_unmet":
        must_have(reason, {"code": str, "detail": str, "wanted": dict, "unknown": bool})
        assert (reason["code"], reason["wanted"], reason["had"]) == ("clients", {"any_of": ["wechat"]}, "app")
    else:
        assert reason["code"] == code


# --- use -------------------------------------------------------------------------------------------------------------

Use = tuple[list[str], dict[str, Any]]


def _redeem(till: Any, said: dict[str, Any], one: str, **more: Any) -> str:
    made = till.post("redemptions/", {"order": said, "coupons": [one], **more})
    assert made.status == 201, made.body
    return str(made.body["id"])


def _void(till: Any, clock: Any) -> Use:
    one = coupon()
    ending.void(UUID(one), now=clock.now(), by="ops", reason="typo")
    return [one], order()


def _already_redeemed(till: Any, clock: Any) -> Use:
    one = coupon()
    _redeem(till, order("earlier"), one)
    return [one], order()


def _held(till: Any, clock: Any) -> Use:
    one = coupon()
    _redeem(till, order("other"), one, capture=False)
    return [one], order()


def _expired(till: Any, clock: Any) -> Use:
    one = coupon(validity_type="claim_day")
    clock.set("2026-06-04 00:00")
    return [one], order()


def _scoped(till: Any, clock: Any) -> Use:
    Merchant.objects.create(key="noodles", name="面馆")
    return [coupon(scope={"merchants": ["noodles"]})], order()


def _order_already(till: Any, clock: Any) -> Use:
    one, other = coupon(), coupon()
    _redeem(till, order(), one)
    return [other], order()


USES: dict[str, Callable[[Any, Any], Use]] = {
    "not_available": _void,
    "already_redeemed": _already_redeemed,
    "held_by_other_order": _held,
    "expired": _expired,
    "not_yet_valid": lambda till, clock: ([coupon(starts_after_days=1)], order()),
    "below_threshold": lambda till, clock: ([coupon()], order("o1", "alice", line(price=9999))),
    "nothing_in_scope": _scoped,
    "conditions_unmet": lambda till, clock: ([coupon(use_conditions={"clients": {"any_of": ["wechat"]}})], order()),
    "cannot_stack": lambda till, clock: ([coupon(), coupon()], order()),
    "order_already_redeemed": _order_already,
}


@pytest.mark.parametrize("code", USES)
def test_a_use_is_refused_by_this_code_and_the_quote_says_so_before(system, clock, code):
    """U1 U8 U9"""
    till = system("redeem")
    coupons, said = USES[code](till, clock)
    asked, found = {"order": said, "coupons": coupons}, effects()
    told = problem(till.post("redemptions/", asked, once="refused"), 409, code)
    english = problem(till.post("redemptions/", asked, headers={"Accept-Language": "en"}), 409, code)
    assert effects() == found, "a refusal must change nothing"
    assert told["detail"] != english["detail"]
    assert told["reasons"][0]["code"] == code
    if code == "below_threshold":
        assert told["reasons"][0]["short_by_fen"] == 1
    if code == "conditions_unmet":
        assert told["reasons"][1]["code"] == "clients"
    quoted = till.post("quotes/", asked).body
    if code == "cannot_stack":  # each by itself is usable; the best set holds one of them
        assert (len(quoted["usable"]), len(quoted["best"]["coupons"])) == (2, 1)
    else:
        assert quoted["usable"] == quoted["best"]["coupons"] == []
        assert [one["reasons"][0]["code"] for one in quoted["unusable"]] == [code]


def test_more_is_not_given_back_than_was_taken(system, clock):
    till = system("redeem")
    id = _redeem(till, order("o1", "alice", line(price=6000, quantity=2)), coupon())
    path, found = f"redemptions/{id}/rollbacks/", effects()
    problem(till.post(path, {"lines": [{"id": "l1", "quantity": 3}]}), 409, "rollback_exceeds")
    assert effects() == found
    assert till.post(path, {}).status == 200
    problem(till.post(path, {}), 409, "rollback_exceeds")


def test_what_a_quote_calls_usable_is_redeemed_and_the_other_way_round(system, clock):
    """U8: coupon by coupon, for the same order at the same moment."""
    till = system("redeem")
    kinds = [{}, {"threshold_fen": 20000}, {"starts_after_days": 1}, {"type": "percent_off", "percent_off": "12.5"}]
    coupons = [coupon(**kind) for kind in kinds]
    quoted = till.post("quotes/", {"order": order()}).body
    usable = {one["coupon"] for one in quoted["usable"]}
    assert usable | {one["coupon"] for one in quoted["unusable"]} == set(coupons)
    for number, one in enumerate(coupons):
        answer = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}, once=str(number))
        assert (answer.status == 201) == (one in usable)


def test_no_code_of_the_contract_is_missing():
    assert set(CLAIMS) == CLAIM - ELSEWHERE
    assert {*USES, "rollback_exceeds"} == USE
    assert SENTENCES.keys() >= CLAIM | USE
