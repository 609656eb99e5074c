"""How events become counts: the one place in SQL that says so. Folding, reading and proving all lean on it."""

from django.conf import settings

from stats.models import DayRollup

MEASURES = DayRollup.MEASURES
_OF_EVENT = ("template_id", "placement", "city_id", "business_line", "activity")
DAY_CELL = ("day", *_OF_EVENT)
HOUR_CELL = ("day", "hour", *_OF_EVENT)
#: Each table with what tells its rows apart.
TABLES = {"stats_dayrollup": DAY_CELL, "stats_hourrollup": HOUR_CELL}

#: Which kind of event each count counts. Sums of money are the event's own columns of the same name.
KINDS = {
    "issued_count": "issued",
    "redeemed_count": "redeemed",
    "rolled_back_count": "rolled_back",
    "returned_count": "returned",
    "expired_count": "expired",
    "void_count": "void",
}
#: How many days of orders, the event's among them, make a customer active.
ACTIVE_DAYS = 30

_measures = ", ".join(
    f"(e.kind = '{KINDS[measure]}')::int AS {measure}" if measure in KINDS else f"e.{measure}" for measure in MEASURES
)

# Statements below are put together from the names above, never from what somebody sent.

#: The day is the business's, whatever the server's zone.
_day = "(e.at AT TIME ZONE %(zone)s)::date"
_columns = f"""e.id AS event_id, {_day} AS day, date_part('hour', e.at AT TIME ZONE %(zone)s)::smallint AS hour,
       e.template_id, coalesce(e.placement, '') AS placement, coalesce(e.city_id, '') AS city_id"""

_LINE = """
  LEFT JOIN redemption_redemption r ON r.id = e.redemption_id
  LEFT JOIN redemption_order o ON o.id = r.order_id"""
_ACTIVITY = f"""
  LEFT JOIN LATERAL (
       SELECT sum(d.order_count) AS orders FROM coupons_customerday d
        WHERE d.customer_id = e.customer_id AND d.day > {_day} - {ACTIVE_DAYS} AND d.day <= {_day}) n ON true"""  # noqa: S608
_LEVEL = """CASE WHEN n.orders >= 10 THEN 'high' WHEN n.orders >= 4 THEN 'middle' WHEN n.orders >= 1 THEN 'low'
            ELSE 'none' END"""


def known_now(*, line: bool = True, activity: bool = True) -> str:
    """Events not counted yet, each a cell of its own, with what is known now; to be joined with those that are meant.
    What is not asked for is left blank, and looked up for none of them.
    """
    return f"""
SELECT {_columns}, {"coalesce(o.business_line, '')" if line else "''"} AS business_line,
       {_LEVEL if activity else "''"} AS activity, {_measures}
  FROM coupons_couponevent e{_LINE if line else ""}{_ACTIVITY if activity else ""}"""  # noqa: S608


#: Events that are counted, with what was known then.
KNOWN_THEN = f"""
SELECT {_columns}, k.business_line, k.activity, {_measures}
  FROM coupons_couponevent e JOIN stats_countedevent k ON k.event_id = e.id"""  # noqa: S608

#: Over cells named ``c``.
SUMS = ", ".join(f"coalesce(sum(c.{measure}), 0)::bigint AS {measure}" for measure in MEASURES)


def seen(table: str, *, line: bool = False, activity: bool = False) -> str:
    """The rollups of this table and what is not folded into them yet."""
    row = ", ".join((*TABLES[table], *MEASURES))
    waiting = f"{known_now(line=line, activity=activity)} JOIN coupons_uncountedevent u ON u.event_id = e.id"
    return f"SELECT {row} FROM {table} UNION ALL SELECT {row} FROM ({waiting}) u"  # noqa: S608


def zone() -> dict[str, str]:
    return {"zone": settings.TIME_ZONE}
