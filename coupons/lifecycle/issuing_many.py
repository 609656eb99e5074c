"""发放 in bulk: one template's coupons into thousands of hands by one statement, within every limit."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

import psycopg
from django.db import transaction

from coupons.lifecycle.issuing import EXCLUDED, Beside, Stale
from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.direct import rows
from coupons.rules.codes import new_codes, new_ids

_ISSUE = """SELECT customer, outcome FROM coupons_issue_many(
    %s::bigint, %s::timestamptz, %s::date, %s::text, %s::text, %s::text,
    %s::bigint, %s::bigint, %s::timestamptz, %s::timestamptz, %s::bigint, %s::boolean, %s::text,
    %s::bigint[], %s::uuid[], %s::text[])"""
#: What one customer is told whom a constraint keeps from it.
_KEPT = "SELECT %s::bigint AS customer, %s::text AS outcome"
LOOK = """
SELECT customer, refusal FROM coupons_look_many(
    %s::bigint, %s::timestamptz, %s::date, %s::bigint, %s::boolean, %s::text, %s::timestamptz, %s::bigint[])
"""
_UNDONE = "CP001"
ISSUED = "issued"


@dataclass(slots=True, frozen=True)
class Many:
    """What one statement issues to each of many customers, but for who they are. ``now`` in the business time zone;
    ``version``: of the book the rules were asked from; ``beside``: reads ``issued``, with a row of ``customer`` and
    ``outcome`` ("issued" or a refusal) for each.
    """

    template: CompiledTemplate
    now: datetime
    version: int
    placement: str
    by: str
    reason: str
    beside: Beside

    def issue(self, customers: Sequence[int]) -> list[int]:
        """A coupon for each customer (ids, each once) whom no limit and no held coupon speaks against.

        Those for whom the budget was spent.

        :raises Stale, Again: nothing was done.
        """
        if not customers:
            return []
        customers = sorted(customers)
        count = len(customers)
        parameters = (
            self.version,
            self.now,
            self.now.date(),
            self.placement,
            self.by,
            self.reason,
            self.template.id,
            self.template.budget_id,
            *self.template.validity(self.now),
            self.template.worth_fen,
            self.template.newcomer,
            self.template.exclusive_group,
            "{" + ",".join(map(str, customers)) + "}",
            _array(new_ids(self.now, count)),
            _array(new_codes(count, after=b",")),
        )
        try:
            return self._run(_ISSUE, parameters)
        except psycopg.errors.DeadlockDetected:
            raise Again from None
        except psycopg.errors.ExclusionViolation as excluded:  # two of them are one person: the first has it
            if count == 1:
                return self._run(_KEPT, (customers[0], EXCLUDED[excluded.diag.constraint_name or ""]))
            return [*self.issue(customers[: count // 2]), *self.issue(customers[count // 2 :])]
        except psycopg.Error as undone:
            if undone.sqlstate != _UNDONE:
                raise
            raise (Stale if undone.diag.message_primary == "stale" else Again) from None

    def _run(self, issued: str, parameters: tuple[Any, ...]) -> list[int]:
        with transaction.atomic():
            poor = rows(_with(issued, self.beside.sql), (*parameters, *self.beside.parameters))
        return [customer for (customer,) in poor]


@lru_cache
def _with(issued: str, beside: str) -> str:
    return f"""WITH issued AS MATERIALIZED ({issued}), beside AS ({beside})
    SELECT customer FROM issued WHERE outcome = 'budget_spent'"""  # noqa: S608  our own words


def _array(values: bytes) -> str:
    """As PostgreSQL reads it, of what needs no quotes and has a comma after each."""
    return "{" + values[:-1].decode() + "}"


class Again(Exception):
    """A neighbour took the last of it at the same moment, or the clock is behind; nothing was done."""


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
