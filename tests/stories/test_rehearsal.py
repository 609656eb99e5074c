"""Rehearsals: a draft tried on orders of the past, before anybody can claim it."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pytest
from django.urls import reverse

from coupons.models import Area, CouponTemplate, Customer, Merchant, Weather
from coupons.sheets import read
from coupons.tasks import run_job
from stats.admin import rehearsal_days
from stats.admin.rehearsals import ask_for
from stats.models import Rehearsal
from stats.rehearsing import Assumptions, asked_of, start
from tests import making, using
from tests.pages.company import BLOCK, desk, somebody

pytestmark = pytest.mark.django_db

EVERYBODY = Assumptions(seen_percent=100, claim_percent=100, use_percent=100)


ANSWERS = {
    "day_count": "30",
    "seen_percent": "100",
    "claim_percent": "100",
    "use_percent": "100",
    "extra_percent": "0",
    "quiet_seen_percent": "0",
    "unknown_passes": "no",
    "discounted_fit": "yes",
}


def order(id, customer, placed_at, *, price=12000, **more):
    line = {"id": "l1", "unit_price_fen": price, "quantity": 1, "category": "food", "merchant": "shop"}
    said = {"id": id, "customer": customer, "client": "app", "city": "310000", "business_line": "food", "lines": [line]}
    return {**said, "placed_at": placed_at.isoformat(), "finished_at": placed_at.isoformat(), **more}


@pytest.fixture
def told(system, clock):
    """`told(("anna", 3, 12000), …)`: orders of so many days ago, at this price."""

    def tell(*orders, **more):
        rows = [
            order(f"o{n}", who, clock.now() - timedelta(days=ago, hours=1), price=price, **more)
            for n, (who, ago, price) in enumerate(orders)
        ]
        answer = system("redeem").post("orders/", {"orders": rows})
        assert {row["status"] for row in answer.body["results"]} == {"created"}, answer.body

    return tell


def rehearse(template, assumptions=EVERYBODY, *, days=30, placement=None, clock):
    rehearsal = start(template, placement, days, assumptions, now=clock.now(), by=None)
    assert run_job(rehearsal.job_id) == "done"
    return Rehearsal.objects.get(pk=rehearsal.pk)


def test_claims_uses_and_money_are_those_of_the_orders_that_fit(told, clock, ledger):
    """C13: 满100减20, one each: anna's two orders give one use, bob's is below the threshold."""
    told(("anna", 9, 12000), ("anna", 8, 15000), ("bob", 5, 5000), ("carl", 40, 12000))
    draft = making.template(status="draft", limits={"customer_count": 1})
    found = rehearse(draft, clock=clock).found
    assert (found["orders"], found["customers"], found["qualifying"], found["population"]) == (3, 2, 2, 3)
    assert (found["claims"], found["uses"], found["still_out"]) == (2, 1, 1)
    assert (found["discount_fen"], found["gmv_fen"], found["merchant_fen"]) == (2000, 12000, 0)
    assert found["no"]["use"] == {"below_threshold": 1}
    assert found["limits"]["customer_count"]["customers"] == 1
    ledger()


def test_shares_of_customers_are_taken_and_rounded_once(told, clock):
    """C13: of ten customers half see it, half of those claim, of the coupons 80 % are used: 2.5 and 2 of ten."""
    told(*((f"c{n}", 3, 12000) for n in range(10)))
    draft = making.template(
        status="draft", merchant_percent="30.00", merchant=Merchant.objects.create(key="shop", name="店")
    )
    found = rehearse(draft, Assumptions(seen_percent=50, claim_percent=50, use_percent=80), clock=clock).found
    assert (found["qualifying"], found["claims"], found["uses"]) == (10, 3, 2)
    assert (found["discount_fen"], found["merchant_fen"], found["gmv_fen"]) == (4000, 1200, 24000)
    assert sum(day["discount_fen"] for day in found["days"]) == 4000


def test_customers_are_asked_as_they_were_at_each_order(told, clock):
    """I1, C13: new at the first order, returning at the second, whatever they are today."""
    told(("anna", 9, 12000), ("anna", 8, 12000), ("bob", 40, 12000), ("bob", 5, 12000))
    new = {"standing": {"any_of": ["platform_new"]}}
    found = rehearse(making.template(status="draft", claim_conditions=new), clock=clock).found
    assert (found["qualifying"], found["claims"], found["population"]) == (1, 1, 0)
    assert found["no"]["claim"] == {"standing": 2}
    lapsed = {"last_order_days": {"min": 30}}
    found = rehearse(making.template(status="draft", claim_conditions=lapsed), clock=clock).found
    assert (found["qualifying"], found["claims"]) == (1, 1)


@pytest.mark.parametrize(("passes", "claims"), [(False, 0), (True, 1)])
def test_what_the_past_does_not_tell_is_unknown_and_the_operator_says_how_it_counts(told, clock, passes, claims):
    told(("anna", 3, 12000))
    Area.objects.create(key="zone", name="圈", geojson=BLOCK)
    rules = {"areas": {"any_of": ["zone"]}, "weather": {"any_of": ["rain"]}}
    draft = making.template(status="draft", claim_conditions=rules)
    found = rehearse(draft, replace(EVERYBODY, unknown_passes=passes), clock=clock).found
    assert (found["claims"], found["no"]["unknown"]) == (claims, {"areas": 1, "weather": 1})


def test_weather_that_is_on_record_is_known(told, clock):
    """I9: rain on the day of the first order, none on that of the second."""
    told(("anna", 9, 12000), ("bob", 5, 12000))
    day = clock.now() - timedelta(days=9)
    for at, kind in ((day, "rain"), (day + timedelta(days=4), "clear")):
        span = {"starts_at": at - timedelta(hours=12), "ends_at": at + timedelta(hours=12)}
        Weather.objects.create(city_id="310000", kind=kind, **span)
    draft = making.template(status="draft", claim_conditions={"weather": {"any_of": ["rain"]}})
    assert rehearse(draft, clock=clock).found["claims"] == 1


def test_the_day_on_which_each_limit_turns_somebody_away_is_named(told, clock):
    """C10, C13: three a day, seven in all, and a purse for five."""
    told(*((f"c{n}", 10 - n // 4, 12000) for n in range(16)))
    limits = {"total_count": 7, "daily_count": 3, "customer_count": 1}
    found = rehearse(making.template(status="draft", limits=limits), clock=clock).found
    first = (clock.now() - timedelta(days=10)).date()
    assert found["limits"]["daily_count"]["first"] == str(first)
    assert found["limits"]["daily_count"]["days"] == 2
    assert found["limits"]["total_count"]["first"] == str(first + timedelta(days=2))
    assert (found["claims"], found["refused"], found["worst_fen"]) == (7, 9, 14000)
    poor = making.template(making.campaign(budget_fen=10000), status="draft", limits={"customer_count": 1})
    found = rehearse(poor, clock=clock).found
    assert (found["claims"], found["discount_fen"], found["worst_fen"]) == (5, 10000, 10000)
    assert found["limits"]["budget_fen"]["first"] == str(first + timedelta(days=1))


def test_what_expires_unused_frees_the_purse(told, clock):
    """A coupon for its day alone, on orders below its threshold: the purse for one is free again each day."""
    told(*((f"c{n}", 10 - n, 5000) for n in range(5)))
    purse = making.campaign(budget_fen=2000)
    draft = making.template(purse, status="draft", validity_type="claim_day", limits={"customer_count": 1})
    assert rehearse(draft, clock=clock).found["claims"] == 5
    week = making.template(purse, status="draft", limits={"customer_count": 1})
    assert rehearse(week, clock=clock).found["claims"] == 1


def test_the_audience_of_a_placement_is_asked_as_well(told, clock):
    told(("anna", 9, 12000), ("bob", 5, 12000))
    vip = Customer.objects.get(key="bob")
    vip.tags = ["vip"]
    vip.save()
    draft = making.template(status="draft")
    placed = making.placement((draft, making.audience({"tags": {"any_of": ["vip"]}})), status="draft")
    found = rehearse(draft, placement=placed, clock=clock).found
    assert (found["claims"], found["no"]["claim"]) == (1, {"tags": 1})


def test_the_planned_dates_are_laid_on_the_past_days(told, clock):
    """A campaign of the next two weeks, rehearsed on three: the third week gives nothing out."""
    told(*((f"c{n}", 20 - n, 12000) for n in range(20)))
    soon = clock.now() + timedelta(days=5)
    plan = making.campaign(starts_at=soon, ends_at=soon + timedelta(days=14))
    period = {"valid_from": soon, "valid_until": soon + timedelta(days=7), "validity_type": "period"}
    found = rehearse(making.template(plan, status="draft", **period), days=21, clock=clock).found
    assert (found["claims"], found["uses"], found["no"]["claim"]) == (7, 7, {"not_started": 1, "ended": 12})


def test_quiet_customers_and_additional_orders_are_the_operators_word(told, clock):
    told(("anna", 9, 12000), ("bob", 50, 12000), ("carl", 50, 12000))
    more = replace(EVERYBODY, quiet_seen_percent=100, extra_percent=60)
    found = rehearse(making.template(status="draft", limits={"customer_count": 1}), more, clock=clock).found
    assert (found["quiet"], found["claims"], found["extra"]) == (2, 3, 2)
    assert found["uses"] == 2  # anna's, on her order or another, and 60 % of the two others'


def test_it_is_kept_and_says_when_the_draft_is_another_one(told, clock):
    told(("anna", 9, 12000))
    draft = making.template(status="draft")
    kept = rehearse(draft, clock=clock)
    assert kept.asked == asked_of(draft, None)
    draft.amount_fen = 1500
    draft.save()
    assert kept.asked != asked_of(draft, None)


# --- the pages -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["运营", "审核"])
@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_an_operator_rehearses_and_reads_what_came(told, clock, role, language, django_capture_on_commit_callbacks):
    """C13: started from the template, run by a worker, read, taken away as Excel."""
    told(("anna", 9, 12000), ("bob", 3, 12000))
    draft = making.template(status="draft", limits={"total_count": 1, "customer_count": 1})
    client = desk(somebody(role), language)
    assert (
        ask_for(draft) in client.get(reverse("admin:coupons_coupontemplate_change", args=[draft.pk])).content.decode()
    )
    asked = client.post(ask_for(draft), {**ANSWERS, "seen_percent": "140"})
    assert asked.status_code == 200
    assert 'value="140"' in asked.content.decode()
    assert not Rehearsal.objects.exists()
    with django_capture_on_commit_callbacks() as started:
        assert client.post(ask_for(draft), ANSWERS).status_code == 302
    assert len(started) == 1
    kept = Rehearsal.objects.get()
    address = reverse("admin:stats_rehearsal_change", args=[kept.pk])
    assert "data-progress" in client.get(address).content.decode()
    assert run_job(kept.job_id) == "done"
    assert client.get(f"/admin/stats/rehearsal/{kept.pk}/progress/").json()["state"] == "done"
    page = client.get(address).content.decode()
    assert 'id="card-claims"' in page
    assert "¥20.00" in page
    sheet = read(BytesIO(b"".join(client.get(f"/admin/stats/rehearsal/{kept.pk}/excel/"))))
    assert [row.cells[:2] for row in sheet][6:8] == [
        [{"zh-hans": "今天满足用户类规则的人数", "en": "Meet the rules about the customer today"}[language], "2"],
        [{"zh-hans": "领取", "en": "Claims"}[language], "1"],
    ]


def test_what_really_happened_stands_beside_it(told, clock, system):
    """C13: rehearsed, launched, claimed and used: the first days side by side."""
    told(("anna", 9, 12000), ("bob", 8, 12000))
    template = making.template(status="draft")
    kept = rehearse(template, clock=clock)
    CouponTemplate.objects.filter(pk=template.pk).update(status="live")
    clock.forward(days=2)
    coupon = using.give(template, "carl", at=clock.now())
    assert (
        system("redeem").post("redemptions/", {"order": using.order("o9", "carl"), "coupons": [coupon]}).status == 201
    )
    began, real = rehearsal_days.real_days(kept, clock.now())
    assert (began, [n.issued_count for n in real], [n.used_count for n in real]) == (clock.now().date(), [1], [1])
    page = desk(somebody("审核")).get(reverse("admin:stats_rehearsal_change", args=[kept.pk])).content.decode()
    assert 'id="table-beside"' in page


def test_who_may_not_rehearse_cannot(clock):
    draft = making.template(status="draft")
    for role in ("财务", "客服"):
        assert desk(somebody(role)).post(ask_for(draft), ANSWERS).status_code == 403
    assert not Rehearsal.objects.exists()
