"""结算: a month is closed, once it is over; from then on what it said stays. Corrections are further entries."""

from datetime import date, datetime, timedelta
from uuid import UUID, uuid5

from django.db import IntegrityError, transaction

from coupons.queries.direct import row
from coupons.refused import Refused
from redemption.models import SettledMonth, SettlementEntry, Statement
from redemption.queries import settlement

#: What began before midnight is through by then; the database refuses what would come later still.
MARGIN = timedelta(minutes=30)
#: A transaction that began before then might still book into the month.
_STILL_WRITING = """
SELECT 1 FROM pg_stat_activity
 WHERE datname = current_database() AND xact_start < %s::timestamptz AND pid <> pg_backend_pid() LIMIT 1
"""
#: "settle" in ASCII.
_LOCK = 0x736574746C65


def is_over(month: date, now: datetime) -> bool:
    """Whether it can be closed by now."""
    return now >= settlement.midnight(settlement.next_month(month)) + MARGIN


def close(month: date, *, now: datetime, by: str) -> SettledMonth:
    """Keep what the month says. ``month``: its first day.

    :raises Refused: "month_not_over", "month_not_next" (months close one after the other), "month_closed".
    """
    if not is_over(month, now):
        raise Refused("month_not_over")
    until = settlement.midnight(settlement.next_month(month))
    with transaction.atomic():
        row("SELECT pg_advisory_xact_lock(%s::bigint)::text", (_LOCK,))
        closed = settlement.closed_until()
        if closed is not None and month < closed:
            raise Refused("month_closed")
        if month != settlement.first_month():
            raise Refused("month_not_next")
        if row(_STILL_WRITING, (until + MARGIN,)):
            raise Refused("busy")
        found = settlement.shares(month, settlement.next_month(month))
        made = SettledMonth.objects.create(month=month, ends_at=until, closed_at=now, closed_by=by)
        Statement.objects.bulk_create(
            Statement(
                month=made,
                merchant_id=share.merchant,
                closing_fen=share.closing_fen,
                **{name: fen for name, fen in share._asdict().items() if name != "merchant"},
            )
            for share in found
        )
    return made


def enter(
    *,
    merchant: str | None,
    kind: str,
    amount_fen: int,
    reason: str,
    now: datetime,
    by: str,
    form: UUID | None = None,
) -> SettlementEntry:
    """A correction or a payment, booked now: into the open month, whatever it is about.

    ``form``: by which it is told that the same was sent twice; the entry is then the one that was made already.
    """
    entry = SettlementEntry(at=now, merchant_id=merchant, kind=kind, amount_fen=amount_fen, reason=reason, by=by)
    entry.full_clean()
    if form is not None:
        entry.once = uuid5(form, repr((merchant, kind, amount_fen, reason, by)))
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        made = SettlementEntry.objects.filter(once=entry.once).first() if entry.once else None
        if made is None:
            raise
        return made
    return entry
