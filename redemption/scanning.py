"""商户端核销: a coupon that somebody shows at a shop's counter, what it takes off the bill, taken once; and undone.

The bill is an order of one line, sold by the shop's merchant where the shop is, by the client "counter". Quote and
redemption are the same as everywhere. A coupon of another merchant is not there for this one.
"""

import unicodedata
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.db.models import Count, F, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import answers, showing
from coupons.answers import Once, Reply, do_once
from coupons.models import Coupon
from coupons.queries import catalogue
from coupons.queries.catalogue import CompiledTemplate
from coupons.queries.wallet import status_at
from coupons.refused import Refused
from coupons.rules import Client
from coupons.rules.reversal import outcome
from redemption.models import Clerk, CounterUse, Redemption, Shop
from redemption.pricing import Line
from redemption.queries.basket import Basket
from redemption.queries.reasons import reason
from redemption.quoting import quote
from redemption.redeeming import redeem
from redemption.returning import roll_back

#: How long a use at the counter can be undone there.
UNDO = timedelta(minutes=10)
MOST_LISTED = 500
#: A bill that meets every threshold: to ask what else speaks against a coupon.
_ANY_BILL = 10**11


class Shown(NamedTuple):
    """A coupon on the counter. ``reasons``: why it cannot be used here and now, whatever the bill."""

    coupon: Coupon
    template: CompiledTemplate
    status: str
    reasons: list[dict[str, Any]]


def look(clerk: Clerk, text: str, now: datetime) -> Shown:
    """What was scanned off a screen, or the code as it was typed.

    :raises Refused: "not_found": unknown, or another merchant's; "showing_stale".
    """
    text = unicodedata.normalize("NFKC", text).strip()
    if showing.is_shown(text):
        coupon = _theirs(clerk.shop, pk=showing.read(text, now))
    else:
        coupon = _theirs(clerk.shop, code=text.upper().replace(" ", "").replace("-", ""))
    template = catalogue.current().templates([coupon.template_id])[coupon.template_id]
    status = status_at(coupon.status, coupon.valid_until, coupon.held_until, now)
    found = quote(_bill(clerk.shop, coupon, _ANY_BILL, "look", now), now, [coupon.pk])
    reasons = [no for one in found["unusable"] for no in one["reasons"]]
    use = CounterUse.objects.select_related("clerk").filter(pk=coupon.redemption_id, shop=clerk.shop).first()
    if use is not None:  # the other till, or a tap whose answer was lost
        words = {"time": f"{timezone.localtime(use.at):%m-%d %H:%M}", "name": use.clerk.name}
        reasons = [reason("already_redeemed", _("That was here: %(time)s, %(name)s") % words)]
    return Shown(coupon, template, status, reasons)


def price(clerk: Clerk, coupon_id: UUID, bill_fen: int, now: datetime) -> tuple[int, int]:
    """What the coupon takes off this bill, and what is left to pay.

    :raises Refused: "not_found", or what speaks against it.
    """
    coupon = _theirs(clerk.shop, pk=coupon_id)
    found = quote(_bill(clerk.shop, coupon, bill_fen, "look", now), now, [coupon.pk])
    if found["unusable"]:
        reasons = found["unusable"][0]["reasons"]
        raise Refused(reasons[0]["code"], reasons)
    return found["best"]["discount_fen"], found["best"]["payable_fen"]


def key_of(clerk: Clerk, key: str, coupon_id: UUID, bill_fen: int) -> Once:
    """``key`` was made by the page before it asked, so that a repeated tap is the same call."""
    said = answers.fingerprint("POST", "counter", b"%b %d" % (coupon_id.bytes, bill_fen))
    return Once(clerk.by, f"counter:{key}", said)


def take(clerk: Clerk, coupon_id: UUID, bill_fen: int, key: str, now: datetime) -> Reply:
    """Redeem the coupon for this bill; a second time with the same key is the first time.

    :raises Refused: "not_found", or what speaks against it.
    """
    once = key_of(clerk, key, coupon_id, bill_fen)

    def act() -> Reply:
        coupon = _theirs(clerk.shop, pk=coupon_id)
        bill = _bill(clerk.shop, coupon, bill_fen, key, now)
        reply = redeem(bill, [coupon.pk], captures=True, now=now, by=clerk.by, once=once)
        if not reply.replayed:
            CounterUse.objects.create(
                redemption_id=UUID(orjson.loads(reply.body)["id"]),
                shop=clerk.shop,
                clerk=clerk,
                at=now,
                bill_fen=bill_fen,
            )
        return reply

    try:
        return do_once(None, now, act)
    except Refused:
        found = answers.find(once)
        if found is None:
            raise
        return found


