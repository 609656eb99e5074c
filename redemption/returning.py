"""退回: an order rolled back, whole or in part. What was taken off those lines goes back, at the same shares."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.utils.translation import gettext as _

from coupons.answers import Once, Reply, do_once
from coupons.lifecycle import using
from coupons.lifecycle.using import Back
from coupons.queries.direct import row, rows
from coupons.refused import Invalid, Refused
from redemption.pricing import rollback_parts
from redemption.queries.basket import SHIPPING
from redemption.queries.evidence import Evidence, find
from redemption.redeeming import shared


class Given(NamedTuple):
    """A line that comes back; ``quantity`` None: all of it that is left."""

    id: str
    quantity: int | None = None


class _Side(NamedTuple):
    """What goes back on one coupon's line."""

    coupon: UUID
    line: str
    quantity: int
    fen: int
    merchant_fen: int


def roll_back(
    id: UUID, lines: Sequence[Given] | None = None, *, now: datetime, by: str, once: Once | None = None
) -> Reply:
    """Give back these lines, or all that is left. With the last of the goods the shipping fee goes back, too.

    :raises Refused: "not_found", "not_redeemed", "rollback_exceeds".
    :raises Invalid: on a line that the order does not have.
    """
    return do_once(once, now, lambda: Reply(200, orjson.dumps(_roll_back(id, lines, now, by))))


def _roll_back(id: UUID, lines: Sequence[Given] | None, now: datetime, by: str) -> dict[str, Any]:
    # All of a customer's rollbacks go one after the other; so this look stays true.
    row(
        "SELECT id FROM coupons_customer WHERE id = (SELECT customer_id FROM redemption_redemption WHERE id = %s)"
        " FOR NO KEY UPDATE",
        (id,),
    )
    found = find(id)
    if found is None:
        raise Refused("not_found")
    if found.status == "rolled_back":
        raise Refused("rollback_exceeds")
    if found.status != "redeemed":
        raise Refused("not_redeemed", status=found.status)

    ordered = {line["id"]: line["quantity"] for line in found.lines}
    if found.shipping_fen:
        ordered[SHIPPING] = 1
    returns = _wanted(lines, ordered, found.returned)
    after = {line: found.returned.get(line, 0) + returns.get(line, 0) for line in ordered}
    whole = after == ordered
    sides = [
        _Side(part.coupon, line, returns[line], *_parts(part, returns[line]))
        for part in found.parts
        if (line := part.line or SHIPPING) in returns
    ]
    back_fen = sum(side.fen for side in sides)
    merchant_fen = sum(side.merchant_fen for side in sides)

    became, purses = using.give_back(
        _backs(found, after, sides),
        redemption=id,
        customer_id=found.customer_id,
        whole=whole,
        now=now,
        city=found.city,
        client=found.client,
        by=by,
    )
    _write(found, after, sides, back_fen, merchant_fen, whole, now)
    using.tell_budgets(purses)
    by_line = dict.fromkeys(returns, 0)
    for side in sides:
        by_line[side.line] += side.fen
    return {
        "id": id,
        "status": "rolled_back" if whole else "redeemed",
        "order": found.order,
        "returned_fen": back_fen,
        "lines": [
            {"id": line, "quantity": quantity, "returned_fen": by_line[line]} for line, quantity in returns.items()
        ],
        "cost": {"platform_fen": back_fen - merchant_fen, "merchant_fen": merchant_fen},
        "coupons": [{"id": coupon, "status": became[coupon]} for coupon in found.coupons],
    }


