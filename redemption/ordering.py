"""Finished orders, as the company's other systems tell them: they feed what is known of customers.

Telling one twice changes nothing; a row that cannot be taken says why and keeps no other from being taken.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.answers import Once, Reply, do_once
from coupons.queries import catalogue
from coupons.queries.catalogue import Book
from coupons.queries.direct import rows
from redemption.queries.basket import Basket

#: Clocks differ a little; an order that is finished later than this after now is none yet.
TOLERANCE = timedelta(minutes=5)


class Told(NamedTuple):
    """``discount_fen``: what was taken off elsewhere; where our own coupons were redeemed, theirs counts instead."""

    basket: Basket
    finished_at: datetime
    discount_fen: int = 0


class Taken(NamedTuple):
    """What became of a row: ``created``, ``updated`` (known from a redemption), ``unchanged``, ``error``."""

    id: str
    status: str
    errors: list[dict[str, Any]]


class _Counted(NamedTuple):
    """An order that counts from now on."""

    key: str
    customer_id: int
    business_line: str | None
    finished_at: datetime
    gross_fen: int
    deducted_fen: int


_CUSTOMERS = """
INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen, deducted_fen)
SELECT key, '', '', %s, '{}', 0, 0, 0 FROM unnest(%s::text[]) AS n(key) ORDER BY key
ON CONFLICT (key) DO NOTHING RETURNING 1
"""
_LOCK_CUSTOMERS = "SELECT key, id FROM coupons_customer WHERE key = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_TOLD = """
unnest(%(keys)s::text[], %(customers)s::bigint[], %(placed)s::timestamptz[], %(finished)s::timestamptz[],
       %(clients)s::text[], %(modes)s::text[], %(lines)s::text[], %(cities)s::text[], %(goods)s::text[],
       %(goods_fen)s::bigint[], %(shipping_fen)s::bigint[], %(deducted_fen)s::bigint[])
 AS t(key, customer, placed, finished, client, mode, line, city, goods, goods_fen, shipping_fen, deducted_fen)
"""
_NEW = f"""
INSERT INTO redemption_order (key, customer_id, placed_at, finished_at, client, business_mode, business_line, city_id,
                              lines, goods_fen, shipping_fen, deducted_fen)
SELECT key, customer, placed, finished, client, mode, line, city, goods::jsonb, goods_fen, shipping_fen, deducted_fen
  FROM {_TOLD} ORDER BY key
ON CONFLICT (key) DO NOTHING
RETURNING key, customer_id, business_line, finished_at, goods_fen + shipping_fen, deducted_fen
"""  # noqa: S608  our own words, no input
_LOCK_ORDERS = "SELECT key, customer_id FROM redemption_order WHERE key = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
# Whoever still wants to capture one of these, by a clock behind ours, finds that it has ended.
_LAPSED = """
UPDATE redemption_redemption AS r SET status = 'released', ended_at = r.held_until
  FROM redemption_order AS o
 WHERE o.key = ANY(%s) AND r.order_id = o.id AND r.status = 'held' AND r.held_until <= %s RETURNING 1
"""
# An order with a living redemption keeps the snapshot that the redemption was reckoned on.
_KNOWN = f"""
UPDATE redemption_order AS o
   SET finished_at = t.finished,
       placed_at = CASE WHEN r.id IS NULL THEN t.placed ELSE o.placed_at END,
       client = CASE WHEN r.id IS NULL THEN t.client ELSE o.client END,
       business_mode = CASE WHEN r.id IS NULL THEN t.mode ELSE o.business_mode END,
       business_line = coalesce(CASE WHEN r.id IS NULL THEN t.line END, o.business_line, t.line),
       city_id = CASE WHEN r.id IS NULL THEN t.city ELSE o.city_id END,
       lines = CASE WHEN r.id IS NULL THEN t.goods::jsonb ELSE o.lines END,
       goods_fen = CASE WHEN r.id IS NULL THEN t.goods_fen ELSE o.goods_fen END,
       shipping_fen = CASE WHEN r.id IS NULL THEN t.shipping_fen ELSE o.shipping_fen END,
       deducted_fen = CASE WHEN r.id IS NULL THEN t.deducted_fen ELSE o.deducted_fen END
  FROM {_TOLD} LEFT JOIN redemption_order AS k ON k.key = t.key
  LEFT JOIN redemption_redemption AS r ON r.order_id = k.id AND r.status IN ('held', 'redeemed')
 WHERE o.id = k.id AND o.customer_id = t.customer AND o.finished_at IS NULL
