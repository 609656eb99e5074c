"""Can somebody claim it and use it?  Searched for with the very checks that the doors make, so that a witness is true.

Rules about one fact are tried with the values that they name; the facts of a customer stay as they are between claim
and use, but for what follows from orders and time. Days are walked through one by one, and within a day the minutes at
which some rule may turn. Only rules about orders look at both moments at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Any

from coupons.checking.cases import Case, Rule
from coupons.checking.orders import PastOrder, Unproven, history
from coupons.checking.places import Map, Position
from coupons.models import City, CouponTemplate
from coupons.queries.catalogue import validity_of
from coupons.queries.surroundings import situate
from coupons.rules import Condition, Profile, Situation
from coupons.rules.schedule import Schedule
from coupons.rules.situation import Client

#: How far ahead days are walked through where no rule ends earlier.
DAYS_AHEAD = 3 * 366
DAY_MINUTES = 24 * 60
NOBODY = Profile(None, "")
#: Facts of a customer that others tell, and those of the moment; what is not told at a claim cannot be wanted there.
TOLD = ("sensitivity", "churn_probability", "rival_app", "tags")
AT_USE_ALONE = ("business_mode",)
SETS = ("tags", "weather")


@dataclass(frozen=True)
class Moment:
    """When, where, through what; ``weather`` must be so in the city, None: it does not matter."""

    at: datetime
    client: str | None = None
    city: str | None = None
    position: Position | None = None
    areas: frozenset[str] | None = None
    weather: frozenset[str] | None = None
    business_mode: str | None = None

    def situation(self, sky: "Sky") -> Situation:
        return Situation(
            now=self.at,
            client=self.client,
            city=self.city,
            areas=self.areas,
            weather=self.weather,
            festivals=sky.festivals(self.at),
            business_mode=self.business_mode,
        )


@dataclass(frozen=True)
class Witness:
    """Somebody who claims the coupon and uses it. Money in fen; ``shipping_fen``: where the coupon is for shipping."""

    facts: dict[str, Any]
    orders: list[PastOrder]
    claim: Moment
    use: Moment
    price_fen: int
    category: str | None = None
    merchant: str | None = None
    sku: str | None = None
    shipping_fen: int = 0


class Sky:
    """What each day is by the calendar, asked as the doors ask, once."""

    def __init__(self) -> None:
        self._days: dict[date, frozenset[str]] = {}

    def festivals(self, at: datetime) -> frozenset[str]:
        day = at.date()
        if day not in self._days:
            self._days[day] = situate(at).festivals
        return self._days[day]


@dataclass
class Solver:
    """Asked again and again with fewer rules of one case; what is the same for all is kept."""

    case: Case
    sky: Sky = field(default_factory=Sky)

    @cached_property
    def map(self) -> Map:
        keys = {key for rule in self._areas(self.case.rules) for key in rule.answers["any_of"]}
        return Map(keys)

    @cached_property
    def any_city(self) -> str | None:
        return City.objects.order_by("-pk").filter(pk="310000").values_list("pk", flat=True).first() or (
            City.objects.values_list("pk", flat=True).first()
        )

    def witness(self, rules: Sequence[Rule], *, to_use: bool = True) -> Witness | None:
        """Somebody for whom all these rules hold; ``to_use`` False: who claims it, whatever then. None: nobody.

        :raises Unproven:
        """
        if any(rule.blocks for rule in rules):
            return None
        claim = [rule.condition for rule in rules if rule.condition and rule.condition.fact and rule.deed == "claim"]
        use = [
            rule.condition for rule in rules if to_use and rule.condition and rule.condition.fact and rule.deed == "use"
        ]
        told = self._told(claim + use)
        at_claim, at_use = self._place(claim, "claim"), self._place(use, "use")
        if told is None or at_claim is None or at_use is None:
            return None
        found = self._moments(rules, claim, use)
        if found is None:
            return None
        claim_at, use_at, orders = found
        return Witness(
            told, orders, replace(at_claim, at=claim_at), replace(at_use, at=use_at), **_order(self.case.template)
        )

    # --- facts that others tell, and the place ---------------------------------------------------------------------

    def _told(self, conditions: Iterable[Condition]) -> dict[str, Any] | None:
        """Facts of a customer for whom all conditions about such facts hold."""
        by_fact = _by_fact(conditions)
        facts: dict[str, Any] = {}
        for fact in TOLD:
            if fact in by_fact:
                fitting = _fitting(by_fact[fact], fact, lambda fact, value: (replace(NOBODY, **{fact: value}), _AT_ALL))
                if fitting is None:
                    return None
                facts[fact] = fitting
        return facts

    def _place(self, conditions: Sequence[Condition], deed: str) -> Moment | None:
        by_fact = _by_fact(conditions)
        moment = Moment(at=self.case.now, client=_usual_client(self.case, deed))
        for fact in ("client", "business_mode", "city", "weather"):
            if fact not in by_fact:
                continue
            if deed == "claim" and fact in AT_USE_ALONE:
                return None
            value = _fitting(by_fact[fact], fact, lambda fact, value: (NOBODY, replace(_AT_ALL, **{fact: value})))
            if value is None:
                return None
            moment = replace(moment, **{fact: value})
        if moment.weather is not None and moment.city is None:
            moment = replace(moment, city=self.any_city)
        if "areas" in by_fact:
            stand = self.map.stand([condition.answers["any_of"] for condition in by_fact["areas"]])
            if stand is None:
                return None
            moment = replace(moment, position=stand[0], areas=stand[1])
        return moment

    @staticmethod
    def _areas(rules: Iterable[Rule]) -> list[Condition]:
        return [rule.condition for rule in rules if rule.condition is not None and rule.condition.fact == "areas"]

    # --- when ------------------------------------------------------------------------------------------------------

    def _moments(
        self, rules: Sequence[Rule], claim: Sequence[Condition], use: Sequence[Condition]
    ) -> tuple[datetime, datetime, list[PastOrder]] | None:
        """A moment to claim and one to use, with orders that fit both."""
        past_claim = [condition for condition in claim if condition.fact == "orders"]
        past_use = [condition for condition in use if condition.fact == "orders"]
        tried: set[int] = set()
        for claim_at, use_at in self._pairs(rules, claim, use):
            gap = (use_at.date() - claim_at.date()).days
            if gap in tried:
                continue
            tried.add(gap)
            orders = history(past_claim, past_use, claim_at, use_at)
            if orders is not None:
                return claim_at, use_at, orders
            if not past_use:
                return None  # what the claim wants of the past, no other day gives
        return None

    def _pairs(
        self, rules: Sequence[Rule], claim: Sequence[Condition], use: Sequence[Condition]
    ) -> Iterator[tuple[datetime, datetime]]:
        codes = {rule.code for rule in rules}
        valid = "validity_type" in codes
        usable = _Days(self, [condition for condition in use if condition.fact == "moment"])
        for claim_at in self._claims(codes, [condition for condition in claim if condition.fact == "moment"]):
            start, end = claim_at, claim_at + timedelta(days=DAYS_AHEAD)
            if valid:
                start, end = validity_of(self.case.template, claim_at)
            yield from ((claim_at, use_at) for use_at in usable.between(max(start, claim_at), end))

    def claim_days(self, rules: Sequence[Rule]) -> int:
        """On how many days it can be claimed, by the calendar alone."""
        conditions = [rule.condition for rule in rules if rule.condition and rule.deed == "claim"]
        codes = {rule.code for rule in rules}
        return sum(1 for _at in self._claims(codes, [one for one in conditions if one.fact == "moment"]))

    def _claims(self, codes: set[str], conditions: Sequence[Condition]) -> Iterator[datetime]:
        """The first moment of each day at which it can be claimed: a later one is never valid for longer."""
        template, placed = self.case.template, self.case.placed
        kept = {
            name: value
            for name, value in template.release.items()
            if f"release.{'period' if name.endswith('_at') else name}" in codes
        }
        schedule = Schedule.of(kept)
        starts, ends = [self.case.now, schedule.starts_at], [schedule.ends_at]
        if "campaign" in codes:
            starts.append(placed.starts_at)
            ends.append(placed.ends_at)
        if "validity_type" in codes:
            ends.append(template.valid_until)
        start = max(moment for moment in starts if moment is not None).astimezone(self.case.now.tzinfo)
        end = min(
            [*(moment for moment in ends if moment is not None), start + timedelta(days=DAYS_AHEAD)],
        ).astimezone(self.case.now.tzinfo)
        minutes = {edge % DAY_MINUTES for window in schedule.windows for edge in window}
        days = _Days(self, conditions, minutes, lambda at: schedule.refusal(at) is None)
        last: date | None = None
        for at in days.between(start, end):
            if at.date() != last:
                last = at.date()
                yield at


class _Days:
    """At which times of each day some conditions about the moment hold; found day by day, and kept."""

    def __init__(
        self, solver: Solver, conditions: Sequence[Condition], minutes: Iterable[int] = (), also: Any = None
    ) -> None:
        self.sky, self.conditions, self.also = solver.sky, conditions, also
        turns = {0, *minutes, *(minute for condition in conditions for minute in condition.tries())}
        self.turns = [*sorted(turns), DAY_MINUTES]
        self._kept: dict[date, list[tuple[datetime, datetime]]] = {}
        #: Midnights between which nothing holds, found last: periods that begin a day later need not look again.
        self._empty: tuple[datetime, datetime] | None = None

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The first moment of each stretch that holds within this period, half-open."""
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        while midnight < end:
            if self._empty and self._empty[0] <= midnight < self._empty[1]:
                midnight = self._empty[1]
                continue
            stretches = self._stretches(midnight)
            for begins, ceases in stretches:
                at = max(begins, start)
                if at < min(ceases, end):
                    yield at
            later = midnight + timedelta(days=1)
            if not stretches:
                follows = self._empty is not None and self._empty[1] == midnight
                self._empty = (self._empty[0] if follows and self._empty else midnight, later)
            midnight = later

    def _stretches(self, midnight: datetime) -> list[tuple[datetime, datetime]]:
        day = midnight.date()
        if day not in self._kept:
            self._kept[day] = [
                (midnight + timedelta(minutes=a), midnight + timedelta(minutes=b))
                for a, b in pairwise(self.turns)
                if self._holds(midnight + timedelta(minutes=a))
            ]
        return self._kept[day]

    def _holds(self, at: datetime) -> bool:
        if not self.conditions and self.also is None:
            return True
        situation = Situation(now=at, festivals=self.sky.festivals(at) if self._asks_calendar else frozenset())
        if not all(condition.check(NOBODY, situation).holds is True for condition in self.conditions):
            return False
        return self.also is None or bool(self.also(at))

    @cached_property
    def _asks_calendar(self) -> bool:
        return any(condition.code not in ("hours", "weekdays") for condition in self.conditions)


