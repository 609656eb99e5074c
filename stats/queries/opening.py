"""What a cell of the rollups says, opened down to its rows; and its customers, each counted once."""

import datetime as dt
from collections.abc import Mapping
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, Q, QuerySet

from coupons.conditions.ranges import start_of
from coupons.models import CouponEvent, CouponTemplate, Sight
from distribution.models import Placement
from stats.queries.counting import KINDS


def events_of(day: dt.date, last: dt.date | None = None, **cell: Any) -> "QuerySet[CouponEvent, CouponEvent]":
    """The rows of which a cell of the rollups is the sum: of these days (business time zone), and of what is named.

    Names are those of :data:`stats.queries.numbers.DIMENSIONS`; an empty name is "none". A cell whose business line or
    activity level is named holds events that are counted already.
    """
    end = start_of((last or day) + dt.timedelta(1))
    return CouponEvent.objects.filter(*of_cell(cell), at__gte=start_of(day), at__lt=end)


def of_cell(cell: Mapping[str, Any]) -> list[Q]:
    """What tells a cell's rows from all others, without its days. Of a list, any value will do.

    :raises KeyError: there is no such name.
    """
    return [
        reduce(or_, (_wanted(name, one) for one in (value if isinstance(value, list) else [value])))
        for name, value in cell.items()
    ]


#: Which kinds of events a measure is the sum of; of those that are not here, there are no rows to show.
KINDS_OF = {
    **{measure: (kind,) for measure, kind in KINDS.items()},
    "used_count": ("redeemed", "returned"),
    **dict.fromkeys(
        ("spent_fen", "platform_fen", "merchant_fen", "gmv_fen", "paid_fen", "order_count"),
        ("redeemed", "rolled_back", "returned"),
    ),
}


def sights_of(day: dt.date, last: dt.date | None = None, **cell: Any) -> "QuerySet[Sight, Sight]":
    """As :func:`events_of`: the first sights of which ``seen_count`` is the number."""
    end = start_of((last or day) + dt.timedelta(1))
    return Sight.objects.filter(*of_seen_cell(cell), at__gte=start_of(day), at__lt=end)


def of_seen_cell(cell: Mapping[str, Any]) -> list[Q]:
    """As :func:`of_cell`, for sights: each is its coupon's, and counts where that was issued."""
    own = {name: value for name, value in cell.items() if name in ("activity", "weekday", "hour")}
    issues = {name: value for name, value in cell.items() if name not in (*own, "business_line")}
    wanted = of_cell(own)
    if issues:
        found = CouponEvent.objects.filter(*of_cell(issues), kind="issued")
        wanted.append(Q(coupon_id__in=found.values("coupon_id")))
    if "business_line" in cell and cell["business_line"] not in ("", [""]):  # that of an order, which no sight has
        wanted.append(Q(pk__in=[]))
    return wanted


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
            own = {"budget__campaign": value} if value else {"budget__campaign__isnull": True}
            return Q(template_id__in=CouponTemplate.objects.filter(**own).values("pk"))
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
