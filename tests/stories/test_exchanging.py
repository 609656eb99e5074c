"""A code becomes coupons: however it is typed, once, and without telling anybody which codes there are."""

from datetime import timedelta

import pytest

from coupons.models import Coupon, CouponEvent
from distribution import minting
from distribution.models import CodeAttempts, CodeExchange, RedemptionCode
from tests import coding, making
from tests.coding import whole

pytestmark = pytest.mark.django_db


def everything():
    return (
        sorted(RedemptionCode.objects.values_list("digest", "used_count")),
        CodeExchange.objects.count(),
        Coupon.objects.count(),
        CouponEvent.objects.count(),
    )


def test_a_code_becomes_what_its_placement_offers_and_is_used_up(customer, clock, ledger):
    """P5"""
    batch = coding.batch()
    code = whole(batch)[0]
    got = customer("alice").post("exchanges/", {"code": code, "client": "app"})
    assert got.status == 201
    [coupon] = got.body["coupons"]
    assert (coupon["status"], coupon["placement"]) == ("available", batch.placement.key)
    assert CodeExchange.objects.get().coupons[0] == Coupon.objects.get().pk
    again = customer("bob").post("exchanges/", {"code": code})
    assert (again.status, again.code) == (409, "code_invalid")
    ledger()


@pytest.mark.parametrize(
    "typed",
    [
        str.lower,
        lambda code: f"  {code.replace('-', ' ')} ",
        lambda code: code.replace("-", ""),
        lambda code: code.replace("-", "－"),
        lambda code: "".join(chr(ord(sign) + 0xFEE0) for sign in code),
        lambda code: "\u200b".join(code.lower()),
    ],
    ids=["lower case", "spaces", "no hyphens", "wide hyphens", "full width", "invisible signs"],
)
def test_how_a_code_is_typed_does_not_matter(customer, clock, typed):
    """P5"""
    code = whole(coding.batch())[0]
    assert customer("alice").post("exchanges/", {"code": typed(code)}).status == 201


def test_a_code_of_chinese_words_is_typed_with_or_without_what_stands_between(customer, clock):
    """P5"""
    one, two, _three = whole(coding.batch(kind="chinese"))
    assert customer("alice").post("exchanges/", {"code": one.replace("-", "")}).status == 201
    assert customer("bob").post("exchanges/", {"code": two.replace("-", "　")}).status == 201


def test_unknown_used_closed_and_others_codes_get_one_and_the_same_answer(system, clock):
    """P5: nobody learns which codes there are."""
    caller = system("issue")
    used, closed, unready = coding.batch(), coding.batch(), coding.batch()
    named = coding.batch(customers=["alice"])
    codes = [whole(batch)[0].split("\t")[0] for batch in (used, closed, unready, named)]
    assert caller.post("exchanges/", {"code": codes[0], "customer": "alice"}).status == 201
    minting.move(closed, "close")
    type(unready).objects.filter(pk=unready.pk).update(state="running")
    before = everything()
    answers = [caller.post("exchanges/", {"code": code, "customer": "bob"}) for code in [*codes, "ABCD-EFGH-JKLM", "…"]]
    assert {(answer.status, answer.content) for answer in answers} == {(409, answers[0].content)}
    assert answers[0].code == "code_invalid"
    assert everything() == before


def test_a_named_customers_code_works_for_them(customer, clock, ledger):
    """P5"""
    batch = coding.batch(customers=["alice", "bob"])
    assert (batch.named, batch.code_count) == (True, 2)
    lines = dict(line.split("\t")[::-1] for line in whole(batch))
    assert customer("bob").post("exchanges/", {"code": lines["alice"]}).code == "code_invalid"
    assert customer("alice").post("exchanges/", {"code": lines["alice"]}).status == 201
    ledger()


def test_a_shared_code_is_used_once_by_each_up_to_its_limit(system, clock, ledger):
    """P5: 一码多用"""
    template = making.template(limits={"customer_count": 5})
    coding.batch(coding.placement(template), kind="shared", shared_code="夏日 Ｓummer-8", use_limit=2)
    caller = system("issue")

    def tried(who):
        return caller.post("exchanges/", {"code": "夏日summer8", "customer": who})

    assert tried("a").status == 201
    assert tried("a").code == "customer_limit"
    assert tried("b").status == 201
    assert tried("c").code == "code_invalid"
    ledger()


def test_a_refusal_by_the_rules_leaves_the_code_unused(customer, clock, ledger):
    """P5, C10"""
    template = making.template(limits={"customer_count": 1})
    batch = coding.batch(coding.placement(template))
    one, two, _ = whole(batch)
    alice = customer("alice")
    assert alice.post("exchanges/", {"code": one}).status == 201
    before = everything()
    refused = alice.post("exchanges/", {"code": two})
    assert (refused.status, refused.code) == (409, "customer_limit")
    assert everything() == before
    assert not CodeAttempts.objects.exists()
    batch.placement.status = "paused"
    batch.placement.save()
    assert customer("bob").post("exchanges/", {"code": two}).code == "paused"
    batch.placement.status = "live"
    batch.placement.save()
    assert customer("bob").post("exchanges/", {"code": two}).status == 201
    ledger()


def test_all_of_a_placement_comes_with_one_code(customer, clock, ledger):
    """P11"""
    batch = coding.batch(coding.placement(making.template(), making.template(), pick="all"))
    assert len(customer("alice").post("exchanges/", {"code": whole(batch)[0]}).body["coupons"]) == 2
    ledger()


