"""Where a visitor is: asked for on the page where a refusal for want of it can be mended there."""

from collections.abc import Iterable, Mapping
from typing import Any

from coupons.conditions.moment import CUSTOM
from coupons.models import City
from coupons.rules import Condition
from distribution.queries.pages import CompiledPage

#: What is known of somebody's place, and what follows from it: an area's position, the weather and customs of a city.
_BY_CITY = frozenset({"cities", "weather", "festivals"})
_OF_PLACE = _BY_CITY | {"areas"}


def is_all(reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Nothing else stands in the way: a city may be chosen anew, a position is where one is."""
    found = list(reasons)
    return bool(found) and all(map(_wants, found))


def _wants(reason: Mapping[str, Any]) -> frozenset[str]:
    """What of the place would help against this refusal, be it that of an audience; nothing where more is unknown."""
    if not reason.get("unknown"):
        return frozenset({"cities"} & {reason["code"]})
    wanted = frozenset(reason.get("missing") or {reason["code"]})
    return wanted if wanted <= _OF_PLACE else frozenset()


def asked(reasons: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """For the page: ``cities`` to choose from and whether a ``position`` helps, after a refusal."""
    found = list(reasons)
    wants = frozenset().union(*map(_wants, found))
    named = {city for reason in found if reason["code"] == "cities" for city in reason["wanted"]["any_of"]}
    return {"cities": _cities(named, any_city=not wants.isdisjoint(_BY_CITY)), "position": "areas" in wants}


def asked_by(found: CompiledPage) -> dict[str, Any]:
    """As :func:`asked`, by what a claim page offers."""
    outer = [rule for offer in found.placement.offers for rule in offer.rules]
    rules = [*outer, *(inner for rule in outer for inner in rule.parts())]
    named = {city for offer in found.placement.offers for city in offer.template.row.claim_cities}
    named |= {city for rule in rules if rule.code == "cities" for city in rule.answers["any_of"]}
    return {
        "cities": _cities(named, any_city=any(map(_asks_for_city, rules))),
        "position": any(rule.code == "areas" for rule in rules),
    }


def _asks_for_city(rule: Condition) -> bool:
    if rule.code == "festivals":
        return any(day.startswith(CUSTOM) for day in rule.answers["any_of"])
    return rule.code == "weather"


def _cities(named: set[str], *, any_city: bool) -> list[City]:
    """Those that are named; where none is and one is wanted, all."""
    if named:
        return list(City.objects.filter(pk__in=named).order_by("pk"))
    return list(City.objects.order_by("pk")) if any_city else []
