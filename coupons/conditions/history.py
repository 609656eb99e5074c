"""What the customer ordered, ever or lately: conditions with all four faces."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar

from django.db.models import DecimalField, F, Q, Sum
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThan, LessThan
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from coupons.conditions.ranges import (
    Counts,
    Ranged,
    Shares,
    day_of,
    start_of,
    within_days,
)
from coupons.rules import EVERYONE, Condition, Past, Profile, Situation, Verdict, register
from coupons.rules.answers import (
    MOST_DAYS,
    SHARE_PLACES,
    WholeNumber,
)

DAYS = frozenset({"days"})


@register
class OrderCount(Ranged):
    """How many orders the customer has finished, ever or in the last N days."""

    code, label, fact = "order_count", gettext_lazy("Number of orders"), "orders"
    edge = gettext_lazy("Finished orders alone; the last N days are today and the N−1 days before it.")

    class Form(Counts):
        within_days = within_days()

    def prepare(self) -> None:
        super().prepare()
        if self.days:
            self.needs, self.days_back = DAYS, self.days

    def pasts(self) -> Iterable[Past]:
        return [Past(((self.days, self.low or 0, self.high),))]

    def fails(self) -> Iterable[Sequence[Condition]]:
        return self.beyond()

    def q(self, now: datetime) -> Q:
        if not self.days:
            ends = {"order_count__gte": self.low, "order_count__lte": self.high}
            return Q(**{lookup: end for lookup, end in ends.items() if end is not None})
        summed = self.days_in_sql(now).annotate(orders=Sum("order_count"))
        if self.low:
            high = {} if self.high is None else {"orders__lte": self.high}
            return self.among(summed.filter(orders__gte=self.low, **high))
        return EVERYONE if self.high is None else ~self.among(summed.filter(orders__gt=self.high))

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        orders = customer.order_count
        if self.days:
            today = situation.now.date()
            first = self.first_day(today)
            orders = sum(facts.order_count for day, facts in customer.days.items() if first <= day <= today)
        return Verdict(self.fits(orders), orders)

    def remedy(self, verdict: Verdict) -> str:
        missing = 0 if self.low is None else self.low - verdict.had
        if missing <= 0:
            return ""
        return ngettext("Possible after %(count)d more order", "Possible after %(count)d more orders", missing) % {
            "count": missing
        }

    def wording(self) -> str:
        if self.high == 0:
            if self.days:
                return ngettext(
                    "Only for customers without an order in the last day",
                    "Only for customers without an order in the last %(days)d days",
                    self.days,
                ) % {"days": self.days}
            return _("Only for customers without an order")
        most = self.high if self.high is not None else self.low
        orders = ngettext("%(range)s order", "%(range)s orders", most or 0) % {"range": self.range_words()}
        if self.days:
            return ngettext(
                "Only for customers with %(orders)s in the last day",
                "Only for customers with %(orders)s in the last %(days)d days",
                self.days,
            ) % {"orders": orders, "days": self.days}
        return _("Only for customers with %(orders)s") % {"orders": orders}


@register
class LastOrderDays(Ranged):
    """Days since the last order: 0 is today. Who never ordered has no last order, so it does not hold."""

    code, label, fact = "last_order_days", gettext_lazy("Days since the last order"), "orders"
    edge = gettext_lazy("Counted by calendar days, 0 is today; whoever never ordered is refused.")

    class Form(Counts):
        min = WholeNumber(most=MOST_DAYS * 10, label=gettext_lazy("At least"), help_text=gettext_lazy("0 is today."))
        max = WholeNumber(most=MOST_DAYS * 10, label=gettext_lazy("At most"), help_text=gettext_lazy("0 is today."))
        within_days = WholeNumber(
            least=1,
            most=MOST_DAYS,
            label=gettext_lazy("In the last days"),
            help_text=gettext_lazy("The last order is within these days; 1 is today."),
        )

        def clean(self) -> None:
            if self.cleaned_data.get("within_days") is None:
                super().clean()

    def prepare(self) -> None:
        super().prepare()
        if self.days:
            self.high = min(self.days - 1, self.high) if self.high is not None else self.days - 1

    def pasts(self) -> Iterable[Past]:
        counts: list[tuple[int | None, int, int | None]] = [(None if self.high is None else self.high + 1, 1, None)]
        if self.low:
            counts.append((self.low, 0, 0))
        return [Past(tuple(counts))]

    def fails(self) -> Iterable[Sequence[Condition]]:
        """Sooner, later, or never."""
        ends = [{"max": self.low - 1}] if self.low else []
        if self.high is not None:
            ends.append({"min": self.high + 1})
        return [(OrderCount({"max": 0}, self.deed),), *((type(self)(end, self.deed),) for end in ends)]

    def q(self, now: datetime) -> Q:
        today = day_of(now)
        wanted = Q()
        if self.low is not None:
            wanted &= Q(last_order_at__lt=start_of(today - timedelta(days=self.low - 1)))
        if self.high is not None:
            wanted &= Q(last_order_at__gte=start_of(today - timedelta(days=self.high)))
        return wanted

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        if customer.last_order_at is None:
            return Verdict(False)
        days = (situation.now.date() - day_of(customer.last_order_at)).days
        return Verdict(self.fits(days), days)

    def wording(self) -> str:
        most = self.high if self.high is not None else self.low
        return ngettext(
            "Only for customers whose last order was %(range)s day ago",
            "Only for customers whose last order was %(range)s days ago",
            most or 0,
        ) % {"range": self.range_words()}


@register
class SubsidyRate(Ranged):
    """补贴率: deducted ÷ original price, ever or in the last N days. Without orders it is 0."""

    code, label, fact = "subsidy_rate", gettext_lazy("Subsidy rate"), "orders"
    edge = gettext_lazy("Deducted ÷ original price of finished orders; without orders it is 0, which is known.")

    #: Shares are whole numbers of this, so that nothing is divided and nothing rounded.
    SCALE: ClassVar[int] = 10**SHARE_PLACES

    class Form(Shares):
        within_days = within_days()

    def prepare(self) -> None:
        super().prepare()
        self.low_parts, self.high_parts = (
            None if end is None else int(Decimal(str(end)) * self.SCALE) for end in (self.low, self.high)
        )
        if self.days:
            self.needs, self.days_back = DAYS, self.days

    def pasts(self) -> Iterable[Past]:
        return [Past(((self.days, 1, None),) if self.low_parts else ())]

    def holds(self, gross_fen: int, deducted_fen: int) -> bool:
        if gross_fen <= 0:
            gross_fen, deducted_fen = 1, 0
        parts = deducted_fen * self.SCALE
        return (self.low_parts is None or parts >= self.low_parts * gross_fen) and (
            self.high_parts is None or parts <= self.high_parts * gross_fen
        )

    def q(self, now: datetime) -> Q:
        if not self.low_parts and self.high_parts is None:
            return EVERYONE
        if not self.days:
            ordered, misfits = Q(gross_fen__gt=0), self._misfits(F("gross_fen"), F("deducted_fen"))
            return ~ordered | ~misfits if self.fits_none else ordered & ~misfits
        summed = self.days_in_sql(now).annotate(gross=Sum("gross_fen"), deducted=Sum("deducted_fen"))
        ordered, misfits = Q(gross__gt=0), self._misfits(F("gross"), F("deducted"))
        if self.fits_none:
            return ~self.among(summed.filter(ordered & misfits))
        return self.among(summed.filter(ordered & ~misfits))

    @property
    def fits_none(self) -> bool:
        """Whether a rate of 0 will do, which is that of a customer without orders."""
        return not self.low_parts

    def _misfits(self, gross_fen: F, deducted_fen: F) -> Q:
        """Too little or too much. Nothing here but the sums: whatever else stood in HAVING would be grouped by."""
        gross, parts = _numeric(gross_fen), _numeric(deducted_fen) * self.SCALE
        misfits = Q(LessThan(parts, gross * (self.low_parts or 0)))
        return misfits if self.high_parts is None else misfits | Q(GreaterThan(parts, gross * self.high_parts))

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        gross, deducted = customer.gross_fen, customer.deducted_fen
        if self.days:
            today = situation.now.date()
            first = self.first_day(today)
            window = [facts for day, facts in customer.days.items() if first <= day <= today]
            gross, deducted = sum(facts.gross_fen for facts in window), sum(facts.deducted_fen for facts in window)
        had = round(deducted / gross, SHARE_PLACES) if gross > 0 else 0
        return Verdict(self.holds(gross, deducted), had)

    def wording(self) -> str:
        rate = {"range": self.range_words(share=True), "days": self.days}
        if self.days:
            return (
                ngettext(
                    "Only for customers with a subsidy rate of %(range)s in the last day",
                    "Only for customers with a subsidy rate of %(range)s in the last %(days)d days",
                    self.days,
                )
                % rate
            )
        return _("Only for customers with a subsidy rate of %(range)s") % rate


def _numeric(fen: F) -> Cast:
    """Fen times SCALE may leave 64 bits."""
    return Cast(fen, DecimalField(max_digits=40, decimal_places=0))
