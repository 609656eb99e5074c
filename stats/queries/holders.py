"""Customers who were given something, each counted once, however many days or coupons."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from coupons.queries.direct import rows
from stats.queries.counting import zone
from stats.queries.numbers import DIMENSIONS

#: What an order's or a day's own facts decide is not known when a coupon is given.
COUNTABLE = frozenset(DIMENSIONS) - {"business_line", "activity"}

_HERE = "e.at AT TIME ZONE %(zone)s"


def holders(
    *dimensions: str, first: dt.date | None = None, last: dt.date | None = None, only: Mapping[str, Any] | None = None
) -> dict[tuple[Any, ...], int]:
    """How many customers had coupons issued, by names of ``COUNTABLE``; days both included. Read from the ledger of
    these days, since distinct customers do not add up.
    """
    only = only or {}
    columns = [DIMENSIONS[name] for name in dimensions]
    wanted = [
        f"{DIMENSIONS[name]} = {f'ANY(%(only_{name})s)' if isinstance(value, list) else f'%(only_{name})s'}"
        for name, value in only.items()
    ]
    inside = ["e.kind = 'issued'"]
    inside += ["e.at >= (%(first)s::date)::timestamp AT TIME ZONE %(zone)s"] * (first is not None)
    inside += ["e.at < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s"] * (last is not None)
    numbered = ", ".join(str(place) for place in range(1, len(columns) + 1))
    statement = f"""
        SELECT {"".join(f"{column}, " for column in columns)}count(DISTINCT c.customer_id)
          FROM (SELECT ({_HERE})::date AS day, date_part('hour', {_HERE})::smallint AS hour, e.template_id,
                       coalesce(e.placement, '') AS placement, coalesce(e.city_id, '') AS city_id, e.customer_id
                  FROM coupons_couponevent e WHERE {" AND ".join(inside)}) c
          LEFT JOIN distribution_placement p ON p.key = c.placement
          LEFT JOIN coupons_coupontemplate t ON t.id = c.template_id
          LEFT JOIN distribution_campaign m ON m.budget_id = t.budget_id
        {"WHERE " + " AND ".join(wanted) if wanted else ""} {"GROUP BY " + numbered if columns else ""}
    """  # noqa: S608  made of names of our own
    asked = {"first": first, "last": last, **{f"only_{name}": value for name, value in only.items()}, **zone()}
    return {tuple(found[:-1]): found[-1] for found in rows(statement, asked)}
