"""The admin's first page says what the ledger says, to everybody what they may know."""

import re

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db.models import Sum
from django.test import Client

from coupons.models import CouponEvent
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
    with query_count() as count:
        client.get("/admin/")
    assert count.statements <= few <= 18
