"""Proof that the counts are those of the ledger, under load too: each proof is one statement, one snapshot."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from stats.queries.counting import (
    BY_FACET,
    CUSTOMER_CELL,
    FACET_CELL,
    KNOWN_THEN,
    MEASURES,
    SUMS,
    TABLES,
    whole,
    zone,
)
from stats.queries.spans import chain, spans


def _cells(table: str, cell_of: tuple[str, ...], ledger: str) -> str:
    cell = ", ".join(cell_of)
    return f"""
WITH seen AS (SELECT {cell}, {SUMS} FROM {table} c GROUP BY {cell}), ledger AS ({ledger})
SELECT {cell}, {", ".join(f"coalesce(seen.{m}, 0), coalesce(ledger.{m}, 0)" for m in MEASURES)}
  FROM seen FULL JOIN ledger USING ({cell})
 WHERE ({", ".join(f"coalesce(seen.{m}, 0)" for m in MEASURES)})
    <> ({", ".join(f"coalesce(ledger.{m}, 0)" for m in MEASURES)})
 ORDER BY {cell}
"""  # noqa: S608  names of our own columns


_PROOFS = {
    cell: _cells(table, cell, f"SELECT {', '.join(cell)}, {SUMS} FROM ({KNOWN_THEN}) c GROUP BY {', '.join(cell)}")  # noqa: S608
    for table, cell in TABLES.items()
} | {FACET_CELL: _cells("stats_facetrollup", FACET_CELL, BY_FACET.format(f"({KNOWN_THEN})"))}

_CUSTOMER = ", ".join(CUSTOMER_CELL)
_CUSTOMERS = f"""
WITH ledger AS (
    SELECT {_CUSTOMER}, sum(c.issued_count)::bigint AS number FROM ({KNOWN_THEN}) c
     WHERE c.issued_count > 0 GROUP BY {_CUSTOMER})
SELECT {_CUSTOMER}, coalesce(r.issued_count, 0), coalesce(ledger.number, 0)
  FROM stats_customerrollup r FULL JOIN ledger USING ({_CUSTOMER})
 WHERE coalesce(r.issued_count, 0) <> coalesce(ledger.number, 0) ORDER BY {_CUSTOMER}
"""  # noqa: S608  names of our own columns

_SPANS = f"""
WITH days AS ({spans(chain("SELECT DISTINCT customer_id, day FROM stats_customerrollup"))})
SELECT day, before, coalesce(s.customer_count, 0), coalesce(days.customer_count, 0)
  FROM stats_customerspan s FULL JOIN days USING (day, before)
 WHERE coalesce(s.customer_count, 0) <> coalesce(days.customer_count, 0) ORDER BY day, before
"""  # noqa: S608  names of our own columns

_PURSES = f"""
WITH moved AS (
    SELECT t.budget_id AS id, sum(c.committed_fen)::bigint AS committed_fen, sum(c.spent_fen)::bigint AS spent_fen
      FROM ({whole("stats_dayrollup")}) c JOIN coupons_coupontemplate t ON t.id = c.template_id
     GROUP BY t.budget_id
)
SELECT b.id, coalesce(moved.committed_fen, 0), b.committed_fen, coalesce(moved.spent_fen, 0), b.spent_fen
  FROM coupons_budget b LEFT JOIN moved ON moved.id = b.id
 WHERE (coalesce(moved.committed_fen, 0), coalesce(moved.spent_fen, 0)) <> (b.committed_fen, b.spent_fen)
 ORDER BY b.id
"""  # noqa: S608  names of our own columns

_REFUSED = """
WITH hours AS (
    SELECT (hour AT TIME ZONE %(zone)s)::date AS day, deed, code, sum(count)::bigint AS number
      FROM coupons_refusalcount GROUP BY 1, 2, 3)
SELECT day, deed, code, coalesce(d.count, 0), coalesce(hours.number, 0)
  FROM coupons_refusalday d FULL JOIN hours USING (day, deed, code)
 WHERE coalesce(d.count, 0) <> coalesce(hours.number, 0) ORDER BY day, deed, code
