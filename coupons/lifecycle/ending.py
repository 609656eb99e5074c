"""到期与作废: coupons that end unused, holds that run out. Expiry is read from the clock; this only tidies up."""

from datetime import datetime
from uuid import UUID

from coupons.queries.direct import row
from coupons.refused import Refused

CHUNK = 5000
_EXPIRE = "SELECT coupons_expire(%s::timestamptz, %s::bigint, %s::bigint, %s::integer, %s::text)"


def expire(
    now: datetime,
    budget_id: int | None = None,
    customer_id: int | None = None,
    limit: int = CHUNK,
    by: str = "system:expiry",
) -> int:
    """Coupons past their date become expired and free what is committed for them; how many, at most ``limit``.

    Redeemed ones whose rest was kept for their return free it. With ``budget_id`` only those that free something of
    that budget. Coupons locked by somebody else are left for the next time.
    """
    found = row(_EXPIRE, (now, budget_id, customer_id, limit, by))
    return found[0] if found else 0


def lapse(now: datetime, limit: int = CHUNK, by: str = "system:expiry") -> int:
    """Coupons whose hold ran out stand as available; how many, at most ``limit``. On reading they were that already."""
    found = row("SELECT coupons_lapse(%s::timestamptz, %s::integer, %s::text)", (now, limit, by))
    return found[0] if found else 0


def void(coupon: UUID, *, now: datetime, by: str, reason: str) -> None:
    """作废: take a coupon away, for good; what is committed for it is free again.

    :raises Refused: "not_found", "already_redeemed", "held_by_other_order" (while the hold lasts), "expired",
        "not_available" (void already).
    """
    found = row("SELECT coupons_void(%s::uuid, %s::timestamptz, %s::text, %s::text)", (coupon, now, by, reason[:200]))
    if found and found[0]:
        raise Refused(found[0])
