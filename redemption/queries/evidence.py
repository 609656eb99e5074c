"""What a redemption took off an order, line by line."""

from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.utils import timezone

from coupons.queries.direct import row

_SQL = """
SELECT r.id, r.status, r.created_at, r.held_until, r.ended_at, r.customer_id, r.discount_fen, r.merchant_fen,
       r.returned_fen, r.coupons, r.withdrawn, r.returned::text, o.id, o.key, o.finished_at, o.goods_fen,
       o.shipping_fen, o.city_id, o.client, o.lines::text,
       (SELECT jsonb_agg(jsonb_build_array(l.coupon_id, l.line, l.quantity, l.amount_fen, l.discount_fen,
                                           l.merchant_fen, l.returned_quantity, l.returned_fen,
                                           l.returned_merchant_fen, l.template_id, l.merchant_id) ORDER BY l.id)::text
          FROM redemption_redemptionline l WHERE l.redemption_id = r.id)
  FROM redemption_redemption r JOIN redemption_order o ON o.id = r.order_id
 WHERE r.id = %s
"""


class Taken(NamedTuple):
    """What one coupon took off one line; ``line`` is empty for the shipping fee."""

    coupon: UUID
    line: str
    quantity: int
    amount_fen: int
    discount_fen: int
    merchant_fen: int
    returned_quantity: int
    returned_fen: int
    returned_merchant_fen: int
    template_id: int
    merchant: str | None


class Evidence(NamedTuple):
    """``withdrawn``: coupons that came back before the order did. ``returned``: how many of each line came back, by its
    id. ``lines``: the order's snapshot.
    """

    id: UUID
    status: str
    created_at: datetime
    held_until: datetime | None
    ended_at: datetime | None
    customer_id: int
    discount_fen: int
    merchant_fen: int
    returned_fen: int
    coupons: list[UUID]
    withdrawn: list[UUID]
    returned: dict[str, int]
    order_id: int
    order: str
    finished_at: datetime | None
    goods_fen: int
    shipping_fen: int
    city: str | None
    client: str
    lines: list[dict[str, Any]]
    parts: list[Taken]

    @property
    def full_fen(self) -> int:
        return self.goods_fen + self.shipping_fen

    @property
    def finished_on(self) -> date | None:
        """The business day."""
        return None if self.finished_at is None else timezone.localtime(self.finished_at).date()

    def by_coupon(self) -> dict[UUID, tuple[int, int]]:
        """Discount and the merchants' part of it, of every coupon of the redemption."""
        sums = dict.fromkeys(self.coupons, (0, 0))
        for part in self.parts:
            discount, merchant = sums[part.coupon]
            sums[part.coupon] = (discount + part.discount_fen, merchant + part.merchant_fen)
        return sums


def find(id: UUID) -> Evidence | None:
    found = row(_SQL, (id,))
    if found is None:
        return None
    *columns, lines, parts = found
    columns[_RETURNED] = orjson.loads(columns[_RETURNED])
    taken = [Taken(UUID(coupon), *rest) for coupon, *rest in orjson.loads(parts)] if parts else []
    return Evidence._make([*columns, orjson.loads(lines), taken])


_RETURNED = Evidence._fields.index("returned")
