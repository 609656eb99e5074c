"""Of which cities the weather must be known: those that live rules about the weather name."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Count, Q

from coupons.models import Customer
from distribution.models import Offer, Placement, TriggerRule

#: Where a rule names no city, the weather of so many cities is asked for: those where most customers live.
MOST_CITIES = 100


def watched_cities() -> list[str]:
    """Keys of cities, sorted. Rules of live placements, of what they offer and of coupons that can still be used."""
    named: set[str] = set()
    everywhere = False
    for conditions, cities in _rules():
        if "weather" not in conditions:
            continue
        asked = set(conditions.get("cities", {}).get("any_of", ())) | set(cities)
        everywhere = everywhere or not asked
        named |= asked
    if everywhere:
        homes = Customer.objects.exclude(city=None).values_list("city").annotate(people=Count("pk")).order_by("-people")
        named |= {city for city, _people in homes[:MOST_CITIES]}
    return sorted(named)


def _rules() -> Iterable[tuple[Mapping[str, Any], Iterable[str]]]:
    """Conditions, and the cities to which something beside them keeps them."""
    live = Placement.Status.LIVE
    offers = Offer.objects.filter(placement__status=live, template__status="live").select_related(
        "template", "audience"
    )
    for offer in offers:
        template = offer.template
        yield (
            {**(offer.audience.conditions if offer.audience else {}), **template.claim_conditions},
            (template.claim_cities),
        )
    for conditions, cities in (
        Offer.objects.filter(Q(template__use_conditions__has_key="weather"), ~Q(template__status="draft"))
        .values_list("template__use_conditions", "template__claim_cities")
        .distinct()
    ):
        yield conditions, conditions.get("cities", {}).get("any_of", ()) or cities
    for conditions in TriggerRule.objects.filter(placement__status=live).values_list("conditions", flat=True):
        yield conditions, ()
