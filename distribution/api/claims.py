"""`placements/`: what is on offer here and now, and taking it."""

from typing import Annotated, Any, Literal

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import AfterValidator, BaseModel, Field

from coupons.api import shapes
from coupons.api.callers import Caller, address_of
from coupons.api.door import Door, answer, answer_once, once, read
from coupons.api.outgoing import CouponsOut, DiscountOut, Problem, Reason, WordingOut
from coupons.api.pages import Way, page_size, page_url, where_from
from coupons.api.shapes import CityKey, Client, Key, Position, Shape, Text100, wrong
from coupons.queries import catalogue
from coupons.refused import Invalid
from distribution.claiming import Where, claim
from distribution.models import Placement
from distribution.models.risk import networks_of
from distribution.queries import offered


def _address(said: str) -> str:
    if not networks_of(said):
        raise wrong("invalid_format")
    return said


class ClaimIn(Shape):
    """Where nothing is said, conditions about it are not met."""

    customer: Key | None = None
    client: Client | None = None
    city: CityKey | None = None
    position: Position | None = None
    device: Text100 | None = None
    ip: Annotated[Text100, AfterValidator(_address)] | None = Field(
        None, description="The customer's address, said by a system; a customer's own call comes from where it comes."
    )


#: Said of an offer and of its placement.
UNUSABLE = "Why this customer could not use the coupon now, whatever the order; claimed or not."


class OfferOut(BaseModel):
    template: str
    name: str
    wording: WordingOut
    discount: DiscountOut
    looks: dict[str, Any]
    state: Literal["claimable", "claimed", "sold_out", "not_started", "ended", "refused"]
    reasons: list[Reason]
    unusable: list[Reason] = Field(description=UNUSABLE)


class PlacementOut(BaseModel):
    """Title, wording and looks are those of the offer that the customer would get, or came nearest to."""

    key: str
    channel: str
    form: str
    pick: str
    title: str
    name: str
    wording: WordingOut
    discount: DiscountOut
    looks: dict[str, Any]
    state: Literal["claimable", "claimed", "sold_out", "not_started", "ended", "refused"]
    reasons: list[Reason]
    unusable: list[Reason] = Field(description=UNUSABLE)
    starts_at: str
    ends_at: str
    offers: list[OfferOut]


class PlacementsOut(BaseModel):
    next: str | None
    previous: str | None
    results: list[PlacementOut]


class Claims(Door):
    who = {"POST": frozenset({"customer", "issue"})}

    @extend_schema(
        operation_id="placements_claim",
        request=ClaimIn,
        responses={201: CouponsOut, 409: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller, key: str) -> HttpResponse:
        """Take what this placement offers."""
        body = read(request, ClaimIn)
        customer = caller.customer_for(body.customer)
        kept = once(request, caller)
        where = where_of(body, ip_of(body, request, caller))
        now = catalogue.business_now()
        return answer_once(kept, lambda: claim(key, customer, now, where, by=caller.name, once=kept))


class OnOffer(Door):
    who = {"GET": frozenset({"customer", "issue"})}

    @extend_schema(
        operation_id="placements_list",
        parameters=[
            OpenApiParameter("channel", enum=list(Placement.Channel.values)),
            OpenApiParameter("city", description="GB/T 2260 code."),
            OpenApiParameter("client", enum=["app", "wechat", "mini_program", "open_platform"]),
            OpenApiParameter("customer", description="Named by a system; a customer's own call goes without."),
            OpenApiParameter("device"),
            OpenApiParameter("ip", description="The customer's address, said by a system."),
            OpenApiParameter("lat", float, description="Position, WGS-84."),
            OpenApiParameter("lng", float),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", int),
        ],
        responses=PlacementsOut,
    )
    def get(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """What is on offer here and now, with each offer's state for this customer."""
        customer = caller.customer_for(request.GET.get("customer"))
        channel = request.GET.get("channel") or None
        if channel is not None and channel not in Placement.Channel.values:
            choices = ", ".join(Placement.Channel.values)
            raise Invalid.of("channel", "invalid_choice", _("One of: %(choices)s.") % {"choices": choices})
        asked: dict[str, Any] = {
            name: request.GET[name] for name in ("client", "city", "device", "ip") if request.GET.get(name)
        }
        if request.GET.get("lat") or request.GET.get("lng"):
            asked["position"] = {name: _number(request, name) for name in ("lat", "lng")}
        told = shapes.read(ClaimIn, orjson.dumps(asked))
        page = offered.on_offer(
            catalogue.current(),
            customer,
            channel,
            catalogue.business_now(),
            where_of(told, ip_of(told, request, caller)),
            size=page_size(request),
            **where_from(request, int),
        )
        return answer(
            {
                "next": _link(request, "after", page.next),
                "previous": _link(request, "before", page.previous),
                "results": page.results,
            }
        )


def ip_of(said: ClaimIn, request: HttpRequest, caller: Caller) -> str | None:
    """The customer's address; a system speaks for many customers from one of its own, which is not theirs."""
    return said.ip if caller.customer is None else address_of(request)


def where_of(said: ClaimIn, ip: str | None = None) -> Where:
    """:raises Invalid: there is no such city."""
    if said.city is not None and said.city not in catalogue.current().cities:
        raise Invalid.of("city", "unknown_key", _("There is no such city."))
    return Where(said.client, said.city, said.position.wgs84 if said.position else None, said.device, ip)


def _link(request: HttpRequest, way: Way, placement: int | None) -> str | None:
    return None if placement is None else page_url(request, way, str(placement).encode())


def _number(request: HttpRequest, name: str) -> float:
    try:
        return float(request.GET.get(name, ""))
    except ValueError:
        raise Invalid.of(name, "wrong_type", _("A number.")) from None
