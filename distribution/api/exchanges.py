"""`exchanges/`: a code becomes coupons."""

from typing import Annotated

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import Field, StringConstraints

from coupons.api.callers import Caller
from coupons.api.door import Door, answer_once, once, read
from coupons.api.outgoing import CouponsOut, Problem
from coupons.queries import catalogue
from distribution.api.claims import ClaimIn, ip_of, where_of
from distribution.exchanging import exchange

CodeText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=100),
    Field(description="As it was typed: case, full width, spaces and hyphens do not matter."),
]


class ExchangeIn(ClaimIn):
    code: CodeText


class Exchanges(Door):
    who = {"POST": frozenset({"customer", "issue"})}

    @extend_schema(
        operation_id="exchanges_create",
        request=ExchangeIn,
        responses={201: CouponsOut, 409: Problem, 429: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Exchange a code. Unknown, used up and closed codes get one and the same `code_invalid`; after ten of them in
        ten minutes the account is asked to wait (429 with `Retry-After`)."""
        body = read(request, ExchangeIn)
        customer = caller.customer_for(body.customer)
        kept = once(request, caller)
        where = where_of(body, ip_of(body, request, caller))
        now = catalogue.business_now()
        return answer_once(kept, lambda: exchange(body.code, customer, now, where, by=caller.name, once=kept))
