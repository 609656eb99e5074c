"""`campaigns/`: a whole campaign as one document, in and out."""

import orjson
from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema

from coupons.answers import Reply, do_once
from coupons.api.callers import Caller
from coupons.api.door import Door, answer, answer_once, once, read
from coupons.api.outgoing import Problem
from coupons.queries import catalogue
from coupons.refused import Refused
from distribution.drafting import Document, document_of, results_of, save
from distribution.models import Campaign


class Campaigns(Door):
    who = {"POST": frozenset({"manage"})}

    @extend_schema(
        operation_id="campaigns_save",
        request=Document,
        responses={200: Document, 201: Document, 403: Problem, 409: Problem},
        parameters=[OpenApiParameter("Idempotency-Key", location="header")],
    )
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Make a campaign, or make it what the document says; 201 when it is new.

        The same document twice changes nothing. Changed supply is taken over; changed terms of a template that has
        coupons are refused.
        """
        document = read(request, Document)
        kept = once(request, caller)

        def act() -> Reply:
            campaign, outcome = save(document, may_approve=caller.has("approve"))
            return Reply(201 if outcome == "created" else 200, orjson.dumps(document_of(campaign)))

        return answer_once(kept, lambda: do_once(kept, catalogue.business_now(), act))


class OneCampaign(Door):
    who = {"GET": frozenset({"manage"})}

    @extend_schema(operation_id="campaigns_get", responses=Document)
    def get(self, request: HttpRequest, caller: Caller, key: str) -> HttpResponse:
        """The document that would make it again, and ``results``: the purse, and how many were issued."""
        campaign = Campaign.objects.select_related("budget").filter(key=key).first() if "\0" not in key else None
        if campaign is None:
            raise Refused("not_found")
        return answer({**document_of(campaign), "results": results_of(campaign)})
