"""裂变: an order's customer shares a packet, and friends take its slots, each one, until none is left."""

import secrets
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from coupons.answers import Once, Reply, do_once
from coupons.lifecycle.issuing import Stale
from coupons.models import Customer
from coupons.queries import catalogue
from coupons.queries.catalogue import Book
from coupons.refused import Refused
from distribution import claiming
from distribution.claiming import NOWHERE, Where
from distribution.models import SharePacket, SharePlan, ShareTake
from distribution.queries import cutting, placements
from distribution.queries.placements import CompiledPlacement


def spawn(placement: str, order: str, customer: str, now: datetime, *, once: Once | None = None) -> Reply:
    """The order's packet; 201 with its link. The same order asks again and gets the same packet.

    ``placement`` and ``customer`` are keys, ``order`` the order's id.

    :raises Refused: ``not_found``; ``not_started``, ``paused`` or ``ended``; ``share_impossible``;
        ``not_your_order``: the packet of this order is somebody else's.
    """

    def act() -> Reply:
        book = catalogue.current()
        found = placements.find(book, placement)
        plan = SharePlan.objects.filter(placement__key=placement).first()
        if plan is None or found is None:
            raise Refused("not_found")
        packet = SharePacket.objects.filter(plan=plan, order_key=order).first()
        if packet is None:
            whole = placements.refused_as_a_whole(found, now)
            if whole is not None:
                raise Refused(whole)
            packet = _made(plan, found, order, customer, now)
        if packet.sharer != customer:
            raise Refused("not_your_order")
        return Reply(201, orjson.dumps(told(packet, now)))

    return do_once(once, now, act)


def _made(plan: SharePlan, placement: CompiledPlacement, order: str, customer: str, now: datetime) -> SharePacket:
    offered = {
        offer.template.id: (offer.template.row.amount_fen or 0, offer.weight)
        for offer in placement.offers
        if offer.template.status == "live"
    }
    cut = cutting.of_plan(plan, offered)
    packet = SharePacket(
        token=secrets.token_urlsafe(24),
        plan=plan,
        order_key=order,
        sharer=customer,
        cut=cut.templates,
        faces=cut.faces,
        created_at=now,
        ends_at=min(now + timedelta(hours=plan.hours), placement.ends_at),
    )
    try:
        with transaction.atomic():
            packet.save(force_insert=True)
    except IntegrityError:  # told twice at the same moment
        return SharePacket.objects.get(plan=plan, order_key=order)
    return packet


def take(
    token: str, customer: str, now: datetime, where: Where = NOWHERE, *, by: str, once: Once | None = None
) -> Reply:
    """The next slot, in the customer's hands; 201 with ``{"coupons": […]}``.

    :raises Refused: ``not_found``; ``ended``; ``own_share``; ``customer_limit`` for who has one already; ``sold_out``
        when none is left; what claiming refuses. Nothing is taken then.
    """
    for _attempt in range(4):
        book = catalogue.current()
        try:
            return do_once(once, now, lambda: _take(book, token, customer, now, where, by))  # noqa: B023  run at once
        except Stale:
            catalogue.forget()
    raise Refused("busy")


def _take(book: Book, token: str, customer: str, now: datetime, where: Where, by: str) -> Reply:
    packets = SharePacket.objects.select_related("plan__placement").filter(token=token)
    placement = _open(book, packets.first(), customer, now)
    suits = claiming.suited(placement, customer, now, where)  # which may wait for others: no row is locked yet
    with transaction.atomic():
        packet = packets.select_for_update(no_key=True, of=("self",)).get()
        placement = _open(book, packet, customer, now)
        slot = packet.taken_count
        given = claiming.give(
            book,
            placement,
            customer,
            now,
            where,
            by=by,
            reason=f"share:{packet.order_key}",
            only=packet.cut[slot],
            suits=suits,
        )
        coupon = orjson.loads(given.body)["coupons"][0]["id"]
        ShareTake.objects.create(packet=packet, slot=slot, customer_key=customer, coupon_id=coupon, taken_at=now)
        packet.taken_count = slot + 1
        packet.save(update_fields=["taken_count"])
    return given


def _open(book: Book, packet: SharePacket | None, customer: str, now: datetime) -> CompiledPlacement:
    """What the packet's next slot is taken from.  :raises Refused: there is none for this customer."""
    if packet is None:
        raise Refused("not_found")
    plan = packet.plan
    if now >= packet.ends_at:
        raise Refused("ended")
    if packet.sharer == customer and not plan.sharer_takes:
        raise Refused("own_share")
    if packet.takes.filter(customer_key=customer).exists():
        raise Refused("customer_limit", detail=_("You have taken your part of this packet already."))
    if packet.taken_count >= len(packet.cut):
        raise Refused("sold_out", detail=_("Friends have taken all of this packet."))
    placement = placements.find(book, plan.placement.key)
    if placement is None:
        raise Refused("not_found")
    return placement


def told(packet: SharePacket, now: datetime, asking: str | None = None) -> dict[str, Any]:
    """What a packet says of itself to whoever has its link: who took what, by masked name.

    ``asking``: the key of who asks, to be told whether it is theirs and what they took. ``luckiest`` once all is taken.
    """
    takes = list(packet.takes.all())
    friends = Customer.objects.filter(key__in=[take.customer_key for take in takes])
    names = {friend.key: masked(friend.nickname, friend.phone) for friend in friends.only("key", "nickname", "phone")}
    gone = packet.taken_count >= len(packet.cut)
    best = max(packet.faces)
    first_best = next((take.slot for take in takes if packet.faces[take.slot] == best), None)
    mine = next((take for take in takes if take.customer_key == asking), None)
    return {
        "token": packet.token,
        "url": f"{settings.PUBLIC_URL}/h5/share/{packet.token}/",
        "state": state_of(packet, now),
        "slots_count": len(packet.cut),
        "taken_count": packet.taken_count,
        "pot_fen": packet.pot_fen,
        "ends_at": packet.ends_at.astimezone(now.tzinfo).isoformat(),
        "yours": asking is not None and asking == packet.sharer,
        "mine": None if mine is None else {"coupon": str(mine.coupon_id), "amount_fen": packet.faces[mine.slot]},
        "takes": [
            {
                "name": names.get(take.customer_key, masked("")),
                "amount_fen": packet.faces[take.slot],
                "taken_at": take.taken_at.astimezone(now.tzinfo).isoformat(),
                "luckiest": gone and take.slot == first_best,
            }
            for take in takes
        ],
    }


def state_of(packet: SharePacket, now: datetime) -> str:
    """``open``, ``taken`` (no slot is left) or ``ended``."""
    if packet.taken_count >= len(packet.cut):
        return "taken"
    return "ended" if now >= packet.ends_at else "open"


def masked(nickname: str, phone: str = "") -> str:
    """Enough for friends to know each other, too little for strangers: the phone's end, of whoever has no nickname."""
    return f"{nickname[0]}**" if nickname else f"**{phone[-4:]}"


def find(token: str) -> SharePacket:
    """:raises Refused: ``not_found``."""
    packet = SharePacket.objects.select_related("plan").filter(token=token).first() if "\0" not in token else None
    if packet is None:
        raise Refused("not_found")
    return packet
