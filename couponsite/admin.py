"""What of the operators' site no single floor could bring: people, and figures handed down to the pages below."""

from collections.abc import Iterable, Mapping

from couponsite import admin_people
from distribution.admin import figures
from distribution.models import Campaign
from stats.queries.newcomers import new_customers
from stats.queries.numbers import numbers

__all__ = ["admin_people"]


def _reached(campaigns: Iterable[int]) -> Mapping[int, figures.Reached]:
    found = numbers(("campaign",))[0]
    campaigns = list(campaigns)
    wanted = Campaign.objects.filter(pk__in=campaigns, goal_metric=Campaign.Metric.NEW_CUSTOMERS)
    brought = new_customers(wanted.values_list("pk", flat=True)) if wanted else {}
    return {
        pk: figures.Reached(n.issued_count, n.used_count, n.gmv_fen, brought.get(pk, 0))
        for pk in campaigns
        if (n := found.get((pk,))) is not None
    }


def _issued(placements: Iterable[str]) -> Mapping[str, int]:
    found = numbers(("placement",))[0]
    return {key: found[(key,)].issued_count for key in placements if (key,) in found}


def _placed(placements: Iterable[str]) -> Mapping[str, figures.Placed]:
    found = numbers(("placement",))[0]
    return {
        key: figures.Placed(n.issued_count, n.seen_count, n.used_count, n.spent_fen, n.gmv_fen)
        for key in placements
        if (n := found.get((key,))) is not None
    }


figures.placed = _placed
figures.reached = _reached
figures.issued = _issued
