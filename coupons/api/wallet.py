"""`coupons/`: the wallet."""

from datetime import datetime
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema

from coupons import showing, sights
from coupons.api.callers import Caller
from coupons.api.door import Door, answer
from coupons.api.outgoing import CouponPage, OneCouponOut
from coupons.api.pages import Way, page_size, page_url, where_from
from coupons.queries import catalogue, wallet
from coupons.refused import Invalid, Refused


class Wallet(Door):
    who = {"GET": frozenset({"customer", "read"})}

    @extend_schema(
        operation_id="coupons_list",
        parameters=[
            OpenApiParameter("status", enum=wallet.STATUSES),
            OpenApiParameter("customer", description="Named by a system; a customer's own call goes without."),
            OpenApiParameter("cursor"),
            OpenApiParameter("page_size", int),
        ],
        responses=CouponPage,
    )
    def get(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """A customer's coupons, newest first."""
        customer = caller.customer_for(request.GET.get("customer"))
        status = request.GET.get("status") or None
        if status is not None and status not in wallet.STATUSES:
            choices = ", ".join(wallet.STATUSES)
            raise Invalid.of("status", "invalid_choice", _("One of: %(choices)s.") % {"choices": choices})
        size = page_size(request)
        now = catalogue.business_now()
        book = catalogue.current()
        coupons, newer, older = wallet.page(customer, now, status=status, size=size, **where_from(request, _id))
        body = b'{"next":%b,"previous":%b,"results":%b}' % (
            _link(request, "after", coupons[-1].id) if coupons and older else b"null",
            _link(request, "before", coupons[0].id) if coupons and newer else b"null",
            wallet.coupons_bytes(coupons, book, now, wallet.hindrances(customer, coupons, book, now)),
        )
        sights.shown([coupon.id.int for coupon in coupons], now)
        return answer(body)


class OneCoupon(Door):
    who = {"GET": frozenset({"customer", "read"})}

    @extend_schema(
        operation_id="coupons_get",
        parameters=[
            OpenApiParameter("customer", description="A system may name the customer."),
            OpenApiParameter("show", bool, description="true: with what to show to a counter now."),
        ],
        responses=OneCouponOut,
    )
    def get(self, request: HttpRequest, caller: Caller, id: str) -> HttpResponse:
        """One coupon."""
        named = request.GET.get("customer")
        customer = None if caller.customer is None and named is None else caller.customer_for(named)
        try:
            coupon = wallet.one(customer, UUID(id))
        except ValueError:
            coupon = None
        if coupon is None:
            raise Refused("not_found")
        now = catalogue.business_now()
        book = catalogue.current()
        against = {} if customer is None else wallet.hindrances(customer, [coupon], book, now)
        template = book.templates([coupon.template_id])[coupon.template_id]
        said = wallet.with_hindrances(coupon, template, against, now)
        if request.GET.get("show") == "true":
            said = b'%b,"presentation":%b}' % (said[:-1], _presentation(coupon, now))
        if customer is not None:
            sights.shown([coupon.id.int], now)
        return answer(said)


def _presentation(coupon: wallet.Held, now: datetime) -> bytes:
    if wallet.status_at(coupon.status, coupon.valid_until, coupon.held_until, now) != "available":
        return b"null"
    return orjson.dumps(showing.show(coupon.id, now)._asdict())


def _id(name: bytes) -> UUID:
    return UUID(bytes=name)


def _link(request: HttpRequest, way: Way, coupon: UUID) -> bytes:
    return orjson.dumps(page_url(request, way, coupon.bytes))
