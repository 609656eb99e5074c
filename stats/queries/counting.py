"""How events become counts: the one place in SQL that says so. Folding, reading and proving all lean on it."""

from django.conf import settings

from stats.models import DayRollup

MEASURES = DayRollup.MEASURES
CELL = ("day", "template_id", "placement", "city_id")

#: Which kind of event each count counts. Sums of money are the event's own columns of the same name.
KINDS = {
    "issued_count": "issued",
    "redeemed_count": "redeemed",
    "rolled_back_count": "rolled_back",
    "returned_count": "returned",
    "expired_count": "expired",
    "void_count": "void",
}

_measures = ", ".join(
    f"(e.kind = '{KINDS[measure]}')::int AS {measure}" if measure in KINDS else f"e.{measure}" for measure in MEASURES
)

# Statements below are put together from the names above, never from what somebody sent.

#: Each event of the ledger as a cell of its own. The day is the business's, whatever the server's zone.
EVENTS = f"""
SELECT (e.at AT TIME ZONE %(zone)s)::date AS day, e.template_id,
       coalesce(e.placement, '') AS placement, coalesce(e.city_id, '') AS city_id, {_measures}
  FROM coupons_couponevent e"""  # noqa: S608

UNFOLDED = f"{EVENTS} JOIN coupons_uncountedevent u ON u.event_id = e.id"
FOLDED = f"SELECT {', '.join((*CELL, *MEASURES))} FROM stats_dayrollup"  # noqa: S608
#: Over cells named ``c``.
SUMS = ", ".join(f"coalesce(sum(c.{measure}), 0)::bigint AS {measure}" for measure in MEASURES)


def zone() -> dict[str, str]:
    return {"zone": settings.TIME_ZONE}
