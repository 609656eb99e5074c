"""`coupons/`: the wallet."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema

from coupons.api.callers import Caller
from coupons.api.door import Door, answer
from coupons.api.pages import page_size, page_url
from coupons.api.outgoing import CouponOut, CouponPage
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
            raise Invalid.of("status", "invalid_choice", _("One of: %(choices)s.") % {"choices": ", ".join(wallet.STATUSES)})
        size = page_size(request)
        now = catalogue.business_now()
        coupons, more = wallet.page(customer, now, status=status, after=_after(request), size=size)
        following = _following(request, coupons[-1].id) if more else None
        body = b'{"next":%b,"previous":null,"results":%b}' % (
            b"null" if following is None else b'"%b"' % following.encode(),
            wallet.coupons_bytes(coupons, catalogue.current(), now),
        )
        return answer(body)


class OneCoupon(Door):
    who = {"GET": frozenset({"customer", "read"})}

    @extend_schema(
        operation_id="coupons_get",
        parameters=[OpenApiParameter("customer", description="A system may name the customer.")],
        responses=CouponOut,
    )
    def get(self, request: HttpRequest, caller: Caller, id: str) -> HttpResponse:
        """One coupon."""
        named = request.GET.get("customer")
        customer = caller.customer_for(named) if caller.customer or named else None
        try:
            coupon = wallet.one(customer, UUID(id))
        except ValueError:
            coupon = None
        if coupon is None:
            raise Refused("not_found")
        now = catalogue.business_now()
        templates = catalogue.current().templates([coupon.template_id])
        return answer(wallet.coupon_bytes(coupon, templates[coupon.template_id], now))


def _after(request: HttpRequest) -> UUID | None:
    cursor = request.GET.get("cursor")
    if not cursor:
        return None
    try:
        return UUID(bytes=urlsafe_b64decode(cursor + "=="))
    except ValueError:
        raise Invalid.of("cursor", "invalid", _("Not a cursor of this list.")) from None


def _following(request: HttpRequest, last: UUID) -> str:
    return page_url(request, urlsafe_b64encode(last.bytes).decode().rstrip("="))
