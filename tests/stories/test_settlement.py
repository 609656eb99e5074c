"""What merchants and the platform owe, month by month, closed for good (U11)."""

import io
import re
from datetime import date
from decimal import Decimal

import openpyxl
import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from coupons.models import Merchant
from coupons.refused import Refused
from redemption import settling
from redemption.models import GivenBack, Redemption, SettledMonth, SettlementEntry, Statement
from redemption.queries import settlement
from redemption.queries.settlement import Share
from tests.pages.company import desk, somebody
from tests.using import coupon, line, order

pytestmark = pytest.mark.django_db
PAGE = "/admin/redemption/settledmonth/"


@pytest.fixture
def months(system, clock):
    """May: m1 pays 30 % of 20.00, m2 half of 20.00. June: 10.00 of the second comes back, m1 pays 600 again."""
    till = system("redeem")
    m1, m2 = (Merchant.objects.create(key=key, name=f"商户{key}") for key in ("m1", "m2"))

    def redeem(number, merchant, percent, *lines):
        said = order(f"o{number}", f"c{number}", *lines)
        one = coupon(f"c{number}", merchant=merchant, merchant_percent=percent)
        return till.post("redemptions/", {"order": said, "coupons": [one]}).body["id"]

    clock.set("2026-05-20 12:00")
    redeem(1, m1, 30)
    second = redeem(2, m2, 50, line("a", 6000), line("b", 6000))
    clock.set("2026-06-02 12:00")
    till.post(f"redemptions/{second}/rollbacks/", {"lines": [{"id": "b"}]})
    clock.set("2026-06-03 12:00")
    redeem(3, m1, 30)
    return till, second


MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def test_a_statement_says_what_was_owed_what_came_and_what_went(months, ledger):
    """Opening + redemptions − rollbacks + entries = closing; the next one opens where this one closed."""
    may = settlement.shares(MAY, JUNE)
    assert may == [
        Share(None, 0, 2, 2400, 0, 0, 0),
        Share("m1", 0, 1, 600, 0, 0, 0),
        Share("m2", 0, 1, 1000, 0, 0, 0),
    ]
    settling.enter(merchant="m1", kind="payment", amount_fen=-600, reason="May paid", now=timezone.now(), by="cw")
    june = settlement.shares(JUNE, JULY)
    assert june == [
        Share(None, 2400, 1, 1400, 1, 500, 0),
        Share("m1", 600, 1, 600, 0, 0, -600),
        Share("m2", 1000, 0, 0, 1, 500, 0),
    ]
    assert [share.closing_fen for share in june] == [3300, 600, 500]
    # Any period: two days are the sum of each.
    days = [settlement.shares(date(2026, 6, day), date(2026, 6, day + 1)) for day in (2, 3)]
    assert [share.opening_fen for share in days[1]] == [share.closing_fen for share in days[0]]
    ledger()


def test_a_closed_month_stays_whatever_comes_and_late_rollbacks_count_in_the_next(months, clock, ledger):
    till, second = months
    made = settling.close(MAY, now=timezone.now(), by="cw")
    kept = list(Statement.objects.filter(month=made).order_by("id").values_list())
    till.post(f"redemptions/{second}/rollbacks/", {})
    assert list(Statement.objects.filter(month=made).order_by("id").values_list()) == kept
    assert [share.closing_fen for share in settlement.shares(MAY, JUNE)] == [2400, 600, 1000]
    assert settlement.shares(JUNE, JULY)[2] == Share("m2", 1000, 0, 0, 2, 1000, 0)
    with pytest.raises(Refused, match="month_not_over"):
        settling.close(JUNE, now=timezone.now(), by="cw")
    clock.set("2026-07-01 00:29")
    with pytest.raises(Refused, match="month_not_over"):
        settling.close(JUNE, now=timezone.now(), by="cw")
    clock.set("2026-08-03 09:00")
    for month, code in ((MAY, "month_closed"), (JULY, "month_not_next")):
        with pytest.raises(Refused, match=code):
            settling.close(month, now=timezone.now(), by="cw")
    settling.close(JUNE, now=timezone.now(), by="cw")
    assert settlement.shares(JULY, date(2026, 8, 1))[0].opening_fen == 2400 + 1400 - 1000
    ledger()


