"""What can be asked for: measures of :class:`Figures` and dimensions, each with its words.

Whatever is added to the rollups, to ``Numbers`` or to ``DIMENSIONS`` can be asked for at once, under the column's own
words; what is said here is said better.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Literal

from django.db.models import Model, Sum
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.models import Activity, Category, City, CouponTemplate, Merchant, RefusalDay
from coupons.refused import SENTENCES
from distribution.models import Campaign, Placement
from stats.models import DayRollup
from stats.queries.figures import Figures
from stats.queries.numbers import DIMENSIONS
from stats.queries.refusals import REASON

Kind = Literal["count", "money", "share", "ratio"]
Words = str | Promise

# --- measures ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Measure:
    """``is_money``: it tells of money, so that only those who may see money see it."""

    code: str
    label: Words
    kind: Kind
    of: Callable[[Figures], int | float | None]
    is_money: bool = False

    def cell(self, numbers: Figures) -> int | float | Decimal | None:
        """For a spreadsheet: a number to reckon with, money in 元."""
        value = self.of(numbers)
        if value is None:
            return None
        if self.kind == "money":
            return Decimal(int(value)).scaleb(-2)
        return value if self.kind == "count" else round(value, 6)


def _read(name: str) -> Callable[[Figures], Any]:
    return lambda numbers: getattr(numbers, name)


#: In the order in which they are offered.
_SAID: tuple[tuple[str, Words, Kind, bool], ...] = (
    ("issued_count", gettext_lazy("Issued"), "count", False),
    ("seen_count", gettext_lazy("Seen"), "count", False),
    ("seen_rate", gettext_lazy("Share seen"), "share", False),
    ("used_count", gettext_lazy("Redeemed"), "count", False),
    ("use_rate", gettext_lazy("Use rate"), "share", False),
    ("unused_count", gettext_lazy("Unused"), "count", False),
    ("expired_count", gettext_lazy("Expired"), "count", False),
    ("void_count", gettext_lazy("Void"), "count", False),
    ("redeemed_count", gettext_lazy("Redeemed at first"), "count", False),
    ("returned_count", gettext_lazy("Came back"), "count", False),
    ("rolled_back_count", gettext_lazy("Rollbacks"), "count", False),
    ("customer_count", gettext_lazy("Customers given coupons"), "count", False),
    ("coupons_per_customer", gettext_lazy("Coupons per customer"), "ratio", False),
    ("refused_claim_count", gettext_lazy("Claims that were refused"), "count", False),
    ("claim_failure_rate", gettext_lazy("Failure rate of claims"), "share", False),
    ("refused_use_count", gettext_lazy("Uses that were refused"), "count", False),
    ("use_failure_rate", gettext_lazy("Failure rate of uses"), "share", False),
    ("gmv_fen", gettext_lazy("GMV"), "money", True),
    ("paid_fen", gettext_lazy("Paid"), "money", True),
    ("order_count", gettext_lazy("Orders with a coupon"), "count", False),
    ("average_paid_fen", gettext_lazy("Average paid per order"), "money", True),
    ("spent_fen", gettext_lazy("Discount"), "money", True),
    ("platform_fen", gettext_lazy("Of it the platform's"), "money", True),
    ("merchant_fen", gettext_lazy("Of it the merchants'"), "money", True),
    ("subsidy_rate", gettext_lazy("Subsidy rate"), "share", True),
    ("committed_fen", gettext_lazy("Committed, change"), "money", True),
)


def _measures() -> dict[str, Measure]:
    columns = {field.name: field.verbose_name for field in DayRollup._meta.concrete_fields}
    kept = [field.name for field in fields(Figures) if field.name != "order_parts"]  # of which order_count tells
    found = {
        code: Measure(code, label, kind, _read(code), is_money)
        for code, label, kind, is_money in _SAID
        if code in kept or isinstance(getattr(Figures, code, None), property)
    }
    for name in kept:
        if name not in found:
            money = name.endswith("_fen")
            found[name] = Measure(name, columns.get(name, name), "money" if money else "count", _read(name), money)
    return found


MEASURES: dict[str, Measure] = _measures()

# --- dimensions --------------------------------------------------------------------------------------------------


_NOT_TOLD = gettext_lazy("Not told")


@dataclass(frozen=True)
class Dimension:
    """``names``: words for values, those it does not know left out. ``choices``: what can be filtered by; None: it is
    not filtered by. ``number``: its values are numbers.
    """

    code: str
    label: Words
    names: Callable[[Collection[Any]], Mapping[Any, str]] = lambda values: {}
    nothing: Words = _NOT_TOLD
    choices: Callable[[], list[tuple[Any, str]]] | None = None
    in_time: bool = False
    number: bool = False

    def called(self, values: Collection[Any]) -> dict[Any, str]:
        """Every value in words."""
        known = self.names([value for value in values if value not in ("", None)])
        return {
            value: known.get(value) or (str(self.nothing) if value in ("", None) else str(value)) for value in values
        }


def _rows(model: type[Model], key: str, name: str) -> Callable[[Collection[Any]], Mapping[Any, str]]:
    return lambda values: dict(model._default_manager.filter(**{f"{key}__in": values}).values_list(key, name))


def _all(model: type[Model], key: str, name: str) -> Callable[[], list[tuple[Any, str]]]:
    return lambda: list(model._default_manager.order_by("-pk").values_list(key, name))


def _placements(values: Collection[str]) -> dict[str, str]:
    found = Placement.objects.filter(key__in=values).values_list("key", "title")
    return {key: f"{title} ({key})" if title else key for key, title in found}


def _all_placements() -> list[tuple[str, str]]:
    found = Placement.objects.order_by("-id").values_list("key", "title")
    return [(key, f"{title} ({key})" if title else key) for key, title in found]


def _cities(values: Collection[str]) -> dict[str, str]:
    return {pk: str(city) for pk, city in City.objects.in_bulk(list(values)).items()}


def _all_cities() -> list[tuple[str, str]]:
    return [(city.pk, str(city)) for city in City.objects.all()]


def _refusals(codes: Collection[str]) -> dict[str, str]:
    return {code: str(SENTENCES[code]) for code in codes if code in SENTENCES}


def _all_refusals() -> list[tuple[str, str]]:
    """What was ever refused, the most frequent first."""
    codes = RefusalDay.objects.values("code").annotate(sum=Sum("count")).order_by("-sum").values_list("code", flat=True)
    return [(code, str(SENTENCES.get(code, code))) for code in codes]


def _fixed(choices: Any) -> dict[str, Any]:
    return {
        "names": lambda values: {code: str(label) for code, label in choices},
        "choices": lambda: [(code, str(label)) for code, label in choices],
    }


def _months(values: Collection[Any]) -> dict[Any, str]:
    return {day: f"{day:%Y-%m}" for day in values}


def _weeks(values: Collection[Any]) -> dict[Any, str]:
    return {
        day: _("%(year)s week %(week)s") % {"year": day.isocalendar()[0], "week": day.isocalendar()[1]}
        for day in values
    }


def _hours(values: Collection[Any]) -> dict[Any, str]:
    return {hour: f"{hour:02}:00" for hour in values}


_WEEKDAYS = [(number, WEEKDAYS[number - 1]) for number in range(1, 8)]

_DIMENSIONS_SAID: tuple[Dimension, ...] = (
    Dimension("day", gettext_lazy("Day"), in_time=True),
    Dimension("week", gettext_lazy("Week"), _weeks, in_time=True),
    Dimension("month", gettext_lazy("Month"), _months, in_time=True),
    Dimension("weekday", gettext_lazy("Weekday"), **_fixed(_WEEKDAYS), in_time=True, number=True),
    Dimension("hour", gettext_lazy("Hour"), _hours, in_time=True, number=True),
    Dimension(
        "campaign", gettext_lazy("Campaign"), _rows(Campaign, "pk", "name"), gettext_lazy("Without a campaign"),
        _all(Campaign, "pk", "name"), number=True,
    ),
    Dimension(
        "template", gettext_lazy("Coupon template"), _rows(CouponTemplate, "pk", "internal_name"),
        choices=_all(CouponTemplate, "pk", "internal_name"), number=True,
    ),
    Dimension(
        "placement", gettext_lazy("Placement"), _placements, gettext_lazy("Without a placement"), _all_placements
    ),
    Dimension(
        "channel", gettext_lazy("Channel"), **_fixed(Placement.Channel.choices),
        nothing=gettext_lazy("Without a placement"),
    ),
    Dimension(
        "form", gettext_lazy("Form"), **_fixed(Placement.Form.choices), nothing=gettext_lazy("Without a placement")
    ),
    Dimension("city", gettext_lazy("City"), _cities, gettext_lazy("City not told"), _all_cities),
    Dimension(
        "category", gettext_lazy("Category"), _rows(Category, "pk", "name"), gettext_lazy("Without a category"),
        _all(Category, "pk", "name"),
    ),
    Dimension(
        "merchant", gettext_lazy("Merchant"), _rows(Merchant, "pk", "name"), gettext_lazy("The platform's"),
        _all(Merchant, "pk", "name"),
    ),
    Dimension("business_line", gettext_lazy("Business line")),
    Dimension("activity", gettext_lazy("Activity level"), **_fixed(Activity.choices)),
    Dimension(REASON, gettext_lazy("Reason of a refusal"), _refusals, choices=_all_refusals),
)  # fmt: skip


def _dimensions() -> dict[str, Dimension]:
    known = {*DIMENSIONS, REASON}
    said = {dimension.code: dimension for dimension in _DIMENSIONS_SAID if dimension.code in known}
    return said | {code: Dimension(code, capfirst(code.replace("_", " "))) for code in DIMENSIONS if code not in said}


DIMENSION: dict[str, Dimension] = _dimensions()