RETURNING o.key, o.customer_id, o.business_line, o.finished_at, o.goods_fen + o.shipping_fen, o.deducted_fen
"""  # noqa: S608  our own words, no input
_TOTALS = """
UPDATE coupons_customer AS c
   SET order_count = c.order_count + n.orders,
       gross_fen = c.gross_fen + n.gross, deducted_fen = c.deducted_fen + n.deducted,
       first_order_at = least(c.first_order_at, n.first), last_order_at = greatest(c.last_order_at, n.last)
  FROM unnest(%s::bigint[], %s::integer[], %s::bigint[], %s::bigint[], %s::timestamptz[], %s::timestamptz[])
       AS n(id, orders, gross, deducted, first, last)
 WHERE c.id = n.id RETURNING 1
"""
_LINES = """
INSERT INTO coupons_customerline AS l (customer_id, business_line, order_count, first_order_at, last_order_at)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::integer[], %s::timestamptz[], %s::timestamptz[])
       AS n(customer, line, orders, first, last) ORDER BY customer, line
ON CONFLICT (customer_id, business_line) DO UPDATE
   SET order_count = l.order_count + excluded.order_count,
       first_order_at = least(l.first_order_at, excluded.first_order_at),
       last_order_at = greatest(l.last_order_at, excluded.last_order_at)
RETURNING 1
"""
_DAYS = """
INSERT INTO coupons_customerday AS d (customer_id, day, order_count, gross_fen, deducted_fen)
SELECT * FROM unnest(%s::bigint[], %s::date[], %s::integer[], %s::bigint[], %s::bigint[])
       AS n(customer, day, orders, gross, deducted) ORDER BY customer, day
ON CONFLICT (customer_id, day) DO UPDATE
   SET order_count = d.order_count + excluded.order_count, gross_fen = d.gross_fen + excluded.gross_fen,
       deducted_fen = d.deducted_fen + excluded.deducted_fen
RETURNING 1
"""

# Who waits for this lock has its order still to itself, and adds it afterwards.
_DAYS_ALONE = "LOCK TABLE coupons_customerday IN SHARE ROW EXCLUSIVE MODE"
_DAYS_ANEW = """
INSERT INTO coupons_customerday (customer_id, day, order_count, gross_fen, deducted_fen)
SELECT customer_id, (finished_at AT TIME ZONE %s)::date AS day, count(*), sum(goods_fen + shipping_fen),
       sum(deducted_fen)
  FROM redemption_order WHERE finished_at IS NOT NULL GROUP BY customer_id, day
"""


def tell(orders: Sequence[Told], *, now: datetime, once: Once | None = None) -> Reply:
    """Take these finished orders; ``{"results": [...]}`` in their order. Customers never heard of are made known."""

    def act() -> Reply:
        return Reply(200, orjson.dumps({"results": [row._asdict() for row in take(orders, now)]}, default=str))

    return do_once(once, now, act)


def take(orders: Sequence[Told], now: datetime) -> list[Taken]:
    """What became of each, in their order; within a transaction."""
    book = catalogue.current()
    wrong = [_wrong(told, now, book) for told in orders]
    first: dict[str, Told] = {}
    for told, errors in zip(orders, wrong, strict=True):
        if not errors:
            first.setdefault(told.basket.key, told)
    keys = sorted({told.basket.customer for told in first.values()})
    # Locks: customers, then orders, each by id, then holds that ran out; a redemption locks coupons, order, itself,
    # budgets and no customer.
    rows(_CUSTOMERS, (now, keys))
    customers: dict[str, int] = dict(rows(_LOCK_CUSTOMERS, (keys,)))
    counted = [_Counted(*one) for one in rows(_NEW, _columns(list(first.values()), customers))]
    became = {one.key: "created" for one in counted}
    known = [told for key, told in first.items() if key not in became]
    owners = {key: customers[told.basket.customer] for key, told in first.items()}
    if known:
        names = [told.basket.key for told in known]
        owners |= dict(rows(_LOCK_ORDERS, (names,)))
        rows(_LAPSED, (names, now))
        updated = [_Counted(*one) for one in rows(_KNOWN, _columns(known, customers))]
        became |= {one.key: "updated" for one in updated}
        counted += updated
    _count(counted)
    results = []
    for told, errors in zip(orders, wrong, strict=True):
        key = told.basket.key
        if errors:
            results.append(Taken(key, "error", errors))
        elif owners[key] != customers.get(told.basket.customer):
            sentence = _("This order is another customer's.")
            results.append(Taken(key, "error", [{"field": "customer", "code": "not_theirs", "detail": sentence}]))
        else:
            results.append(Taken(key, became.pop(key, "unchanged"), []))
    return results


def count_days_anew() -> int:
    """The customers' day totals from their orders, by the business's present time zone; how many there are now."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_DAYS_ALONE)
        cursor.execute("DELETE FROM coupons_customerday")
        cursor.execute(_DAYS_ANEW, (settings.TIME_ZONE,))
        return cursor.rowcount


