"""Any of several audiences, none of others: and, or and not without a formula."""

from collections.abc import Iterable, Mapping, Sequence
from contextvars import ContextVar
from datetime import datetime
from functools import cached_property, reduce
from itertools import chain, product
from math import prod
from operator import and_, or_
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.conditions import names
from coupons.models import Audience
from coupons.rules import (
    EVERYONE,
    NOBODY,
    Condition,
    CustomerCondition,
    Profile,
    Situation,
    Verdict,
    compile_rules,
    register,
)
from coupons.rules.answers import Answers, Keys

Rules = Mapping[str, Mapping[str, Any]]
#: So many ways of not belonging are tried by the checker.
MOST_WAYS = 64


def named_by(conditions: Rules) -> frozenset[str]:
    """The audiences that these conditions name."""
    answers = conditions.get("audiences") or {}
    return frozenset([*answers.get("any_of", ()), *answers.get("none_of", ())])


def circle(key: str, conditions: Rules, others: Mapping[str, Rules] | None = None) -> list[str]:
    """The way from the audience back to itself, were these its conditions; empty if there is none.

    ``others``: conditions of audiences that are about to be written, by key.
    """
    known: dict[str, Rules] = dict(Audience.objects.values_list("key", "conditions"))
    known |= {**(others or {}), key: conditions}
    ways = [[key]]
    seen = set()
    while ways:
        way = ways.pop()
        for named in sorted(named_by(known.get(way[-1], {}))):
            if named == key:
                return [*way, key]
            if named not in seen:
                seen.add(named)
                ways.append([*way, named])
    return []


def leading_to(key: str) -> set[str]:
    """The audience, and all that name it, directly or through others."""
    known: dict[str, Rules] = dict(Audience.objects.values_list("key", "conditions"))
    found: set[str] = set()
    more = {key}
    while more:
        found |= more
        more = {other for other, conditions in known.items() if not found.isdisjoint(named_by(conditions))} - found
    return found


#: Those being compiled: one that leads back to itself (written twice at the same moment) is one that nobody knows.
_open: ContextVar[frozenset[str]] = ContextVar("_open", default=frozenset())


def _stored(key: str) -> Rules | None:
    found: dict[str, Rules] = names.keep("audiences", dict)
    if key not in found:
        found |= Audience.objects.filter(key=key).values_list("key", "conditions")
    return found.get(key)


def _compiled(key: str) -> tuple[Condition, ...] | None:
    rules = None if key in _open.get() else _stored(key)
    if rules is None:
        return None
    token = _open.set(_open.get() | {key})
    try:
        return compile_rules(rules, "claim")
    finally:
        _open.reset(token)


