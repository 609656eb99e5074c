"""What the counter's page asks. Each door reads, makes one step call and shapes the answer; a "no" is JSON, too."""

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth.password_validation import validate_password
from django.core import signing
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_GET, require_POST

from coupons.answers import Reply
from coupons.api.shapes import MAX_FEN, Shape, read
from coupons.models import Coupon
from coupons.queries import catalogue
from coupons.refused import Invalid, Refused
from redemption import scanning
from redemption.counter import signing_in
from redemption.counter.signing_in import for_clerks
from redemption.counter.words import WORDS
from redemption.models import Clerk, CounterUse, Redemption

#: The page needs nothing from anywhere else, and no script or style of it stands within the page.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self';"
    " media-src 'self' blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SALT, TICKET_SECONDS = "redemption.counter.ticket", 15 * 60
LAST = timedelta(seconds=1)  # a day that ends at midnight reads as its own last minute
Page = Callable[..., HttpResponse]


class LookIn(Shape):
    text: str


class BillIn(Shape):
    ticket: str
    bill_fen: int


class TakeIn(BillIn):
    key: str


class UndoIn(Shape):
    id: str


def guarded(door: Page) -> Page:
    @wraps(door)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = door(request, *args, **kwargs)
        except Refused as no:
            response = _json({"code": no.code, "detail": no.detail, "reasons": no.reasons}, no.status)
        except Invalid as no:
            response = _json({"code": no.code, "detail": no.errors[0]["detail"], "reasons": []}, no.status)
        response["Content-Security-Policy"] = POLICY
        response["Permissions-Policy"] = "camera=(self)"
        response["Cache-Control"] = "no-store"
        return response

    return answered


# --- pages ---------------------------------------------------------------------------------------------------------


@guarded
@ensure_csrf_cookie
@require_GET
def page(request: HttpRequest) -> HttpResponse:
    clerk = signing_in.whoever(request)
    if clerk is None:
        return redirect("counter:sign-in")
    words = {name: str(words) for name, words in WORDS.items()}
    return render(request, "redemption/counter/counter.html", {"clerk": clerk, "words": words, "lang": get_language()})


@guarded
def sign_in(request: HttpRequest) -> HttpResponse:
    said = {"username": "", "detail": ""}
    if request.method == "POST":
        said["username"] = request.POST.get("username", "")
        try:
            clerk = signing_in.sign_in(request, said["username"], request.POST.get("password", ""), timezone.now())
        except Refused as no:
            said["detail"] = str(no.detail)
        else:
            response: HttpResponse = redirect("counter:page")
            signing_in.remember(response, clerk)
            return response
    elif signing_in.whoever(request):
        return redirect("counter:page")
    status = 403 if said["detail"] else 200
    return render(request, "redemption/counter/sign_in.html", {**said, "lang": get_language()}, status=status)


@guarded
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    response = redirect("counter:sign-in")
    signing_in.forget(response)
    return response


@guarded
def password(request: HttpRequest) -> HttpResponse:
    """The own password, by whoever knows it."""
    clerk = signing_in.whoever(request)
    if clerk is None:
        return redirect("counter:sign-in")
    details: list[str] = []
    if request.method == "POST":
        new = request.POST.get("new", "")
        if not clerk.has_password(request.POST.get("old", "")):
            details = [_("This is not your present password.")]
        else:
            try:
                validate_password(new)
            except ValidationError as weak:
                details = weak.messages
        if not details:
            clerk.set_password(new)
            clerk.save(update_fields=["password"])
            response = redirect("counter:page")
            signing_in.remember(response, clerk)
            return response
    context = {"details": details, "clerk": clerk, "lang": get_language()}
    return render(request, "redemption/counter/password.html", context, status=403 if details else 200)


# --- what the page asks --------------------------------------------------------------------------------------------


