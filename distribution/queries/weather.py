"""Of which cities the weather must be known: those that live rules about the weather name."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db.models import Count, Q

from coupons.conditions.audiences import Rules, named_by
from coupons.models import Audience, Customer
from distribution.models import Offer, Placement, TriggerRule

#: Where a rule names no city, the weather of so many cities is asked for: those where most customers live.
MOST_CITIES = 100


def watched_cities() -> list[str]:
    """Keys of cities, sorted. Rules of live placements, of what they offer and of coupons that can still be used."""
    named: set[str] = set()
    everywhere = False
    audiences: dict[str, Rules] = dict(Audience.objects.values_list("key", "conditions"))
    for several, cities in _rules():
        kept_to = set(cities).union(*map(_cities_of, several))
        for conditions in several:
            for asked in _about_weather(conditions, kept_to, audiences):
                everywhere = everywhere or not asked
                named |= asked
    if everywhere:
        homes = Customer.objects.exclude(city=None).values_list("city").annotate(people=Count("pk")).order_by("-people")
        named |= {city for city, _people in homes[:MOST_CITIES]}
    return sorted(named)


def _cities_of(conditions: Rules) -> set[str]:
    return set(conditions.get("cities", {}).get("any_of", ()))


def _about_weather(
    conditions: Rules, cities: set[str], audiences: Mapping[str, Rules], above: frozenset[str] = frozenset()
) -> Iterator[set[str]]:
    """For these conditions, and those of audiences that they name, as far as they ask for the weather: the cities to
    which something around them keeps them, else they themselves."""
    cities = cities or _cities_of(conditions)
    if "weather" in conditions:
        yield cities
    for key in named_by(conditions) - above:
        yield from _about_weather(audiences.get(key, {}), cities, audiences, above | {key})


def _rules() -> Iterator[tuple[Sequence[Rules], Iterable[str]]]:
    """Sets of conditions that must all hold, and the cities to which something beside them keeps them."""
    live = Placement.Status.LIVE
    offers = Offer.objects.filter(placement__status=live, template__status="live").select_related(
        "template", "audience"
    )
    for offer in offers:
        audience = offer.audience.conditions if offer.audience else {}
        yield (audience, offer.template.claim_conditions), offer.template.claim_cities
    for conditions, cities in (
        Offer.objects.filter(Q(template__use_conditions__has_key="weather"), ~Q(template__status="draft"))
        .values_list("template__use_conditions", "template__claim_cities")
        .distinct()
    ):
        yield (conditions,), () if _cities_of(conditions) else cities
    for conditions in TriggerRule.objects.filter(placement__status=live).values_list("conditions", flat=True):
        yield (conditions,), ()
