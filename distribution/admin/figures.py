"""What was counted of campaigns and placements. Counting stands a floor above, so the house hands it in."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from distribution.models import Campaign


class Reached(NamedTuple):
    """What came of a campaign so far."""

    issued: int = 0
    redeemed: int = 0
    gmv_fen: int = 0
    new_customers: int = 0  #: counted only where that is the goal


class Placed(NamedTuple):
    """What came of a placement so far; ``spent_fen``: discounts, less what was given back."""

    issued: int = 0
    seen: int = 0
    used: int = 0
    spent_fen: int = 0
    gmv_fen: int = 0


#: By the campaigns' ids.
reached: Callable[[Iterable[int]], Mapping[int, Reached]] = lambda campaigns: {}  # noqa: E731
#: How many coupons each placement gave out, by its key.
issued: Callable[[Iterable[str]], Mapping[str, int]] = lambda placements: {}  # noqa: E731
#: By the placements' keys.
placed: Callable[[Iterable[str]], Mapping[str, Placed]] = lambda placements: {}  # noqa: E731


def towards_goal(campaign: Campaign, so_far: Reached) -> int | None:
    """None: nobody counts that."""
    match campaign.goal_metric:
        case Campaign.Metric.ISSUED:
            return so_far.issued
        case Campaign.Metric.REDEEMED:
            return so_far.redeemed
        case Campaign.Metric.GMV_FEN:
            return so_far.gmv_fen
        case Campaign.Metric.NEW_CUSTOMERS:
            return so_far.new_customers
    return None


class Pace(NamedTuple):
    """``elapsed``: share of the campaign's time that is over, 0 to 1. ``ahead``: what it will be at the end if it goes
    on as on average so far; None while less than a twentieth of the time is over.
    """

    elapsed: float
    ahead: int | None


def pace(campaign: Campaign, reached: int, now: datetime) -> Pace:
    whole = (campaign.ends_at - campaign.starts_at).total_seconds()
    elapsed = min(max((now - campaign.starts_at).total_seconds() / whole, 0.0), 1.0)
    return Pace(elapsed, round(reached / elapsed) if elapsed >= 0.05 else None)