@guarded
@require_POST
@for_clerks
def look(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    said = read(LookIn, request.body)
    shown = scanning.look(clerk, said.text[:200], catalogue.business_now())
    face = shown.template.face()
    return _json(
        {
            "ticket": signing.dumps([clerk.pk, shown.coupon.pk.hex], salt=SALT),
            "name": face["name"],
            "short": face["wording"]["short"],
            "rules": face["wording"]["rules"],
            "status": Coupon.Status(shown.status).label,
            "until": f"{timezone.localtime(shown.coupon.valid_until - LAST):%Y-%m-%d %H:%M}",
            "reasons": shown.reasons,
        }
    )


@guarded
@require_POST
@for_clerks
def price(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    said = read(BillIn, request.body)
    discount, payable = scanning.price(clerk, _coupon(clerk, said), _bill(said), catalogue.business_now())
    return _json({"discount_fen": discount, "payable_fen": payable})


@guarded
@require_POST
@for_clerks
def take(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    said = read(TakeIn, request.body)
    coupon = _coupon(clerk, said)
    return _outcome(scanning.take(clerk, coupon, _bill(said), _key(said), catalogue.business_now()))


@guarded
@require_POST
@for_clerks
def settle(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    """After silence: did it go through? What did not is told "never", and never will.

    Whoever stands at the shop's counter by now may ask, also of what somebody before them sent.
    """
    said = read(TakeIn, request.body)
    holder, coupon = _ticket(said, fresh=False)
    sender = clerk if holder == clerk.pk else Clerk.objects.filter(pk=holder, shop=clerk.shop).first()
    if sender is None:
        raise Refused("ticket_stale")
    return _outcome(scanning.settle(sender, coupon, _bill(said), _key(said), catalogue.business_now()))


@guarded
@require_POST
@for_clerks
def undo(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    said = read(UndoIn, request.body)
    try:
        id = UUID(said.id)
    except ValueError:
        raise Refused("not_found") from None
    use = scanning.undo(clerk, id, catalogue.business_now())
    return _json({**_row(use, catalogue.business_now()), "comes_back": scanning.comes_back(use)})


@guarded
@require_GET
@for_clerks
def today(request: HttpRequest, clerk: Clerk) -> HttpResponse:
    now = catalogue.business_now()
    today = scanning.today(clerk.shop, now)
    rows = [_row(use, now) for use in today.uses]
    return _json({"uses": rows, "count": today.use_count, "discount_fen": today.discount_fen})


def _row(use: CounterUse, now: Any) -> dict[str, Any]:
    redemption = use.redemption
    stands = redemption.status == Redemption.Status.REDEEMED
    seconds = max(0, int((use.at + scanning.UNDO - now).total_seconds())) if stands else 0
    return {
        "id": str(use.pk),
        "at": f"{timezone.localtime(use.at):%H:%M}",
        "clerk": use.clerk.name,
        "bill_fen": use.bill_fen,
        "discount_fen": redemption.discount_fen,
        "state": "done" if stands else "undone" if use.undone_at else "returned",
        "undo_seconds": seconds,
        "comes_back": bool(seconds) and scanning.comes_back(use),
    }


def _outcome(reply: Reply) -> HttpResponse:
    body = orjson.loads(reply.body)
    if reply.status == 410:
        return _json({"state": "never"})
    return _json(
        {
            "state": "done",
            "id": body["id"],
            "discount_fen": body["discount_fen"],
            "payable_fen": body["payable_fen"],
            "replayed": reply.replayed,
        }
    )


def _coupon(clerk: Clerk, said: BillIn) -> UUID:
    """The coupon that this clerk looked at.  :raises Refused: "ticket_stale"."""
    holder, coupon = _ticket(said, fresh=True)
    if holder != clerk.pk:
        raise Refused("ticket_stale")
    return coupon


def _ticket(said: BillIn, *, fresh: bool) -> tuple[int, UUID]:
    """Who looked at which coupon.  :raises Refused: "ticket_stale"."""
    try:
        holder, coupon = signing.loads(said.ticket, salt=SALT, max_age=TICKET_SECONDS if fresh else None)
    except (signing.BadSignature, ValueError, TypeError):
        raise Refused("ticket_stale") from None
    return holder, UUID(hex=coupon)


def _bill(said: BillIn) -> int:
    if not 0 < said.bill_fen <= MAX_FEN:
        raise Invalid.of("bill_fen", "too_small", _("An amount such as 20 or 20.50, at most two decimals."))
    return said.bill_fen


def _key(said: TakeIn) -> str:
    if not (8 <= len(said.key) <= 36 and said.key.isascii() and said.key.isprintable()):
        raise Refused("idempotency_key_invalid")
    return said.key


def _json(data: Any, status: int = 200) -> HttpResponse:
    return HttpResponse(orjson.dumps(data, default=str), status=status, content_type="application/json")
