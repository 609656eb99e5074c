"""`events/`: the app tells what happened, and is answered with what it set off."""

from datetime import timedelta
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from pydantic import BaseModel, Field

from coupons.api.callers import Caller
from coupons.api.door import Door, answer_once, once, read
from coupons.api.outgoing import CouponOut, Problem, Reason
from coupons.api.shapes import CityKey, Client, JsonObject, Key, Moment, Position, Shape
from coupons.queries import catalogue
from coupons.refused import Invalid
from distribution.models.triggers import EVENT_PATTERN
from distribution.queries.triggers import Event
from distribution.triggering import happen

#: Clocks of phones and servers differ; what lies further ahead than this has not happened.
AHEAD = timedelta(minutes=5)


class EventIn(Shape):
    event: Annotated[str, Field(pattern=EVENT_PATTERN, examples=["app_open", "order_delivered_late"])]
    customer: Key
    occurred_at: Moment
    client: Client | None = None
    city: CityKey | None = None
    position: Position | None = None
    data: JsonObject = {}


class MessageOut(BaseModel):
    channel: str
    template: str


class RefusedOut(BaseModel):
    placement: str
    code: str
    reasons: list[Reason]


class EventOut(BaseModel):
    """``refused``: the rules that the event concerns and that gave nothing, and why."""

    coupons: list[CouponOut]
    messages: list[MessageOut]
    refused: list[RefusedOut]


class Events(Door):
    who = {"POST": frozenset({"issue"})}

    @extend_schema(
        operation_id="events_tell",
        request=EventIn,
        responses={200: EventOut, 422: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Tell what happened; rules give coupons and send messages, and the answer says which."""
        body = read(request, EventIn)
        kept = once(request, caller)
        now = catalogue.business_now()
        if body.occurred_at > now + AHEAD:
            raise Invalid.of("occurred_at", "in_the_future", _("This has not happened yet."))
        if body.city is not None and body.city not in catalogue.current().cities:
            raise Invalid.of("city", "unknown_key", _("There is no such city."))
        position = body.position.wgs84 if body.position else None
        data: dict[str, Any] = body.data
        event = Event(body.event, body.customer, body.occurred_at, body.client, body.city, position, data)
        return answer_once(kept, lambda: happen(event, now, by=caller.name, once=kept))
