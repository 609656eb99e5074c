"""Whom each offer fits, chunk by chunk: asked when a binding is looked over and again when it gives."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple

from django.db.models import Q
from django.db.models.expressions import RawSQL

from coupons.conditions.audiences import members
from coupons.models import Customer
from coupons.queries import catalogue
from coupons.refused import Refused
from coupons.rules import Profile, Situation
from distribution.models import Binding, Placement
from distribution.queries import placements, risk
from distribution.queries.placements import CompiledOffer, CompiledPlacement


class Turn(NamedTuple):
    """One offer's turn with a chunk: whom its rules fit, and what is said of the others."""

    offer: CompiledOffer
    fitting: list[int]
    others: dict[int, str]


def turns(
    placement: CompiledPlacement, situation: Situation, open_lines: Iterable[tuple[int, int, int]], given: set[int]
) -> Iterator[Turn]:
    """Offers in their order, each for those whose turn it is; ``given`` are those who have something by then."""
    lines = list(open_lines)
    total, low = sum(offer.weight for offer in placement.offers), 0
    had: dict[int, set[int]] = {}  # of each template: offered to several audiences, it is given once
    for offer in placement.offers:
        if placement.pick == Placement.Pick.RANDOM:
            mine = [customer for _number, customer, luck in lines if low <= luck % total < low + offer.weight]
            low += offer.weight
        elif placement.pick == Placement.Pick.ALL:
            earlier = had.get(offer.template.id, set())
            mine = [customer for _number, customer, _luck in lines if customer not in earlier]
        else:
            mine = [customer for _number, customer, _luck in lines if customer not in given]
        closed = placements.refused_by_rules(replace(offer, rules=()), Profile(None, ""), situation)
        if closed is not None:
            yield Turn(offer, [], dict.fromkeys(mine, closed.code))
            continue
        fitting = _fitting(offer, mine, situation)
        others = dict.fromkeys(set(mine) - fitting, "conditions_unmet")
        barred = _in_control_group(placement, fitting)
        others |= dict.fromkeys(barred, "in_control_group")
        risky = risk.among(fitting - barred, situation.now, catalogue.current())
        others |= dict.fromkeys(risky, "risk_refused")
        had.setdefault(offer.template.id, set()).update(fitting)
        yield Turn(offer, sorted(fitting - barred - risky), others)


def _fitting(offer: CompiledOffer, customers: list[int], situation: Situation) -> set[int]:
    if not offer.rules:
        return set(customers)
    inside, _outside = members(offer.rules, situation)
    return set(Customer.objects.filter(inside, id__in=customers).values_list("id", flat=True))


def _in_control_group(placement: CompiledPlacement, customers: set[int]) -> set[int]:
    campaign = placement.row.campaign
    if placement.control is None:
        return set()
    drawn = RawSQL(
        "distribution_in_control_group(%s, %s, coupons_customer.key)",
        (campaign.control_secret, campaign.control_percent),
    )
    found = Customer.objects.filter(id__in=customers).annotate(drawn=drawn).filter(Q(drawn=True))
    return set(found.values_list("id", flat=True))


def compiled(binding: Binding) -> tuple[int, CompiledPlacement]:
    catalogue.forget()
    book = catalogue.current()
    found = placements.find(book, binding.placement.key)
    if found is None:
        raise Refused("not_found")
    return book.version, found
