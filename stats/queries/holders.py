"""Customers who were given something, each counted once, however many days or coupons."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from coupons.queries.direct import rows
from stats.queries.counting import CUSTOMER_CELL, events_now, zone
from stats.queries.numbers import DIMENSIONS, joined, kept, told
from stats.queries.spans import NEVER

Counts = dict[tuple[Any, ...], int]

#: Groups of days for which spans are enough, each with its first and its last day.
_PERIODS = {
    (): ("'-infinity'::date", "'infinity'::date"),
    ("day",): ("d.day", "d.day"),
    ("week",): ("date_trunc('week', d.day)::date", "date_trunc('week', d.day)::date + 6"),
    ("month",): (
        "date_trunc('month', d.day)::date",
        "(date_trunc('month', d.day) + interval '1 month - 1 day')::date",
    ),
}


def holders(
    *dimensions: str, first: dt.date | None = None, last: dt.date | None = None, only: Mapping[str, Any] | None = None
) -> Counts:
    """How many customers had coupons issued, by names of :data:`stats.queries.numbers.DIMENSIONS`; days both included.

    Of all customers by days, weeks or months it is a sum of few rows; else each customer of these days is looked at.
    """
    if not only and dimensions in _PERIODS:
        return _by_spans(dimensions, first, last)
    return _one_by_one(dimensions, first, last, only or {})


def _waiting(*, line: bool = False, activity: bool = False) -> str:
    """Issues that are not folded yet."""
    return f"""{events_now(line=line, activity=activity)} JOIN coupons_uncountedevent u ON u.event_id = e.id
                WHERE e.kind = 'issued'"""


def _by_spans(dimensions: tuple[str, ...], first: dt.date | None, last: dt.date | None) -> Counts:
    begins, ends = _PERIODS[dimensions]
    keys = begins if dimensions else "NULL::date"
    # Whoever waits and is not counted in the same group of days already.
    statement = f"""
        SELECT key, sum(number)::bigint FROM (
            SELECT {keys} AS key, sum(d.customer_count) AS number FROM stats_customerspan d
             WHERE d.day >= %(first)s::date AND d.day <= %(last)s::date
               AND (d.before = {NEVER} OR d.before < greatest({begins}, %(first)s::date)) GROUP BY 1
            UNION ALL
            SELECT {keys}, count(DISTINCT d.customer_id) FROM ({_waiting()}) d
             WHERE d.day >= %(first)s::date AND d.day <= %(last)s::date AND NOT EXISTS (
                   SELECT FROM stats_customerrollup r WHERE r.customer_id = d.customer_id
                      AND r.day >= greatest({begins}, %(first)s::date) AND r.day <= least({ends}, %(last)s::date))
             GROUP BY 1) x
         GROUP BY key
    """  # noqa: S608  made of names of our own
    found = rows(statement, {"first": first or "-infinity", "last": last or "infinity", **zone()})
    return {(day,) if dimensions else (): int(number) for day, number in found}


def _one_by_one(
    dimensions: tuple[str, ...], first: dt.date | None, last: dt.date | None, only: Mapping[str, Any]
) -> Counts:
    columns = [DIMENSIONS[name] for name in dimensions]
    wanted = kept(DIMENSIONS, only)
    wanted += ["c.day >= %(first)s::date"] * (first is not None) + ["c.day <= %(last)s::date"] * (last is not None)
    named, cell = {*dimensions, *only}, ", ".join(CUSTOMER_CELL)
    waiting = _waiting(line="business_line" in named, activity="activity" in named)
    numbered = ", ".join(str(place) for place in range(1, len(columns) + 1))
    statement = f"""
        SELECT {"".join(f"{column}, " for column in columns)}count(DISTINCT c.customer_id)
          FROM (SELECT {cell} FROM stats_customerrollup
                UNION ALL SELECT {cell} FROM ({waiting}) w) c{joined(named)}
        {"WHERE " + " AND ".join(wanted) if wanted else ""} {"GROUP BY " + numbered if columns else ""}
    """  # noqa: S608  made of names of our own
    return {tuple(found[:-1]): found[-1] for found in rows(statement, told(first, last, only))}
