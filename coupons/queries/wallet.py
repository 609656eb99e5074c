"""What is in a customer's hands, as the doors say it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.direct import rows
from coupons.queries.profiles import needs_of, profile
from coupons.rules import CustomerCondition, Situation, unmet

_SELECT = """
SELECT id, code, status, valid_from, valid_until, held_until, placement, template_id,
       CASE WHEN status IN ('redeemed', 'void') THEN
         (SELECT max(at) FROM coupons_couponevent e WHERE e.coupon_id = coupons_coupon.id AND e.kind = status) END
  FROM coupons_coupon WHERE """
_OWN = "customer_id = (SELECT id FROM coupons_customer WHERE key = %(customer)s)"

#: What a status means on reading: the clock decides where the row alone cannot.
_IS = {
    "available": "valid_until > %(now)s AND (status = 'available' OR (status = 'held' AND held_until <= %(now)s))",
    "held": "status = 'held' AND held_until > %(now)s",
    "redeemed": "status = 'redeemed'",
    "expired": (
        "(status = 'expired' OR (valid_until <= %(now)s"
        " AND (status = 'available' OR (status = 'held' AND held_until <= %(now)s))))"
    ),
    "void": "status = 'void'",
}
STATUSES = tuple(_IS)


class Held(NamedTuple):
    """One coupon's row. ``moved_at``: when it was redeemed or made void, if it was."""

    id: UUID
    code: str
    status: str
    valid_from: datetime
    valid_until: datetime
    held_until: datetime | None
    placement: str | None
    template_id: int
    moved_at: datetime | None = None


def status_at(status: str, valid_until: datetime, held_until: datetime | None, now: datetime) -> str:
    """What a coupon is at this moment; a hold that ran out is none, and what is past its date is expired."""
    if status == "held":
        if held_until is not None and held_until > now:
            return "held"
        status = "available"
    if status == "available" and valid_until <= now:
        return "expired"
    return status


def ended_at(coupon: Held, now: datetime) -> datetime | None:
    """Since when it can no longer be used: redeemed, void, or past its date."""
    if status_at(coupon.status, coupon.valid_until, coupon.held_until, now) == "expired":
        return coupon.valid_until
    return coupon.moved_at


def page(
    customer: str,
    now: datetime,
    *,
    status: str | None,
    size: int,
    after: UUID | None = None,
    before: UUID | None = None,
) -> tuple[list[Held], bool, bool]:
    """Newest first; whether there are newer ones before the page, and older ones after it.

    ``after``: the last coupon of the page before; ``before``: the first of the page after.
    """
    where = f"AND {_IS[status]}" if status else ""
    if after is not None:
        where += " AND id < %(after)s"
    if before is not None:
        where += " AND id > %(before)s"
    order = "ASC" if before is not None else "DESC"
    found = rows(
        f"{_SELECT} {_OWN} {where} ORDER BY id {order} LIMIT %(size)s",
        {"customer": customer, "now": now, "after": after, "before": before, "size": size + 1},
    )
    more = len(found) > size
    coupons = [Held(*one) for one in found[:size]]
    if before is not None:
        return coupons[::-1], more, True
    return coupons, after is not None, more


def had(customer: str, placement: str, most: int) -> list[Held]:
    """What the customer was given by this placement, newest first."""
    sql = f"{_SELECT} {_OWN} AND placement = %(placement)s ORDER BY id DESC LIMIT %(most)s"
    return [Held(*one) for one in rows(sql, {"customer": customer, "placement": placement, "most": most})]


def one(customer: str | None, id: UUID) -> Held | None:
    """A coupon; of this customer alone, unless None."""
    found = rows(
        f"{_SELECT} id = %(id)s AND (%(customer)s::text IS NULL OR {_OWN})",
        {"customer": customer, "id": id},
    )
    return Held(*found[0]) if found else None


def coupon_bytes(coupon: Held, template: CompiledTemplate, now: datetime) -> bytes:
    """One coupon as JSON; moments in ``now``'s time zone."""
    status = status_at(coupon.status, coupon.valid_until, coupon.held_until, now)
    zone = now.tzinfo
    ended = ended_at(coupon, now)
    return (
        b'{"id":"%b","code":"%b","status":"%b","valid_from":"%b","valid_until":"%b","ended_at":%b,"placement":%b,%b'
        % (
            str(coupon.id).encode(),
            coupon.code.encode(),
            status.encode(),
            coupon.valid_from.astimezone(zone).isoformat(timespec="seconds").encode(),
            coupon.valid_until.astimezone(zone).isoformat(timespec="seconds").encode(),
            b"null" if ended is None else b'"%b"' % ended.astimezone(zone).isoformat(timespec="seconds").encode(),
            b"null" if coupon.placement is None else b'"%b"' % coupon.placement.encode(),
            template.face_bytes(),
        )
    )


def coupons_bytes(
    coupons: list[Held], book: Book, now: datetime, against: Mapping[int, list[dict[str, Any]]] | None = None
) -> bytes:
    """Several as a JSON array. ``against``: with what :func:`hindrances` says of each."""
    templates = book.templates({coupon.template_id for coupon in coupons})
    return b"[%b]" % b",".join(
        [
            coupon_bytes(coupon, templates[coupon.template_id], now)
            if against is None
            else with_hindrances(coupon, templates[coupon.template_id], against, now)
            for coupon in coupons
        ]
    )


def with_hindrances(
    coupon: Held, template: CompiledTemplate, against: Mapping[int, list[dict[str, Any]]], now: datetime
) -> bytes:
    """One coupon, and why its customer could not use it, whatever the order."""
    said = against.get(coupon.template_id) if coupon.status in ("available", "held") else None
    body = coupon_bytes(coupon, template, now)
    return b'%b,"unusable":%b}' % (body[:-1], orjson.dumps(said, default=str)) if said else body


def hindrances(customer: str, coupons: list[Held], book: Book, now: datetime) -> dict[int, list[dict[str, Any]]]:
    """By template: what the customer's own facts have against using its coupons, whatever the order; asked of the same
    rules as at the use. Only of coupons that could be used otherwise.
    """
    templates = book.templates({coupon.template_id for coupon in coupons if coupon.status in ("available", "held")})
    return against(customer, templates.values(), now)


def against(customer: str, templates: Iterable[CompiledTemplate], now: datetime) -> dict[int, list[dict[str, Any]]]:
    """As :func:`hindrances`, of coupons that the customer may not even have yet."""
    asking = {
        template.id: rules
        for template in templates
        if (rules := [rule for rule in template.use_rules if isinstance(rule, CustomerCondition)])
    }
    if not asking:
        return {}
    needs, days = needs_of(rule for rules in asking.values() for rule in rules)
    known = profile(customer, needs, since=now.date() - timedelta(days=days - 1) if days else None)
    situation = Situation(now=now)
    return {
        id: [condition.reason(verdict) for condition, verdict in failed]
        for id, rules in asking.items()
        if (failed := unmet(rules, known, situation))
    }


def fresh(
    id: UUID, code: str, valid_from: datetime, valid_until: datetime, placement: str | None, template: int
) -> Held:
    """A coupon as it will be when its issue is through."""
    return Held(id, code, "available", valid_from, valid_until, None, placement, template)
