"""Statements of any period: for each party what was owed at its beginning, what came, what went, what is owed then.

A party is a merchant, or the platform (None). The share of a redemption counts when it was redeemed, that of a rollback
when it was rolled back, so that no past period ever changes. What is before the period is read from the last closed
month and what follows it.
"""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from django.utils import timezone

from coupons.models import Merchant
from coupons.queries.direct import row, rows

#: Shares by party, of redemptions, rollbacks and entries within [start, end).
_MOVES = """
WITH taken AS (
    SELECT l.merchant_id AS merchant, count(DISTINCT r.id) AS number, sum(l.merchant_fen)::bigint AS merchant_fen,
           sum(l.discount_fen - l.merchant_fen)::bigint AS platform_fen
      FROM redemption_redemption r JOIN redemption_redemptionline l ON l.redemption_id = r.id
     WHERE r.redeemed_at >= %(start)s AND r.redeemed_at < %(end)s AND r.status IN ('redeemed', 'rolled_back')
     GROUP BY l.merchant_id
), back AS (
    SELECT merchant_id AS merchant, count(DISTINCT (redemption_id, at)) AS number,
           sum(merchant_fen)::bigint AS merchant_fen, sum(discount_fen - merchant_fen)::bigint AS platform_fen
      FROM redemption_givenback WHERE at >= %(start)s AND at < %(end)s GROUP BY merchant_id
), told AS (
    SELECT merchant, number AS taken_number, merchant_fen AS taken, 0::bigint AS back_number, 0::bigint AS back,
           0::bigint AS entries FROM taken WHERE merchant IS NOT NULL
    UNION ALL SELECT merchant, 0, 0, number, merchant_fen, 0 FROM back WHERE merchant IS NOT NULL
    UNION ALL SELECT NULL, (SELECT count(*) FROM redemption_redemption WHERE redeemed_at >= %(start)s
                              AND redeemed_at < %(end)s AND status IN ('redeemed', 'rolled_back')),
                     (SELECT coalesce(sum(platform_fen), 0) FROM taken),
                     (SELECT count(DISTINCT (redemption_id, at)) FROM redemption_givenback
                       WHERE at >= %(start)s AND at < %(end)s),
                     (SELECT coalesce(sum(platform_fen), 0) FROM back), 0
    UNION ALL SELECT merchant_id, 0, 0, 0, 0, sum(amount_fen) FROM redemption_settlemententry
               WHERE at >= %(start)s AND at < %(end)s GROUP BY merchant_id
)
SELECT merchant, sum(taken_number)::bigint, sum(taken)::bigint, sum(back_number)::bigint, sum(back)::bigint,
       sum(entries)::bigint FROM told GROUP BY merchant
"""
_CLOSED = """
SELECT s.merchant_id, s.closing_fen FROM redemption_statement s JOIN redemption_settledmonth m ON m.id = s.month_id
 WHERE m.month = %s
"""
_LONG_AGO = datetime(2000, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


class Share(NamedTuple):
    """One party's line; fen. ``merchant`` None: the platform."""

    merchant: str | None
    opening_fen: int
    redeemed_count: int
    redeemed_fen: int
    returned_count: int
    returned_fen: int
    entries_fen: int

    @property
    def closing_fen(self) -> int:
        return self.opening_fen + self.redeemed_fen - self.returned_fen + self.entries_fen


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())


def next_month(month: date) -> date:
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)


def closed_until() -> date | None:
    """The first day that is not closed; None before the first closing."""
    found = row("SELECT max(month) FROM redemption_settledmonth")
    return next_month(found[0]) if found and found[0] else None


def first_month() -> date | None:
    """The month that would be closed next, whether it is over or not; None while there is nothing to settle."""
    closed = closed_until()
    if closed:
        return closed
    found = row(
        "SELECT least((SELECT min(redeemed_at) FROM redemption_redemption),"
        " (SELECT min(at) FROM redemption_settlemententry))"
    )
    return timezone.localtime(found[0]).date().replace(day=1) if found and found[0] else None


def shares(start: date, end: date) -> list[Share]:
    """Of the days from ``start`` up to ``end``, which is not among them: the platform, then merchants by key. Parties
    without anything, now or before, are left out.
    """
    opening = _opening(start)
    moves = {one[0]: one[1:] for one in rows(_MOVES, {"start": midnight(start), "end": midnight(end)})}
    found = [
        Share(party, opening.get(party, 0), *moves.get(party, (0, 0, 0, 0, 0)))
        for party in sorted({None, *opening, *moves}, key=lambda party: (party is not None, party or ""))
    ]
    return [share for share in found if any(share[1:]) or share.merchant is None]


def named(found: Sequence[Share]) -> dict[str, str]:
    return dict(Merchant.objects.filter(pk__in=[share.merchant for share in found]).values_list("pk", "name"))


def _opening(start: date) -> dict[str | None, int]:
    """What is owed when ``start`` begins: by the last month closed before it, and what came since."""
    found = row("SELECT max(month) FROM redemption_settledmonth WHERE month < %s::date", (start.replace(day=1),))
    closed: date | None = found[0] if found else None
    since = _LONG_AGO if closed is None else midnight(next_month(closed))
    sums: dict[str | None, int] = {} if closed is None else dict(rows(_CLOSED, (closed,)))
    if since < midnight(start):
        for party, _number, taken, _backs, back, entries in rows(_MOVES, {"start": since, "end": midnight(start)}):
            sums[party] = sums.get(party, 0) + taken - back + entries
    return sums
