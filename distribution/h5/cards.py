"""A coupon as the pages draw it: as it is offered, and in a visitor's hands."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from coupons import sights
from coupons.models import Coupon
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.wallet import Held, ended_at, status_at
from coupons.queries.wording import glance
from coupons.rules.looks import dressed

#: So long before its end a coupon says how much time is left.
SOON = timedelta(days=3)
LAST = timedelta(seconds=1)


def face(template: CompiledTemplate) -> dict[str, Any]:
    look = dressed(template.row.looks)
    return {
        "template_id": template.id,
        "design": look["design"],
        "badge": look["badge"],
        "glance": glance(template.row),
        "name": template.row.name,
        **template.face()["wording"],
    }


def card(
    coupon: Held, book: Book, now: datetime, against: Mapping[int, list[dict[str, Any]]] | None = None
) -> dict[str, Any]:
    """Of a visitor's own coupon, who sees it now. ``against``: by template, why its customer could not use it,
    whatever the order.
    """
    sights.shown([coupon.id.int], now)
    status = status_at(coupon.status, coupon.valid_until, coupon.held_until, now)
    return {
        **face(book.templates([coupon.template_id])[coupon.template_id]),
        "unusable": (against or {}).get(coupon.template_id, ()) if status in ("available", "held") else (),
        "id": coupon.id,
        "code": coupon.code,
        "status": status,
        "state": Coupon.Status(status).label,
        "waits": status == "available" and coupon.valid_from > now,
        "ends_soon": status == "available" and coupon.valid_until - now <= SOON,
        "valid_from": coupon.valid_from,
        "valid_until": coupon.valid_until,
        "ended_at": ended_at(coupon, now),
        "last": coupon.valid_until - LAST,  # a day that ends at midnight reads as its own last minute
    }