def test_the_database_itself_refuses_to_change_a_closed_month(months):
    made = settling.close(MAY, now=timezone.now(), by="cw")
    may = settlement.midnight(MAY)
    redemption = Redemption.objects.order_by("created_at").first()
    attempts = [
        lambda: Statement.objects.update(redeemed_fen=0, closing_fen=0),
        lambda: Statement.objects.all().delete(),
        lambda: SettledMonth.objects.update(closed_by="x"),
        lambda: SettledMonth.objects.all().delete(),
        lambda: GivenBack.objects.update(discount_fen=0, merchant_fen=0),
        lambda: GivenBack.objects.all().delete(),
        lambda: GivenBack.objects.create(redemption=redemption, at=may, discount_fen=1, merchant_fen=0),
        lambda: SettlementEntry.objects.create(at=may, kind="adjustment", amount_fen=1, reason="late", by="x"),
        lambda: Redemption.objects.filter(pk=redemption.pk).update(redeemed_at=may),
    ]
    with connection.cursor() as cursor:
        cursor.execute("UPDATE redemption_settledmonth SET closed_in = closed_in WHERE false")
    for attempt in attempts:
        with pytest.raises((DatabaseError, psycopg.Error)), transaction.atomic():
            attempt()
    entry = settling.enter(
        merchant="m1", kind="adjustment", amount_fen=-100, reason="agreed", now=timezone.now(), by="cw"
    )
    with pytest.raises((DatabaseError, psycopg.Error)), transaction.atomic():
        SettlementEntry.objects.filter(pk=entry.pk).update(amount_fen=-200)
    assert made.statements.count() == 3


def reckon(sheet):
    """The sheet's cells with the formulas worked out: sums and differences of cells, as Excel would."""
    cells = {cell.coordinate: cell.value for line in sheet for cell in line}

    def value(name):
        said = cells.get(name)
        if not (isinstance(said, str) and said.startswith("=")):
            return Decimal(str(said or 0))
        if found := re.fullmatch(r"=SUM\(([A-Z])(\d+):\1(\d+)\)", said):
            return sum(value(f"{found[1]}{n}") for n in range(int(found[2]), int(found[3]) + 1))
        total = Decimal(0)
        for sign, cell in re.findall(r"([=+-])([A-Z]\d+)", said):
            total += -value(cell) if sign == "-" else value(cell)
        return total

    return {name: value(name) for name in cells if re.fullmatch(r"[C-I]([2-9]|\d\d)", name)}


