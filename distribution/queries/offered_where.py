"""Where templates are offered, and what is wrong among the offers of one placement: told to the checker."""

from collections.abc import Iterator

from coupons import checking
from coupons.checking import Placed
from coupons.models import CouponTemplate
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
