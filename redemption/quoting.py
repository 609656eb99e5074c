"""试算: what a customer's coupons would take off an order. Nothing is written, nothing is promised for later."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from coupons.queries import catalogue
from coupons.refused import Refused
from redemption.pricing import Line, best_set
from redemption.queries.basket import Basket
from redemption.queries.fitting import fit, standing


def quote(basket: Basket, now: datetime, coupons: Sequence[UUID] | None = None) -> dict[str, Any]:
    """Which coupons fit and what each takes off alone, which do not and why, and which set takes most off.

    Of ``coupons``, or of all that the customer could still use. A customer never heard of has none.

    :raises Refused: "not_found": a coupon, or the order, that is not the customer's.
    """
    known = standing(basket, now, coupons)
    if coupons is not None and len(known.coupons) < len(coupons):
        raise Refused("not_found")
    bill, fits = fit(basket, known, catalogue.at_least(known.version), now)
    usable = [one for one in fits if not one.reasons]
    best = best_set([one.candidate for one in usable], bill)
    priced = [(one, one.priced) for one in usable if one.priced is not None]
    priced.sort(key=lambda pair: (-pair[1].total_fen, pair[0].coupon.valid_until, pair[0].coupon.id))
    return {
        "best": {
            "coupons": [fits[candidate.coupon].coupon.id for candidate, _ in best.coupons],
            "discount_fen": best.discount_fen,
            "shipping_discount_fen": best.shipping_discount_fen,
            "payable_fen": best.payable_fen,
            "lines": lines_of(basket.lines, best.line_fens),
        },
        "usable": [
            {
                "coupon": one.coupon.id,
                "discount_fen": price.discount_fen,
                "shipping_discount_fen": price.shipping_discount_fen,
                "lines": lines_of(basket.lines, price.line_fens),
            }
            for one, price in priced
        ],
        "unusable": [{"coupon": one.coupon.id, "reasons": one.reasons} for one in fits if one.reasons],
    }


def lines_of(lines: Sequence[Line], fens: Sequence[int]) -> list[dict[str, Any]]:
    return [{"id": line.id, "discount_fen": fen} for line, fen in zip(lines, fens, strict=True)]
