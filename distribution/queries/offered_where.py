"""Where templates are offered, and what is wrong among the offers of one placement: told to the checker."""

from collections.abc import Iterator
from typing import Any

from coupons import checking
from coupons.checking import Placed
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
