"""核销: the coupons of an order held, redeemed, released.

Rules and prices are asked from a look without locks; the database then moves everything in one call, and only if all is
still as it was looked at.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from coupons import answers, refusals
from coupons.answers import Once, Reply
from coupons.models import CouponEvent
from coupons.queries import catalogue
from coupons.queries.direct import row, rows
from coupons.refused import Refused
from coupons.rules.codes import new_id
from redemption.pricing import EXCLUSIVE, PricedSet, price_set, spread
from redemption.queries.basket import Basket
from redemption.queries.evidence import Evidence, find
from redemption.queries.fitting import Fit, fit, standing
from redemption.queries.reasons import of_company

ATTEMPTS = 5

_REDEEM = """
SELECT outcome, answer, answer_status FROM redemption_redeem(
    %s::text, %s::text, %s::bytea, %s::smallint, %s::bytea,
    %s::timestamptz, %s::boolean, %s::uuid, %s::uuid, %s::timestamptz, %s::text,
    %s::bigint, %s::text, %s::timestamptz, %s::text, %s::text, %s::text, %s::text, %s::jsonb, %s::bigint, %s::bigint,
    %s::bigint, %s::bigint, %s::uuid[], %s::json, %s::json)
"""
_CAPTURE = """
SELECT outcome, answer, answer_status FROM redemption_capture(
    %s::text, %s::text, %s::bytea, %s::smallint, %s::bytea, %s::timestamptz, %s::uuid, %s::bigint, %s::bigint, %s::date,
    %s::bigint, %s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::text, %s::text,
    %s::text)
"""
_RELEASE = """
SELECT outcome, answer, answer_status FROM redemption_release(
    %s::text, %s::text, %s::bytea, %s::smallint, %s::bytea, %s::timestamptz, %s::uuid, %s::uuid[],
    %s::text, %s::text, %s::text)
