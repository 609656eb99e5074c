"""发放: coupons into one customer's hands, within every limit, all of them or none."""

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection, transaction

from coupons.answers import Once, Reply
from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.direct import row
from coupons.refused import Refused
from coupons.rules.codes import new_code, new_id
from coupons.rules.identity import identity

_ISSUE = """coupons_issue(
    %s::bigint, %s::text, %s::text, %s::bytea, %s::smallint, %s::bytea, %s::text,
    %s::timestamptz, %s::date, %s::timestamptz, %s::timestamptz, %s::text, %s::text, %s::text, %s::text, %s::text,
    %s::bigint[], %s::bigint[], %s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[],
    %s::bigint[], %s::boolean[], %s::text[], %s::uuid)"""
_CALL = f"SELECT outcome, which, answer, answer_status FROM {_ISSUE}"  # noqa: S608  our own words
#: What the database raises to undo a call: a limit was lost to a neighbour; what was to be done beside it is refused.
_UNDONE, REFUSED = "CP001", "CP002"
EXCLUDED = {
    "coupon_one_live_newcomer": "newcomer_coupon_held",
    "coupon_one_live_by_phone": "newcomer_coupon_held",
    "coupon_one_live_by_wechat": "newcomer_coupon_held",
    "coupon_one_live_by_device": "newcomer_coupon_held",
    "coupon_one_live_in_group": "exclusive_coupon_held",
}


class Stale(Exception):
    """The catalogue has changed since the caller's book was compiled."""


class Grant(NamedTuple):
    """A coupon about to be issued."""

    template: CompiledTemplate
    id: UUID
    code: str
    valid_from: datetime
    valid_until: datetime

    @classmethod
    def of(cls, template: CompiledTemplate, now: datetime) -> "Grant":
        return cls(template, new_id(now), new_code(), *template.validity(now))


class Beside(NamedTuple):
    """A statement of the same round trip and transaction that changes rows: reads ``issued``, the issue's one row, of
    which ``outcome`` is "issued" when coupons were given. Raises CP002 with a code to refuse and undo all of it.
    """

    sql: str
    parameters: tuple[Any, ...]


@lru_cache
def _call(beside: str) -> str:
    return f"""WITH issued AS (SELECT * FROM {_ISSUE}), beside AS ({beside})
    SELECT outcome, which, answer, answer_status FROM issued"""  # noqa: S608  our own words


class Lost(NamedTuple):
    """The grant that a limit refused; nothing was issued."""

    code: str
    grant: Grant


def issue(
    grants: list[Grant],
    *,
    customer: str,
    now: datetime,
    by: str,
    version: int | None,
    reply: Reply,
    once: Once | None = None,
    placement: str | None = None,
    city: str | None = None,
    client: str | None = None,
    device: str | None = None,
    reason: str = "",
    beside: Beside | None = None,
) -> Reply | Lost:
    """Issue all grants to the customer (made known if new), with ``reply`` kept for the idempotency key.

    ``now`` in the business time zone. ``version``: of the book the rules were asked from; None where no rules were.
    An earlier reply to the same key comes back instead.

    :raises Stale: nothing was done; compile again.
    :raises Refused: "idempotency_key_reused"; with the code with which ``beside`` refuses.
    """
    grants = sorted(grants, key=lambda grant: grant.template.id)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    templates = [grant.template for grant in grants]
    caller, key, print_ = once or (None, None, None)
    parameters: tuple[Any, ...] = (
        version,
        caller,
        key,
        print_,
        reply.status,
        reply.body,
        customer,
        now,
        now.date(),
        midnight,
        midnight + timedelta(days=1),
        placement,
        city,
        client,
        by,
        reason,
        [template.id for template in templates],
        [template.budget_id for template in templates],
        [grant.id for grant in grants],
        [grant.code for grant in grants],
        [grant.valid_from for grant in grants],
        [grant.valid_until for grant in grants],
        [template.worth_fen for template in templates],
        [template.newcomer for template in templates],
        [template.exclusive_group for template in templates],
        identity("device", device) if device and any(template.newcomer for template in templates) else None,
    )
    statement = _CALL if beside is None else _call(beside.sql)
    if beside is not None:
        parameters += beside.parameters
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                found = row(statement, parameters)
        else:
            found = row(statement, parameters)
    except psycopg.errors.ExclusionViolation as excluded:
        code = EXCLUDED[excluded.diag.constraint_name or ""]
        return Lost(code, next(grant for grant in reversed(grants) if _excludes(grant.template)))
    except psycopg.Error as undone:
        if undone.sqlstate == REFUSED:
            raise Refused(undone.diag.message_primary or "") from None
        if undone.sqlstate != _UNDONE:
            raise
        if undone.diag.message_primary == "stale":
            raise Stale from None
        return Lost(undone.diag.message_primary or "", grants[int(undone.diag.message_detail or 1) - 1])
    assert found is not None
    outcome, which, answer, status = found
    if outcome == "issued":
        return reply
    if outcome == "replayed":
        return Reply(status, bytes(answer), replayed=True)
    if outcome == "stale":
        raise Stale
    if outcome == "key_reused":
        raise Refused("idempotency_key_reused")
    return Lost(outcome, grants[which - 1])


def _excludes(template: CompiledTemplate) -> bool:
    return template.newcomer or template.exclusive_group is not None
