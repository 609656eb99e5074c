"""What conditions with ``min`` and ``max`` have in common; both ends are inside.

Days are days of the business time zone. "The last N days" are today and the N−1 days before it.
"""

from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.models import CustomerDay
from coupons.rules import Condition, CustomerCondition
from coupons.rules.answers import (
    MOST_DAYS,
    SHARE_PLACES,
    Answers,
    Share,
    WholeNumber,
    number,
)

#: Whether everybody is asked at once: then days are summed once for all, which some would look up by index.
everybody_asked: ContextVar[bool] = ContextVar("everybody_asked", default=False)


SMALLEST_SHARE = Decimal(1).scaleb(-SHARE_PLACES)


def day_of(moment: datetime) -> date:
    """The day in the business time zone, whatever zone happens to be active."""
    return moment.astimezone(timezone.get_default_timezone()).date()


def start_of(day: date) -> datetime:
    return datetime.combine(day, time.min, timezone.get_default_timezone())


class Range(Answers):
    """At least, at most or both; both ends are inside."""

    def clean(self) -> None:
        self.needs_one_of(("min", "max"))
        low, high = self.cleaned_data.get("min"), self.cleaned_data.get("max")
        if low is not None and high is not None and low > high:
            self.add_error("max", ValidationError(_("The end must not be below the beginning."), "max_below_min"))


class Counts(Range):
    min = WholeNumber(label=gettext_lazy("At least"))
    max = WholeNumber(label=gettext_lazy("At most"))


class Shares(Range):
    min = Share(label=gettext_lazy("At least"), help_text=gettext_lazy("Between 0 and 1."))
    max = Share(label=gettext_lazy("At most"), help_text=gettext_lazy("Between 0 and 1."))


def within_days() -> WholeNumber:
    help_text = gettext_lazy("Today and the days before it; empty: ever.")
    return WholeNumber(least=1, most=MOST_DAYS, label=gettext_lazy("In the last days"), help_text=help_text)


def range_words(low: str | None, high: str | None) -> str:
    """ "at least 3", "at most 5", "3 to 5"."""
    if low is None:
        return _("at most %(max)s") % {"max": high}
    if high is None:
        return _("at least %(min)s") % {"min": low}
    if low == high:
        return _("exactly %(value)s") % {"value": low}
    return _("%(min)s to %(max)s") % {"min": low, "max": high}


def percent(share: Any) -> str:
    """0.125 as "12.5%"."""
    return f"{number(Decimal(str(share)) * 100)}%"


class Ranged(CustomerCondition):
    """What conditions with ``min``, ``max`` and perhaps ``within_days`` have in common."""

    def prepare(self) -> None:
        self.low, self.high = self.answers.get("min"), self.answers.get("max")
        self.days: int | None = self.answers.get("within_days")

    def fits(self, value: Any) -> bool:
        return (self.low is None or value >= self.low) and (self.high is None or value <= self.high)

    def beyond(self, step: Any = 1, most: Any = None) -> list[tuple[Condition]]:
        """The same, below its low end or above its high one; ``step`` lies between two values, 0 and ``most`` are the
        outermost."""
        more = {"within_days": self.days} if self.days else {}
        answers = [{"max": self.low - step}] if self.low else []
        if self.high is not None and self.high != most:
            answers.append({"min": self.high + step})
        return [(type(self)({**answer, **more}, self.deed),) for answer in answers]

    def first_day(self, today: date) -> date:
        """Of the window that ends today."""
        assert self.days is not None
        return today - timedelta(days=self.days - 1)

    def days_in_sql(self, now: datetime) -> QuerySet[CustomerDay, Any]:
        """Customers' days within the window, a group to be summed for each customer."""
        today = day_of(now)
        window = CustomerDay.objects.filter(day__gte=self.first_day(today), day__lte=today)
        return window.order_by().values("customer")

    @staticmethod
    def among(summed: QuerySet[CustomerDay, Any]) -> Q:
        """Customers who have such a group."""
        if everybody_asked.get():
            return Q(pk__in=summed.values("customer"))
        return Q(Exists(summed.filter(customer=OuterRef("pk"))))

    def range_words(self, share: bool = False) -> str:
        words = [None if end is None else percent(end) if share else str(end) for end in (self.low, self.high)]
        return range_words(*words)
