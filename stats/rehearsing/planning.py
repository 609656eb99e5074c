"""The draft ready to be asked on past days: the engine's own rules, its dates laid on those days."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils import timezone

from coupons import rules
from coupons.models import CouponTemplate, Merchant, Supply
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.profiles import needs_of
from coupons.queries.surroundings import situate, weather_in
from coupons.rules import Condition, CustomerCondition, Profile, Situation, Verdict
from coupons.rules.schedule import Schedule
from distribution.models import Campaign, Placement
from distribution.queries import placements
from redemption.pricing import Bill, Line, Priced, Why, price_one
from redemption.queries import fitting
from redemption.queries.fitting import Use

#: Who is asked about when nobody in particular is.
NOBODY = Profile(None, "")


@dataclass(slots=True)
class Plan:
    """``shift``: the planned first day less the first day of the past. ``audiences``: the claim rules by offer; any of
    them lets the customer claim. ``control_permille``: so many customers of a thousand are in the control group.
    """

    template: CompiledTemplate
    use: Use
    book: Book
    merchants: frozenset[str]
    shift: timedelta
    opens_at: datetime
    closes_at: datetime
    schedule: Schedule
    audiences: tuple[tuple[Condition, ...], ...]
    unknown_passes: bool
    control_permille: int
    needs: frozenset[str]
    days_back: int

    @property
    def shared(self) -> bool:
        """Whether merchants pay a part."""
        return bool(self.use.terms.merchant_percent or self.use.terms.merchant_fen)

    def closed(self, moment: datetime) -> str | None:
        """The code that refuses everybody at this moment, or None."""
        if not self.opens_at <= moment < self.closes_at:
            return "not_started" if moment < self.opens_at else "ended"
        code = self.schedule.refusal(moment)
        valid_until = self.template.row.valid_until
        if code is None and valid_until is not None and valid_until - self.shift <= moment:
            return "ended"
        return code

    def failed(self, conditions: Iterable[Condition], customer: Profile, situation: Situation) -> "Failed":
        """Which conditions say no, and of which nobody knows."""
        unmet = rules.unmet(conditions, customer, situation)
        no = [one for one in unmet if one[1].holds is False]
        unknown = [one for one in unmet if one[1].holds is None]
        return Failed(no, unknown, not no and (self.unknown_passes or not unknown))

    def may_claim(self, customer: Profile, situation: Situation) -> "Failed":
        """Of several audiences the first that lets in; else what the first says against it."""
        answers = []
        for conditions in self.audiences:
            answer = self.failed(conditions, customer, situation)
            if answer.passes:
                return answer
            answers.append(answer)
        return answers[0]

    def may_use(self, customer: Profile, situation: Situation) -> "Failed":
        return self.failed(self.template.use_rules, customer, situation)

    def price(self, lines: tuple[Line, ...], shipping_fen: int) -> Priced | Why:
        if self.use.charges_lines:
            lines = fitting.charged(lines, self.merchants)
        return price_one(self.use.terms, Bill(lines, shipping_fen))

    def validity(self, moment: datetime) -> tuple[datetime, datetime]:
        start, end = self.template.validity(moment)
        if self.template.row.validity_type == CouponTemplate.Validity.PERIOD:
            return start - self.shift, end - self.shift
        return start, end

    def open_on(self, day: date) -> bool:
        """Whether at any full hour of the day somebody of whom nothing is known meets all but the customer's rules."""
        zone = timezone.get_default_timezone()
        for hour in range(24):
            moment = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
            if self.closed(moment):
                continue
            situation = situate(moment, book=self.book)
            for conditions in self.audiences:
                asked = [rule for rule in conditions if not isinstance(rule, CustomerCondition)]
                if self.failed(asked, NOBODY, situation).passes:
                    return True
        return False


@dataclass(slots=True, frozen=True)
class Failed:
    no: list[tuple[Condition, Verdict]]
    unknown: list[tuple[Condition, Verdict]]
    passes: bool


def plan(
    template: CouponTemplate, placement: Placement | None, first: datetime, *, unknown_passes: bool = False
) -> Plan:
    """``first``: midnight of the first day. A book of its own, so that nothing changes under a run."""
    book = Book(-1)
    compiled = book.templates([template.pk])[template.pk]
    found = placements.find(book, placement.key) if placement else None
    offered = [offer.rules for offer in found.offers if offer.template.id == template.pk] if found else []
    audiences = tuple(offered) or (compiled.claim_rules,)
    campaign = Campaign.objects.get(budget=template.budget_id)
    starts = [campaign.starts_at, compiled.schedule.starts_at]
    begins = max(start for start in starts if start is not None)
    shift = timedelta(days=(timezone.localtime(begins).date() - first.date()).days)
    ends = compiled.schedule.ends_at
    asked = [*compiled.use_rules, *(rule for conditions in audiences for rule in conditions)]
    needs, days_back = needs_of(asked)
    weather_in("", first, book)  # what is known of the weather since then
    return Plan(
        template=compiled,
        use=fitting.use_of(compiled),
        book=book,
        merchants=frozenset(Merchant.objects.values_list("pk", flat=True)),
        shift=shift,
        opens_at=begins - shift,
        closes_at=campaign.ends_at - shift,
        schedule=replace(compiled.schedule, starts_at=None, ends_at=None if ends is None else ends - shift),
        audiences=audiences,
        unknown_passes=unknown_passes,
        control_permille=int(campaign.control_percent * 10),
        needs=needs,
        days_back=days_back,
    )


def limits_left(template: CouponTemplate) -> dict[str, int | None]:
    """The limits, those of all coupons less what was given out already; ``budget_fen`` what is free of the purse."""
    supply = Supply.objects.get(pk=template.pk)
    left = {name: getattr(supply, name) for name in Supply.LIMITS}
    for name, issued in (("total_count", supply.issued_count), ("total_fen", supply.issued_fen)):
        if left[name] is not None:
            left[name] = max(0, left[name] - issued)
    return {**left, "budget_fen": template.budget.free_fen}
