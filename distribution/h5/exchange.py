"""兑换码: typed by a visitor, or brought along by the QR code of a shared one; it becomes coupons in their wallet."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods

from coupons.answers import Once, fingerprint
from coupons.queries import catalogue, wallet
from coupons.queries.wallet import Held
from coupons.refused import Refused
from distribution import codes, exchanging
from distribution.h5 import door, place
from distribution.h5.cards import card
from distribution.h5.door import Visitor
from distribution.h5.looks import stylesheet

MOST_TYPED = 100
MOST_SHOWN = 10


def address_of(text: str = "") -> str:
    """``text``: a shared code, which stands in the field when the page is opened."""
    page = reverse("h5-exchange")
    return f"{page}?{urlencode({'text': text})}" if text else page


@require_http_methods(["GET", "HEAD", "POST"])
@door.door
def show(request: HttpRequest) -> HttpResponse:
    visitor = door.visitor_of(request)
    if visitor is None:
        text = codes.normal(request.GET.get("text", "")[:MOST_TYPED])
        return HttpResponseRedirect(f"{reverse('h5-sign-in')}?{urlencode({'to': f'exchange.{text}'})}", status=303)
    if request.method == "POST":
        return _exchange(request, visitor)
    return _page(request, visitor, request.GET.get("text", "")[:MOST_TYPED])


def _exchange(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    typed = request.POST.get("typed", "")[:MOST_TYPED]
    by, key = f"customer:{visitor.customer}", door.once_of(request)
    once = Once(by, f"h5:{key}", fingerprint("POST", address_of(), codes.normal(typed).encode()))
    where = door.where(request, door.city_of(request))
    try:
        reply = exchanging.exchange(typed, visitor.customer, catalogue.business_now(), where, by=by, once=once)
    except Refused as no:
        return _page(request, visitor, typed, no)
    got = [("got", coupon["id"]) for coupon in orjson.loads(reply.body)["coupons"]]
    return HttpResponseRedirect(f"{address_of()}?{urlencode(got)}", status=303)


def _page(request: HttpRequest, visitor: Visitor, typed: str, refused: Refused | None = None) -> HttpResponse:
    now, book = catalogue.business_now(), catalogue.current()
    reasons = [dict(reason) for reason in refused.reasons] if refused else []
    got = list(_got(request, visitor))
    context = {
        "typed": typed,
        "reasons": reasons,
        "cards": [card(coupon, book, now) for coupon in got],
        "stylesheet": stylesheet(None, book.templates([coupon.template_id for coupon in got]).values()),
        "once": uuid4(),
        **place.asked(reasons),
    }
    response = door.page(request, "distribution/h5/exchange.html", context, status=refused.status if refused else 200)
    for name, value in (refused.headers if refused else {}).items():
        response.headers[name] = value
    return response


def _got(request: HttpRequest, visitor: Visitor) -> Iterator[Held]:
    """What the code just became; of the visitor's own alone."""
    for told in request.GET.getlist("got")[:MOST_SHOWN]:
        try:
            id = UUID(told)
        except ValueError:
            continue
        if found := wallet.one(visitor.customer, id):
            yield found
