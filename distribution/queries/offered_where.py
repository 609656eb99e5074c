"""Where templates are offered, and what is wrong among the offers of one placement: told to the checker."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from coupons import checking
from coupons.checking import Case, Finding, Placed, Witness
from coupons.models import CouponTemplate
from coupons.refused import Refused
from coupons.rules import Client
from distribution.models import Offer, Placement

Channel = Placement.Channel
#: What customers hold in hand in channels that belong to one client.
CLIENTS = {
    Channel.WECHAT_FOLLOW: frozenset({Client.WECHAT.value, Client.MINI_PROGRAM.value}),
    Channel.OPEN_PLATFORM: frozenset({Client.OPEN_PLATFORM.value}),
}


def placed(offer: Offer) -> Placed:
    placement = offer.placement
    return Placed(
        key=placement.key,
        name=str(placement),
        audience=offer.audience,
        starts_at=placement.campaign.starts_at,
        ends_at=placement.campaign.ends_at,
        clients=CLIENTS.get(Channel(placement.channel), frozenset()),
    )


@checking.register_source
def offers_of(template: CouponTemplate) -> Iterator[Placed]:
    """Every placement that offers it and has not ended."""
    offers = Offer.objects.filter(template=template).exclude(placement__status=Placement.Status.ENDED)
    yield from map(placed, offers.select_related("placement__campaign", "audience"))


@checking.register
def neighbours(case: Case, witness: Witness | None) -> Iterator[Finding]:
    """Offers of one placement that stand in each other's way."""
    if not case.placed.key or witness is None:
        return
    mine = case.template
    offers = list(
        Offer.objects.filter(placement__key=case.placed.key)
        .select_related("template", "placement", "audience")
        .order_by("position", "id")
    )
    ranks = [
        rank
        for rank, offer in enumerate(offers)
        if offer.template_id == mine.pk and offer.audience == case.placed.audience
    ]
    before = offers[: ranks[0]] if ranks else []
    for other in before:
        same_group = mine.exclusive_group is not None and mine.exclusive_group == other.template.exclusive_group
        both_new = mine.newcomer and other.template.newcomer
        if other.template_id != mine.pk and other.placement.pick == Placement.Pick.ALL and (same_group or both_new):
            field = "newcomer" if both_new else "exclusive_group"
            sentence = _("Whoever gets %(other)s by the same placement cannot get this one beside it.")
            yield Finding("excluded_by_neighbour", "warning", sentence % {"other": other.template}, (field,))
    if before and before[0].placement.pick == Placement.Pick.FIRST:
        open_to_all = [
            other
            for other in before
            if other.audience is None
            and not (other.template.claim_conditions or other.template.claim_cities or other.template.release)
        ]
        if open_to_all:
            yield Finding(
                "never_reached",
                "warning",
                _("%(other)s stands before it and suits everybody: this one is given only when that one is gone.")
                % {"other": open_to_all[0].template},
                ("offers",),
            )


def check(placement: Placement) -> None:
    """Nobody is offered what they could never use.  :raises Refused: ``check_failed`` with a reason for each error."""
    reasons: list[dict[str, Any]] = []
    for offer in placement.offers.select_related("template__budget", "placement__campaign", "audience"):
        verdict = checking.verdict(offer.template, placed(offer))
        reasons += [
            {**finding.as_reason(), "placement": placement.key, "template": offer.template.key}
            for finding in verdict.errors
        ]
    if reasons:
        raise Refused("check_failed", reasons)
