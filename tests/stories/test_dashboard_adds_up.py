"""Every number of the first page is the report's and the ledger's, over histories that nobody wrote by hand.

The history goes in through the API; the page, the report and the ledger's own file come out through the site.
"""

import csv
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from random import Random
from typing import Any

import pytest

from coupons import refusals, sights
from coupons.lifecycle import ending
from coupons.models import Coupon
from stats import folding
from tests import making, using
from tests.stories.dashboards import Page, excel, operator, table_of

pytestmark = pytest.mark.django_db

CITIES = {"310000": "上海市", "110000": "北京市", "440100": "广州市"}
CHANNELS = {"coupon_center": "频道页领券中心", "flash_sale": "秒杀券", "share": "分享红包"}
CUSTOMERS = ("ann", "ben", "cat", "dan", "eve")


@pytest.fixture(params=[11, 2026])
def lived(request, system, customer, clock) -> dict[str, Any]:
    """Sixteen days: claims, some too many, coupons looked at, used, also two on an order, given back in part or whole,
    voided, expired.
    """
    luck = Random(request.param)
    caller = system("issue", "redeem")
    campaigns = [making.campaign(budget_fen=5_000_000), making.campaign()]
    placements = {}
    for number, channel in enumerate(CHANNELS):
        of = campaigns[number % 2]
        limits = {"customer_daily_count": 1}
        template = making.template(
            of, valid_days=luck.randint(1, 4), merchant_percent=None, limits=limits, stack_group=f"group-{number}"
        )
        placements[making.placement(template, of=of, channel=channel).key] = channel
    clock.set("2026-05-20 00:30")
    number = 0
    for _day in range(16):
        for _visit in range(luck.randint(1, 7)):
            name, place = luck.choice(CUSTOMERS), luck.choice([*placements])
            body = {"customer": name, "client": "app", "city": luck.choice([*CITIES])}
            claimed = caller.post(f"placements/{place}/claims/", body)
            if claimed.status != 201:
                assert claimed.code == "customer_daily_limit", claimed.body
                continue
            [coupon] = claimed.body["coupons"]
            if luck.random() < 0.5:
                customer(name).get("coupons/")
            if luck.random() < 0.6:
                number += 1
                lines = [using.line("a", luck.randint(5_000, 9_000)), using.line("b", luck.randint(5_000, 9_000))]
                told = using.order(f"o-{number}", name, *lines, city=luck.choice([*CITIES]))
                beside = caller.post(f"placements/{luck.choice([p for p in placements if p != place])}/claims/", body)
                both = [coupon["id"], *(one["id"] for one in beside.body.get("coupons", ()))]
                used = caller.post("redemptions/", {"order": told, "coupons": both, "capture": True})
                assert used.status == 201, used.body
                clock.forward(minutes=luck.randint(1, 90))
                if luck.random() < 0.3:
                    whole = {} if luck.random() < 0.5 else {"lines": [{"id": "a"}]}
                    assert caller.post(f"redemptions/{used.body['id']}/rollbacks/", whole).status == 200
                elif luck.random() < 0.2:
                    again = {"order": {**told, "id": f"again-{number}"}, "coupons": [coupon["id"]]}
                    assert caller.post("redemptions/", again).status == 409
            elif luck.random() < 0.2:
                ending.void(Coupon.objects.get(pk=coupon["id"]).pk, now=clock.now(), by="user:x", reason="test")
        clock.forward(hours=luck.randint(18, 30))
        ending.expire(clock.now())
    refusals.flush()
    sights.flush()
    return {"placements": placements, "campaigns": campaigns, "luck": luck}


#: Columns of the ledger's file.
COLUMNS = (
    *("id", "at", "kind", "coupon", "customer", "template", "placement", "city", "client"),
    *("committed", "spent", "merchant", "gmv", "paid", "orders", "by", "reason"),
)


