"""What was refused, by the dimensions that are asked for: claims and uses, by cause."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from coupons.queries.direct import rows
from stats.queries.numbers import kept, told

#: Why: by the code of what was told. Nothing but refusals has one.
REASON = "refused_for"
_HERE = "c.hour AT TIME ZONE %(zone)s"
DIMENSIONS = {
    "day": f"({_HERE})::date",
    "hour": f"date_part('hour', {_HERE})::int",
    "weekday": f"date_part('isodow', {_HERE})::int",
    "week": f"date_trunc('week', {_HERE})::date",
    "month": f"date_trunc('month', {_HERE})::date",
    "deed": "c.deed",
    REASON: "c.code",
    "template": "c.template_id",
    "placement": "c.placement",
    "channel": "coalesce(p.channel, '')",
    "form": "coalesce(p.form, '')",
    "campaign": "coalesce(m.id, p.campaign_id)",
    "category": "coalesce(t.category_id, '')",
    "merchant": "coalesce(t.merchant_id, '')",
    "city": "c.city_id",
    "business_line": "c.business_line",
    "activity": "c.activity",
}
#: What the small table by day knows as well.
_OF_DAYS = {
    "day": "c.day",
    "weekday": "date_part('isodow', c.day)::int",
    "week": "date_trunc('week', c.day)::date",
    "month": "date_trunc('month', c.day)::date",
    "deed": "c.deed",
    REASON: "c.code",
}
_FROM = """
  FROM coupons_refusalcount c
  LEFT JOIN distribution_placement p ON p.key = c.placement
  LEFT JOIN coupons_coupontemplate t ON t.id = c.template_id
  LEFT JOIN distribution_campaign m ON m.budget_id = t.budget_id
"""


def refusals(
    *dimensions: str,
    first: dt.date | None = None,
    last: dt.date | None = None,
    only: Mapping[str, Any] | None = None,
) -> dict[tuple[Any, ...], int]:
    """How many refusals, from the first to the last day, both included; ``("deed", REASON)`` gives keys like
    ``("use", "expired")``. ``only`` keeps what equals, or what is in a list.
    """
    only = only or {}
    by_days = {*dimensions, *only} <= {*_OF_DAYS}
    said = _OF_DAYS if by_days else DIMENSIONS
    columns = [said[name] for name in dimensions]
    wanted = kept(said, only)
    if by_days:
        wanted += ["c.day >= %(first)s::date"] * (first is not None) + ["c.day <= %(last)s::date"] * (last is not None)
    else:  # of the column itself, which has an index
        wanted += ["c.hour >= (%(first)s::date)::timestamp AT TIME ZONE %(zone)s"] * (first is not None)
        wanted += ["c.hour < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s"] * (last is not None)
    numbered = ", ".join(str(place) for place in range(1, len(columns) + 1))
    statement = f"""
        SELECT {"".join(f"{column}, " for column in columns)}coalesce(sum(c.count), 0)::bigint
          {"FROM coupons_refusalday c" if by_days else _FROM}
        {"WHERE " + " AND ".join(wanted) if wanted else ""} {"GROUP BY " + numbered if columns else ""}
    """
    return {tuple(found[:-1]): found[-1] for found in rows(statement, told(first, last, only))}
