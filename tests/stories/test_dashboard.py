"""The admin's first page says what the ledger says, to everybody what they may know."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from coupons import refusals
from coupons.models import Coupon, CouponEvent, Supply
from distribution.models import Campaign, Placement
from stats import folding
from stats.models import DayRollup
from tests import making

pytestmark = pytest.mark.django_db

ORDER = {
    "client": "app",
    "city": "310000",
    "lines": [
        {"id": "a", "unit_price_fen": 6000, "quantity": 1},
        {"id": "b", "unit_price_fen": 6000, "quantity": 1},
    ],
}


@pytest.fixture
def company(system, clock):
    """Three coupons of 20 yuan issued, two redeemed on orders of 120 yuan, half of one order given back."""
    campaign = making.campaign(budget_fen=10_000)
    placement = making.placement(making.template(campaign, merchant_percent=None), of=campaign)
    caller = system("issue", "redeem")
    coupons = {}
    for name in ("ann", "ben", "cat"):
        body = {"customer": name, "client": "app", "city": "310000"}
        [coupon] = caller.post(f"placements/{placement.key}/claims/", body).body["coupons"]
        coupons[name] = coupon["id"]
    for name in ("ann", "ben"):
        body = {"order": {**ORDER, "id": f"order-{name}", "customer": name}, "coupons": [coupons[name]]}
        redeemed = caller.post("redemptions/", {**body, "capture": True})
        assert redeemed.status == 201
    rolled = caller.post(f"redemptions/{redeemed.body['id']}/rollbacks/", {"lines": [{"id": "a"}]})
    assert rolled.status == 200
    return campaign


def _as(*groups: str, language: str = "zh-hans") -> Client:
    user = User.objects.create_user("-".join(groups) or "nobody", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


def _cards(page) -> dict[str, str]:
    return {card.key: card.value for card in page.context["dashboard"]["cards"]}


def test_every_number_is_the_ledgers_before_and_after_folding(company, ledger):
    """S1, S3, S6, S7: issued, used, use rate, average paid, GMV, discount, subsidy rate, budget."""
    assert DayRollup.objects.count() == 0
    client = _as("财务")
    before = client.get("/admin/")
    events = CouponEvent.objects.aggregate(gmv=Sum("gmv_fen"), spent=Sum("spent_fen"), paid=Sum("paid_fen"))
    assert events == {"gmv": 18_000, "spent": 3_000, "paid": 15_000}
    assert _cards(before) == {
        "issued": "3",
        "used": "2",
        "use_rate": "66.7%",
        "average_paid": "¥75.00",
        "gmv": "¥180.00",
        "discount": "¥30.00",
        "subsidy_rate": "16.7%",
        "merchants": "¥0.00",
    }
    purses = {card.key: card.value for card in before.context["dashboard"]["purses"]}
    assert purses == {"spent": "¥30.00", "committed": "¥30.00", "free": "¥40.00"}
    assert folding.fold_all() == CouponEvent.objects.count()
    after = client.get("/admin/")
    assert _cards(after) == _cards(before)
    call_command("rebuild_rollups", verbosity=0)
    assert _cards(client.get("/admin/")) == _cards(before)
    ledger()


def test_what_is_refused_when_coupons_are_used_and_by_whom(company, system, ledger):
    """S4, S5, S7: a failed claim and a failed use; noon of a Wednesday; customers by their orders of thirty days."""
    told = {**ORDER, "customer": "ann", "business_line": "food", "finished_at": "2026-06-03T11:00:00+08:00"}
    orders = [{**told, "id": f"told-{number}"} for number in range(5)]
    assert system("redeem").post("orders/", {"orders": orders}).status == 200
    Supply.objects.update(customer_count=1)
    placement = Placement.objects.get().key
    again = system("issue").post(f"placements/{placement}/claims/", {"customer": "cat", "client": "app"})
    assert again.code == "customer_limit"
    spent = str(Coupon.objects.get(customer__key="ben").pk)
    used = {"order": {**ORDER, "id": "x", "customer": "ben"}, "coupons": [spent]}
    assert system("redeem").post("redemptions/", used).status == 409
    refusals.flush()
    folding.fold_all()
    page = _as("财务").get("/admin/")
    claims, uses = page.context["dashboard"]["failures"]
    assert (claims.rate, claims.refused, claims.attempts) == ("25.0%", "1", "4")
    assert [cause.code for cause in claims.causes] == ["customer_limit"]
    assert (uses.rate, uses.refused, uses.attempts) == ("33.3%", "1", "3")
    assert uses.causes[0].code == "already_redeemed"
    heat = page.context["dashboard"]["heat"]
    assert heat.total == "2"
    assert heat.rows[2][1][12].text == "2"  # Wednesday, noon
    levels = next(table for table in page.context["dashboard"]["tables"] if table.key == "activity")
    assert {row.name: row.numbers.used_count for row in levels.rows} == {"30 天内 4–9 单": 1, "30 天内无订单": 1}
    ledger()


def test_the_page_speaks_of_one_campaign_channel_or_city_when_asked(company):
    """What nobody could have chosen is left out; purses belong to campaigns as a whole, refusals to no city."""
    folding.fold_all()
    other = making.campaign()
    client = _as("财务")
    for chosen, issued in (
        ({"campaign": company.pk, "channel": "coupon_center", "city": "310000"}, "3"),
        ({"campaign": other.pk}, "0"),
        ({"channel": "partner"}, "0"),
        ({"channel": "nowhere", "campaign": "x", "city": "1"}, "3"),
    ):
        page = client.get("/admin/", chosen)
        assert (chosen, _cards(page)["issued"]) == (chosen, issued)
    page = client.get("/admin/", {"city": "310000"})
    assert (page.context["dashboard"]["purses"], page.context["dashboard"]["failures"]) == ([], [])
    assert 'href="?days=14&amp;city=310000"' in page.content.decode()


def test_a_budget_says_when_it_runs_out_at_the_pace_of_the_last_seven_days(company, clock):
    """S6: 60 of 100 yuan are used in a week; the other 40 last five days more. Customer service sees none of it."""
    clock.forward(days=1)
    folding.fold_all()
    (row,) = _as("财务").get("/admin/").context["dashboard"]["campaigns"]
    assert row.forecast == "按近 7 天的速度 2026-06-09 用完"
    Campaign.objects.update(ends_at=clock.now() + timedelta(days=2))
    (row,) = _as("审核").get("/admin/").context["dashboard"]["campaigns"]
    assert row.forecast == "按近 7 天的速度可用到结束"
    clock.forward(days=30)
    assert [row.forecast for row in _as("运营").get("/admin/").context["dashboard"]["campaigns"]] == [""]


def test_a_day_of_a_curve_opens_to_its_rows_in_the_ledger(company, clock):
    clock.forward(days=1)
    client = _as("财务")
    line = client.get("/admin/").context["dashboard"]["curves"][0].lines[1]
    assert line.cells[0] == "3"
    opened = client.get(f"{line.link}&kind__exact=issued").context["cl"].result_count
    assert (opened, client.get(line.link).context["cl"].result_count) == (3, CouponEvent.objects.count())
    other = client.get("/admin/").context["dashboard"]["curves"][0].lines[0]
    assert client.get(other.link).context["cl"].result_count == 0


@pytest.mark.parametrize(("days", "shown"), [("14", "3"), ("30", "3"), ("90", "3"), ("7", "3"), ("x", "3")])
def test_the_period_is_chosen_among_three(company, days, shown):
    assert _cards(_as("财务").get("/admin/", {"days": days}))["issued"] == shown


def test_what_is_older_than_the_period_is_not_in_it(company, clock):
    clock.forward(days=20)
    client = _as("财务")
    assert _cards(client.get("/admin/", {"days": "14"}))["issued"] == "0"
    assert _cards(client.get("/admin/", {"days": "30"}))["issued"] == "3"


def test_customer_service_sees_no_budgets_and_strangers_see_nothing(company):
    """S6: budgets are for those who answer for them."""
    budget = re.compile(r"已占用|¥40\.00")
    assert budget.search(_as("财务").get("/admin/").content.decode())
    assert not budget.search(_as("客服").get("/admin/").content.decode())
    page = _as().get("/admin/")
    assert "dashboard" not in page.context
    assert "您的账号还没有权限" in page.content.decode()


def test_both_languages_are_complete(company):
    chinese = _as("财务").get("/admin/").content.decode()
    for word in ("Issued", "Redeemed", "Use rate", "Day by day", "By channel"):
        assert word not in chinese
    english = _as("管理员", language="en").get("/admin/").content.decode()
    for word in ("核销率", "每日走势", "按渠道", "补贴率"):
        assert word not in english


def test_an_empty_company_is_told_how_to_begin(clock):
    page = _as("运营").get("/admin/")
    assert page.status_code == 200
    assert "还没有活动" in page.content.decode()


def test_the_page_takes_few_queries_however_much_there_is(company, query_count):
    client = _as("财务")
    client.get("/admin/")
    with query_count() as count:
        client.get("/admin/")
    few = count.statements
    for _ in range(5):
        more = making.campaign(budget_fen=1000)
        making.placement(making.template(more, amount_fen=100), of=more)
    client.get("/admin/")  # reads anew what depends on the catalogue
    with query_count() as count:
        client.get("/admin/")
    assert count.statements <= few <= 20
