"""The claim page: what is on offer, taking it, and what one got."""

from datetime import datetime
from time import monotonic
from typing import Any, NamedTuple
from uuid import uuid4

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import get_language
from django.views.decorators.http import require_POST, require_safe

from coupons import answers, refusals
from coupons.answers import Once, fingerprint
from coupons.queries import catalogue, wallet
from coupons.queries.catalogue import Book
from coupons.refused import Refused
from distribution import sources
from distribution.claiming import NOWHERE, Where, claim
from distribution.h5 import door, place
from distribution.h5.cards import card, face
from distribution.h5.door import Visitor
from distribution.h5.looks import stylesheet
from distribution.models import ClaimPage, Placement
from distribution.queries import offered, pages
from distribution.queries.pages import CompiledPage
from distribution.queries.placements import refused_as_a_whole

SHOWN_COUPONS, SHOWN_OTHERS = 5, 3
#: How long a process believes what it saw on offer, for visitors who have not signed in.
LOOK_SECONDS = 0.5
SEES_DRAFTS = "distribution.view_claimpage"
MOST_LOOKED = 1000


class Said(NamedTuple):
    """``state`` as the contract has it, or ``paused``; ``unusable``: by template's key, why they could not use it."""

    state: str
    reasons: list[dict[str, Any]] = []
    unusable: dict[str, list[dict[str, Any]]] = {}


class _Look(NamedTuple):
    """``until``: monotonic; ``version``: of the book."""

    until: float
    version: int
    html: str


#: Pages as strangers see them, by address and language.
_looked: dict[tuple[str, str], _Look] = {}


@require_safe
@door.door
def show(request: HttpRequest, slug: str) -> HttpResponse:
    book = catalogue.current()
    found = pages.find(book, slug)
    if found is None:
        raise Http404
    if found.placement.status == Placement.Status.DRAFT:
        return _preview(request, found)
    visitor = door.visitor_of(request)
    if visitor is None:
        response = HttpResponse(_for_strangers(request, book, found))
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Vary"] = "Cookie, Accept-Language"
    else:
        response = _for(request, book, found, visitor)
    source = request.GET.get("s", "")
    if source and sources.read(source, found.row, catalogue.business_now()):
        door.keep(response, door.SOURCE, source, door.SOURCE_SECONDS)
    return response


@require_POST
@door.door
def take(request: HttpRequest, slug: str) -> HttpResponse:
    """Signed in: the claim. Else the way there, and the claim afterwards."""
    found = pages.find(catalogue.current(), slug)
    if found is None or found.placement.status == Placement.Status.DRAFT:
        raise Http404
    visitor = door.visitor_of(request)
    if visitor is None:
        return HttpResponseRedirect(f"{reverse('h5-sign-in')}?to={slug}&claim=1")
    return claim_for(request, found, visitor)


def claim_for(request: HttpRequest, found: CompiledPage, visitor: Visitor) -> HttpResponse:
    """The page with the coupon, or with the reasons why there is none."""
    now = catalogue.business_now()
    link = sources.read(request.COOKIES.get(door.SOURCE, ""), found.row, now)
    key = door.once_of(request)
    address = f"{door.HOME}{found.row.slug}/"
    by = f"customer:{visitor.customer}"
    once = Once(by, f"h5:{key}", fingerprint("POST", address, b""))
    try:
        claim(
            found.placement.key,
            visitor.customer,
            now,
            door.where(request, door.city_of(request)),
            by=by,
            once=once,
            reason=link.reason if link else "",
        )
    except Refused as no:
        if answers.find(once) is None:
            return _for(request, catalogue.current(), found, visitor, refused=no)
        refusals.take_back(no)  # said twice: the first time it was done
    return HttpResponseRedirect(address, status=303)


# --- what is seen --------------------------------------------------------------------------------------------------


def context_of(found: CompiledPage, said: Said, now: datetime) -> dict[str, Any]:
    """What the page says, whoever looks."""
    page, placement = found.row, found.placement
    templates = {offer.template.id: offer.template for offer in placement.offers}
    return {
        "page": page,
        "stylesheet": stylesheet(page, templates.values()),
        "state": said.state,
        "reasons": said.reasons,
        "cards": [
            {**face(template), "unusable": said.unusable.get(template.row.key, ())} for template in templates.values()
        ],
        "pick": placement.pick,
        "starts_at": placement.starts_at if placement.starts_at > now else None,
        "notes": [line for line in page.notes.splitlines() if line.strip()],
    }