"""

#: An event waits to be counted or is counted: one of them; a sight as well.
_ONCE = """
SELECT 'event ' || e.id, (u.event_id IS NOT NULL)::int + (k.event_id IS NOT NULL)::int
  FROM coupons_couponevent e
  LEFT JOIN coupons_uncountedevent u ON u.event_id = e.id
  LEFT JOIN stats_countedevent k ON k.event_id = e.id
 WHERE (u.event_id IS NULL) = (k.event_id IS NULL)
UNION ALL
SELECT 'sight ' || s.coupon_id, (u.sight_id IS NOT NULL)::int + (k.sight_id IS NOT NULL)::int
  FROM coupons_sight s
  LEFT JOIN coupons_uncountedsight u ON u.sight_id = s.coupon_id
  LEFT JOIN stats_countedsight k ON k.sight_id = s.coupon_id
 WHERE (u.sight_id IS NULL) = (k.sight_id IS NULL)
 ORDER BY 1
"""

_LOST = """
SELECT 'event ' || u.event_id FROM coupons_uncountedevent u
 WHERE NOT EXISTS (SELECT FROM coupons_couponevent e WHERE e.id = u.event_id)
UNION ALL
SELECT 'sight ' || u.sight_id FROM coupons_uncountedsight u
 WHERE NOT EXISTS (SELECT FROM coupons_sight s WHERE s.coupon_id = u.sight_id)
UNION ALL
SELECT 'sight ' || s.coupon_id FROM coupons_sight s
 WHERE NOT EXISTS (SELECT FROM coupons_couponevent e WHERE e.coupon_id = s.coupon_id AND e.kind = 'issued')
 ORDER BY 1
"""


@dataclass(frozen=True, slots=True)
class Difference:
    """``stored`` stands where ``counted`` should. Money in fen."""

    where: str
    what: str
    stored: int
    counted: int

    def __str__(self) -> str:
        return f"{self.where}: {self.what} is {self.stored}, should be {self.counted}"


def differences() -> Iterator[Difference]:
    """Rollups against the events and sights that they hold; refusals by day against
    those by the hour; each budget against them; each of both there and once.
    """
    with connection.cursor() as cursor:
        for cell, proof in _PROOFS.items():
            cursor.execute(proof, zone())
            for found in cursor.fetchall():
                where = _where(dict(zip(cell, found, strict=False)))
                pairs = found[len(cell) :]
                for measure, stored, counted in zip(MEASURES, pairs[::2], pairs[1::2], strict=True):
                    if stored != counted:
                        yield Difference(where, measure, stored, counted)
        cursor.execute(_CUSTOMERS, zone())
        for customer, *cell, stored, counted in cursor.fetchall():
            where = _where(dict(zip(CUSTOMER_CELL[1:], cell, strict=True)))
            yield Difference(f"{where}, customer {customer}", "issued_count", stored, counted)
        cursor.execute(_SPANS)
        for day, before, stored, counted in cursor.fetchall():
            yield Difference(f"customers of {day}, before on {before}", "customer_count", stored, counted)
        cursor.execute(_PURSES, zone())
        for budget, committed, stored_committed, spent, stored_spent in cursor.fetchall():
            if stored_committed != committed:
                yield Difference(f"budget {budget}", "committed_fen", stored_committed, committed)
            if stored_spent != spent:
                yield Difference(f"budget {budget}", "spent_fen", stored_spent, spent)
        cursor.execute(_REFUSED, zone())
        for day, deed, code, stored, counted in cursor.fetchall():
            yield Difference(f"{deed} refused as {code} on {day}", "count", stored, counted)
        cursor.execute(_ONCE)
        for which, times in cursor.fetchall():
            yield Difference(which, "waiting or counted", times, 1)
        cursor.execute(_LOST)
        for (which,) in cursor.fetchall():
            yield Difference(which, "in the ledger", 0, 1)


def _where(cell: dict[str, Any]) -> str:
    moment = str(cell["day"]) if "hour" not in cell else f"{cell['day']} {cell['hour']:02}:00"
    names = {"template_id": "template", "city_id": "city", "business_line": "line"}
    said = ", ".join(f"{names.get(name, name)} {cell[name] or '-'}" for name in cell if name not in ("day", "hour"))
    return f"rollup of {moment}, {said}"
