"""From a placement straight on to the tool of its form, set up for it; and the call that takes what it offers."""

import json
from typing import Any, NamedTuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from distribution.admin import qr
from distribution.h5 import exchange
from distribution.models import Binding, ClaimPage, CodeBatch, Placement, SharePlan, TriggerRule
from distribution.queries import triggers

Form = Placement.Form


class Tool(NamedTuple):
    label: str
    url: str
    icon: str
    main: bool = False


def tools(request: HttpRequest, placement: Placement) -> list[Tool]:
    """What this person may do with it next; the first is where a new placement leads on to."""
    found = [*_of_form(request, placement)]
    if request.user.has_perm("coupons.view_customer"):
        why = f"{reverse('admin:distribution_placement_why')}?placement={placement.key}"
        found.append(Tool(_("Try it as a customer"), why, "science"))
    return found


def _of_form(request: HttpRequest, placement: Placement) -> list[Tool]:
    ended = placement.status == Placement.Status.ENDED
    found = []

    def may(model: str, act: str) -> bool:
        return request.user.has_perm(f"distribution.{act}_{model}") and not (act == "add" and ended)

    def page(model: str, act: str, *args: object) -> str:
        return reverse(f"admin:distribution_{model}_{act}", args=args)

    if placement.channel == Placement.Channel.SHARE:
        plan = SharePlan.objects.filter(placement=placement).first()
        if plan and may("shareplan", "view"):
            found.append(Tool(_("Its share packets"), page("shareplan", "change", plan.pk), "redeem"))
        elif not plan and may("shareplan", "add"):
            address = f"{page('shareplan', 'add')}?placement={placement.pk}"
            found.append(Tool(_("Set up its share packets"), address, "redeem", True))
    match placement.form:
        case Form.CODE:
            batches = CodeBatch.objects.filter(placement=placement).count()
            if may("codebatch", "add"):
                address = f"{page('codebatch', 'add')}?placement={placement.pk}"
                found.append(Tool(_("Make codes"), address, "password", not batches))
            if batches and may("codebatch", "view"):
                address = f"{page('codebatch', 'changelist')}?placement__id__exact={placement.pk}"
                found.append(Tool(_("Batches of codes (%(count)s)") % {"count": batches}, address, "list"))
        case Form.BIND:
            bindings = Binding.objects.filter(placement=placement).count()
            if may("binding", "add"):
                address = f"{page('binding', 'add')}?placement={placement.pk}"
                found.append(Tool(_("Bind to accounts"), address, "person_add", not bindings))
            if bindings and may("binding", "view"):
                address = f"{page('binding', 'changelist')}?placement__id__exact={placement.pk}"
                found.append(Tool(_("Bindings (%(count)s)") % {"count": bindings}, address, "list"))
        case Form.H5:
            claim_page = ClaimPage.objects.filter(placement=placement).first()
            if claim_page and may("claimpage", "view"):
                found.append(Tool(_("H5 page, link and QR"), page("claimpage", "change", claim_page.pk), "qr_code_2"))
            elif not claim_page and may("claimpage", "add"):
                address = f"{page('claimpage', 'add')}?placement={placement.pk}"
                found.append(Tool(_("Make its H5 page"), address, "web", True))
        case Form.TRIGGER:
            rule = TriggerRule.objects.filter(placement=placement).first()
            if rule and may("triggerrule", "view"):
                found.append(Tool(_("Its trigger"), page("triggerrule", "change", rule.pk), "bolt"))
            elif not rule and may("triggerrule", "add"):
                address = f"{page('triggerrule', 'add')}?placement={placement.pk}"
                found.append(Tool(_("Set up its trigger"), address, "bolt", True))
    return found


def link(request: HttpRequest, placement: Placement) -> dict[str, Any]:
    """``address`` and ``pictures`` of the page where customers take what is offered; nothing, where there is none."""
    match placement.form:
        case Form.H5:
            page = ClaimPage.objects.filter(placement=placement).first()
            if page is not None and request.user.has_perm("distribution.view_claimpage"):
                at = [reverse("admin:distribution_claimpage_qr", args=[page.pk, "page", kind]) for kind in qr.TYPES]
                return _link(request.build_absolute_uri(reverse("h5-page", args=[page.slug])), at)
        case Form.CODE:
            shared = CodeBatch.objects.filter(placement=placement, kind="shared", state="ready").first()
            if shared is not None and request.user.has_perm("distribution.view_codebatch"):
                return reached(request, shared)
            return _link(request.build_absolute_uri(exchange.address_of()), [])
    return {}


def reached(request: HttpRequest, batch: CodeBatch) -> dict[str, Any]:
    """A shared code's page, as :func:`link` has it."""
    at = [reverse("admin:distribution_codebatch_qr", args=[batch.pk, kind]) for kind in qr.TYPES]
    return _link(typed_at(request, batch), at)


def typed_at(request: HttpRequest, batch: CodeBatch) -> str:
    """Where a shared code stands in the field already."""
    return request.build_absolute_uri(exchange.address_of(batch.shared_code))


def _link(address: str, pictures: list[str]) -> dict[str, Any]:
    return {"address": address, "pictures": list(zip((kind.upper() for kind in qr.TYPES), pictures, strict=False))}


def call(request: HttpRequest, placement: Placement) -> str:
    """One line for a terminal; empty where no call takes what is offered."""
    match placement.form:
        case Form.API if SharePlan.objects.filter(placement=placement).exists():
            return packet_call(request, placement)
        case Form.API | Form.H5:
            path, body = f"placements/{placement.key}/claims/", '{"customer": "CUSTOMER", "client": "app"}'
        case Form.CODE:
            path, body = "exchanges/", '{"code": "CODE", "customer": "CUSTOMER", "client": "app"}'
        case Form.TRIGGER:
            rule = TriggerRule.objects.filter(placement=placement).first()
            event, at = rule.event if rule else "EVENT", timezone.localtime().isoformat(timespec="seconds")
            said = json.dumps(triggers.example(rule.tests) if rule else {}, ensure_ascii=False)
            path, body = (
                "events/",
                f'{{"event": "{event}", "customer": "CUSTOMER", "occurred_at": "{at}", "data": {said}}}',
            )
        case _:
            return ""
    return _curl(request, path, body)


def packet_call(request: HttpRequest, placement: Placement) -> str:
    """One line for a terminal that makes an order's packet."""
    body = f'{{"placement": "{placement.key}", "order": "ORDER", "customer": "CUSTOMER"}}'
    return _curl(request, "shares/", body)


def _curl(request: HttpRequest, path: str, body: str) -> str:
    address = request.build_absolute_uri(f"/api/v1/{path}")
    body = body.replace("'", "'\\''")
    return (
        f"curl -X POST '{address}' -H 'Authorization: Api-Key KEY' -H 'Content-Type: application/json'"
        f" -H 'Idempotency-Key: 1' -d '{body}'"
    )
