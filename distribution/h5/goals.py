"""Where a visitor goes by signing in: a claim page, a friend's packet, a code, the wallet. Named, never an address."""

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from coupons.queries import catalogue
from coupons.refused import Refused
from distribution import sharing
from distribution.h5 import exchange, shares
from distribution.h5.door import HOME, Visitor
from distribution.h5.pages import claim_for
from distribution.models import ClaimPage, Placement
from distribution.queries import pages

WALLET, MINE = "wallet", gettext_lazy("My coupons")
#: No address of a page has a full stop.
SHARE, EXCHANGE = "share.", "exchange."


@dataclass(frozen=True)
class Goal:
    """``name``: as it stands in forms; ``claim``: takes what is there; ``page``: whose looks the way there has."""

    name: str
    address: str
    claim: Callable[[HttpRequest, Visitor], HttpResponse] | None = None
    page: ClaimPage | None = None
    with_wechat: bool = True
    title: str | Promise = MINE


def goal_of(name: str) -> Goal:
    """What is not known, or not open to customers, leads to the wallet."""
    wallet = Goal(WALLET, reverse("h5-wallet"))
    if "\0" in name:
        return wallet
    if name.startswith(SHARE):
        token = name.removeprefix(SHARE)
        try:
            sharing.find(token)
        except Refused:
            return wallet
        return Goal(
            name,
            shares.address_of(token),
            lambda request, visitor: shares.take_for(request, token, visitor),
            title=gettext_lazy("A red packet for you"),
        )
    if name.startswith(EXCHANGE):
        return Goal(name, exchange.address_of(name.removeprefix(EXCHANGE)), title=gettext_lazy("Exchange a code"))
    found = pages.find(catalogue.current(), name) if name else None
    if found is None or found.placement.status == Placement.Status.DRAFT:
        return wallet
    return Goal(
        found.row.slug,
        f"{HOME}{found.row.slug}/",
        lambda request, visitor: claim_for(request, found, visitor),
        found.row,
        found.row.with_wechat,
        found.row.title,
    )
