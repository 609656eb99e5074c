"""发放 in bulk: one template's coupons into thousands of hands by one statement, within every limit."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from django.db import connection, transaction

from coupons.lifecycle.issuing import EXCLUDED, Stale
from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.direct import rows
from coupons.rules.codes import CODE_LENGTH, new_codes, new_ids

ISSUE = """
SELECT customer, coupon, outcome FROM coupons_issue_many(
    %s::bigint, %s::timestamptz, %s::date, %s::text, %s::text, %s::text,
    %s::bigint, %s::bigint, %s::timestamptz, %s::timestamptz, %s::bigint, %s::boolean, %s::text,
    %s::bigint[], %s::uuid[], %s::text[])
"""
LOOK = """
SELECT customer, refusal FROM coupons_look_many(
    %s::bigint, %s::timestamptz, %s::date, %s::bigint, %s::boolean, %s::text, %s::timestamptz, %s::bigint[])
"""
_UNDONE = "CP001"
ISSUED = "issued"


class Outcome(NamedTuple):
    """``code``: "issued" or a refusal; ``coupon``: its id, if issued."""

    customer: int
    coupon: UUID | None
    code: str


class Again(Exception):
    """A neighbour took the last of it at the same moment, or the clock is behind; nothing was done."""


def issue_many(
    template: CompiledTemplate,
    customers: Sequence[int],
    *,
    now: datetime,
    version: int,
    placement: str,
    by: str,
    reason: str,
) -> list[Outcome]:
    """A coupon for each customer (ids, each once) whom no limit and no held coupon speaks against.

    ``now`` in the business time zone; ``version``: of the book the rules were asked from.

    :raises Stale, Again: nothing was done.
    """
    customers = sorted(customers)
    count = len(customers)
    block = new_codes(count).decode()
    parameters = (
        version,
        now,
        now.date(),
        placement,
        by,
        reason,
        template.id,
        template.budget_id,
        *template.validity(now),
        template.worth_fen,
        template.newcomer,
        template.exclusive_group,
        customers,
        new_ids(now, count),
        [block[start : start + CODE_LENGTH] for start in range(0, len(block), CODE_LENGTH)],
    )
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(ISSUE, parameters)
            return [Outcome(*found) for found in cursor.fetchall()]
    except Exception as undone:
        cause: Any = undone if isinstance(undone, psycopg.Error) else undone.__cause__
        if isinstance(cause, psycopg.errors.DeadlockDetected):
            raise Again from None
        if isinstance(cause, psycopg.errors.ExclusionViolation):  # two of them are one person: the first has it
            if count == 1:
                return [Outcome(customers[0], None, EXCLUDED[cause.diag.constraint_name or ""])]
            halves = customers[: count // 2], customers[count // 2 :]
            more: dict[str, Any] = {"now": now, "version": version, "placement": placement, "by": by, "reason": reason}
            return [outcome for half in halves for outcome in issue_many(template, half, **more)]
        if getattr(cause, "sqlstate", None) != _UNDONE:
            raise
        raise (Stale if cause.diag.message_primary == "stale" else Again) from None


def refusals(template: CompiledTemplate, customers: Sequence[int], now: datetime) -> dict[int, str | None]:
    """By customer, what their counters and what they hold would say now; None: nothing. Locks nothing."""
    until = template.validity(now)[1]
    parameters = (
        template.id,
        now,
        now.date(),
        template.worth_fen,
        template.newcomer,
        template.exclusive_group,
        until,
        list(customers),
    )
    return dict(rows(LOOK, parameters))


def room(template: CompiledTemplate, now: datetime) -> tuple[int | None, str]:
    """How many more there may be (None: no bound), and which refusal comes then."""
    [(most, bound)] = rows(
        "SELECT room, bound FROM coupons_room(%s::bigint, %s::date, %s::bigint)",
        (template.id, now.date(), template.worth_fen),
    )
    return most, bound or ""