def settle(clerk: Clerk, coupon_id: UUID, bill_fen: int, key: str, now: datetime) -> Reply:
    """Whether :func:`take` with this key went through. If it did not, it never will: the key is used up (410)."""
    once = key_of(clerk, key, coupon_id, bill_fen)
    return do_once(once, now, lambda: Reply(410, b'{"status": "never"}'))


def comes_back(use: CounterUse) -> bool:
    """Whether the coupon is the customer's again once this is undone, or was: by its template's table."""
    coupon = Coupon.objects.get(pk=use.redemption.coupons[0])
    if use.undone_at is not None:
        return coupon.redemption_id != use.pk and coupon.status not in ("void", "expired")
    template = catalogue.current().templates([coupon.template_id])[coupon.template_id].row
    return outcome(template.reversal, template.returns_on_rollback, "cancelled") != "stays"


def undo(clerk: Clerk, redemption_id: UUID, now: datetime) -> CounterUse:
    """A use of the own shop, taken back while it is fresh. Said twice, done once.

    :raises Refused: "not_found", "undo_too_late".
    """

    def act() -> Reply:
        use = CounterUse.objects.select_for_update().filter(pk=redemption_id, shop=clerk.shop).first()
        if use is None:
            raise Refused("not_found")
        if use.undone_at is None:
            if now >= use.at + UNDO:
                raise Refused("undo_too_late")
            roll_back(use.pk, now=now, by=clerk.by, case="cancelled")
            use.undone_at = now
            use.save(update_fields=["undone_at"])
        return Reply(200, b"{}")

    do_once(None, now, act)
    return CounterUse.objects.get(pk=redemption_id)


class Today(NamedTuple):
    """``uses``: the newest first, with those of before midnight that can still be undone. What stands of the business
    day is all in ``use_count`` and ``discount_fen``.
    """

    uses: list[CounterUse]
    use_count: int
    discount_fen: int


def today(shop: Shop, now: datetime) -> Today:
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    uses = CounterUse.objects.filter(shop=shop, at__lt=midnight + timedelta(days=1))
    fresh = uses.filter(at__gte=min(midnight, now - UNDO)).select_related("redemption", "clerk").order_by("-at")
    sums = uses.filter(at__gte=midnight, redemption__status=Redemption.Status.REDEEMED).aggregate(
        count=Count("pk"), fen=Sum(F("redemption__discount_fen") - F("redemption__returned_fen"))
    )
    return Today(list(fresh[:MOST_LISTED]), sums["count"], sums["fen"] or 0)


def _theirs(shop: Shop, **which: Any) -> Coupon:
    """A coupon that this shop may redeem: its merchant's own, or the platform's where it takes those."""
    no = Refused("not_found", detail=_("There is no such coupon, or it is not for this shop."))
    coupon = Coupon.objects.select_related("customer").filter(**which).first()
    if coupon is None:
        raise no
    template = catalogue.current().templates([coupon.template_id])[coupon.template_id].row
    merchants = template.scope.get("merchants") or ()
    others = (merchants and shop.merchant_id not in merchants) or template.merchant_id not in (None, shop.merchant_id)
    own = template.merchant_id == shop.merchant_id or shop.merchant_id in merchants
    if others or not (own or shop.takes_platform_coupons):
        raise no
    return coupon


def _bill(shop: Shop, coupon: Coupon, bill_fen: int, key: str, now: datetime) -> Basket:
    return Basket(
        key=f"counter-{shop.pk}-{key}",
        customer=coupon.customer.key,
        placed_at=now,
        client=Client.COUNTER.value,
        business_mode=shop.business_mode,
        business_line=shop.business_line,
        city=shop.city_id,
        position=shop.position,
        lines=(Line("bill", shop.category_id, shop.merchant_id, None, bill_fen, 1),),
        shipping_fen=0,
    )