"""
UNDONE = "CP001"
_ONE_LIVE = "redemption_one_live_per_order"


class _Changed(Exception):
    """Something moved between the look and the locks; nothing was done."""


def redeem(
    basket: Basket, coupons: Sequence[UUID], *, captures: bool, now: datetime, by: str, once: Once | None = None
) -> Reply:
    """Take these coupons off the order, all or none; ``captures`` false: hold them for it, for a while.

    The order's own hold is taken over: the same coupons go on under the same id, others replace them.

    :raises Refused: "not_found", "order_already_redeemed", "order_finished", or what speaks against a coupon.
    """
    with refusals.counted(
        refusals.Deed.USE, now, basket.customer, city=basket.city, business_line=basket.business_line
    ):
        for _attempt in range(ATTEMPTS):
            try:
                return _redeem(basket, coupons, captures, now, by, once)
            except _Changed:
                continue
        raise Refused("busy")


def _redeem(
    basket: Basket, coupons: Sequence[UUID], captures: bool, now: datetime, by: str, once: Once | None
) -> Reply:
    known = standing(basket, now, coupons)
    if known.customer_id is None or len(known.coupons) < len(coupons):
        raise Refused("not_found")
    bill, fits = fit(basket, known, catalogue.at_least(known.version), now)
    for one in fits:
        if one.reasons:
            raise _refused(fits)
    priced = price_set([one.candidate for one in fits], bill)
    if not isinstance(priced, PricedSet):
        raise _refused(_apart([one for place, one in enumerate(fits) if place in priced]))

    same = known.mine is not None and sorted(known.mine_coupons) == [one.coupon.id for one in fits]
    id = known.mine if same and known.mine is not None else str(new_id(now))
    until = None if captures else now + timedelta(minutes=settings.HOLD_MINUTES)
    parts = [(fits[candidate.coupon], one) for candidate, one in priced.coupons]
    body = {
        "id": id,
        "status": "redeemed" if captures else "held",
        "held_until": until and timezone.localtime(until),
        "order": basket.key,
        "coupons": [one.coupon.id for one, _ in parts],
        "discount_fen": priced.discount_fen,
        "shipping_discount_fen": priced.shipping_discount_fen,
        "payable_fen": priced.payable_fen,
        "lines": [
            {"id": line.id, "discount_fen": fen} for line, fen in zip(basket.lines, priced.line_fens, strict=True)
        ],
        "cost": {"platform_fen": priced.platform_fen, "merchant_fen": priced.merchant_fen},
    }
    reply = Reply(201, orjson.dumps(body))

    by_place = {candidate.coupon: one for candidate, one in priced.coupons}
    discounts = [by_place[place].total_fen for place in range(len(fits))]
    gmvs = shared(bill.goods_fen + bill.shipping_fen, discounts)
    paids = shared(priced.payable_fen, discounts)
    orders = shared(CouponEvent.ORDER_PARTS, discounts)
    moves = [
        {
            "coupon": one.coupon.id,
            "stays": True,
            "discount": discounts[place],
            "merchant": by_place[place].merchant_fen,
            "gmv": gmvs[place],
            "paid": paids[place],
            "parts": orders[place],
        }
        for place, one in enumerate(fits)
    ]
    if known.mine is not None and not same:
        wanted = {one.coupon.id for one in fits}
        moves += [{"coupon": coupon, "stays": False} for coupon in known.mine_coupons if coupon not in wanted]
        moves.sort(key=itemgetter("coupon"))
    parameters = (
        *(once or (None, None, None)),
        reply.status,
        reply.body,
        now,
        captures,
        id,
        known.mine,
        until,
        by,
        known.customer_id,
        basket.key,
        basket.placed_at,
        basket.client,
        basket.business_mode,
        basket.business_line,
        basket.city,
        orjson.dumps(basket.snapshot()).decode(),
        bill.goods_fen,
        bill.shipping_fen,
        priced.total_fen,
        priced.merchant_fen,
        "{{{}}}".format(",".join([one.coupon.id for one, _ in parts])),
        orjson.dumps(moves).decode(),
        orjson.dumps(_lines(parts, basket)).decode(),
    )
    return _call(_REDEEM, parameters, reply)


def capture(id: UUID, *, now: datetime, by: str, once: Once | None = None) -> Reply:
    """Held → redeemed. What is redeemed already stays so, and is answered alike.

    :raises Refused: "not_found", "hold_expired" (nothing is changed), "not_held".
    """
    for _attempt in range(ATTEMPTS):
        found = _found(id)
        if found.status == "redeemed":
            return answers.find(once) or Reply(200, answer(found, "redeemed"))
        if found.status == "released" and found.ended_at == found.held_until:
            raise Refused("hold_expired", held_until=found.held_until)
        if found.status != "held" or found.held_until is None:
            raise Refused("not_held", status=found.status)
        if found.held_until <= now:
            raise Refused("hold_expired", held_until=found.held_until)
        sums = found.by_coupon()
        coupons = sorted(found.coupons)
        discounts = [sums[coupon][0] for coupon in coupons]
        reply = Reply(200, answer(found, "redeemed"))
        parameters = (
            *(once or (None, None, None)),
            reply.status,
            reply.body,
            now,
            id,
            found.order_id,
            found.customer_id,
            found.finished_on,
            found.discount_fen,
            coupons,
            discounts,
            [sums[coupon][1] for coupon in coupons],
            shared(found.full_fen, discounts),
            shared(found.full_fen - found.discount_fen, discounts),
            shared(CouponEvent.ORDER_PARTS, discounts),
            found.city,
            found.client,
            by,
        )
        try:
            return _call(_CAPTURE, parameters, reply)
        except _Changed:
            continue
    if rows("SELECT 1 FROM coupons_coupon WHERE redemption_id = %s AND status = 'held' LIMIT 1", (id,)):
        raise Refused("busy")
    raise Refused("hold_expired")  # by the clock of whoever took the coupon, which is ahead of ours


def release(id: UUID, *, now: datetime, by: str, once: Once | None = None) -> Reply:
    """Held → released, its coupons available again. What is released already stays so, and is answered alike.

    :raises Refused: "not_found", "not_held": redeemed by now.
    """
    for _attempt in range(ATTEMPTS):
        found = _found(id)
        reply = Reply(200, answer(found, "released"))
        if found.status == "released":
            return answers.find(once) or reply
        if found.status != "held":
            raise Refused("not_held", status=found.status)
        parameters = (
            *(once or (None, None, None)),
            reply.status,
            reply.body,
            now,
            id,
            sorted(found.coupons),
            found.city,
            found.client,
            by,
        )
        try:
            return _call(_RELEASE, parameters, reply)
        except _Changed:
            continue
    raise Refused("busy")


def lapse(now: datetime, limit: int = 5000) -> int:
    """Holds that ran out stand as released, since they did; how many. Nothing waits for it."""
    found = rows(
        "UPDATE redemption_redemption SET status = 'released', ended_at = held_until WHERE id IN (SELECT id"
        " FROM redemption_redemption WHERE status = 'held' AND held_until <= %s LIMIT %s FOR UPDATE SKIP LOCKED)"
        " RETURNING 1",
        (now, limit),
    )
    return len(found)


def answer(found: Evidence, status: str) -> bytes:
    """A redemption as it was answered first, in this status."""
    by_line: dict[str, int] = {}
    for part in found.parts:
        by_line[part.line] = by_line.get(part.line, 0) + part.discount_fen
    shipping = by_line.get("", 0)
    return orjson.dumps(
        {
            "id": found.id,
            "status": status,
            "held_until": None,
            "order": found.order,
            "coupons": found.coupons,
            "discount_fen": found.discount_fen - shipping,
            "shipping_discount_fen": shipping,
            "payable_fen": found.full_fen - found.discount_fen,
            "lines": [{"id": line["id"], "discount_fen": by_line.get(line["id"], 0)} for line in found.lines],
            "cost": {"platform_fen": found.discount_fen - found.merchant_fen, "merchant_fen": found.merchant_fen},
        }
    )


def shared(fen: int, discounts: Sequence[int]) -> list[int]:
    """An order's value, or the order itself in parts, over its coupons, in proportion to what each takes off; the first
    has all where none does.
    """
    if not any(discounts):
        return [fen] + [0] * (len(discounts) - 1)
    return spread(fen, discounts)


def _found(id: UUID) -> Evidence:
    found = find(id)
    if found is None:
        raise Refused("not_found")
    return found


def _apart(clashing: Sequence[Fit]) -> list[Fit]:
    """Each fits alone; with which of these they cannot go together."""
    names: dict[str, list[str]] = {}
    for one in clashing:
        names.setdefault(one.candidate.terms.group, []).append(one.use.template.row.name)
    names.pop(EXCLUSIVE, None)  # goes with none at all
    return [
        one._replace(reasons=[of_company(one.use.template.row.name, names.get(one.candidate.terms.group))])
        for one in clashing
    ]


def _refused(fits: Sequence[Fit]) -> Refused:
    """All reasons, each with its coupon; the first gives the refusal its code."""
    reasons = [{**reason, "coupon": one.coupon.id} for one in fits for reason in one.reasons]
    first = next(one for one in fits if one.reasons)
    return Refused(reasons[0]["code"], reasons, template_id=first.coupon.template_id)


def _lines(parts: Any, basket: Basket) -> list[dict[str, Any]]:
    quantities = {line.id: (line.quantity, line.unit_price_fen * line.quantity) for line in basket.lines}
    lines = []
    for one, priced in parts:
        for part in priced.parts:
            quantity, amount = (1, basket.shipping_fen) if part.line is None else quantities[part.line]
            lines.append(
                {
                    "coupon": one.coupon.id,
                    "template": one.coupon.template_id,
                    "line": part.line or "",
                    "merchant": part.merchant,
                    "quantity": quantity,
                    "amount": amount,
                    "discount": part.discount_fen,
                    "merchant_fen": part.merchant_fen,
                }
            )
    return lines


def _call(sql: str, parameters: Sequence[Any], reply: Reply) -> Reply:
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                found = row(sql, parameters)
        else:
            found = row(sql, parameters)
    except psycopg.errors.UniqueViolation as taken:
        if taken.diag.constraint_name != _ONE_LIVE:
            raise
        raise _Changed from None
    except psycopg.Error as undone:
        if undone.sqlstate != UNDONE:
            raise
        if undone.diag.message_primary == "changed":
            raise _Changed from None
        raise Refused(undone.diag.message_primary or "busy") from None
    assert found is not None
    outcome, body, status = found
    if outcome == "key_reused":
        raise Refused("idempotency_key_reused")
    return reply if outcome == "done" else Reply(status, bytes(body), replayed=True)
