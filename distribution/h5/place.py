"""Where a visitor is: asked for on the page where a refusal for want of it can be mended there."""

from collections.abc import Iterable, Mapping
from typing import Any

from coupons.models import City
from distribution.queries.pages import CompiledPage


def is_all(reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Nothing else stands in the way: a city may be chosen anew, a position is where one is."""
    found = list(reasons)
    return bool(found) and all(reason["code"] == "cities" or _wants_position(reason) for reason in found)


def _wants_position(reason: Mapping[str, Any]) -> bool:
    """An area's refusal for want of one, or that of an audience that asks for an area and else for nothing unknown."""
    return bool(reason.get("unknown")) and (reason["code"] == "areas" or reason.get("missing") == ["areas"])


def asked(reasons: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """For the page: ``cities`` to choose from and whether a ``position`` helps, after a refusal."""
    found = list(reasons)
    wanted = {city for reason in found if reason["code"] == "cities" for city in reason["wanted"]["any_of"]}
    return {
        "cities": _named(wanted),
        "position": any(map(_wants_position, found)),
    }


def asked_by(found: CompiledPage) -> dict[str, Any]:
    """As :func:`asked`, by what a claim page offers."""
    outer = [rule for offer in found.placement.offers for rule in offer.rules]
    rules = [*outer, *(inner for rule in outer for inner in rule.parts())]
    wanted = {city for offer in found.placement.offers for city in offer.template.row.claim_cities}
    wanted |= {city for rule in rules if rule.code == "cities" for city in rule.answers["any_of"]}
    return {"cities": _named(wanted), "position": any(rule.code == "areas" for rule in rules)}


def _named(keys: set[str]) -> list[City]:
    return list(City.objects.filter(pk__in=keys).order_by("pk")) if keys else []
