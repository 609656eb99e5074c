"""Placements side by side, without small numbers misleading anybody."""

import io

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from openpyxl import load_workbook

from stats.queries.newcomers import new_customers
from stats.reporting.comparing import compare
from tests import making, using

pytestmark = pytest.mark.django_db
PAGE = "/admin/stats/report/comparison/"


def desk(group: str, language: str = "zh-hans") -> Client:
    user = User.objects.create_user(group, is_staff=True)
    user.groups.set([Group.objects.get(name=group)])
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


@pytest.fixture
def campaign(system, clock):
    """Two placements. The centre: 4 issued, 3 used, by ann (twice; new) and ben (new). The flash sale: 2 issued, 1 used
    by ann, who is new no more. Another campaign used by cat.
    """
    caller = system("issue", "redeem")
    first, second = making.campaign(), making.campaign()
    out = making.template(first)
    center = making.placement(out, of=first, channel="coupon_center", title="领券中心")
    flash = making.placement(out, of=first, channel="flash_sale", title="秒杀")
    other = making.placement(making.template(second), of=second, channel="share")
    acts = [
        (center, "ann", True), (center, "ann", True), (center, "ben", True), (center, "dan", False),
        (flash, "ann", True), (flash, "eve", False), (other, "cat", True),
    ]  # fmt: skip
    for number, (placement, name, uses) in enumerate(acts):
        clock.forward(minutes=1)
        body = {"customer": name, "client": "app", "city": "310000"}
        [coupon] = caller.post(f"placements/{placement.key}/claims/", body).body["coupons"]
        if uses:
            order = using.order(f"o-{number}", name)
            told = caller.post("redemptions/", {"order": order, "coupons": [coupon["id"]], "capture": True})
            assert told.status == 201, told.body
            assert caller.post("orders/", {"orders": [order]}).status == 200
    first.center, first.flash = center, flash
    return first


def test_each_side_has_its_cost_uses_and_new_customers_and_together_everybody_counts_once(campaign):
    """P10: the campaign's new customers are the ones of its goal."""
    sides, total = compare("placement", first=None, last=None, campaign=campaign.pk)
    center, flash = sides
    assert [(s.numbers.issued_count, s.numbers.used_count, s.spread.new) for s in sides] == [(4, 3, 2), (2, 1, 0)]
    assert (center.cost_per_use, center.cost_per_new, flash.cost_per_new) == (2000, 3000, None)
    assert (center.spread.cost, flash.spread.cost) == (6000, 2000)
    assert (total.spread.new, total.spread.customers) == (new_customers([campaign.pk])[campaign.pk], 2)
    assert (center.cost_per_use_interval, center.cost_per_new_interval) == (None, None)
    by_channel, whole = compare("channel", first=None, last=None)
    assert {side.key for side in by_channel} == {("coupon_center",), ("flash_sale",), ("share",)}
    assert whole.spread.new == 3


def test_the_page_says_too_few_can_be_sorted_and_taken_away_and_is_reached_from_the_campaign(campaign):
    client = desk("运营")
    page = client.get(PAGE, {"campaign": campaign.pk})
    assert page.status_code == 200
    assert "样本太少" in page.content.decode()
    names = [row[0] for row in client.get(PAGE, {"campaign": campaign.pk, "sort": "+cost"}).context["rows"]]
    assert [name.split(" ")[0] for name in names] == ["秒杀", "领券中心"]
    last = client.get(PAGE, {"campaign": campaign.pk, "sort": "+cost_per_new"}).context["rows"][-1][0]
    assert last.startswith("秒杀")  # what has no value stands last, either way
    taken = client.get(PAGE + page.context["excel"])
    rows = list(load_workbook(io.BytesIO(b"".join(taken))).active.iter_rows(values_only=True))
    assert rows[1][1:5] == (4, 0, 3, 0.75)
    assert rows[-1][:4] == ("合计", 6, 0, 4)
    assert rows[1][9] == 60
    below = client.get(f"/admin/distribution/campaign/{campaign.pk}/change/").content.decode()
    assert f"{PAGE}?campaign={campaign.pk}" in below


def test_each_role_sees_what_it_may_and_empty_days_say_so(campaign, clock):
    assert desk("客服").get(PAGE).status_code == 403
    assert desk("财务", "en").get(PAGE, {"by": "form"}).status_code == 200
    client = desk("审核")
    assert client.get(PAGE, {"by": "nothing"}).context["form"].errors
    assert client.get(PAGE, {"campaign": "x"}).context["form"].errors
    clock.forward(days=100)
    assert "这段时间没有数据" in desk("管理员").get(PAGE).content.decode()