def _for_strangers(request: HttpRequest, book: Book, found: CompiledPage) -> str:
    """Everybody who has not signed in sees the same, so it is drawn once for each version and state."""
    address, language = _address(request, found), str(get_language())
    seen = _looked.get((address, language))
    if seen and seen.until > monotonic() and seen.version == book.version:
        return seen.html
    now = catalogue.business_now()
    state = _state(found, None, now).state

    def draw() -> str:
        context = {
            **context_of(found, Said(state), now),
            "others": [] if state == "claimable" else others(book, "", now, found),
            "address": address,
            "origin": _origin(request),
            "language": language,
            "switch": f"lang={'zh-hans' if language == 'en' else 'en'}",
        }
        return render_to_string("distribution/h5/page.html", context)

    html = book.keep(("h5", address, language), draw) if state == "claimable" else draw()
    if len(_looked) > MOST_LOOKED:  # a host of any name may be allowed
        _looked.clear()
    _looked[(address, language)] = _Look(monotonic() + LOOK_SECONDS, book.version, html)
    return html


def _for(
    request: HttpRequest, book: Book, found: CompiledPage, visitor: Visitor, refused: Refused | None = None
) -> HttpResponse:
    now = catalogue.business_now()
    said = _state(found, visitor, now, door.where(request))
    had = wallet.had(visitor.customer, found.placement.key, SHOWN_COUPONS)
    if refused is not None:
        state = refused.code if refused.code == "paused" else "refused"
        said = said._replace(state=state, reasons=[dict(reason) for reason in refused.reasons])
    if said.state == "refused" and place.is_all(said.reasons):
        said = said._replace(state="claimable")
    state = said.state
    context = {
        **context_of(found, said, now),
        "visitor": visitor,  # who may have signed in by this very request
        "address": _address(request, found),
        "origin": _origin(request),
        "coupons": [card(coupon, book, now) for coupon in had],
        **(place.asked_by(found) if state == "claimable" else {}),
        "refused": refused is not None,
        "others": [] if state == "claimable" or had else others(book, visitor.customer, now, found),
        "once": uuid4(),
    }
    return door.page(request, "distribution/h5/page.html", context, status=refused.status if refused else 200)


def _address(request: HttpRequest, found: CompiledPage) -> str:
    return request.build_absolute_uri(f"{door.HOME}{found.row.slug}/")


def _origin(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _state(found: CompiledPage, visitor: Visitor | None, now: datetime, where: Where = NOWHERE) -> Said:
    """For this visitor, or for anybody: what only a customer could be refused for, nobody is refused for yet."""
    whole = refused_as_a_whole(found.placement, now)
    if whole == "paused":
        return Said(whole)
    if not found.placement.offers:
        return Said("ended")
    customer = visitor.customer if visitor else ""
    (said,) = offered.look(catalogue.current(), [found.placement], customer, now, where)
    state, reasons = said["state"], said["reasons"]
    if visitor is None and state in ("refused", "claimed"):
        return Said("claimable")
    return Said(state, reasons, {offer["template"]: offer["unusable"] for offer in said["offers"]})


def others(book: Book, customer: str, now: datetime, but: CompiledPage | None = None) -> list[ClaimPage]:
    """What else there is for this customer; nobody's key: for anybody."""
    rest = [
        page
        for page in pages.live(book)
        if (but is None or page.row.pk != but.row.pk)
        and page.placement.offers
        and not refused_as_a_whole(page.placement, now)
    ]
    said = offered.look(book, [page.placement for page in rest], customer, now, NOWHERE)
    open_ones = ("claimable",) if customer else ("claimable", "refused", "claimed")
    return [page.row for page, one in zip(rest, said, strict=True) if one["state"] in open_ones][:SHOWN_OTHERS]


def _preview(request: HttpRequest, found: CompiledPage) -> HttpResponse:
    """A draft is for operators."""
    if not request.user.has_perm(SEES_DRAFTS):
        raise Http404
    context = {**context_of(found, Said("claimable"), catalogue.business_now()), "preview": True, "draft": True}
    return door.page(request, "distribution/h5/page.html", context)


def forget() -> None:
    """For tests, whose rolled-back versions come again with other contents."""
    _looked.clear()
