"""Trigger rules, compiled once per version of the catalogue: which an event sets off, as far as no lock is needed."""

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from coupons import rules
from coupons.queries.catalogue import Book
from coupons.queries.direct import rows
from coupons.queries.profiles import needs_of, profile
from coupons.rules import CustomerCondition, Profile, Situation
from distribution.models import Placement, TriggerRule
from distribution.queries import placements
from distribution.queries.placements import CompiledPlacement, No

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    "!=": operator.ne,
}
_MISSING = object()
_RESTING = """SELECT rule_id FROM distribution_rest
WHERE rule_id = ANY(%s::bigint[]) AND customer_key = %s::text AND until > %s::timestamptz"""


@dataclass(slots=True, frozen=True)
class CompiledRule:
    row: TriggerRule
    placement: CompiledPlacement
    tests: tuple[tuple[tuple[str, ...], str, Any], ...]
    conditions: tuple[rules.Condition, ...]
    cooldown: timedelta
    fresh: timedelta
    asks_customer: bool


class Event(NamedTuple):
    """What the app told. ``position``: (lat, lng) in WGS-84."""

    event: str
    customer: str
    occurred_at: datetime
    client: str | None = None
    city: str | None = None
    position: tuple[float, float] | None = None
    data: Mapping[str, Any] = {}


class Listeners:
    """The rules of live placements that listen to one event, in the order in which they were made."""

    def __init__(self, rules: list[CompiledRule]) -> None:
        self.rules = rules
        #: Where in ``rules`` stands what wants one value of a field: dozens of rules are mostly told apart by one.
        self._wanting: dict[tuple[str, ...], dict[tuple[type, Any], list[int]]] = {}
        self._others: list[int] = []
        for place, rule in enumerate(rules):
            field = next(((path, value) for path, comparison, value in rule.tests if comparison == "="), None)
            if field is None:
                self._others.append(place)
            else:
                path, value = field
                self._wanting.setdefault(path, {}).setdefault((_kind(value), value), []).append(place)

    def concerned(self, event: Event, now: datetime) -> tuple[list[CompiledRule], list[dict[str, Any]]]:
        """Those that the event concerns, whoever it is about; and the others as outcomes."""
        places = [*self._others]
        for path, wanted in self._wanting.items():
            value = _at(event.data, path)
            if isinstance(value, str | int | float):
                places += wanted.get((_kind(value), value), ())
        found = {place for place in places if unfit(self.rules[place], event, now) is None}
        deaf: dict[str, list[str]] = {}
        age = now - event.occurred_at
        for place, rule in enumerate(self.rules):
            if place not in found:
                code = "event_too_old" if age > rule.fresh else "event_unfit"
                deaf.setdefault(code, []).append(rule.placement.key)
        outcomes: list[dict[str, Any]] = [{"placements": keys, "code": code} for code, keys in deaf.items()]
        return [self.rules[place] for place in sorted(found)], outcomes


def listeners(book: Book, event: str) -> Listeners | None:
    known: dict[str, Listeners] = book.keep("triggers", lambda: _compile(book))
    return known.get(event)


def resting(rules: Iterable[CompiledRule], customer: str, now: datetime) -> frozenset[int]:
    """Ids of the rules that gave this customer something a little while ago, as far as no lock is needed."""
    asked = [rule.row.pk for rule in rules if rule.cooldown]
    if not asked:
        return frozenset()
    return frozenset(id for (id,) in rows(_RESTING, (asked, customer, now)))


def compiled(book: Book, rule: TriggerRule) -> CompiledRule | None:
    """One rule, whatever its placement's state, to be tried; None without a placement that can be found."""
    placement = placements.find(book, rule.placement.key)
    return None if placement is None else _one(rule, placement)


def _compile(book: Book) -> dict[str, Listeners]:
    found: dict[str, list[CompiledRule]] = {}
    live = TriggerRule.objects.filter(placement__status=Placement.Status.LIVE, placement__form=Placement.Form.TRIGGER)
    for rule in live.select_related("placement", "message").order_by("id"):
        one = compiled(book, rule)
        if one is not None:
            found.setdefault(rule.event, []).append(one)
    return {event: Listeners(rules) for event, rules in found.items()}


def _one(rule: TriggerRule, placement: CompiledPlacement) -> CompiledRule:
    conditions = rules.compile_rules(rule.conditions, "claim")
    return CompiledRule(
        row=rule,
        placement=placement,
        tests=tuple((tuple(test["field"].split(".")), test["is"], test["value"]) for test in rule.tests),
        conditions=conditions,
        cooldown=timedelta(minutes=rule.cooldown_minutes),
        fresh=timedelta(minutes=rule.fresh_minutes),
        asks_customer=any(isinstance(condition, CustomerCondition) for condition in conditions),
    )


def known(asked: Iterable[CompiledRule], customer: str, now: datetime) -> Profile:
    """The customer's facts as far as these rules and what they offer ask for them."""
    asked = [rule for rule in asked if rule.asks_customer or rule.placement.asks_customer]
    if not asked:
        return Profile(None, customer)
    needs, days = needs_of(condition for rule in asked for condition in rule.conditions)
    needs = needs.union(*(rule.placement.needs for rule in asked))
    days = max(days, *(rule.placement.days_back for rule in asked))
    return profile(customer, needs, since=now.date() - timedelta(days=days - 1) if days else None)


def example(tests: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """What an event may say to fulfil the tests, one by one."""
    data: dict[str, Any] = {}
    for test in tests:
        *path, name = test["field"].split(".")
        at: Any = data
        for step in path:
            at = at.setdefault(step, {}) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at[name] = _fulfilling(test["is"], test["value"])
    return data


def _fulfilling(comparison: str, value: Any) -> Any:
    if comparison in ("=", ">=", "<="):
        return value
    if isinstance(value, bool):
        return not value
    return f"{value}-" if isinstance(value, str) else value + (-1 if comparison == "<" else 1)


def says(rule: CompiledRule, data: Mapping[str, Any]) -> bool:
    """Whether the event's data fulfil every test; what is missing or of another type does not."""
    return all(_holds(data, *test) for test in rule.tests)


def _holds(data: Mapping[str, Any], path: tuple[str, ...], comparison: str, wanted: Any) -> bool:
    found = _at(data, path)
    if found is _MISSING or _kind(found) is not _kind(wanted):
        return False
    return _COMPARE[comparison](found, wanted)


def _at(data: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = data
    for name in path:
        found = found.get(name, _MISSING) if isinstance(found, Mapping) else _MISSING
    return found


def _kind(value: Any) -> type:
    """Numbers are of one kind; true is no number."""
    return float if type(value) in (int, float) else type(value)


def unfit(rule: CompiledRule, event: Event, now: datetime) -> str | None:
    """The code that refuses this event whoever it is about; None: it is what the rule listens for."""
    if now - event.occurred_at > rule.fresh:
        return "event_too_old"
    return None if says(rule, event.data) else "event_unfit"


def refused(rule: CompiledRule, customer: Profile, situation: Situation) -> No | None:
    """Why this customer at this moment does not get what the rule gives, as far as no lock is needed."""
    failed = rules.unmet(rule.conditions, customer, situation)
    if failed:
        return No("conditions_unmet", [condition.reason(verdict) for condition, verdict in failed])
    return None
