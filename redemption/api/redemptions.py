"""`quotes/` and `redemptions/`: what coupons would take off an order, and taking it."""

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from coupons import sights
from coupons.api.callers import Caller
from coupons.api.door import Door, answer, answer_once, once, read
from coupons.api.outgoing import Problem
from coupons.queries import catalogue
from redemption.api.shapes import (
    NothingIn,
    QuoteIn,
    QuoteOut,
    RedemptionIn,
    RedemptionOut,
    RollbackIn,
    RollbackOut,
    basket_of,
    id_of,
    ids,
)
from redemption.quoting import quote
from redemption.redeeming import capture, redeem, release
from redemption.returning import Given, roll_back

KEY = OpenApiParameter("Idempotency-Key", location="header")


class Quotes(Door):
    who = {"POST": frozenset({"customer", "redeem"})}

    @extend_schema(operation_id="quotes", request=QuoteIn, responses=QuoteOut)
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Which coupons fit the order, which do not and why, and which set takes most off."""
        body = read(request, QuoteIn)
        now = catalogue.business_now()
        basket = basket_of(body.order, caller, now)
        found = quote(basket, now, None if body.coupons is None else ids(body.coupons))
        listed = [*found["usable"], *found["unusable"]]
        sights.shown([int(one["coupon"].replace("-", ""), 16) for one in listed], now)
        return answer(orjson.dumps(found, default=str))  # sentences are lazy


class Redemptions(Door):
    who = {"POST": frozenset({"redeem"})}

    @extend_schema(
        operation_id="redemptions_create",
        request=RedemptionIn,
        responses={201: RedemptionOut, 409: Problem},
        parameters=[KEY],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Redeem coupons for an order, or hold them for it. The same order may hold the same coupons again."""
        body = read(request, RedemptionIn)
        now = catalogue.business_now()
        basket = basket_of(body.order, caller, now)
        kept = once(request, caller)

        return answer_once(
            kept, lambda: redeem(basket, ids(body.coupons), captures=body.capture, now=now, by=caller.name, once=kept)
        )


class Capture(Door):
    who = {"POST": frozenset({"redeem"})}

    @extend_schema(
        operation_id="redemptions_capture",
        request=NothingIn,
        responses={200: RedemptionOut, 409: Problem},
        parameters=[KEY],
    )
    def post(self, request: HttpRequest, caller: Caller, id: str) -> HttpResponse:
        """Held → redeemed."""
        read(request, NothingIn)
        kept = once(request, caller)
        now = catalogue.business_now()
        return answer_once(kept, lambda: capture(id_of(id), now=now, by=caller.name, once=kept))


class Release(Door):
    who = {"POST": frozenset({"redeem"})}

    @extend_schema(
        operation_id="redemptions_release",
        request=NothingIn,
        responses={200: RedemptionOut, 409: Problem},
        parameters=[KEY],
    )
    def post(self, request: HttpRequest, caller: Caller, id: str) -> HttpResponse:
        """Held → released; the coupons are available again."""
        read(request, NothingIn)
        kept = once(request, caller)
        now = catalogue.business_now()
        return answer_once(kept, lambda: release(id_of(id), now=now, by=caller.name, once=kept))


class Rollbacks(Door):
    who = {"POST": frozenset({"redeem"})}

    @extend_schema(
        operation_id="redemptions_rollback",
        request=RollbackIn,
        responses={200: RollbackOut, 409: Problem},
        parameters=[KEY],
    )
    def post(self, request: HttpRequest, caller: Caller, id: str) -> HttpResponse:
        """Give back these lines, or all that is left. The coupons come back with the whole order, if they do at all."""
        body = read(request, RollbackIn)
        kept = once(request, caller)
        now = catalogue.business_now()
        lines = None if body.lines is None else [Given(line.id, line.quantity) for line in body.lines]
        return answer_once(
            kept, lambda: roll_back(id_of(id), lines, now=now, by=caller.name, case=body.reason, once=kept)
        )