def _wanted(lines: Sequence[Given] | None, ordered: dict[str, int], returned: dict[str, int]) -> dict[str, int]:
    """How many of each line come back now, in the order's order of lines."""
    left = {line: quantity - returned.get(line, 0) for line, quantity in ordered.items()}
    if lines is None:
        return {line: quantity for line, quantity in left.items() if quantity}
    wanted: dict[str, int] = {}
    for place, given in enumerate(lines):
        if given.id not in ordered:
            raise Invalid.of(f"lines.{place}.id", "unknown_key", _("The order has no such line."))
        quantity = left[given.id] if given.quantity is None else given.quantity
        if quantity > left[given.id] or quantity == 0:
            raise Refused("rollback_exceeds", line=given.id, left=left[given.id])
        wanted[given.id] = quantity
    if left.get(SHIPPING) and all(
        wanted.get(line, 0) == quantity for line, quantity in left.items() if line != SHIPPING
    ):
        wanted[SHIPPING] = 1
    return {line: wanted[line] for line in ordered if line in wanted}


def _parts(part: Any, quantity: int) -> tuple[int, int]:
    """Fen that go back, and the merchant's of them."""
    platform, merchant = rollback_parts(
        part.discount_fen, part.merchant_fen, part.quantity, part.returned_quantity, quantity
    )
    return platform + merchant, merchant


def _backs(found: Evidence, after: dict[str, int], sides: Sequence[_Side]) -> list[Back]:
    """Sums by coupon. Order value goes back as the difference of two shares, so that in the end all of it is back."""
    coupons = sorted(found.coupons)
    sums = found.by_coupon()
    discounts = [sums[coupon][0] for coupon in coupons]
    prices = {line["id"]: line["unit_price_fen"] for line in found.lines} | {SHIPPING: found.shipping_fen}
    back_fen = sum(side.fen for side in sides)

    def value(counts: dict[str, int], given_fen: int) -> tuple[list[int], list[int]]:
        full = sum(prices[line] * count for line, count in counts.items())
        return shared(full, discounts), shared(full - given_fen, discounts)

    gmv_before, paid_before = value(found.returned, found.returned_fen)
    gmv_after, paid_after = value(after, found.returned_fen + back_fen)
    backs = []
    for place, coupon in enumerate(coupons):
        mine = [side for side in sides if side.coupon == coupon]
        backs.append(
            Back(
                coupon,
                sum(side.fen for side in mine),
                sum(side.merchant_fen for side in mine),
                gmv_after[place] - gmv_before[place],
                paid_after[place] - paid_before[place],
            )
        )
    return backs


def _write(
    found: Evidence,
    after: dict[str, int],
    sides: Sequence[_Side],
    back_fen: int,
    merchant_fen: int,
    whole: bool,
    now: datetime,
) -> None:
    """The order, then its redemption and the lines of it; the customer's totals if the order is among them."""
    rows(
        "UPDATE redemption_order SET deducted_fen = deducted_fen - %s WHERE id = %s RETURNING id",
        (back_fen, found.order_id),
    )
    rows(
        "UPDATE redemption_redemption SET returned = %s::jsonb, returned_fen = returned_fen + %s,"
        " returned_merchant_fen = returned_merchant_fen + %s, status = %s, ended_at = %s WHERE id = %s RETURNING id",
        (
            orjson.dumps({line: count for line, count in after.items() if count}).decode(),
            back_fen,
            merchant_fen,
            "rolled_back" if whole else "redeemed",
            now if whole else None,
            found.id,
        ),
    )
    if sides:
        rows(
            "UPDATE redemption_redemptionline AS l SET returned_quantity = returned_quantity + s.quantity,"
            " returned_fen = returned_fen + s.fen, returned_merchant_fen = returned_merchant_fen + s.merchant_fen"
            " FROM unnest(%s::uuid[], %s::text[], %s::integer[], %s::bigint[], %s::bigint[])"
            " AS s(coupon, line, quantity, fen, merchant_fen)"
            " WHERE l.redemption_id = %s AND l.coupon_id = s.coupon AND l.line = s.line RETURNING l.id",
            (
                *(
                    list(column)
                    for column in zip(*(side._replace(line=_stored(side.line)) for side in sides), strict=True)
                ),
                found.id,
            ),
        )
    if found.finished_on is not None:
        row(
            "SELECT redemption_deduct(%s::bigint, %s::date, %s::bigint)",
            (found.customer_id, found.finished_on, -back_fen),
        )


def _stored(line: str) -> str:
    return "" if line == SHIPPING else line
