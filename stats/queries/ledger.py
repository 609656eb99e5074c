"""Proof that the counts are those of the ledger, under load too: each proof is one statement, one snapshot."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection

from stats.queries.counting import CELL, EVENTS, FOLDED, MEASURES, SUMS, UNFOLDED, zone

_CELL = ", ".join(CELL)

_CELLS = f"""
WITH seen AS (SELECT {_CELL}, {SUMS} FROM ({FOLDED} UNION ALL {UNFOLDED}) c GROUP BY {_CELL}),
     ledger AS (SELECT {_CELL}, {SUMS} FROM ({EVENTS}) c GROUP BY {_CELL})
SELECT {_CELL}, {", ".join(f"coalesce(seen.{m}, 0), coalesce(ledger.{m}, 0)" for m in MEASURES)}
  FROM seen FULL JOIN ledger USING ({_CELL})
 WHERE ({", ".join(f"coalesce(seen.{m}, 0)" for m in MEASURES)})
    <> ({", ".join(f"coalesce(ledger.{m}, 0)" for m in MEASURES)})
 ORDER BY {_CELL}
"""  # noqa: S608  names of our own columns

_PURSES = f"""
WITH moved AS (
    SELECT t.budget_id AS id, sum(c.committed_fen)::bigint AS committed_fen, sum(c.spent_fen)::bigint AS spent_fen
      FROM ({FOLDED} UNION ALL {UNFOLDED}) c JOIN coupons_coupontemplate t ON t.id = c.template_id
     GROUP BY t.budget_id
)
SELECT b.id, coalesce(moved.committed_fen, 0), b.committed_fen, coalesce(moved.spent_fen, 0), b.spent_fen
  FROM coupons_budget b LEFT JOIN moved ON moved.id = b.id
 WHERE (coalesce(moved.committed_fen, 0), coalesce(moved.spent_fen, 0)) <> (b.committed_fen, b.spent_fen)
 ORDER BY b.id
"""  # noqa: S608  names of our own columns

_LOST = """
SELECT u.event_id FROM coupons_uncountedevent u
 WHERE NOT EXISTS (SELECT FROM coupons_couponevent e WHERE e.id = u.event_id) ORDER BY u.event_id
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
    """Rollups and unfolded events against the ledger; then each budget against them; then events that are not there."""
    with connection.cursor() as cursor:
        cursor.execute(_CELLS, zone())
        for day, template, placement, city, *pairs in cursor:
            where = f"rollup of {day}, template {template}, placement {placement or '-'}, city {city or '-'}"
            for measure, stored, counted in zip(MEASURES, pairs[::2], pairs[1::2], strict=True):
                if stored != counted:
                    yield Difference(where, measure, stored, counted)
        cursor.execute(_PURSES, zone())
        for budget, committed, stored_committed, spent, stored_spent in cursor.fetchall():
            if stored_committed != committed:
                yield Difference(f"budget {budget}", "committed_fen", stored_committed, committed)
            if stored_spent != spent:
                yield Difference(f"budget {budget}", "spent_fen", stored_spent, spent)
        cursor.execute(_LOST)
        for (event,) in cursor.fetchall():
            yield Difference(f"event {event}", "in the ledger", 0, 1)
