"""Customers who were given something: each counted once."""

from django.utils.translation import gettext as _

from stats.dashboard.asked import Asked
from stats.dashboard.figures import Card, count, moved, said
from stats.dashboard.period import Period
from stats.queries.figures import Figures, figures
from stats.queries.measures import MEASURES


def card(asked: Asked, period: Period) -> Card:
    """Coupons per customer, and of how many customers."""
    measure = MEASURES["coupons_per_customer"]
    now, before = _of(asked, period), _of(asked, asked.against) if asked.against else None
    return Card(
        "coupons_per_customer", str(measure.label), said(measure, now), moved(measure, now, before),
        said(measure, before) if before else "",
        detail=_("%(customers)s customers were given coupons") % {"customers": count(now.customer_count)},
    )  # fmt: skip


def _of(asked: Asked, period: Period) -> Figures:
    wanted = ("coupons_per_customer",)
    [found] = figures((), first=period.first, last=period.last, only=asked.only, measures=wanted)
    return found.get((), Figures(customer_count=0))