def test_said_twice_it_is_answered_twice_and_done_once(customer, clock, ledger):
    alice, code = customer("alice"), whole(coding.batch())[0]
    first = alice.post("exchanges/", {"code": code}, once="k")
    second = alice.post("exchanges/", {"code": code}, once="k")
    assert (second.status, second.content) == (201, first.content)
    assert second.headers["idempotent-replayed"] == "true"
    assert alice.post("exchanges/", {"code": code, "client": "app"}, once="k").code == "idempotency_key_reused"
    assert not CodeAttempts.objects.exists()
    ledger()


def test_a_placement_for_codes_is_not_claimed_and_one_for_claims_takes_no_code(customer, clock):
    batch = coding.batch()
    claim = customer("alice").post(f"placements/{batch.placement.key}/claims/", {})
    assert (claim.status, claim.code) == (404, "not_found")
    code = whole(batch)[0]
    batch.placement.form = "api"
    batch.placement.save()
    assert customer("alice").post("exchanges/", {"code": code}).code == "code_invalid"


# --- who tries too many -------------------------------------------------------------------------------------------


def wrong(caller, times, **headers):
    return [caller.post("exchanges/", {"code": f"WRONG-{n}"}, headers=headers).status for n in range(times)]


def test_after_ten_wrong_codes_in_ten_minutes_an_account_waits(customer, clock):
    """P5: also for a right one."""
    code = whole(coding.batch())[0]
    alice = customer("alice")
    assert wrong(alice, 11) == [409] * 10 + [429]
    refused = alice.post("exchanges/", {"code": code})
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "too_many_attempts", "600")
    clock.forward(minutes=9, seconds=59)
    assert alice.post("exchanges/", {"code": code}).headers["retry-after"] == "1"
    clock.forward(seconds=1)
    assert alice.post("exchanges/", {"code": code}).status == 201


def test_the_window_slides(customer, clock):
    alice = customer("alice")
    assert wrong(alice, 5) == [409] * 5
    clock.forward(minutes=6)
    assert wrong(alice, 6) == [409] * 5 + [429]
    clock.forward(minutes=4)
    assert wrong(alice, 6) == [409] * 5 + [429]


def test_an_address_waits_whoever_signs_in_from_it_and_forwarded_for_fools_nobody(customer, clock, settings):
    for n in range(10):
        assert wrong(customer(f"c{n}"), 1, **{"X-Forwarded-For": f"10.0.0.{n}"}) == [409]
    assert wrong(customer("c11"), 1, **{"X-Forwarded-For": "10.0.0.99"}) == [429]
    settings.PROXY_HOPS = 1  # behind a proxy of ours, the last of the list is what it saw itself
    assert wrong(customer("d"), 1, **{"X-Forwarded-For": "1.1.1.1, 10.9.9.9"}) == [409]
    for n in range(10):
        wrong(customer(f"e{n}"), 1, **{"X-Forwarded-For": f"1.1.1.{n}, 10.8.8.8"})
    assert wrong(customer("f"), 1, **{"X-Forwarded-For": "9.9.9.9, 10.8.8.8"}) == [429]
    settings.PROXY_HOPS = 2
    assert wrong(customer("f"), 1, **{"X-Forwarded-For": "10.8.8.8, 10.3.3.3, 10.8.8.8"}) == [409]


def test_a_system_speaks_for_many_from_one_address(system, clock, settings):
    settings.CODE_FAILURES_ALL = 25
    caller = system("issue")
    statuses = [caller.post("exchanges/", {"code": "WRONG", "customer": f"c{n}"}).status for n in range(26)]
    assert statuses == [409] * 25 + [429]


def test_an_address_that_a_system_tells_of_its_customer_waits_too(system, clock):
    caller = system("issue")
    said = [{"code": "WRONG", "customer": f"c{n}", "ip": "203.0.113.9"} for n in range(11)]
    assert [caller.post("exchanges/", body).status for body in said] == [409] * 10 + [429]
    assert caller.post("exchanges/", {**said[0], "ip": "203.0.113.10"}).status == 409


def test_a_wrong_code_is_counted_among_what_was_refused(customer, clock):
    """S5"""
    from coupons import refusals
    from coupons.models import RefusalCount

    customer("alice").post("exchanges/", {"code": "WRONG"})
    refusals.flush()
    assert RefusalCount.objects.get(code="code_invalid").count == 1


def test_what_holds_nobody_back_any_more_is_forgotten(customer, clock):
    from distribution.tasks import forget_wrong_codes

    wrong(customer("alice"), 1)
    forget_wrong_codes()
    assert CodeAttempts.objects.count() == 3
    clock.forward(minutes=10)
    forget_wrong_codes()
    assert not CodeAttempts.objects.exists()


def test_an_offer_that_is_over_says_so(customer, clock):
    batch = coding.batch()
    code = whole(batch)[0]
    batch.placement.campaign.ends_at = clock.now() - timedelta(hours=1)
    batch.placement.campaign.starts_at = clock.now() - timedelta(days=1)
    batch.placement.campaign.save()
    assert customer("alice").post("exchanges/", {"code": code}).code == "ended"


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"code": "required"}),
        ({"code": ""}, {"code": "too_short"}),
        ({"code": "A" * 101}, {"code": "too_long"}),
        ({"code": 12}, {"code": "wrong_type"}),
        ({"code": "A", "city": "999999"}, {"city": "unknown_key"}),
        ({"code": "A", "customer": "bob"}, {"customer": "not_your_customer"}),
    ],
)
def test_what_makes_no_sense_is_said_by_field(customer, clock, body, wrong):
    answer = customer("alice").post("exchanges/", body)
    assert (answer.status, answer.wrong) == (400, wrong)
    assert not CodeAttempts.objects.exists()