def ledger_rows(client: Any, keeps: Callable[[dict[str, str]], bool]) -> Iterator[dict[str, str]]:
    """The ledger's own file, row by row; money in 元."""
    answer = client.get("/admin/coupons/couponevent/export/csv/")
    lines = b"".join(answer).decode("utf-8-sig").splitlines()
    rows = list(csv.reader(lines))
    assert len(rows[0]) == len(COLUMNS)
    yield from (row for row in (dict(zip(COLUMNS, cells, strict=True)) for cells in rows[1:]) if keeps(row))


def yuan(sum_: Decimal) -> str:
    return f"{'-' if sum_ < 0 else ''}¥{abs(sum_):,.2f}"


def percent(part: Decimal | int, whole: Decimal | int) -> str:
    return f"{part / whole * 100:,.1f}%" if whole else "–"


class Counted:
    """Rows of the ledger, added up by hand."""

    def __init__(self, rows: list[dict[str, str]]) -> None:
        def of(kind: str) -> int:
            return sum(row["kind"] == kind for row in rows)

        def money(name: str) -> Decimal:
            return sum((Decimal(row[name]) for row in rows), Decimal(0))

        self.issued, self.redeemed, self.returned = of("已发放"), of("已核销"), of("券已退还")
        self.used, self.expired, self.void = self.redeemed - self.returned, of("已过期"), of("已作废")
        self.gmv, self.spent, self.paid, self.merchant = (money(n) for n in ("gmv", "spent", "paid", "merchant"))
        self.orders = money("orders")
        self.customers = len({row["customer"] for row in rows if row["kind"] == "已发放"})

    @property
    def cards(self) -> dict[str, str]:
        average = (self.paid / self.orders).quantize(Decimal("0.01"), ROUND_HALF_UP) if self.orders > 0 else None
        return {
            "issued": f"{self.issued:,}",
            "used": f"{self.used:,}",
            "use_rate": percent(self.used, self.issued),
            "average_paid": "–" if average is None else yuan(average),
            "gmv": yuan(self.gmv),
            "discount": yuan(self.spent),
            "subsidy_rate": percent(self.spent, self.gmv),
            "merchants": yuan(self.merchant),
        }


REPORTED = {
    "issued_count": "issued",
    "used_count": "used",
    "use_rate": "use_rate",
    "average_paid_fen": "average_paid",
    "gmv_fen": "gmv",
    "spent_fen": "discount",
    "subsidy_rate": "subsidy_rate",
    "merchant_fen": "merchants",
    "coupons_per_customer": "coupons_per_customer",
    "seen_count": "seen",
}
FAILED = {"claim_failure_rate": "failures-claim", "use_failure_rate": "failures-use"}


