"""What is left in the purses."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import BigIntegerField, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from coupons.models import Budget
from distribution.models import Campaign

#: Shares of a budget, spent and committed together, from which on it is said.
WARN_AT, ALARM_AT = 0.80, 0.95
#: Beyond this a forecast is no forecast.
FARTHEST_DAYS = 3650


@dataclass(frozen=True)
class Purse:
    """Several budgets together. What is free, and of how much, is said of those with a limit alone."""

    spent_fen: int
    committed_fen: int
    limit_fen: int
    free_fen: int


def all_together(now: dt.datetime) -> Purse:
    """Spent and committed of all campaigns; limit and free of those that have not ended."""
    limited = Q(limit_fen__isnull=False, campaign__ends_at__gt=now)

    def total(field: str, kept: Q | None = None) -> Coalesce:
        return Coalesce(Sum(field, filter=kept), 0, output_field=BigIntegerField())

    sums = Budget.objects.aggregate(
        spent=total("spent_fen"),
        committed=total("committed_fen"),
        limit=total("limit_fen", limited),
        used=total("committed_fen", limited) + total("spent_fen", limited),
    )
    return Purse(sums["spent"], sums["committed"], sums["limit"], sums["limit"] - sums["used"])


def of_interest(now: dt.datetime, *, also: list[int]) -> QuerySet[Campaign]:
    """Campaigns that have not ended, or whose coupons are still out, or that are named."""
    return Campaign.objects.select_related("budget").filter(
        Q(ends_at__gt=now) | Q(budget__committed_fen__gt=0) | Q(pk__in=also)
    )


def share_used(budget: Budget) -> float | None:
    """Spent and committed as a share of the limit; None without one."""
    if budget.limit_fen is None:
        return None
    used = budget.spent_fen + budget.committed_fen
    return used / budget.limit_fen if budget.limit_fen else float(used > 0)


def warning(budget: Budget) -> str:
    """``alarm`` from 95 % on, ``warn`` from 80 %, else empty."""
    share = share_used(budget)
    if share is None or share < WARN_AT:
        return ""
    return "alarm" if share >= ALARM_AT else "warn"


#: Full days whose pace the forecast goes on with.
PACE_DAYS = 7


def runs_out(budget: Budget, used_fen: int, today: dt.date) -> dt.date | None:
    """The day on which nothing is free any more, if each day takes as much as the last ``PACE_DAYS`` did on average;
    ``used_fen``: spent and committed by those together. None: no limit, or nothing was taken.
    """
    free = budget.free_fen
    if free is None or used_fen <= 0:
        return None
    days = -(-free * PACE_DAYS // used_fen)  # rounded up
    return today + dt.timedelta(min(days, FARTHEST_DAYS))
