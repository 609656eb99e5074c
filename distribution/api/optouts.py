"""`opt-outs/`: whether a customer wants to be written to."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel

from coupons.api.callers import Caller
from coupons.api.door import Door, answer, read
from coupons.api.outgoing import Problem
from coupons.api.shapes import Key, Shape
from coupons.models import Customer
from coupons.queries import catalogue
from coupons.refused import Refused
from distribution import reminding


class OptOutIn(Shape):
    customer: Key | None = None
    opted_out: bool


class OptOutOut(BaseModel):
    customer: str
    opted_out: bool


class OptOuts(Door):
    who = {"POST": frozenset({"customer", "profile"})}

    @extend_schema(operation_id="opt_outs_tell", request=OptOutIn, responses={200: OptOutOut, 404: Problem})
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Say that a customer wants no reminders and no word of coupons that come unasked, or wants them again. Said
        twice, it stays as it is."""
        body = read(request, OptOutIn)
        key = caller.customer_for(body.customer)
        customer = Customer.objects.filter(key=key).first()
        if customer is None:
            raise Refused("not_found")
        reminding.opt_out(customer, body.opted_out, now=catalogue.business_now(), by=caller.name)
        return answer({"customer": key, "opted_out": body.opted_out})