@pytest.mark.parametrize("folded", [False, True], ids=["not-folded", "folded"])
def test_every_number_is_the_reports_and_the_ledgers(lived, folded, ledger):
    """S1, S3, S5, S7, S8: a preset, days of one's own, and both of one channel, one campaign, one city."""
    if folded:
        folding.fold_all()
    client = operator("管理员")
    today = datetime.now().date()
    channel, campaign = "flash_sale", lived["campaigns"][0]
    ours = {key for key, of in lived["placements"].items() if [*CHANNELS].index(of) % 2 == 0}
    cases: list[tuple[str, date, date, dict[str, str], Callable[[dict[str, str]], bool]]] = [
        ("period=last_7", date.fromordinal(today.toordinal() - 6), today, {}, lambda row: True),
        ("first=2026-05-22&last=2026-05-29", date(2026, 5, 22), date(2026, 5, 29), {}, lambda row: True),
        (f"first=2026-05-20&last=2026-06-01&channel={channel}", date(2026, 5, 20), date(2026, 6, 1),
         {"only_channel": channel}, lambda row: lived["placements"][row["placement"]] == channel),
        (f"first=2026-05-21&last=2026-05-30&campaign={campaign.pk}", date(2026, 5, 21), date(2026, 5, 30),
         {"only_campaign": str(campaign.pk)}, lambda row: row["placement"] in ours),
        ("first=2026-05-21&last=2026-05-30&city=310000", date(2026, 5, 21), date(2026, 5, 30),
         {"only_city": "310000"}, lambda row: row["city"] == "上海市"),
    ]  # fmt: skip
    every = list(ledger_rows(client, lambda row: True))
    assert {"已发放", "已核销", "券已退还", "已退回", "已过期", "已作废"} & {row["kind"] for row in every}
    for asked, first, last, only, keeps in cases:
        page = Page(client, f"{asked}&step=day")
        rows = [row for row in every if keeps(row) and str(first) <= row["at"][:10] <= str(last)]
        counted = Counted(rows)
        assert counted.issued > 3, asked
        shown = {name: page.cards[name] for name in counted.cards}
        assert (asked, shown) == (asked, counted.cards)
        per_customer = client.get(page.fetched).content.decode()
        assert f">{counted.issued / counted.customers:,.2f}<" in per_customer
        assert f"共 {counted.customers} 位" in per_customer

        question = {"measures": [*REPORTED, *FAILED], "period": "fixed", "first": str(first), "last": str(last), **only}
        report = client.get("/admin/stats/report/add/", question)
        cells = report.context["look"].total.cells
        reported = dict(zip([*REPORTED.values(), *FAILED.values()], cells, strict=True))
        seen = page.line("funnel", "已查看")[1]
        wanted = {**shown, "seen": seen, "coupons_per_customer": f"{counted.issued / counted.customers:,.2f}"}
        wanted |= {key: page.cards[key] for key in FAILED.values()}
        assert (asked, reported) == (asked, wanted)
        assert (int(seen) > 0) or only

        assert 0 < counted.orders < counted.used or only, "some orders have two"
        _days_and_places(page, rows, first, last)
        file = table_of(excel(client, "curve-gmv", f"{asked}&step=day"))
        assert Decimal(str(file[-1][1])) == counted.gmv
        assert sum(Decimal(str(line[1])) for line in file[1:-1]) == counted.gmv
    whole = Counted(every)
    now = Page(client)
    assert now.cards["spent"] == yuan(whole.spent)
    assert now.cards["committed"] == yuan(sum((Decimal(row["committed"]) for row in every), Decimal(0)))
    ledger()


def _days_and_places(page: Page, rows: list[dict[str, str]], first: date, last: date) -> None:
    """Each line of the curves' tables, of channels and cities, and each cell of the map."""
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        day = str(date.fromordinal(ordinal))
        of_day = Counted([row for row in rows if row["at"][:10] == day])
        for key, cells in (
            ("curve-issued", {1: of_day.issued, 3: of_day.expired, 4: of_day.void}),
            ("curve-used", {1: of_day.used, 2: of_day.redeemed, 3: of_day.returned}),
            ("curve-gmv", {1: yuan(of_day.gmv), 2: yuan(of_day.paid)}),
            ("curve-discount", {1: yuan(of_day.spent), 3: yuan(of_day.merchant)}),
        ):
            line = next(line for line in page.tables[key] if line[0].startswith(day))
            assert {place: line[place] for place in cells} == {place: str(cell) for place, cell in cells.items()}
    for city in {row["city"] for row in rows}:
        of_city = Counted([row for row in rows if row["city"] == city])
        assert page.line("cities", city or "未知城市")[1:3] == [str(of_city.issued), str(of_city.used)]
    for place in {row["placement"] for row in rows}:
        of_place = Counted([row for row in rows if row["placement"] == place])
        assert [str(of_place.issued), str(of_place.used)] in [line[1:3] for line in page.tables["channels"]]
    for number, line in enumerate(page.tables["heat"][1:8], 1):
        for hour in range(24):
            there = [
                row
                for row in rows
                if row["kind"] == "已核销"
                and date.fromisoformat(row["at"][:10]).isoweekday() == number
                and int(row["at"][11:13]) == hour
            ]
            assert line[1 + hour] == (str(len(there)) if there else "")
    levels = page.tables.get("activity", [])[1:]
    assert sum(int(line[2]) for line in levels) == Counted(rows).issued
