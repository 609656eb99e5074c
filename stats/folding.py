"""Folding events and sights into the rollups, each exactly once; and counting everything anew.

What is not folded yet is its own small queue, ``UncountedEvent``, appended with the event, and ``UncountedSight`` with
the sight: a mark on ids would lose events, since ids commit out of order. A batch is one statement, so that a fold that
dies has done nothing.
"""

from django.db import connection, transaction

from stats.queries.counting import (
    BY_FACET,
    FACET_CELL,
    FACT,
    KNOWN_THEN,
    MEASURES,
    SUMS,
    TABLES,
    events_now,
    sights_now,
    zone,
)
from stats.queries.spans import ADD_CUSTOMERS, ADD_SPANS, ALL_SPANS


def _add(table: str, cell_of: tuple[str, ...], cells: str) -> str:
    # Rows go in sorted, so that two folds lock the cells they share in one order and never wait in a ring.
    cell = ", ".join(cell_of)
    return f"""
INSERT INTO {table} AS r ({cell}, {", ".join(MEASURES)})
SELECT {cell}, {", ".join(MEASURES)} FROM ({cells}) c ORDER BY {cell}
ON CONFLICT ({cell}) DO UPDATE SET {", ".join(f"{m} = r.{m} + excluded.{m}" for m in MEASURES)} RETURNING 1
"""  # noqa: S608  names of our own columns


_DAYS, _HOURS = (
    _add(table, cell, f"SELECT {', '.join(cell)}, {SUMS} FROM counted c GROUP BY {', '.join(cell)}")  # noqa: S608
    for table, cell in TABLES.items()
)
_FACETS = _add("stats_facetrollup", FACET_CELL, BY_FACET.format("counted"))
_COUNTED = f"SELECT {FACT} FROM events UNION ALL SELECT {FACT} FROM sights"  # noqa: S608  names of our own columns
_KEEP = """kept_events AS (
    INSERT INTO stats_countedevent (event_id, business_line, activity)
    SELECT event_id, business_line, activity FROM events
), kept_sights AS (INSERT INTO stats_countedsight (sight_id, activity) SELECT sight_id, activity FROM sights)"""

#: "fold" in ASCII. A customer's days are one chain, which two folds at once would each see without the other's links.
_MY_TURN = "SELECT pg_advisory_xact_lock(x'666f6c64'::bigint)"

_FOLD = f"""
WITH taken AS (
    DELETE FROM coupons_uncountedevent WHERE event_id IN (
        SELECT event_id FROM coupons_uncountedevent ORDER BY event_id LIMIT %(limit)s
    ) RETURNING event_id
), shown AS (
    DELETE FROM coupons_uncountedsight WHERE sight_id IN (
        SELECT sight_id FROM coupons_uncountedsight ORDER BY sight_id LIMIT %(limit)s
    ) RETURNING sight_id
), events AS MATERIALIZED ({events_now()} JOIN taken ON taken.event_id = e.id
), sights AS MATERIALIZED ({sights_now()} JOIN shown ON shown.sight_id = s.coupon_id
), counted AS MATERIALIZED ({_COUNTED}), {_KEEP}, days AS ({_DAYS}), hours AS ({_HOURS}
), facets AS ({_FACETS}), customers AS ({ADD_CUSTOMERS}), spans AS ({ADD_SPANS})
SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM shown)
"""  # noqa: S608  names of our own columns

_RECOUNT = f"""
WITH gone AS (DELETE FROM coupons_uncountedevent RETURNING event_id
), shown AS (DELETE FROM coupons_uncountedsight RETURNING sight_id
), events AS MATERIALIZED ({events_now()} JOIN gone ON gone.event_id = e.id
), sights AS MATERIALIZED ({sights_now()} JOIN shown ON shown.sight_id = s.coupon_id
), {_KEEP}, counted AS MATERIALIZED ({KNOWN_THEN} UNION ALL {_COUNTED}), days AS ({_DAYS}), hours AS ({_HOURS}
), facets AS ({_FACETS}), customers AS ({ADD_CUSTOMERS}), spans AS ({ALL_SPANS})
SELECT count(*) FROM days
"""  # noqa: S608  names of our own columns

_REFUSED = """
INSERT INTO coupons_refusalday (day, deed, code, count)
SELECT (hour AT TIME ZONE %(zone)s)::date, deed, code, sum(count) FROM coupons_refusalcount GROUP BY 1, 2, 3
"""


@transaction.atomic
def fold(limit: int = 10_000) -> int:
    """Take up to so many uncounted events, and sights, into the rollups; how many it took. Several take turns."""
    with connection.cursor() as cursor:
        cursor.execute(_MY_TURN)
        cursor.execute(_FOLD, {"limit": limit, **zone()})
        return cursor.fetchone()[0]


def fold_all(limit: int = 10_000) -> int:
    """Fold batch by batch, each its own transaction, until a batch finds the queue empty; how many in all."""
    total = 0
    while taken := fold(limit):
        total += taken
    return total


@transaction.atomic
def rebuild() -> int:
    """Forget the rollups and count the whole ledger again; how many cells of days there are now.

    Needed after the business's time zone changed, or when ``check_ledger`` finds the rollups wrong. Claims go on
    meanwhile, folds wait, readers see the old numbers until the new ones are there.
    """
    with connection.cursor() as cursor:
        cursor.execute(_MY_TURN)
        for table in (*TABLES, "stats_facetrollup", "stats_customerrollup", "stats_customerspan"):
            cursor.execute(f"DELETE FROM {table}")  # noqa: S608  names of our own tables
        cursor.execute("LOCK TABLE coupons_refusalday, coupons_refusalcount IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("DELETE FROM coupons_refusalday")
        cursor.execute(_REFUSED, zone())
        # One snapshot: whichever event it sees, it sees in the queue as well, and takes it out of there.
        cursor.execute(_RECOUNT, zone())
        return cursor.fetchone()[0]