@register
class Audiences(CustomerCondition):
    """The customer belongs to any of these audiences, and surely to none of those."""

    code, label, for_use = "audiences", gettext_lazy("Audiences"), False

    class Form(Answers):
        any_of = Keys(Audience.objects.all(), required=False, label=gettext_lazy("Belongs to any of"))
        none_of = Keys(Audience.objects.all(), required=False, label=gettext_lazy("Belongs to none of"))

        def clean(self) -> None:
            self.needs_one_of(("any_of", "none_of"))

    def prepare(self) -> None:
        self.any_of = self._side("any_of")
        self.none_of = self._side("none_of")
        inner = [
            condition for part in (self.any_of, self.none_of) for rules in part.values() for condition in rules or ()
        ]
        self.needs = frozenset().union(*(condition.needs for condition in inner))
        self.days_back = max((condition.days_back for condition in inner), default=0)

    def _side(self, side: str) -> dict[str, tuple[Condition, ...] | None]:
        """By key; None: there is no such audience any more, so nobody knows who belongs to it."""
        return {key: _compiled(key) for key in self.answers.get(side) or ()}

    def ways(self) -> Iterable[Sequence[Condition]]:
        return self._ways

    def fails(self) -> Iterable[Sequence[Condition]]:
        inside = [rules for rules in self.none_of.values() if rules is not None]
        return [*inside, *_none_of(self.any_of.values())] if self.any_of else inside

    @cached_property
    def _ways(self) -> list[Sequence[Condition]]:
        within = [rules for rules in self.any_of.values() if rules is not None] if self.any_of else [()]
        return [[*inside, *outside] for inside, outside in product(within, _none_of(self.none_of.values()))]

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        any_of = {key: belongs(rules, customer, situation) for key, rules in self.any_of.items()}
        none_of = {key: belongs(rules, customer, situation) for key, rules in self.none_of.items()}
        within = True if not any_of or True in any_of.values() else None if None in any_of.values() else False
        without = False if True in none_of.values() else None if None in none_of.values() else True
        holds = False if False in (within, without) else None if None in (within, without) else True
        had = sorted(key for key, member in {**any_of, **none_of}.items() if member)
        return Verdict(holds, had, () if holds is not None else self._missing(within, customer, situation))

    def _missing(self, within: bool | None, customer: Profile, situation: Situation) -> tuple[str, ...]:
        """Of the audiences that nobody can tell of: one of those to belong to, and all of those not to."""
        inside = [_untold(rules, customer, situation) for rules in self.any_of.values()] if within is None else []
        outside = [_untold(rules, customer, situation) for rules in self.none_of.values()]
        chosen = [min(filter(None, inside), key=len, default=frozenset())] if inside else []
        needed = [*chosen, *(untold for untold in outside if untold is not None)]
        return tuple(sorted(frozenset().union(*needed))) if all(needed) else ()

    def parts(self) -> Iterable[Condition]:
        for rules in (*self.any_of.values(), *self.none_of.values()):
            for condition in rules or ():
                yield condition
                yield from condition.parts()

    def remedy(self, verdict: Verdict) -> str:
        return _("Share your position") if verdict.missing == ("areas",) else ""

    def q(self, now: datetime) -> Q:
        return self.population(Situation(now))[0]

    def known(self, now: datetime) -> Q:
        return self.population(Situation(now))[1]

    def population(self, situation: Situation) -> tuple[Q, Q]:
        any_of = [members(rules, situation) for rules in self.any_of.values()]
        none_of = [members(rules, situation) for rules in self.none_of.values()]
        within = _any(inside for inside, _outside in any_of) if any_of else EVERYONE
        not_within = _all(outside for _inside, outside in any_of) if any_of else NOBODY
        without = _all(outside for _inside, outside in none_of)
        not_without = _any(inside for inside, _outside in none_of)
        holds, fails = within & without, not_within | not_without
        return holds, holds | fails

    def wording(self) -> str:
        return _("Only for selected customers")

    def for_operators(self) -> str:
        words = {
            side: names.one_of(names.called(Audience, self.answers.get(side) or ())) for side in ("any_of", "none_of")
        }
        if not self.none_of:
            return _("Only for the audience %(any_of)s") % words
        if not self.any_of:
            return _("Not for the audience %(none_of)s") % words
        return _("Only for the audience %(any_of)s, but not %(none_of)s") % words


def belongs(rules: Iterable[Condition] | None, customer: Profile, situation: Situation) -> bool | None:
    """Whether all of them hold; None: none fails for certain, but some cannot be known."""
    if rules is None:
        return None
    held = [condition.check(customer, situation).holds for condition in rules]
    return False if False in held else None if None in held else True


def _untold(rules: Iterable[Condition] | None, customer: Profile, situation: Situation) -> frozenset[str] | None:
    """What of the moment would make it known whether all hold; None: it is known; empty: nothing would."""
    if rules is None:
        return frozenset()
    asked = [(condition, condition.check(customer, situation)) for condition in rules]
    if any(verdict.holds is False for _condition, verdict in asked):
        return None
    unknown = [(condition, verdict) for condition, verdict in asked if verdict.holds is None]
    if not unknown:
        return None
    told = [
        verdict.missing if isinstance(condition, CustomerCondition) else (condition.code,)
        for condition, verdict in unknown
    ]
    return frozenset(chain(*told)) if all(told) else frozenset()


def _none_of(audiences: Iterable[tuple[Condition, ...] | None]) -> list[Sequence[Condition]]:
    """Ways not to belong to any of them; one that says nothing where there are too many to try."""
    choices = [[way for condition in rules or () for way in condition.fails()] for rules in audiences]
    if prod(map(len, choices)) > MOST_WAYS:
        return [()]
    return [list(chain(*chosen)) for chosen in product(*choices)]


def members(rules: Iterable[Condition] | None, situation: Situation) -> tuple[Q, Q]:
    """In SQL: who surely belongs, and who surely does not."""
    if rules is None:
        return NOBODY, NOBODY
    asked = [condition.population(situation) for condition in rules]
    return _all(holds for holds, _known in asked), _any(known & ~holds for holds, known in asked)


def _all(several: Iterable[Q]) -> Q:
    return reduce(and_, several, EVERYONE)


def _any(several: Iterable[Q]) -> Q:
    return reduce(or_, several, NOBODY)