def test_finance_sees_takes_away_and_closes_and_operations_does_not(months, clock):
    """The Excel's formulas say what the page says, to the fen."""
    finance, operations = desk(somebody("财务")), desk(somebody("运营"))
    period = {"start": "2026-06-01", "end": "2026-06-30"}
    page = finance.get(PAGE, period).content.decode()
    assert "商户m1" in page
    for money in ("¥24.00", "¥14.00", "¥33.00", "¥5.00"):
        assert money in page
    book = openpyxl.load_workbook(io.BytesIO(b"".join(finance.get(f"{PAGE}excel/", period))))
    sheet = book.active
    assert sheet["I2"].value == "=C2+E2-G2+H2"
    found = reckon(sheet)
    shares = settlement.shares(JUNE, JULY)
    assert [found[f"I{row}"] * 100 for row in range(2, 6)] == [
        *(share.closing_fen for share in shares),
        sum(share.closing_fen for share in shares),
    ]
    assert (found["D5"], found["F5"]) == (1, 1)
    for address in (PAGE, f"{PAGE}excel/", f"{PAGE}close/"):
        assert operations.get(address, period).status_code == 403
    assert operations.post(f"{PAGE}close/", {"month": "2026-05-01"}).status_code == 403
    assert "2026-05" in finance.get(f"{PAGE}close/").content.decode()
    assert finance.post(f"{PAGE}close/", {"month": "2026-06-01"}).status_code == 302
    assert SettledMonth.objects.count() == 0
    closed = finance.post(f"{PAGE}close/", {"month": "2026-05-01"}, follow=True).content.decode()
    assert "商户m2" in closed
    assert SettledMonth.objects.get().closed_by
    asked = finance.get(f"{PAGE}close/", follow=True).content.decode()
    assert "本月结束半小时后才能结账" in asked, "June is not asked about while it lasts"
    made = finance.post(
        "/admin/redemption/settlemententry/add/",
        {"merchant": "m1", "kind": "adjustment", "amount_fen": "-1.00", "reason": "协商减免"},
    )
    assert made.status_code == 302, made.content.decode()
    entry = SettlementEntry.objects.get()
    assert (entry.amount_fen, entry.by) == (-100, "2")
    page = "/admin/redemption/settlemententry/add/"
    form = re.findall(r'name="form_id" value="([0-9a-f-]{36})"', finance.get(page).content.decode())[0]
    paid = {"merchant": "m1", "kind": "payment", "amount_fen": "-5.00", "reason": "转账", "form_id": form}
    for _press in range(2):
        assert finance.post(page, paid).status_code == 302
    assert SettlementEntry.objects.filter(kind="payment").count() == 1, "pressed twice, paid once"
    assert finance.post(page, {**paid, "amount_fen": "-6.00"}).status_code == 302, "gone back and written anew"
    another = re.findall(r'name="form_id" value="([0-9a-f-]{36})"', finance.get(page).content.decode())[0]
    assert finance.post(page, {**paid, "form_id": another}).status_code == 302, "the same sum once more, on purpose"
    assert sum(SettlementEntry.objects.filter(kind="payment").values_list("amount_fen", flat=True)) == -1600
    page = finance.get(PAGE, period).content.decode()
    assert all(f">{amount}<" in page for amount in ("-¥1.00", "-¥6.00", "-¥17.00")), "each entry, and their sum"
    assert finance.get(f"/admin/redemption/settlemententry/{entry.pk}/change/").status_code == 200


@pytest.mark.parametrize(
    ("typed", "fen"),
    [("-1.00", -100), ("−1", -100), ("－1.5", -150), ("3", 300), ("--1", None), ("-", None), ("0", None)],
)
def test_an_entry_is_above_or_below_nothing_and_says_so_at_its_field(months, typed, fen):
    finance, page = desk(somebody("财务")), "/admin/redemption/settlemententry/add/"
    said = {"merchant": "m1", "kind": "adjustment", "amount_fen": typed, "reason": "对账"}
    answer = finance.post(page, said)
    assert list(SettlementEntry.objects.values_list("amount_fen", flat=True)) == ([fen] if fen else [])
    assert answer.status_code == (302 if fen else 200)
    if not fen:
        assert list(answer.context["adminform"].form.errors) == ["amount_fen"]


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [
        ("0001-01-01", "2026-06-30", "start"),
        ("2026-06-01", "9999-12-31", "end"),
        ("2026-06-02", "2026-06-01", "end"),
        ("2026-06-01", "soon", "end"),
    ],
)
def test_a_period_that_makes_no_sense_is_said_at_its_field_on_the_page_and_by_excel(months, start, end, wrong):
    finance = desk(somebody("财务"))
    period = {"start": start, "end": end}
    for address in (PAGE, f"{PAGE}excel/"):
        answer = finance.get(address, period, follow=True)
        assert answer.status_code == 200
        assert list(answer.context["form"].errors) == [wrong]
