"""What a cell of the rollups says, opened down to its rows; and its customers, each counted once."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db.models import Count, Q, QuerySet

from coupons.conditions.ranges import start_of
from coupons.models import CouponEvent, CouponTemplate, Sight
from distribution.models import Campaign, Placement


def events_of(day: dt.date, last: dt.date | None = None, **cell: Any) -> "QuerySet[CouponEvent, CouponEvent]":
    """The rows of which a cell of the rollups is the sum: of these days (business time zone), and of what is named.

    Names are those of :data:`stats.queries.numbers.DIMENSIONS`; an empty name is "none". A cell whose business line or
    activity level is named holds events that are counted already.
    """
    end = start_of((last or day) + dt.timedelta(1))
    found = CouponEvent.objects.filter(at__gte=start_of(day), at__lt=end)
    for name, value in cell.items():
        found = found.filter(_wanted(name, value))
    return found


def sights_of(day: dt.date, last: dt.date | None = None, **cell: Any) -> "QuerySet[Sight, Sight]":
    """As :func:`events_of`: the first sights of which ``seen_count`` is the number."""
    issues = CouponEvent.objects.filter(kind="issued")
    end = start_of((last or day) + dt.timedelta(1))
    found = Sight.objects.filter(at__gte=start_of(day), at__lt=end)
    for name, value in cell.items():
        match name:
            case "business_line":  # that of an order, which no sight has
                found = found if value == "" else found.none()
            case "activity" | "weekday" | "hour":
                found = found.filter(_wanted(name, value))
            case _:
                issues = issues.filter(_wanted(name, value))
    return found.filter(coupon_id__in=issues.values("coupon_id"))


def _wanted(name: str, value: Any) -> Q:
    match name:
        case "template":
            return Q(template_id=value)
        case "placement" | "city":
            column = "placement" if name == "placement" else "city_id"
            return Q(**{column: value}) if value else Q(**{f"{column}__isnull": True}) | Q(**{column: ""})
        case "channel" | "form":
            known = Placement.objects.exclude(**{name: ""})
            keys = (known.filter(**{name: value}) if value else known).values("key")
            return Q(placement__in=keys) if value else Q(placement__isnull=True) | ~Q(placement__in=keys)
        case "campaign":
            budgets = Campaign.objects.filter(pk=value).values("budget")
            return Q(template_id__in=CouponTemplate.objects.filter(budget__in=budgets).values("pk"))
        case "category" | "merchant":
            own = {f"{name}_id": value} if value else {f"{name}__isnull": True}
            return Q(template_id__in=CouponTemplate.objects.filter(**own).values("pk"))
        case "business_line" | "activity":
            return Q(**{f"counted__{name}": value})
        case "weekday":
            return Q(at__iso_week_day=value)
        case "hour":
            return Q(at__hour=value)
    raise KeyError(name)


def customers(day: dt.date, kind: str = "issued", **cell: Any) -> int:
    """How many customers that day had something issued (or another kind of event) in this cell."""
    found = events_of(day, **cell).filter(kind=kind).aggregate(number=Count("customer_id", distinct=True))
    return int(found["number"])


def customers_by_day(first: dt.date, last: dt.date, kind: str = "issued", **cell: Any) -> Mapping[dt.date, int]:
    """The same for each day of a period; days without any are missing."""
    days = events_of(first, last, **cell).filter(kind=kind).order_by().values("at__date")
    return {found["at__date"]: found["number"] for found in days.annotate(number=Count("customer_id", distinct=True))}
