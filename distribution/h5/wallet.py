"""卡包: what a visitor has in hand, and each coupon with what the counter scans."""

from io import BytesIO
from typing import Any
from uuid import UUID

import segno
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from coupons import showing
from coupons.queries import catalogue, wallet
from coupons.queries.catalogue import Book, CompiledTemplate
from coupons.queries.wallet import Held
from distribution.h5 import door
from distribution.h5.cards import card
from distribution.h5.looks import stylesheet
from distribution.h5.pages import others
from distribution.queries import pages
from distribution.signing_in import accounts

#: What each tab holds, by the coupons' statuses.
TABS = {"available": ("held", "available"), "used": ("redeemed",), "expired": ("expired", "void")}
ON_A_PAGE = 20


@require_safe
@door.door
def show(request: HttpRequest) -> HttpResponse:
    visitor = door.visitor_of(request)
    if visitor is None:
        return HttpResponseRedirect(f"{reverse('h5-sign-in')}?to=wallet")
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "available"
    after = _uuid(request.GET.get("after", ""))
    now, book = catalogue.business_now(), catalogue.current()
    found: list[tuple[Held, dict[int, list[dict[str, Any]]]]] = []
    for customer in accounts(visitor.phone):
        theirs = [
            coupon
            for status in TABS[tab]
            for coupon in wallet.page(customer, now, status=status, size=ON_A_PAGE + 1, after=after)[0]
        ]
        against = wallet.hindrances(customer, theirs, book, now)  # each account has facts of its own
        found += [(coupon, against) for coupon in theirs]
    found.sort(key=lambda pair: pair[0].id, reverse=True)
    context = {
        "tab": tab,
        "tabs": TABS,
        "cards": [card(coupon, book, now, against) for coupon, against in found[:ON_A_PAGE]],
        "after": found[ON_A_PAGE - 1][0].id if len(found) > ON_A_PAGE else None,
        "stylesheet": stylesheet(None, _templates(book, [coupon for coupon, _against in found])),
        "others": others(book, visitor.customer, now) if tab == "available" else [],
    }
    return door.page(request, "distribution/h5/wallet.html", context)


@require_safe
@door.door
def one(request: HttpRequest, id: UUID) -> HttpResponse:
    found = _own(request, id)
    if found is None:
        return HttpResponseRedirect(f"{reverse('h5-sign-in')}?to=wallet")
    customer, coupon = found
    book, now = catalogue.current(), catalogue.business_now()
    context = {
        "card": card(coupon, book, now, wallet.hindrances(customer, [coupon], book, now)),
        "stylesheet": stylesheet(None, _templates(book, [coupon])),
        "page_of": page_of.row if (page_of := pages.of_placement(book, coupon.placement)) else None,
    }
    return door.page(request, "distribution/h5/coupon.html", context)


@require_safe
@door.door
def picture(request: HttpRequest, id: UUID) -> HttpResponse:
    """The QR code of this minute. A picture of it is soon worth nothing."""
    found, now = _own(request, id), catalogue.business_now()
    if found is None:
        raise Http404
    _customer, coupon = found
    if wallet.status_at(coupon.status, coupon.valid_until, coupon.held_until, now) != "available":
        raise Http404
    drawn = segno.make(showing.show(id, now).token, micro=False, error="m")
    image = BytesIO()
    drawn.save(image, kind="svg", scale=8, border=2)
    return HttpResponse(image.getvalue(), content_type="image/svg+xml")


def _templates(book: Book, held: list[Held]) -> list[CompiledTemplate]:
    ids = {coupon.template_id for coupon in held}
    known = book.templates(ids)
    return [known[id] for id in ids]


def _own(request: HttpRequest, id: UUID) -> tuple[str, Held] | None:
    """The visitor's coupon and whose it is; None: nobody has signed in.  :raises Http404: it is none of theirs."""
    visitor = door.visitor_of(request)
    if visitor is None:
        return None
    for customer in accounts(visitor.phone):
        if found := wallet.one(customer, id):
            return customer, found
    raise Http404


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
