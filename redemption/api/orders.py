"""`orders/`: finished orders, told by the systems that know them."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from coupons.api.callers import Caller
from coupons.api.door import Door, answer_once, once, read
from coupons.queries import catalogue
from redemption.api.shapes import OrdersIn, OrdersOut, basket
from redemption.ordering import Told, tell


class Orders(Door):
    who = {"POST": frozenset({"redeem"})}

    @extend_schema(
        operation_id="orders_tell",
        request=OrdersIn,
        responses=OrdersOut,
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Tell up to 1,000 finished orders, with or without a coupon. Telling one twice changes nothing.

        What is wrong with the body's form refuses it whole. A row that makes no sense (an unknown city, another
        customer's order) is an error of its own; the others count.
        """
        body = read(request, OrdersIn)
        now = catalogue.business_now()
        told = []
        for place, order in enumerate(body.orders):
            known = basket(order, order.customer, now, f"orders.{place}")
            finished_at = order.finished_at or min(known.placed_at, now)
            told.append(Told(known, finished_at, order.discount_fen))
        kept = once(request, caller)
        return answer_once(kept, lambda: tell(told, now=now, once=kept))
