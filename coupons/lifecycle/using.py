"""使用: what becomes of a coupon when its order is rolled back.

Holding, redeeming and releasing go by the database's own functions (``migrations/sql/use.sql``), inside the
redemption's one call.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from coupons.queries.direct import row, rows


class Back(NamedTuple):
    """What one coupon gives back, in fen: of what it took off, of that the merchant's part, and its share of the
    order: of its value at full price, as paid, and of the order itself; below 0 where it takes over what a coupon had
    that leaves the order. ``outcome``: what its template says of the case, None while the coupon
    stays with its order; ``late``: of a coupon whose date has passed; ``grace``: until when grace lasts.
    """

    coupon: UUID
    back_fen: int
    merchant_fen: int
    gmv_fen: int
    paid_fen: int
    order_parts: int
    outcome: str | None = None
    late: str = "returns"
    grace: datetime | None = None


class Purse(NamedTuple):
    """A change of a campaign's budget."""

    budget: int
    committed_fen: int
    spent_fen: int


def give_back(
    back: Sequence[Back],
    *,
    redemption: UUID,
    customer_id: int,
    now: datetime,
    city: str | None,
    client: str | None,
    by: str,
) -> tuple[dict[UUID, str], list[Purse]]:
    """What each coupon's status is afterwards, and what the budgets must be told, last of all, by :func:`tell_budgets`.

    Inside a transaction that has locked the customer.
    """
    became: dict[UUID, str] = {}
    purses = []
    if any(part.outcome for part in back):  # what is past its date stands in nobody's way
        expired = rows(
            "SELECT budget, freed FROM coupons_expired(%s::timestamptz, NULL, %s::bigint, 1000, %s::text)",
            (now, customer_id, by),
        )
        purses = [Purse(budget, -freed, 0) for budget, freed in expired]
    for part in sorted(back, key=lambda part: part.coupon):
        found = row(
            "SELECT became, budget, committed, spent FROM coupons_give_back("
            "%s::uuid, %s::uuid, %s::text, %s::text, %s::timestamptz, %s::timestamptz,"
            " %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::bigint, %s::text, %s::text, %s::text)",
            (part.coupon, redemption, part.outcome, part.late, part.grace, now, *part[1:6], city, client, by),
        )
        assert found is not None
        became[part.coupon] = found[0]
        purses.append(Purse(*found[1:]))
    return became, purses


def tell_budgets(purses: Sequence[Purse]) -> None:
    """Budgets are the most shared rows: their locks come last and are held shortest."""
    row("SELECT coupons_purse(%s::bigint[], %s::bigint[], %s::bigint[])", tuple(map(list, zip(*purses, strict=True))))
