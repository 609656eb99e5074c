"""Told orders of past days with their customers' facts as they were, customer by customer."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, NamedTuple

import orjson
from django.utils import timezone

from coupons.queries.direct import row, rows
from coupons.queries.profiles import profiles
from coupons.rules import Profile
from coupons.rules.situation import DayFacts, LineFacts
from redemption.pricing import Line

_COUNT = """
SELECT count(*), count(DISTINCT customer_id) FROM redemption_order
 WHERE placed_at >= %(first)s AND placed_at < %(until)s AND finished_at IS NOT NULL AND finished_at < %(until)s
"""
_CUSTOMERS = """
SELECT DISTINCT customer_id FROM redemption_order
 WHERE placed_at >= %(first)s AND placed_at < %(until)s AND finished_at IS NOT NULL AND finished_at < %(until)s
 ORDER BY customer_id
"""
# What was finished since the first day is taken off the customers' totals of today, whenever it was placed.
_ORDERS = """
SELECT customer_id, date_part('epoch', placed_at), date_part('epoch', finished_at), placed_at >= %(first)s
       AND placed_at < %(until)s AND finished_at < %(until)s, client, business_mode, business_line, city_id,
       lines::text, goods_fen, shipping_fen, deducted_fen
  FROM redemption_order
 WHERE customer_id = ANY(%(customers)s::bigint[]) AND finished_at >= %(first)s
 ORDER BY customer_id, placed_at, id
"""
_LAST = """
SELECT c.id, greatest((SELECT max(o.finished_at) FROM redemption_order o
                        WHERE o.customer_id = c.id AND o.finished_at < %(first)s),
                      CASE WHEN c.first_order_at < %(first)s THEN c.first_order_at END)
  FROM coupons_customer c WHERE c.id = ANY(%(customers)s::bigint[])
"""


class Told(NamedTuple):
    """``tried``: placed and finished within the days that are looked at; else it only counts among earlier orders."""

    placed_at: datetime
    finished_at: datetime
    tried: bool
    client: str
    business_mode: str | None
    business_line: str | None
    city: str | None
    lines: tuple[Line, ...]
    goods_fen: int
    shipping_fen: int
    deducted_fen: int

    @property
    def full_fen(self) -> int:
        return self.goods_fen + self.shipping_fen


def zone() -> tzinfo:
    return timezone.get_default_timezone()


def counts(first: datetime, until: datetime) -> tuple[int, int]:
    """Orders and their customers."""
    found = row(_COUNT, {"first": first, "until": until})
    assert found is not None
    return found[0], found[1]


def customers(first: datetime, until: datetime) -> list[int]:
    return [found[0] for found in rows(_CUSTOMERS, {"first": first, "until": until})]


def orders(ids: list[int], first: datetime, until: datetime) -> dict[int, list[Told]]:
    """By customer, in the order in which they were placed; moments in the business time zone."""
    there, found = first.tzinfo, dict[int, list[Told]]()
    moment, made = datetime.fromtimestamp, Line
    for customer, placed, finished, tried, client, mode, line, city, lines, goods, shipping, deducted in rows(
        _ORDERS, {"customers": ids, "first": first, "until": until}
    ):
        basket = tuple([made(**one) for one in orjson.loads(lines)])
        told = Told(
            moment(placed, there), moment(finished, there), tried, client, mode, line, city, basket, goods, shipping,
            deducted,
        )  # fmt: skip
        found.setdefault(customer, []).append(told)
    return found


def beginnings(
    ids: list[int], told: dict[int, list[Told]], needs: frozenset[str], first: datetime, days_back: int
) -> Iterator[Profile]:
    """The customers as they were at ``first``: today's totals less what was finished since. What data work tells
    (sensitivity, tags …) is kept as it is today, since nobody knows what it was.
    """
    last = dict(rows(_LAST, {"customers": ids, "first": first}))
    since: date | None = first.date() - timedelta(days=days_back) if days_back else None
    for today in profiles(ids, needs | {"lines"}, since=since):
        assert today.id is not None
        finished = told.get(today.id, [])
        lines: dict[str, LineFacts] = dict(today.lines)
        lasts = [facts.last_order_at for facts in lines.values()]
        for order in finished:
            if order.business_line in lines:
                facts = lines[order.business_line]
                lines[order.business_line] = LineFacts(facts.order_count - 1, None)
        before = [moment for moment in (last.get(today.id), *lasts) if moment is not None and moment < first]
        order_count = today.order_count - len(finished)
        yield replace(
            today,
            order_count=order_count,
            gross_fen=today.gross_fen - sum(order.full_fen for order in finished),
            deducted_fen=today.deducted_fen - sum(order.deducted_fen for order in finished),
            last_order_at=max(before, default=None) if order_count else None,
            lines=lines,
            days={day: facts for day, facts in today.days.items() if day < first.date()},
        )


def with_order(customer: Profile, order: Told, *, with_days: bool = True) -> Profile:
    """The customer once this order is finished. ``with_days``: some condition looks back at single days."""
    changed: dict[str, Any] = {
        "order_count": customer.order_count + 1,
        "gross_fen": customer.gross_fen + order.full_fen,
        "deducted_fen": customer.deducted_fen + order.deducted_fen,
        "last_order_at": max(customer.last_order_at or order.finished_at, order.finished_at),
    }
    if order.business_line is not None:
        facts = customer.lines.get(order.business_line)
        changed["lines"] = {
            **customer.lines,
            order.business_line: LineFacts((facts.order_count if facts else 0) + 1, order.finished_at),
        }
    if with_days:
        day = order.finished_at.date()
        known = customer.days.get(day, DayFacts(0, 0, 0))
        changed["days"] = {
            **customer.days,
            day: DayFacts(
                known.order_count + 1, known.gross_fen + order.full_fen, known.deducted_fen + order.deducted_fen
            ),
        }
    return replace(customer, **changed)
