"""兑换: a code becomes what its placement offers. The code's use, the coupons and the answer are one transaction."""

from datetime import datetime

import orjson
from django.db import transaction

from coupons import answers, refusals
from coupons.answers import Once, Reply
from coupons.lifecycle.issuing import Stale
from coupons.queries import catalogue
from coupons.queries.direct import row
from coupons.refused import Refused
from distribution import codes
from distribution.claiming import NOWHERE, Where, give, suited
from distribution.queries import attempts, placements

#: Unknown, used up, closed, meant for somebody else: one question for all of them, which costs the same.
LOOK = """
SELECT p.key, b.id FROM distribution_redemptioncode c
  JOIN distribution_codebatch b ON b.id = c.batch_id AND b.state = 'ready'
  JOIN distribution_placement p ON p.id = b.placement_id AND p.form = 'code'
 WHERE c.digest = %s::uuid AND c.used_count < c.use_limit AND (c.customer IS NULL OR c.customer = %s)
"""
USE = """
UPDATE distribution_redemptioncode c SET used_count = c.used_count + 1 FROM distribution_codebatch b
 WHERE c.digest = %s::uuid AND b.id = c.batch_id AND b.state = 'ready' AND c.used_count < c.use_limit RETURNING 1
"""
KEEP = """
INSERT INTO distribution_codeexchange (digest, batch_id, customer, at, coupons)
VALUES (%s::uuid, %s::bigint, %s, %s::timestamptz, %s::uuid[]) ON CONFLICT (digest, customer) DO NOTHING RETURNING 1
"""


def exchange(
    text: str,
    customer: str,
    now: datetime,
    where: Where = NOWHERE,
    *,
    by: str,
    once: Once | None = None,
) -> Reply:
    """201 with ``{"coupons": […]}``. A refusal leaves the code as it was.

    ``text``: as it was typed. ``where.ip`` is held back after too many wrong codes, as the account is.

    :raises Refused: ``code_invalid``; ``too_many_attempts``; or as a claim, if the rules say no.
    """
    with answers.alone(once):  # one act, however often it is sent at once, is one attempt
        found = answers.find(once)
        if found is not None:
            return found
        refused = refusals.counted(refusals.Deed.CLAIM, now, customer, city=where.city)
        with attempts.counted(customer, where.ip, now), refused:
            return _exchange(codes.normal(text), customer, now, where, by, once)


def _exchange(code: str, customer: str, now: datetime, where: Where, by: str, once: Once | None) -> Reply:
    digest = str(codes.digest(code))
    for _attempt in range(4):
        ticket = row(LOOK, (digest, customer))
        if ticket is None:
            raise Refused("code_invalid")
        key, batch = ticket
        book = catalogue.current()
        placement = placements.find(book, key)
        if placement is None:
            catalogue.forget()
            continue
        suits = suited(placement, customer, now, where)  # which may wait for others: no row is locked yet
        try:
            with transaction.atomic():
                if row(USE, (digest,)) is None:
                    raise Refused("code_invalid")
                told = f"batch:{batch}"
                reply = give(book, placement, customer, now, where, by=by, once=once, reason=told, suits=suits)
                if reply.replayed:
                    transaction.set_rollback(True)
                    return reply
                coupons = [coupon["id"] for coupon in orjson.loads(reply.body)["coupons"]]
                if row(KEEP, (digest, batch, customer, now, coupons)) is None:
                    raise Refused("customer_limit")
            return reply
        except Stale:
            catalogue.forget()
    raise Refused("busy")