_AT_ALL = Situation(now=datetime.min)  # noqa: DTZ901  nothing that is asked with it looks at the time


def _by_fact(conditions: Iterable[Condition]) -> dict[str, list[Condition]]:
    found: dict[str, list[Condition]] = defaultdict(list)
    for condition in conditions:
        found[condition.fact].append(condition)
    return found


def _fitting(conditions: Sequence[Condition], fact: str, asked: Any) -> Any:
    """A value of the fact with which all these hold; None: there is none."""
    tries: Iterable[Any]
    if fact in SETS:
        shunned = {one for condition in conditions for one in condition.shuns()}
        tries = [frozenset(one for condition in conditions for one in condition.tries()) - shunned]
    else:
        tries = [value for condition in conditions for value in condition.tries()]
    for value in tries:
        customer, situation = asked(fact, value)
        if all(condition.check(customer, situation).holds is True for condition in conditions):
            return value
    return None


def _usual_client(case: Case, deed: str) -> str:
    return min(case.placed.clients, default=str(Client.APP)) if deed == "claim" else str(Client.APP)


def _order(template: CouponTemplate) -> dict[str, Any]:
    """An order that the coupon takes something off: dear enough, and within its scope."""
    scope = template.scope
    fen = max(template.threshold_fen or 0, template.worth_fen or 0, 10_000)
    first = {"category": "categories", "merchant": "merchants", "sku": "skus"}
    said: dict[str, Any] = {name: (scope.get(many) or [None])[0] for name, many in first.items()}
    return {**said, "price_fen": fen, "shipping_fen": fen if scope.get("shipping") else 0}


def core(solver: Solver, rules: Sequence[Rule]) -> list[Rule]:
    """Of rules that nobody fulfils, a set that nobody fulfils either, and of which none can be left out."""
    kept = list(rules)
    for rule in rules:
        fewer = [one for one in kept if one is not rule]
        with suppress(Unproven):
            if solver.witness(fewer) is None:
                kept = fewer
    return kept
