"""`shares/`: a packet of an order, its slots taken by friends."""

from typing import Literal

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel

from coupons.api.callers import Caller
from coupons.api.door import Door, answer, answer_once, once, read
from coupons.api.outgoing import CouponsOut, Problem
from coupons.api.shapes import Id, Key, Shape
from coupons.queries import catalogue
from distribution import sharing
from distribution.api.claims import ClaimIn, ip_of, where_of


class ShareIn(Shape):
    """``order``: the order's id at the shop; one packet each."""

    placement: Key
    order: Id
    customer: Key


class MineOut(BaseModel):
    coupon: str
    amount_fen: int


class TakeOut(BaseModel):
    """``name``: masked."""

    name: str
    amount_fen: int
    taken_at: str
    luckiest: bool


class ShareOut(BaseModel):
    """``pot_fen``: the sum of all slots; ``yours``: whoever asks shared it; ``mine``: what they took."""

    token: str
    url: str
    state: Literal["open", "taken", "ended"]
    slots_count: int
    taken_count: int
    pot_fen: int
    ends_at: str
    yours: bool
    mine: MineOut | None
    takes: list[TakeOut]


class Shares(Door):
    who = {"POST": frozenset({"issue"})}

    @extend_schema(
        operation_id="shares_make",
        request=ShareIn,
        responses={201: ShareOut, 409: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """The packet of an order, with the link that its customer shares; asked again, the same one."""
        body = read(request, ShareIn)
        kept = once(request, caller)
        now = catalogue.business_now()
        return answer_once(kept, lambda: sharing.spawn(body.placement, body.order, body.customer, now, once=kept))


class OneShare(Door):
    who = {"GET": frozenset({"customer", "issue"})}

    @extend_schema(
        operation_id="shares_get",
        responses={200: ShareOut, 404: Problem},
        parameters=[OpenApiParameter("customer", description="Named by a system; a customer's own call goes without.")],
    )
    def get(self, request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
        """Who took what so far, by masked names."""
        asking = caller.customer_for(request.GET.get("customer"))
        return answer(sharing.told(sharing.find(token), catalogue.business_now(), asking))


class ShareClaims(Door):
    who = {"POST": frozenset({"customer", "issue"})}

    @extend_schema(
        operation_id="shares_claim",
        request=ClaimIn,
        responses={201: CouponsOut, 409: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller, token: str) -> HttpResponse:
        """Take the next slot, once each."""
        body = read(request, ClaimIn)
        customer = caller.customer_for(body.customer)
        kept = once(request, caller)
        where, now = where_of(body, ip_of(body, request, caller)), catalogue.business_now()
        return answer_once(kept, lambda: sharing.take(token, customer, now, where, by=caller.name, once=kept))
