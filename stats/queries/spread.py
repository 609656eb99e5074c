"""How what customers cost and brought is spread over them: the sums from which intervals are reckoned."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, NamedTuple

from coupons.queries.direct import rows
from stats.queries.counting import zone
from stats.queries.numbers import DIMENSIONS


class Spread(NamedTuple):
    """Over customers who used something: how many; what they cost in fen, their uses, whether each was new; squares
    and products of these.
    """

    customers: int = 0
    cost: int = 0
    uses: int = 0
    new: int = 0
    cost_cost: float = 0
    uses_uses: float = 0
    cost_uses: float = 0
    cost_new: float = 0


_SUMS = """count(*), sum(s), sum(u), sum(n), sum(s * s)::float8, sum(u * u)::float8, sum(s * u)::float8,
       sum(s * n)::float8"""
_SPREAD = f"""
WITH each AS MATERIALIZED (
    SELECT {{named}}, c.customer_id, sum(c.spent_fen)::numeric AS s,
           sum((c.kind = 'redeemed')::int - (c.kind = 'returned')::int)::numeric AS u, bool_or(c.is_new)::int AS n
      FROM (SELECT e.template_id, coalesce(e.placement, '') AS placement, e.customer_id, e.kind, e.spent_fen,
                   k.id IS NOT NULL AS is_new
              FROM coupons_couponevent e
              LEFT JOIN redemption_redemption r
                ON r.id = e.redemption_id AND r.status = 'redeemed' AND e.kind = 'redeemed'
              LEFT JOIN redemption_order o ON o.id = r.order_id
              LEFT JOIN coupons_customer k ON k.id = e.customer_id AND k.first_order_at = o.finished_at
             WHERE e.kind IN ('redeemed', 'rolled_back', 'returned') AND {{wanted}}) c
      LEFT JOIN distribution_placement p ON p.key = c.placement
     GROUP BY {{split}}, c.customer_id
)
SELECT true, {{keys}}, {_SUMS} FROM each GROUP BY {{keys}}
 UNION ALL
SELECT false, {{none}}, {_SUMS}
  FROM (SELECT sum(s) AS s, sum(u) AS u, max(n) AS n FROM each GROUP BY customer_id) x
"""  # noqa: S608  names of our own


def spread(
    names: tuple[str, ...], *, first: dt.date | None, last: dt.date | None, campaign: int | None = None
) -> Mapping[tuple[Any, ...], Spread]:
    """By placement, channel, form, or several of them; under ``()``: over all. A new customer is one whose first
    finished order used a coupon; who used several of one group counts once in it.
    """
    wanted = ["true"]
    wanted += ["e.at >= (%(first)s::date)::timestamp AT TIME ZONE %(zone)s"] * (first is not None)
    wanted += ["e.at < (%(last)s::date + 1)::timestamp AT TIME ZONE %(zone)s"] * (last is not None)
    if campaign is not None:
        wanted.append(
            "e.template_id = ANY(ARRAY(SELECT t.id FROM coupons_coupontemplate t JOIN distribution_campaign m"
            " ON m.budget_id = t.budget_id WHERE m.id = %(campaign)s::bigint))"
        )
    statement = _SPREAD.format(
        keys=", ".join(names),
        none=", ".join("NULL" for _name in names),
        named=", ".join(f"{DIMENSIONS[name]} AS {name}" for name in names),
        split=", ".join(DIMENSIONS[name] for name in names),
        wanted=" AND ".join(wanted),
    )
    found = rows(statement, {"first": first, "last": last, "campaign": campaign, **zone()})
    return {
        tuple(keys) if is_group else (): Spread(*(int(n) for n in sums[:4]), *sums[4:])
        for is_group, *values in found
        for keys, sums in [(values[: len(names)], values[len(names) :])]
        if sums[0]
    }
