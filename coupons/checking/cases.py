"""What is to be proved of one offer: each rule by itself, so that it can be left out and what it says can be told."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from django.core.exceptions import ObjectDoesNotExist
from django.utils.translation import gettext as _

from coupons.models import Audience, CouponTemplate, Supply
from coupons.queries.wording import claim_cities_words, period_words, release_words, validity_words, yuan
from coupons.rules import Condition, compile_rules
from coupons.rules.schedule import Schedule

#: supply: how many there are; dates: when they are given out. Neither promises anything to anybody. promise: the rest.
Sort = Literal["supply", "dates", "promise"]


@dataclass(frozen=True, eq=False)
class Rule:
    """``code``: its path in the form. ``blocks``: nothing can be claimed while it is there."""

    code: str
    words: Callable[[], str]
    sort: Sort = "promise"
    deed: Literal["claim", "use"] = "claim"
    condition: Condition | None = None
    schedule: Schedule | None = None
    blocks: bool = False


@dataclass(frozen=True)
class Placed:
    """How a template is offered: where, to whom, and when. ``clients``: what customers of the channel hold in hand."""

    key: str = ""
    name: str = ""
    audience: Audience | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    ended: bool = False
    clients: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Case:
    """One template as it is offered, from ``now`` (business time zone) on."""

    template: CouponTemplate
    limits: Mapping[str, int | None]
    placed: Placed
    now: datetime
    rules: tuple[Rule, ...] = field(default=())

    @classmethod
    def of(cls, template: CouponTemplate, placed: Placed, now: datetime, limits: Mapping[str, int | None]) -> "Case":
        case = cls(template, limits, placed, now)
        return replace(case, rules=tuple(_rules(case)))

    @property
    def worth_fen(self) -> int:
        """The most a coupon takes off; 0: not known."""
        return self.template.worth_fen or 0

    @property
    def free_fen(self) -> int | None:
        """What the campaign's purse has left for further coupons; None: no end to it."""
        budget = getattr(self.template, "budget", None)
        return None if budget is None else budget.free_fen

    @property
    def issued_count(self) -> int:
        return _supply_of(self.template).issued_count


def _supply_of(template: CouponTemplate) -> Supply:
    try:
        return template.supply
    except ObjectDoesNotExist:  # not saved yet
        return Supply()


def limits_of(template: CouponTemplate) -> dict[str, int | None]:
    supply = _supply_of(template)
    return {name: getattr(supply, name) for name in Supply.LIMITS}


def _rules(case: Case) -> Iterator[Rule]:
    """Those first that matter least, so that a contradiction is told by the others where it can be."""
    template, placed = case.template, case.placed
    yield from _supply(case)
    if placed.ended:
        yield Rule("placement.status", lambda: _("The placement has ended"), "dates", blocks=True)
    if placed.starts_at or placed.ends_at:
        period = placed.starts_at, placed.ends_at
        yield Rule("campaign", lambda: _("The campaign runs %(period)s") % {"period": period_words(*period)}, "dates")
    release = template.release
    if release.get("starts_at") or release.get("ends_at"):
        yield _released(release, "starts_at", "ends_at")
    for name in ("weekdays", "month_days", "hours"):
        if release.get(name):
            yield _released(release, name)
    yield Rule("validity_type", lambda: validity_words(template), "dates")
    if template.claim_cities:
        (cities,) = compile_rules({"cities": {"any_of": template.claim_cities}}, "claim")
        yield Rule("claim_cities", lambda: claim_cities_words(template), condition=cities)
    yield from _conditions("claim_conditions", template.claim_conditions, "claim")
    if placed.audience is not None:
        yield from _conditions("audience.conditions", placed.audience.conditions, "claim")
    yield from _conditions("use_conditions", template.use_conditions, "use")


def _released(release: Mapping[str, Any], *names: str) -> Rule:
    part = {name: release[name] for name in names if release.get(name)}
    dates: Sort = "dates" if "starts_at" in part or "ends_at" in part else "promise"
    code = f"release.{names[0] if len(names) == 1 else 'period'}"
    return Rule(code, lambda: "; ".join(release_words(part)), dates, schedule=Schedule.of(part))


def _conditions(path: str, rules: Mapping[str, Any], deed: Literal["claim", "use"]) -> Iterator[Rule]:
    for condition in compile_rules(rules, deed):
        yield Rule(f"{path}.{condition.code}", condition.wording, deed=deed, condition=condition)


def _supply(case: Case) -> Iterator[Rule]:
    """Limits that leave no room for a single coupon."""
    for name, limit in case.limits.items():
        if limit is None or limit >= (max(case.worth_fen, 1) if name.endswith("_fen") else 1):
            continue
        label = Supply._meta.get_field(name).verbose_name  # type: ignore[union-attr]
        shown = f"¥{yuan(limit)}" if name.endswith("_fen") else str(limit)
        yield Rule(name, lambda label=label, shown=shown: f"{label}: {shown}", "supply", blocks=True)  # type: ignore[misc]
    if case.free_fen is None or case.free_fen >= max(case.worth_fen, 1):
        return
    budget, free = case.template.budget, {"amount": yuan(case.free_fen)}
    if budget.limit_fen == case.free_fen:
        yield Rule("budget", lambda: _("The campaign's budget is ¥%(amount)s") % free, "supply", blocks=True)
    else:
        yield Rule("budget", lambda: _("The campaign's budget has ¥%(amount)s left") % free, "supply", blocks=True)
