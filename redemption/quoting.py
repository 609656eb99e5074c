"""试算: what a customer's coupons would take off an order. Nothing is written, nothing is promised for later."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from coupons.queries import catalogue
from coupons.refused import Refused
from redemption.pricing import Bill, Line, PricedSet, best_set, choose
from redemption.queries.basket import Basket
from redemption.queries.fitting import Fit, fit, standing


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
            "coupons": [fits[candidate.coupon].coupon.id for candidate, _priced in best.coupons],
            "discount_fen": best.discount_fen,
            "shipping_discount_fen": best.shipping_discount_fen,
            "payable_fen": best.payable_fen,
            "lines": lines_of(basket.lines, best.line_fens),
        },
        "why_best": _why_best(best, usable, bill),
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


def _why_best(best: PricedSet, usable: Sequence[Fit], bill: Bill) -> dict[str, Any] | None:
    """Why this set: how much more it takes off than the next choice, which is the best coupon alone or, if the best
    set is one coupon, the best set without it. Nothing to be said where there is no other choice.
    """
    chosen = {candidate.coupon for candidate, _priced in best.coupons}
    others = [one for one in usable if len(chosen) > 1 or one.candidate.coupon not in chosen]
    if not chosen or not others:
        return None
    if len(chosen) > 1:
        rival = max(others, key=lambda one: one.priced.total_fen if one.priced else 0)
        fen, count = rival.priced.total_fen if rival.priced else 0, 1
    else:
        fen, coupons = choose([one.candidate for one in others], bill)
        if not coupons:  # of so small a bill they take nothing
            return None
        rival, count = next(one for one in others if one.candidate.coupon == coupons[0].coupon), len(coupons)
    ahead = best.total_fen - fen
    words = {"amount": f"{ahead // 100}.{ahead % 100:02}", "name": rival.use.template.row.name, "count": count}
    if not ahead and count > 1:
        detail = _("Takes off as much as %(count)d coupons together would, and keeps those for later") % words
    elif not ahead:
        detail = _("Takes off as much as “%(name)s”, and expires first") % words
    elif len(chosen) > 1:
        detail = _("Together they save ¥%(amount)s more than “%(name)s” alone") % words
    elif count > 1:
        detail = _("Saves ¥%(amount)s more than the best %(count)d others together") % words
    else:
        detail = _("Saves ¥%(amount)s more than “%(name)s”") % words
    return {"detail": detail, "ahead_fen": ahead}


def lines_of(lines: Sequence[Line], fens: Sequence[int]) -> list[dict[str, Any]]:
    return [{"id": line.id, "discount_fen": fen} for line, fen in zip(lines, fens, strict=True)]
