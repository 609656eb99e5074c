"""Counts and sums by the dimensions that are asked for."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.db import connection

from coupons.models import CouponEvent
from stats.queries.counting import FACETS, MEASURES, SUMS, whole, whole_by, zone

DIMENSIONS = {
    "day": "c.day",
    "hour": "c.hour",
    "weekday": "date_part('isodow', c.day)::int",
    "week": "date_trunc('week', c.day)::date",
    "month": "date_trunc('month', c.day)::date",
    "template": "c.template_id",
    "placement": "c.placement",
    "city": "c.city_id",
    "business_line": "c.business_line",
    "activity": "c.activity",
    "category": "coalesce(t.category_id, '')",
    "merchant": "coalesce(t.merchant_id, '')",
    "channel": "coalesce(p.channel, '')",
    "form": "coalesce(p.form, '')",
    "campaign": "m.id",
}
_IN_TIME = {"day", "weekday", "week", "month"}
_TYPES = {
    **dict.fromkeys(("day", "week", "month"), "date"),
    **dict.fromkeys(("hour", "weekday"), "int"),
    **dict.fromkeys(("template", "campaign"), "bigint"),
}


@dataclass(frozen=True, slots=True)
class Numbers:
    """Sums over events. What was rolled back counts on the day when that happened, with a minus."""

    issued_count: int = 0
    seen_count: int = 0
    redeemed_count: int = 0
    rolled_back_count: int = 0
    returned_count: int = 0
    expired_count: int = 0
    void_count: int = 0
    committed_fen: int = 0
    spent_fen: int = 0
    merchant_fen: int = 0
    gmv_fen: int = 0
    paid_fen: int = 0
    order_parts: int = 0

    @property
    def used_count(self) -> int:
        """Redeemed, without those that came back to their customers."""
        return self.redeemed_count - self.returned_count

    @property
    def unused_count(self) -> int:
        """Issued, less what was used, expired or became void in the same time."""
        return self.issued_count - self.used_count - self.expired_count - self.void_count

    @property
    def order_count(self) -> int | float:
        """Orders with a coupon, each once: where it has several, each of them has its share, as of what was paid. Parts
        of orders make a float, to two places.
        """
        whole, rest = divmod(self.order_parts, CouponEvent.ORDER_PARTS)
        return round(self.order_parts / CouponEvent.ORDER_PARTS, 2) if rest else whole

    @property
    def discount_fen(self) -> int:
        return self.spent_fen

    @property
    def platform_fen(self) -> int:
        return self.spent_fen - self.merchant_fen

    @property
    def use_rate(self) -> float | None:
        """Used ÷ issued in the same time, which are not the same coupons; None where none were issued."""
        return self.used_count / self.issued_count if self.issued_count else None

    @property
    def seen_rate(self) -> float | None:
        """First shown to their holders ÷ issued in the same time, which are not the same coupons."""
        return self.seen_count / self.issued_count if self.issued_count else None

    @property
    def subsidy_rate(self) -> float | None:
        """Discount ÷ value of the orders at full price."""
        return self.spent_fen / self.gmv_fen if self.gmv_fen else None

    @property
    def average_paid_fen(self) -> int | None:
        """Paid per order, half up to the fen. Of a template, a placement and the like: per part of an order that is
        theirs, which is how their orders are paid on average.
        """
        paid, parts = self.paid_fen * CouponEvent.ORDER_PARTS, self.order_parts
        return (2 * paid + parts) // (2 * parts) if parts > 0 else None


Group = tuple[Any, ...]


def kept(columns: Mapping[str, str], only: Mapping[str, Any]) -> list[str]:
    """What ``only`` says of these columns, for WHERE; with :func:`told` as its parameters."""
    return [
        f"{columns[name]} = {f'ANY(%(only_{name})s)' if isinstance(value, list) else f'%(only_{name})s'}"
        for name, value in only.items()
    ]


def told(first: dt.date | None, last: dt.date | None, only: Mapping[str, Any]) -> dict[str, Any]:
    return {"first": first, "last": last, **{f"only_{name}": value for name, value in only.items()}, **zone()}


def joined(named: Collection[str]) -> str:
    """The tables that names of :data:`DIMENSIONS` stand in, joined to cells named ``c``."""
    joins = ""
    if {"channel", "form"} & {*named}:
        joins += " LEFT JOIN distribution_placement p ON p.key = c.placement"
    if {"campaign", "category", "merchant"} & {*named}:
        joins += " LEFT JOIN coupons_coupontemplate t ON t.id = c.template_id"
    if "campaign" in named:
        joins += " LEFT JOIN distribution_campaign m ON m.budget_id = t.budget_id"
    return joins


def numbers(
    *groupings: tuple[str, ...],
    first: dt.date | None = None,
    last: dt.date | None = None,
    only: Mapping[str, Any] | None = None,
) -> list[dict[Group, Numbers]]:
    """Numbers from the first to the last day, both included, once for each grouping; all from one snapshot.

    ``numbers(("day",), ("channel", "city"), ())`` gives three dicts whose keys are ``(day,)``, ``(channel, city)`` and
    ``()``. Without a placement, a city or another name it is ``""``, without a campaign None. Weekdays are 1 to 7,
    Monday first; weeks and months go by their first day. ``only`` keeps what equals, or what is in a list.
    """
    only = only or {}
    asked = list(dict.fromkeys(name for grouping in groupings for name in grouping))
    apart = list(dict.fromkeys(groupings))
    by_source: dict[str, list[int]] = {}
    for place, grouping in enumerate(apart):
        by_source.setdefault(_source({*grouping, *only}), []).append(place)
    parts = [
        _part(source, {place: apart[place] for place in places}, asked, first, last, only)
        for source, places in by_source.items()
    ]
    found: dict[tuple[str, ...], dict[Group, Numbers]] = {grouping: {} for grouping in apart}
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(parts), told(first, last, only))
        for place, *row in cursor:
            values = dict(zip(asked, row, strict=False))
            sums = Numbers(**dict(zip(MEASURES, row[len(asked) :], strict=True)))
            found[apart[place]][tuple(values[name] for name in apart[place])] = sums
    return [found[grouping] for grouping in groupings]


def _source(named: set[str]) -> str:
    """The smallest rollup that knows all these names."""
    facts = [*(named & FACETS.keys())]
    if len(facts) < 2:
        return whole_by("".join(facts), together=named <= {*_IN_TIME, *facts})
    table = "stats_hourrollup" if "hour" in facts else "stats_dayrollup"
    return whole(table, line="business_line" in facts, activity="activity" in facts)


def _part(
    source: str,
    groupings: Mapping[int, tuple[str, ...]],
    asked: list[str],
    first: dt.date | None,
    last: dt.date | None,
    only: Mapping[str, Any],
) -> str:
    """The sums of these groupings, each with its place among all, from one source; what it does not ask for is NULL."""
    mine = [name for name in asked if any(name in grouping for grouping in groupings.values())]
    wanted = kept(DIMENSIONS, only)
    wanted += ["c.day >= %(first)s"] * (first is not None) + ["c.day <= %(last)s"] * (last is not None)
    sets = ", ".join(f"({', '.join(DIMENSIONS[name] for name in grouping)})" for grouping in groupings.values())
    columns = "".join(
        f"{f'({DIMENSIONS[name]})' if name in mine else 'NULL'}::{_TYPES.get(name, 'text')}, " for name in asked
    )
    # Which grouping a row belongs to: a bit for each name that is not part of it.
    bits = " ".join(
        f"WHEN {sum(1 << at for at, name in enumerate(reversed(mine)) if name not in grouping)} THEN {place}"
        for place, grouping in groupings.items()
    )
    which = f"CASE GROUPING({', '.join(DIMENSIONS[name] for name in mine)}) {bits} END" if mine else str(min(groupings))
    return f"""
        SELECT {which}, {columns}{SUMS} FROM ({source}) c{joined({*mine, *only})}
        {"WHERE " + " AND ".join(wanted) if wanted else ""} GROUP BY GROUPING SETS ({sets})
    """  # noqa: S608  made of the names above


def added(several: Iterable[Numbers]) -> Numbers:
    several = list(several)
    return Numbers(**{f.name: sum(getattr(numbers, f.name) for numbers in several) for f in fields(Numbers)})
