"""The admin's first page says what the ledger says, to everybody what they may know."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.db import OperationalError
from django.db.models import Sum

from coupons import refusals, sights
from coupons.models import Coupon, CouponEvent, Supply
from distribution.models import Campaign, Placement
from stats import dashboard, folding
from stats.models import DayRollup
from tests import making
from tests.stories.dashboards import Page, excel, operator, table_of

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


def test_every_number_is_the_ledgers_before_and_after_folding(company, ledger):
    """S1, S3, S6, S7: issued, used, use rate, average paid, GMV, discount, subsidy rate, budget."""
    assert DayRollup.objects.count() == 0
    client = operator("财务")
    before = Page(client)
    events = CouponEvent.objects.aggregate(gmv=Sum("gmv_fen"), spent=Sum("spent_fen"), paid=Sum("paid_fen"))
    assert events == {"gmv": 18_000, "spent": 3_000, "paid": 15_000}
    assert before.cards == {
        "issued": "3",
        "used": "2",
        "use_rate": "66.7%",
        "average_paid": "¥75.00",
        "gmv": "¥180.00",
        "discount": "¥30.00",
        "subsidy_rate": "16.7%",
        "merchants": "¥0.00",
        "coupons_per_customer": "…",
        "spent": "¥30.00",
        "committed": "¥30.00",
        "free": "¥40.00",
        "failures-claim": "0.0%",
        "failures-use": "0.0%",
    }
    assert folding.fold_all() == CouponEvent.objects.count()
    assert Page(client).cards == before.cards
    call_command("rebuild_rollups", verbosity=0)
    assert Page(client).cards == before.cards
    ledger()


def test_coupons_per_customer_are_counted_after_the_page_stands(company):
    """S3: three coupons, three customers; one more for one of them. Who sees no figures does not get this one."""
    client = operator("财务")
    address = Page(client).fetched
    assert "1.00" in client.get(address).content.decode()
    making.placement(making.template(company), of=company, key="second")
    assert "共 3 位顾客领到券" in client.get(address).content.decode()
    assert operator("客服").get(address).status_code == 403
    assert client.get(f"{address}&first=x").status_code == 404


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
    client = operator("管理员")
    page = Page(client)
    assert page.cards["failures-claim"] == "25.0%"
    assert page.tables["failures-claim"][1] == ["您领取的数量已达上限。", "1", "100.0%"]
    assert page.cards["failures-use"] == "33.3%"
    opened = client.get(page.links["failures-use", 1, 1])
    assert [row.code for row in opened.context["cl"].result_list] == ["already_redeemed"]
    assert page.total("heat")[-1] == "2"
    assert page.line("heat", "周三")[13] == "2"  # noon
    assert page.line("hours", "12:00")[:3] == ["12:00", "0.1", "2"]
    assert page.line("weekdays", "周三")[:3] == ["周三", "0.4", "2"]  # of five Wednesdays
    assert page.line("activity", "30 天内 4–9 单")[1:4] == ["50.0%", "1", "1"]
    assert page.line("activity", "30 天内无订单")[1:4] == ["50.0%", "2", "1"]
    ledger()


def test_the_page_speaks_of_one_campaign_channel_or_city_when_asked(company):
    """Purses belong to campaigns as a whole."""
    folding.fold_all()
    other = making.campaign()
    client = operator("财务")
    for chosen, issued in (
        ({"campaign": company.pk, "channel": "coupon_center", "city": "310000"}, "3"),
        ({"campaign": other.pk}, "0"),
        ({"channel": "partner"}, "0"),
    ):
        assert (chosen, Page(client, chosen).cards["issued"]) == (chosen, issued)
    page = Page(client, {"city": "310000", "compare": "last_year"})
    assert {"free", "failures-claim"} & {*page.cards} == {"failures-claim"}, "budgets know no city; refusals do"
    assert 'href="?period=last_7&amp;compare=last_year&amp;city=310000"' in page.html


def test_a_budget_says_when_it_runs_out_at_the_pace_of_the_last_seven_days(company, clock):
    """S6: 60 of 100 yuan are used in a week; the other 40 last five days more, whichever days are looked at."""
    clock.forward(days=1)
    folding.fold_all()
    client = operator("运营")
    for asked in ("", "period=last_month", "first=2026-01-01&last=2026-01-02"):
        assert "按近 7 天的速度 2026-06-09 用完" in Page(client, asked).html
    Campaign.objects.update(ends_at=clock.now() + timedelta(days=2))
    assert "按近 7 天的速度可用到结束" in Page(operator("审核")).html
    clock.forward(days=30)
    assert "按近 7 天的速度" not in Page(operator("财务")).html


@pytest.mark.parametrize(
    ("asked", "issued", "before"),
    [
        ("period=today", "0", "0"),
        ("period=yesterday", "0", "3"),
        ("period=last_7", "3", "0"),
        ("period=last_30", "3", "0"),
        ("period=last_90", "3", "0"),
        ("period=this_month", "3", "0"),
        ("period=last_month", "0", "0"),
        ("first=2026-06-03&last=2026-06-03", "3", "0"),
        ("first=2026-06-04&last=2026-06-05", "0", "3"),
        ("first=2026-06-04&last=2026-06-05&compare=last_year", "0", "0"),
        ("first=2026-06-05&last=2026-06-05&compare=own&compare_first=2026-06-01&compare_last=2026-06-03", "0", "3"),
        ("first=2026-05-05&last=2027-01-01", "3", "0"),
    ],
)
def test_days_and_what_they_are_compared_with_are_chosen(company, clock, asked, issued, before):
    """Three coupons of Wednesday, 3 June, looked at on Friday. The address alone says it all."""
    clock.forward(days=2)
    page = Page(operator("财务"), asked)
    assert page.cards["issued"] == issued
    assert page.small["issued"].endswith(f"对比期：{before}")


def test_last_year_is_the_same_days_of_the_calendar_and_of_months_the_month_before(company, clock):
    clock.set("2027-06-05 10:00")
    page = Page(operator("财务"), "first=2027-06-01&last=2027-06-04&compare=last_year")
    assert "2026-06-01 – 2026-06-04" in page.html
    assert page.small["issued"] == "减少 100.0% 对比期：3"
    client = operator("运营")
    assert "“对比期”为 2027-04-01 – 2027-04-30" in Page(client, "period=last_month").html
    assert "本期 31 天，对比期 30 天" in Page(client, "period=last_month").html
    assert "“对比期”为 2027-05-01 – 2027-05-05" in Page(client, "period=this_month").html
    assert "今天还没结束" in Page(client, "period=this_month").html
    clock.set("2028-02-29 10:00")
    assert "“对比期”为 2027-02-28" in Page(operator("管理员"), "period=today&compare=last_year").html


def test_nothing_is_compared_when_that_is_asked(company):
    client = operator("财务")
    page = Page(client, "compare=none")
    assert page.cards["issued"] == "3"
    assert "对比期" not in page.html
    assert page.small.get("issued") is None
    assert "对比期" not in str(excel(client, "curve-issued", "compare=none"))


@pytest.mark.parametrize(
    ("asked", "wrong"),
    [
        ("first=2026-13-45&last=2026-06-01", {"first": "输入一个有效的日期。"}),
        ("first=x<b>&last=", {"first": "输入一个有效的日期。", "last": "请填写起始日和结束日。"}),
        ("first=2026-06-02&last=2026-06-01", {"last": "不能早于起始日。"}),
        ("first=2025-04-28&last=2026-06-03", {"last": "最多 400 天。"}),
        ("first=2026-06-04&last=2026-06-05", {"first": "这一天还没到。"}),
        ("first=0001-01-01&last=0001-01-02", {"first": "不能早于 2000-01-01。", "last": "不能早于 2000-01-01。"}),
        ("compare=own", {"compare_first": "请填写起始日和结束日。", "compare_last": "请填写起始日和结束日。"}),
        ("compare=own&compare_first=2026-06-02&compare_last=2026-06-01", {"compare_last": "不能早于起始日。"}),
        ("period=last_30&step=hour", {"step": "按小时最多显示 14 天。"}),
    ],
)
def test_days_that_are_none_are_said_at_their_field_and_what_was_typed_is_kept(company, asked, wrong):
    client = operator("财务")
    page = Page(client, asked)
    assert page.wrong == wrong
    assert page.cards == {}
    for part in asked.split("&"):
        name, value = part.split("=")
        if value and name != "step":
            assert f'value="{value.replace("<", "&lt;").replace(">", "&gt;")}"' in page.html
    assert client.get(f"/admin/stats/report/overview/curve-issued.xlsx?{asked}").status_code == 404


def test_what_there_is_not_is_said_at_its_field_and_no_figures_pass_for_its_own(company):
    """S1: of a campaign, a channel, a city."""
    client = operator("财务")
    for asked in ("channel=nowhere", "campaign=x", "campaign=999999", "city=1"):
        page, (name, said) = Page(client, asked), asked.split("=")
        assert (page.wrong, page.cards) == ({name: f"“{said}”不在可选项中。"}, {})
        assert client.get(f"/admin/stats/report/overview/cities.xlsx?{asked}").status_code == 404
        assert client.get(f"/admin/stats/report/overview/customers/?{asked}").status_code == 404
    assert Page(client, "channel=nowhere&first=2026-06-02&last=2026-06-01").wrong.keys() == {"channel", "last"}


@pytest.mark.parametrize(
    "asked",
    ["period=nowhere", "compare=nowhere", "step=nowhere", "first=2025-04-30&last=2026-06-03", "city=%00&campaign=%00"],
)
def test_whatever_stands_in_the_address_the_page_opens(company, asked):
    page = Page(operator("财务"), asked)
    assert ("nowhere" in asked) is ("issued" not in page.cards)


def test_curves_go_by_hour_day_and_week_over_those_compared(company, clock):
    """S7: noon of the third is the thirteenth hour; of week 23 five days are in the period."""
    client = operator("财务")
    hours = Page(client, "period=today").tables["curve-issued"]
    assert len(hours) == 24 + 2
    assert hours[12] == ["2026-06-03 星期三 12:00", "3", "0", "0", "0"]
    assert hours[11][1] == "–"  # has not come yet
    clock.set("2026-06-12 10:00")
    client = operator("运营")
    page = Page(client, "period=last_7")
    assert [line[:2] for line in page.tables["curve-issued"][1:3]] == [
        ["2026-06-12 星期五", "0"],
        ["2026-06-11 星期四", "0"],
    ]
    assert page.small["curve-issued", 3, 1] == "减少 100.0%"
    assert page.small["curve-issued", 3, 0] == "对比：2026-06-03"
    weeks = Page(client, "first=2026-06-03&last=2026-06-12&step=week").tables["curve-issued"]
    assert [line[:2] for line in weeks[1:]] == [
        ["2026年第24周 · 2026-06-08 – 2026-06-12", "0"],
        ["2026年第23周 · 2026-06-03 – 2026-06-07", "3"],
        ["合计", "3"],
    ]


@pytest.mark.parametrize("folded", [False, True], ids=["not-folded", "folded"])
def test_what_was_seen_opens_to_the_coupons_that_were(company, customer, clock, folded):
    """S1: in the funnel and on each day of the curve, of all and of one city or channel; as a file, too."""
    customer("ann").get("coupons/")
    clock.forward(days=1)
    customer("cat").get("coupons/")
    sights.flush()
    if folded:
        folding.fold_all()
    client = operator("财务")
    for asked in ("", "city=310000", "channel=coupon_center", f"campaign={company.pk}", "channel=partner"):
        page = Page(client, asked)
        places = {place: link for place, link in page.links.items() if "/seen/" in link}
        days = [place for place in places if place[0] == "curve-issued"]
        assert len(days) == (3 if asked != "channel=partner" else 0), "two days and the total"
        for (table, line, cell), link in places.items():
            rows = client.get(link).context["cl"].result_list
            assert page.tables[table][line][cell] == str(len(rows)), link
    whole = Page(client).links["funnel", 2, 1]
    said = client.get(whole).content.decode()
    coupons = Coupon.objects.values_list("customer__key", "code")
    assert {name: code in said for name, code in coupons} == {"ann": True, "ben": False, "cat": True}
    exported = client.get(whole.replace("seen/?", "seen/export/csv/?"))
    assert b"".join(exported).count(b"\n") == 3
    inside = Page(client, "city=310000").links["funnel", 2, 1]
    assert "仅显示以下范围" in client.get(inside).content.decode()
    assert b"".join(client.get(inside.replace("/?", "/export/csv/?"))).count(b"\n") == 3
    nobody = operator()
    assert nobody.get(whole).status_code == 403
    assert nobody.get(whole.replace("seen/?", "seen/export/csv/?")).status_code == 403
    assert client.get("/admin/stats/report/seen/nowhere=1/").status_code == 404


def test_a_number_opens_to_its_rows_in_the_ledger(company, clock):
    """Days, hours, channels, cities, levels, campaigns: as many rows as the number says; a filter stays in force."""
    clock.forward(days=1)
    folding.fold_all()
    client = operator("财务")
    page = Page(client)
    opened = 0
    for place, link in page.links.items():
        text = page.cards[place] if isinstance(place, str) else page.tables[place[0]][place[1]][place[2]]
        if "/couponevent/?" in link or "/rows/" in link:
            result = client.get(link)
            assert result.status_code == 200, link
            rows = result.context["cl"].result_list
            if text.startswith("¥"):
                fen = int(Decimal(text[1:].replace(",", "")) * 100)
                assert fen in {sum(row.gmv_fen for row in rows), sum(row.paid_fen for row in rows),
                               sum(row.spent_fen for row in rows)}, link  # fmt: skip
            else:
                count = sum(-1 if row.kind == "returned" else 1 for row in rows)
                orders = sum(row.order_parts for row in rows) // CouponEvent.ORDER_PARTS
                assert text in {f"{count}", f"{orders}"}, place
            opened += 1
    assert opened > 30
    inside = Page(client, "channel=coupon_center").links["issued"]
    assert client.get(inside).context["cl"].result_count == 3
    assert "仅显示以下范围的流水：渠道: 频道页领券中心" in client.get(inside).content.decode()
    outside = inside.replace("coupon_center", "partner")
    assert client.get(outside).context["cl"].result_count == 0
    exported = client.get(inside.replace("/?", "/export/csv/?"))
    assert b"".join(exported).count(b"\n") == 4
    assert operator("运营").get("/admin/stats/report/rows/nowhere=1/").status_code == 404
    for cell in ("campaign=x", "channel=%2500", "day=2026-06-03", "campaign=99999999999999999999"):
        assert client.get(f"/admin/stats/report/rows/{cell}/").status_code == 404, cell
    assert operator("审核").get("/admin/stats/report/rows/channel=/?at__gte=x").status_code in (200, 302)


def test_each_chart_is_taken_away_as_the_table_under_it(company):
    """S8: numbers as numbers, with the days and filters above; for those alone who see the figures."""
    folding.fold_all()
    client = operator("财务")
    asked = f"first=2026-06-02&last=2026-06-03&campaign={company.pk}"
    page = Page(client, asked)
    charts = [key.removesuffix(".xlsx") for key in page.html.split("/overview/") if ".xlsx" in key[:40]]
    keys = {key[: key.index(".xlsx")] for key in page.html.split("/overview/")[1:] if ".xlsx" in key[:40]}
    assert charts
    assert keys == {
        "funnel", "curve-issued", "curve-used", "curve-gmv", "curve-discount", "campaigns", "weekdays", "hours", "heat",
        "templates", "channels", "cities", "activity",
    }  # fmt: skip
    for key in keys:
        rows = excel(client, key, asked)
        assert [cell for cell in rows[1] if cell] == ["时间", "2026-06-02 – 2026-06-03"]
        assert ["活动", company.name] in [[cell for cell in row if cell] for row in rows[:4]], key
        names = [row[0] for row in table_of(rows)]
        assert names == [line[0] for line in page.tables[key]], key
    gmv = table_of(excel(client, "curve-gmv", asked))
    assert gmv[0][:3] == ["小时", "交易额（GMV）（元）", "交易额（GMV）（元）（对比期）"]
    assert (gmv[-1][1], gmv[-1][2]) == (180, 0)
    assert client.get("/admin/stats/report/overview/nothing.xlsx").status_code == 404


def test_customer_service_sees_no_figures_and_who_sees_no_money_cannot_take_it_away(company):
    """S6: budgets and money are for those who answer for them."""
    service = operator("客服")
    page = Page(service)
    assert page.cards == {}
    assert not any(word in page.html for word in ("已占用", "¥"))
    assert service.get("/admin/stats/report/overview/curve-issued.xlsx").status_code == 403
    figures = User.objects.create_user("counter", is_staff=True)
    rights = ("view_dayrollup", "view_couponevent", "view_report", "add_report")
    figures.user_permissions.set(Permission.objects.filter(codename__in=rights))
    service.force_login(figures, "django.contrib.auth.backends.ModelBackend")
    page = Page(service)
    assert page.cards["issued"] == "3"
    assert not any(word in page.html for word in ("已占用", "¥", "GMV", "补贴率", "预算已用"))
    for key in ("curve-gmv", "curve-discount"):
        assert service.get(f"/admin/stats/report/overview/{key}.xlsx").status_code == 404
    for key in ("campaigns", "channels", "templates", "cities", "curve-issued"):
        rows = excel(service, key)
        assert not any(word in str(rows) for word in ("元", "GMV", "补贴率", "预算", "抵扣")), key
    stranger = Page(operator())
    assert stranger.cards == {}
    assert "您的账号还没有权限" in stranger.html


def test_both_languages_are_complete(company):
    chinese = Page(operator("财务"), "step=day&compare=last_year").html
    for word in ("Issued", "Redeemed", "Use rate", "Day by day", "By channel", "Compared", "Picture", "more<"):
        assert word not in chinese
    english = Page(operator("管理员", language="en")).html
    for word in ("核销率", "每日走势", "按渠道", "补贴率", "对比", "图片"):
        assert word not in english


def test_an_empty_company_is_told_how_to_begin(clock):
    assert "还没有活动" in Page(operator("运营")).html


def test_the_page_begins_before_its_figures_are_added_up(company, query_count):
    """S1"""
    client = operator("财务")
    Page(client)
    with query_count() as count:
        pieces = iter(client.get("/admin/"))
        above = next(pieces).decode()
    at_once = count.statements
    with query_count() as count:
        figures, further = next(pieces).decode(), next(pieces).decode()
    assert at_once < count.statements
    assert 'name="campaign"' in above
    assert "card-issued" not in above
    assert "card-issued" in figures
    assert 'id="cities"' in further
    assert b"".join(pieces).rstrip().endswith(b"</html>")


def test_figures_that_cannot_be_read_leave_a_whole_page_that_says_so(company, monkeypatch):
    """S1"""
    client = operator("财务")

    def gone(*told):
        raise OperationalError("gone")

    monkeypatch.setattr(dashboard, "board", gone)
    page = client.get("/admin/").content.decode()
    assert "数据暂时无法读取" in page
    assert "card-issued" not in page
    assert page.rstrip().endswith("</html>")


def test_the_page_takes_few_queries_however_much_there_is(company, query_count):
    client = operator("财务")
    Page(client)
    with query_count() as count:
        Page(client)
    few = count.statements
    for _ in range(5):
        more = making.campaign(budget_fen=1000)
        making.placement(making.template(more, amount_fen=100), of=more)
    Page(client)  # reads anew what depends on the catalogue
    with query_count() as count:
        Page(client)
    assert count.statements <= few <= 20
