"""Can somebody claim it and use it?  Searched for with the very checks that the doors make, so that a witness is true.

Rules about one fact are tried with the values that they name; the facts of a customer stay as they are between claim
and use, but for what follows from orders and time. Days are walked through one by one, and within a day the minutes at
which some rule may turn. Only rules about orders look at both moments at once.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import product
from typing import Any

from coupons.checking.cases import Case, Rule
from coupons.checking.orders import PastOrder, Unproven, facts, history, longest_window, possible
from coupons.checking.places import Map, Position
from coupons.models import City, CouponTemplate
from coupons.queries.almanac import festivals_anywhere
from coupons.queries.catalogue import current, validity_of
from coupons.rules import Condition, Profile, Situation
from coupons.rules.schedule import Schedule
from coupons.rules.situation import Client

#: How far ahead days are walked through where no rule ends earlier.
DAYS_AHEAD = 3 * 366
#: How far where only examples are looked for.
A_SEASON = 92
#: After so many days of validity what holds on some day of the calendar has come.
LONGEST_WALK = 30 * 366
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

    def fulfils(self, rule: Rule) -> bool:
        """Asked of the rule itself."""
        moment = self.claim if rule.deed == "claim" else self.use
        orders = [order for order in self.orders if rule.deed == "use" or not order.between]
        told_at = dict.fromkeys(TOLD, moment.at)
        customer = Profile(None, "", told_at=told_at, **self.facts, **facts(orders))
        assert rule.condition is not None
        return rule.condition.check(customer, moment.situation(Sky())).holds is True


class Sky:
    """What each day is by the calendar, asked as the doors ask, once."""

    def __init__(self) -> None:
        self._days: dict[date, frozenset[str]] = {}

    def festivals(self, at: datetime) -> frozenset[str]:
        day = at.date()
        if day not in self._days:
            self._days[day] = festivals_anywhere(day, current())
        return self._days[day]


@dataclass
class Solver:
    """Asked again and again with fewer rules of one case; what is the same for all is kept."""

    case: Case
    sky: Sky = field(default_factory=Sky)
    _times: dict[Condition | Schedule, dict[datetime, int]] = field(default_factory=dict)

    @cached_property
    def map(self) -> Map:
        asked = within(rule.condition for rule in self.case.rules if rule.condition)
        keys = {key for condition in asked if condition.fact == "areas" for key in condition.answers["any_of"]}
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
        missed = False
        asked = [rule for rule in rules if rule.condition and (to_use or rule.deed == "claim")]
        claims = expanded(rule.condition for rule in asked if rule.condition and rule.deed == "claim")
        uses = list(expanded(rule.condition for rule in asked if rule.condition and rule.deed == "use"))
        for claim, use in product(claims, uses):
            found = self._witness(rules, claim, use, to_use)
            if found is not None and all(
                found.fulfils(rule) for rule in asked if rule.condition and not rule.condition.fact
            ):
                return found
            missed = missed or found is not None
        if missed:
            raise Unproven
        return None

    def _witness(
        self, rules: Sequence[Rule], claim: Sequence[Condition], use: Sequence[Condition], to_use: bool
    ) -> Witness | None:
        told = self._told([*claim, *use])
        at_claim, at_use = self._place(claim, "claim"), self._place(use, "use")
        if told is None or at_claim is None or at_use is None:
            return None
        found = self._moments(rules, claim, use, to_use)
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
                fitting = _fitting(by_fact[fact], fact, lambda fact, value: (_told_just_now(fact, value), _AT_ALL))
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

    # --- when ------------------------------------------------------------------------------------------------------

    def _moments(
        self, rules: Sequence[Rule], claim: Sequence[Condition], use: Sequence[Condition], to_use: bool
    ) -> tuple[datetime, datetime, list[PastOrder]] | None:
        """A moment to claim and one to use, with orders that fit both."""
        past_claim = [condition for condition in claim if condition.fact == "orders"]
        past_use = [condition for condition in use if condition.fact == "orders"]
        longest = longest_window(past_claim + past_use)
        ever = self.case.now
        if past_use and not any(
            possible(past_claim, past_use, ever, ever + timedelta(days=gap)) for gap in range(longest + 2)
        ):
            return None
        tried: set[int] = set()
        for claim_at, use_at in self._pairs(rules, claim, use if to_use else ()):
            # Once the longest window lies between the two, more days make no difference.
            gap = min((use_at.date() - claim_at.date()).days, longest + 1)
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
        valid = any(rule.code == "validity_type" for rule in rules)
        usable = _Days(self, use)
        for claim_at in self._claims(rules, claim):
            start, end = claim_at, claim_at + timedelta(days=DAYS_AHEAD)
            if valid:
                start, end = validity_of(self.case.template, claim_at)
            start = max(start, claim_at)
            end = min(end, start + timedelta(days=LONGEST_WALK)) if start < _FARTHEST else end
            yield from ((claim_at, use_at) for use_at in usable.between(start, end))

    def claim_days(self, rules: Sequence[Rule]) -> int:
        """On how many days it can be claimed, by the calendar alone."""
        claims = [rule.condition for rule in rules if rule.condition and rule.deed == "claim"]
        return sum(1 for _at in self._claims(rules, claims))

    def too_late(self, rules: Sequence[Rule]) -> datetime | None:
        """The first moment within a season at which it can be claimed and then, by day and time alone, never used."""
        use = [rule.condition for rule in rules if rule.condition and rule.deed == "use"]
        claims = expanded(rule.condition for rule in rules if rule.condition and rule.deed == "claim")
        if not any(condition.fact == "moment" for condition in use):
            return None
        found = []
        for claim in claims:
            if self._told([*claim, *use]) is None or self._place(claim, "claim") is None:
                continue
            usable = _Days(self, use)
            for at in self._claimable(rules, claim, A_SEASON):
                start, end = validity_of(self.case.template, at)
                if next(usable.between(max(start, at), end), None) is None:
                    found.append(at)
                    break
        return min(found, default=None)

    def _claims(self, rules: Sequence[Rule], conditions: Sequence[Condition]) -> Iterator[datetime]:
        """The first moment of each day at which it can be claimed: a later one is never valid for longer."""
        last: date | None = None
        for at in self._claimable(rules, conditions, DAYS_AHEAD):
            if at.date() != last:
                last = at.date()
                yield at

    def _claimable(self, rules: Sequence[Rule], conditions: Sequence[Condition], days_ahead: int) -> Iterator[datetime]:
        """The first moment of each stretch between two turns in which it can be claimed."""
        starts: list[datetime | None] = [self.case.now]
        ends: list[datetime | None] = []
        for rule in rules:
            if rule.schedule is not None:
                starts.append(rule.schedule.starts_at)
                ends.append(rule.schedule.ends_at)
            elif rule.code == "campaign":
                starts.append(self.case.placed.starts_at)
                ends.append(self.case.placed.ends_at)
            elif rule.code == "validity_type":
                ends.append(self.case.template.valid_until)
        zone = self.case.now.tzinfo
        start = max(moment for moment in starts if moment is not None).astimezone(zone)
        end = min(*(moment for moment in ends if moment is not None), start + timedelta(days=days_ahead), _FAR)
        schedules = [rule.schedule for rule in rules if rule.schedule is not None]
        return _Days(self, conditions, schedules).between(start, end.astimezone(zone))

    @cached_property
    def turns(self) -> list[int]:
        """The minutes of a day at which some rule may turn, and its end."""
        turns = {0, DAY_MINUTES}
        for rule in self.case.rules:
            if rule.schedule is not None:
                turns |= {edge for window in rule.schedule.windows for edge in window}
        for condition in within(rule.condition for rule in self.case.rules if rule.condition):
            if condition.fact == "moment":
                turns |= set(condition.tries())
        return sorted(turns)

    @cached_property
    def all_day(self) -> int:
        return (1 << (len(self.turns) - 1)) - 1

    def times(self, rule: Condition | Schedule, midnight: datetime) -> int:
        """Between which turns of this day the rule holds, as bits; kept."""
        kept = self._times.setdefault(rule, {})
        if midnight not in kept:
            moments = (midnight + timedelta(minutes=turn) for turn in self.turns[:-1])
            kept[midnight] = sum(1 << place for place, at in enumerate(moments) if self._holds(rule, at))
        return kept[midnight]

    def _holds(self, rule: Condition | Schedule, at: datetime) -> bool:
        if isinstance(rule, Schedule):
            return rule.refusal(at) != "outside_release"
        festivals = self.sky.festivals(at) if asks_calendar(rule) else frozenset()
        return rule.check(NOBODY, Situation(now=at, festivals=festivals)).holds is True


def asks_calendar(condition: Condition) -> bool:
    """Which day is a festival, operators may say otherwise."""
    return getattr(condition, "reads", None) == "festivals"


def within(conditions: Iterable[Condition]) -> Iterator[Condition]:
    """With those that they are made of."""
    for condition in conditions:
        yield condition
        for way in condition.ways():
            yield from within(way)


def expanded(conditions: Iterable[Condition]) -> Iterator[list[Condition]]:
    """Every list of simple conditions of which one must hold for all of these to hold."""
    choices = [
        [[condition]] if condition.fact else [one for way in condition.ways() for one in expanded(way)]
        for condition in conditions
    ]
    for chosen in product(*choices):
        yield [condition for part in chosen for condition in part]


class _Days:
    """At which times of each day some rules about the moment hold, day by day."""

    def __init__(self, solver: Solver, conditions: Iterable[Condition], schedules: Iterable[Schedule] = ()) -> None:
        self.solver = solver
        self.rules: list[Condition | Schedule] = [*schedules, *(one for one in conditions if one.fact == "moment")]
        #: Midnights between which nothing holds, found last: periods that begin a day later need not look again.
        self.empty: tuple[datetime, datetime] | None = None

    def between(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """The first moment of each stretch that holds within this period, half-open."""
        midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
        turns = self.solver.turns
        while midnight < end:
            if self.empty and self.empty[0] <= midnight < self.empty[1]:
                midnight = self.empty[1]
                continue
            bits = self.solver.all_day
            for rule in self.rules:
                bits &= self.solver.times(rule, midnight)
                if not bits:
                    break
            later = midnight + timedelta(days=1)
            if not bits:
                follows = self.empty is not None and self.empty[1] == midnight
                self.empty = (self.empty[0] if follows and self.empty else midnight, later)
            for place in range(len(turns) - 1):
                if bits >> place & 1:
                    at = max(midnight + timedelta(minutes=turns[place]), start)
                    if at < min(midnight + timedelta(minutes=turns[place + 1]), end):
                        yield at
            midnight = later


_FAR = datetime.max.replace(tzinfo=UTC) - timedelta(days=2)
_FARTHEST = _FAR - timedelta(days=LONGEST_WALK)
#: What is asked with it looks at no time but that of the telling.
_AT_ALL = Situation(now=datetime(2000, 1, 1, tzinfo=UTC))


def _told_just_now(fact: str, value: Any) -> Profile:
    return Profile(None, "", told_at={fact: _AT_ALL.now}, **{fact: value})


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