def _wrong(told: Told, now: datetime, book: Book) -> list[dict[str, Any]]:
    """What makes no sense in a row that is well formed."""
    errors = []
    basket = told.basket
    if basket.city is not None and basket.city not in book.cities:
        errors.append({"field": "city", "code": "unknown_key", "detail": _("There is no such city.")})
    if told.finished_at > now + TOLERANCE:
        errors.append({"field": "finished_at", "code": "in_future", "detail": _("It cannot be finished after now.")})
    if told.discount_fen > basket.goods_fen + basket.shipping_fen:
        sentence = _("No more can be taken off than the order costs.")
        errors.append({"field": "discount_fen", "code": "too_large", "detail": sentence})
    return errors


def _columns(orders: Sequence[Told], customers: dict[str, int]) -> dict[str, list[Any]]:
    baskets = [told.basket for told in orders]
    return {
        "keys": [basket.key for basket in baskets],
        "customers": [customers[basket.customer] for basket in baskets],
        "placed": [basket.placed_at for basket in baskets],
        "finished": [told.finished_at for told in orders],
        "clients": [basket.client for basket in baskets],
        "modes": [basket.business_mode for basket in baskets],
        "lines": [basket.business_line for basket in baskets],
        "cities": [basket.city for basket in baskets],
        "goods": [orjson.dumps(basket.snapshot()).decode() for basket in baskets],
        "goods_fen": [basket.goods_fen for basket in baskets],
        "shipping_fen": [basket.shipping_fen for basket in baskets],
        "deducted_fen": [told.discount_fen for told in orders],
    }


def _count(counted: Sequence[_Counted]) -> None:
    """The customers' totals: in all, by business line, by day."""
    if not counted:
        return
    totals: dict[int, list[_Counted]] = {}
    lines: dict[tuple[int, str], list[_Counted]] = {}
    days: dict[tuple[int, date], list[_Counted]] = {}
    for one in counted:
        totals.setdefault(one.customer_id, []).append(one)
        if one.business_line is not None:
            lines.setdefault((one.customer_id, one.business_line), []).append(one)
        days.setdefault((one.customer_id, timezone.localtime(one.finished_at).date()), []).append(one)
    rows(
        _TOTALS,
        _turned(
            (customer, len(many), _gross(many), _deducted(many), *_ends(many))
            for customer, many in sorted(totals.items())
        ),
    )
    if lines:
        rows(_LINES, _turned((customer, line, len(many), *_ends(many)) for (customer, line), many in lines.items()))
    rows(
        _DAYS,
        _turned((customer, day, len(many), _gross(many), _deducted(many)) for (customer, day), many in days.items()),
    )


def _gross(many: Sequence[_Counted]) -> int:
    return sum(one.gross_fen for one in many)


def _deducted(many: Sequence[_Counted]) -> int:
    return sum(one.deducted_fen for one in many)


def _ends(many: Sequence[_Counted]) -> tuple[datetime, datetime]:
    moments = [one.finished_at for one in many]
    return min(moments), max(moments)


def _turned(table: Any) -> list[list[Any]]:
    """Rows as columns."""
    return [list(column) for column in zip(*table, strict=True)]
