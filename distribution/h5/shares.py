"""裂变: a friend's packet, opened on a phone: how much is left, who took what, and one's own part of it."""

from typing import Any
from uuid import UUID, uuid4

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from coupons import answers, refusals
from coupons.answers import Once, fingerprint
from coupons.models import Customer
from coupons.queries import catalogue, wallet
from coupons.queries.wording import yuan
from coupons.refused import Refused
from distribution import sharing
from distribution.h5 import door, place
from distribution.h5.cards import card
from distribution.h5.door import Visitor
from distribution.h5.looks import stylesheet
from distribution.h5.pages import others


def address_of(token: str) -> str:
    return reverse("h5-share", args=[token])


@require_safe
@door.door
def show(request: HttpRequest, token: str) -> HttpResponse:
    return _page(request, token, door.visitor_of(request))


@require_POST
@door.door
def take(request: HttpRequest, token: str) -> HttpResponse:
    """Signed in: one's part. Else the way there, and one's part afterwards."""
    visitor = door.visitor_of(request)
    if visitor is None:
        return HttpResponseRedirect(f"{reverse('h5-sign-in')}?{urlencode({'to': f'share.{token}', 'claim': '1'})}")
    return take_for(request, token, visitor)


def take_for(request: HttpRequest, token: str, visitor: Visitor) -> HttpResponse:
    by, now = f"customer:{visitor.customer}", catalogue.business_now()
    key = door.once_of(request)
    once = Once(by, f"h5:{key}", fingerprint("POST", address_of(token), b""))
    try:
        sharing.take(token, visitor.customer, now, door.where(request, door.city_of(request)), by=by, once=once)
    except Refused as no:
        if no.code == "not_found":
            raise
        if answers.find(once) is None:
            return _page(request, token, visitor, refused=no)
        refusals.take_back(no)
    return HttpResponseRedirect(address_of(token), status=303)


def _page(request: HttpRequest, token: str, visitor: Visitor | None, refused: Refused | None = None) -> HttpResponse:
    now, book = catalogue.business_now(), catalogue.current()
    packet = sharing.find(token)
    asking = visitor.customer if visitor else None
    told = sharing.told(packet, now, asking)
    found = wallet.one(asking, UUID(told["mine"]["coupon"])) if told["mine"] else None
    sharer = Customer.objects.filter(key=packet.sharer).values_list("nickname", flat=True).first() or ""
    reasons = [dict(reason) for reason in refused.reasons] if refused else []
    can_be_mended = place.is_all(reasons)
    context: dict[str, Any] = {
        "packet": told,
        "sharer": sharing.masked(sharer) if sharer else "",
        "coupon": card(found, book, now) if found else None,
        "stylesheet": stylesheet(None, book.templates([found.template_id]).values()) if found else None,
        "sum": _money(told["pot_fen"]),
        "mine": _money(told["mine"]["amount_fen"]) if told["mine"] else "",
        "takes": [(one, _money(one["amount_fen"])) for one in told["takes"]],
        "refused": reasons,
        "may_take": told["state"] == "open"
        and not told["mine"]
        and (not told["yours"] or packet.plan.sharer_takes)
        and (refused is None or can_be_mended),
        **(place.asked(reasons) if can_be_mended else {}),
        "others": others(book, asking or "", now) if (refused or told["state"] != "open") and not told["mine"] else [],
        "visitor": visitor,  # who may have signed in by this very request
        "address": request.build_absolute_uri(address_of(token)),
        "token": token,
        "once": uuid4(),
    }
    return door.page(request, "distribution/h5/share.html", context, status=refused.status if refused else 200)


def _money(fen: int) -> str:
    return f"¥{yuan(fen)}"
