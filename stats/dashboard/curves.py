"""Four curves. Each is drawn from the table under it, so that both say the same."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils import formats
from django.utils.translation import gettext as _

from coupons.admin.money import yuan
from coupons.conditions.ranges import start_of
from stats.dashboard.figures import count, percent
from stats.dashboard.period import Period
from stats.queries.numbers import Numbers


@dataclass(frozen=True)
class Line:
    day: str
    short: str
    point: Any  # a number, or several with spaces between
    cells: list[str]
    #: Where the rows stand that this day is the sum of.
    link: str = ""


@dataclass(frozen=True)
class Curve:
    key: str
    title: str
    kind: str  # count or money
    headers: list[str]
    lines: list[Line]
    totals: list[str]


Column = tuple[str, Callable[[Numbers], Any], Callable[..., str]]


def _rows_of(ledger: str, day: dt.date) -> str:
    """The day's page of the ledger; empty for whoever may not read it."""
    if not ledger:
        return ""
    ends = {"at__gte": start_of(day).isoformat(), "at__lt": start_of(day + dt.timedelta(1)).isoformat()}
    return f"{ledger}?{urlencode(ends)}"


def of_the_period(
    period: Period, by_day: dict[tuple[Any, ...], Numbers], total: Numbers, ledger: str = ""
) -> list[Curve]:
    """The first column of each is what the curve shows; the newest day stands first. ``ledger``: its address."""
    columns: list[tuple[str, str, list[Column]]] = [
        ("issued", "count", [
            (_("Issued"), lambda n: n.issued_count, count),
            (_("Expired"), lambda n: n.expired_count, count),
            (_("Void"), lambda n: n.void_count, count),
        ]),
        ("used", "count", [
            (_("Redeemed"), lambda n: n.used_count, count),
            (_("At first"), lambda n: n.redeemed_count, count),
            (_("Came back"), lambda n: n.returned_count, count),
            (_("Use rate"), lambda n: n.use_rate, percent),
        ]),
        ("gmv", "money", [
            (_("GMV"), lambda n: n.gmv_fen, yuan),
            (_("Paid"), lambda n: n.paid_fen, yuan),
        ]),
        ("discount", "money", [
            (_("Discount"), lambda n: n.discount_fen, yuan),
            (_("Platform"), lambda n: n.platform_fen, yuan),
            (_("Merchants"), lambda n: n.merchant_fen, yuan),
            (_("Subsidy rate"), lambda n: n.subsidy_rate, percent),
        ]),
    ]  # fmt: skip
    curves = []
    for key, kind, facts in columns:
        lines = []
        for day in reversed(period.days):
            numbers = by_day.get((day,), Numbers())
            point = facts[0][1](numbers)
            lines.append(
                Line(
                    day=f"{day.isoformat()} {formats.date_format(day, 'D')}",
                    short=f"{day:%m-%d}",
                    point=point / 100 if kind == "money" else point,
                    cells=[write(of(numbers)) for _label, of, write in facts],
                    link=_rows_of(ledger, day),
                )
            )
        curves.append(
            Curve(
                key, facts[0][0], kind, [label for label, _of, _write in facts], lines,
                [write(of(total)) for _label, of, write in facts],
            )
        )  # fmt: skip
    return curves
