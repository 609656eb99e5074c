"""How events and sights become counts: the one place in SQL that says so. Folding, reading and proving lean on it."""

from django.conf import settings

from coupons.queries.activity import LEVEL, orders
from stats.models import DayRollup

MEASURES = DayRollup.MEASURES
_OF_EVENT = ("template_id", "placement", "city_id", "business_line", "activity")
DAY_CELL = ("day", *_OF_EVENT)
HOUR_CELL = ("day", "hour", *_OF_EVENT)
#: Each table of finest cells with what tells its rows apart.
TABLES = {"stats_dayrollup": DAY_CELL, "stats_hourrollup": HOUR_CELL}
CUSTOMER_CELL = ("customer_id", *HOUR_CELL)

#: Facts of which a facet's cell knows one; what the column is called where the fact is known.
FACETS = {"city": "city_id", "business_line": "business_line", "activity": "activity", "hour": "hour"}
FACET_CELL = ("facet", "day", "template_id", "placement", "value")

#: Which kind of event each count counts. Sums of money are the event's own columns of the same name.
KINDS = {
    "issued_count": "issued",
    "redeemed_count": "redeemed",
    "rolled_back_count": "rolled_back",
    "returned_count": "returned",
    "expired_count": "expired",
    "void_count": "void",
}
#: What counts sights instead.
SEEN = "seen_count"

# Statements below are put together from the names above, never from what somebody sent.


def _of_event(measure: str) -> str:
    if measure in KINDS:
        return f"(e.kind = '{KINDS[measure]}')::int AS {measure}"
    return f"0 AS {measure}" if measure == SEEN else f"e.{measure}"


_event_measures = ", ".join(_of_event(measure) for measure in MEASURES)
_sight_measures = ", ".join(f"{int(measure == SEEN)} AS {measure}" for measure in MEASURES)


def _day(at: str) -> str:
    """The day is the business's, whatever the server's zone."""
    return f"({at} AT TIME ZONE %(zone)s)::date"


def _columns(at: str) -> str:
    return f"""{_day(at)} AS day, date_part('hour', {at} AT TIME ZONE %(zone)s)::smallint AS hour, e.customer_id,
       e.template_id, coalesce(e.placement, '') AS placement, coalesce(e.city_id, '') AS city_id"""


_LINE = """
  LEFT JOIN redemption_redemption r ON r.id = e.redemption_id
  LEFT JOIN redemption_order o ON o.id = r.order_id"""


def _activity(at: str) -> str:
    return orders("e.customer_id", _day(at))


#: A sight is its coupon's: of its customer, template, placement and city.
_SIGHTS = "coupons_sight s JOIN coupons_couponevent e ON e.coupon_id = s.coupon_id AND e.kind = 'issued'"
#: One event, or one sight, as a cell of its own, and whose it is.
FACT = ", ".join((*HOUR_CELL, "customer_id", *MEASURES))


def events_now(*, line: bool = True, activity: bool = True) -> str:
    """Events not counted yet, each a cell of its own, with what is known now; to be joined with those that are meant.
    What is not asked for is left blank, and looked up for none of them.
    """
    return f"""
SELECT e.id AS event_id, {_columns("e.at")}, {"coalesce(o.business_line, '')" if line else "''"} AS business_line,
       {LEVEL if activity else "''"} AS activity, {_event_measures}
  FROM coupons_couponevent e{_LINE if line else ""}{_activity("e.at") if activity else ""}"""  # noqa: S608


def sights_now(*, activity: bool = True) -> str:
    """As :func:`events_now`, sights."""
    return f"""
SELECT s.coupon_id AS sight_id, {_columns("s.at")}, '' AS business_line,
       {LEVEL if activity else "''"} AS activity, {_sight_measures}
  FROM {_SIGHTS}{_activity("s.at") if activity else ""}"""  # noqa: S608


#: What is counted, each a cell of its own, with what was known then.
KNOWN_THEN = f"""
SELECT {FACT} FROM (
    SELECT {_columns("e.at")}, k.business_line, k.activity, {_event_measures}
      FROM coupons_couponevent e JOIN stats_countedevent k ON k.event_id = e.id) e
UNION ALL
SELECT {FACT} FROM (
    SELECT {_columns("s.at")}, '' AS business_line, k.activity, {_sight_measures}
      FROM {_SIGHTS} JOIN stats_countedsight k ON k.sight_id = s.coupon_id) s"""  # noqa: S608

#: Over cells named ``c``.
SUMS = ", ".join(f"coalesce(sum(c.{measure}), 0)::bigint AS {measure}" for measure in MEASURES)


def _bit(column: str) -> int:
    """``GROUPING`` of all facets' columns where this one is grouped by."""
    return (1 << len(FACETS)) - 1 - (1 << [*reversed(FACETS.values())].index(column))


#: Cells named ``c`` as cells of facets: without a fact and with each, of each template and placement and of all.
BY_FACET = f"""
SELECT CASE GROUPING({", ".join(FACETS.values())})
            {" ".join(f"WHEN {_bit(column)} THEN '{facet}'" for facet, column in FACETS.items())} ELSE '' END AS facet,
       day, coalesce(template_id, 0) AS template_id, coalesce(placement, '') AS placement,
       coalesce({", ".join(f"{column}::text" for column in FACETS.values())}, '') AS value, {SUMS}
  FROM {{}} c
 GROUP BY day, GROUPING SETS ((), (template_id, placement)),
       GROUPING SETS ((), {", ".join(f"({column})" for column in FACETS.values())})
"""  # noqa: S608  names of our own columns


def whole_by(facet: str, *, together: bool) -> str:
    """As :func:`whole`, in the few cells of a facet, "" being none; ``together``: not told apart by template."""
    row = "".join(f"{name}, " for name in (() if together else ("template_id", "placement"))) + ", ".join(MEASURES)
    kept = now = f"day, {row}"
    if facet:
        value = (
            "CASE WHEN facet = 'hour' THEN value::smallint END" if facet == "hour" else "value"
        )  # of others, too, it may ask
        kept += f", {value} AS {FACETS[facet]}"
        now += f", {FACETS[facet]}"
    events, sights = _waiting(line=facet == "business_line", activity=facet == "activity")
    return f"""
SELECT {kept} FROM stats_facetrollup WHERE facet = '{facet}' AND template_id {"=" if together else ">"} 0
UNION ALL SELECT {now} FROM ({events}) e UNION ALL SELECT {now} FROM ({sights}) s"""  # noqa: S608


def _waiting(*, line: bool, activity: bool) -> tuple[str, str]:
    """Events and sights that are not folded yet."""
    return (
        f"{events_now(line=line, activity=activity)} JOIN coupons_uncountedevent u ON u.event_id = e.id",
        f"{sights_now(activity=activity)} JOIN coupons_uncountedsight u ON u.sight_id = s.coupon_id",
    )


def whole(table: str, *, line: bool = False, activity: bool = False) -> str:
    """The rollups of this table and what is not folded into them yet."""
    row = ", ".join((*TABLES[table], *MEASURES))
    events, sights = _waiting(line=line, activity=activity)
    return f"""
SELECT {row} FROM {table} UNION ALL SELECT {row} FROM ({events}) e UNION ALL SELECT {row} FROM ({sights}) s"""  # noqa: S608


def zone() -> dict[str, str]:
    return {"zone": settings.TIME_ZONE}
