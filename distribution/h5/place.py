"""Where a visitor is: asked for on the page where a refusal for want of it can be mended there."""

from collections.abc import Iterable, Mapping
from typing import Any

from coupons.models import City
from distribution.queries.pages import CompiledPage

#: Conditions that a visitor fulfils by saying where they are.
PLACES = ("cities", "areas")


def is_all(reasons: Iterable[Mapping[str, Any]]) -> bool:
    """Nothing else stands in the way: a city may be chosen anew, a position is where one is."""
    found = list(reasons)
    return bool(found) and all(
        reason["code"] == "cities" or (reason["code"] == "areas" and reason.get("unknown")) for reason in found
    )


def asked(reasons: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """For the page: ``cities`` to choose from and whether a ``position`` helps, after a refusal."""
    found = list(reasons)
    wanted = {city for reason in found if reason["code"] == "cities" for city in reason["wanted"]["any_of"]}
    return {
        "cities": _named(wanted),
        "position": any(reason["code"] == "areas" and reason.get("unknown") for reason in found),
    }


def asked_by(found: CompiledPage) -> dict[str, Any]:
    """As :func:`asked`, by what a claim page offers."""
    rules = [rule for offer in found.placement.offers for rule in offer.rules]
    wanted = {city for offer in found.placement.offers for city in offer.template.row.claim_cities}
    wanted |= {city for rule in rules if rule.code == "cities" for city in rule.answers["any_of"]}
    return {"cities": _named(wanted), "position": any(rule.code == "areas" for rule in rules)}


def _named(keys: set[str]) -> list[City]:
    return list(City.objects.filter(pk__in=keys).order_by("pk")) if keys else []
