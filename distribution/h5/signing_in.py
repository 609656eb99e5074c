"""登录: a phone number, then the code that was sent to it; or by WeChat, whose account is bound to a number once."""

import hmac
import secrets
from hashlib import blake2b
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from coupons.api.callers import address_of
from coupons.queries import catalogue
from coupons.refused import Invalid, Refused
from distribution import messages, signing_in, wechat
from distribution.h5 import door
from distribution.h5.door import Visitor
from distribution.h5.goals import Goal, goal_of
from distribution.models import Message

WECHAT, WECHAT_SECONDS = "h5_wechat", 600


@require_http_methods(["GET", "HEAD", "POST"])
@door.door
def sign_in(request: HttpRequest) -> HttpResponse:
    """``to``: the page that asked, or the wallet; ``claim``: take what it offers straight away."""
    asked = request.POST if request.method == "POST" else request.GET
    goal, claims = goal_of(asked.get("to", "")), asked.get("claim") == "1"
    form: dict[str, Any] = {
        "to": goal.name,
        "claim": claims,
        "page": goal.page,
        "title": goal.title,
        "phone": asked.get("phone", "")[:30] if request.method == "POST" else "",
        "once": door.once_of(request),
        "stranger": door.stranger_of(request),
        "wechat": wechat.is_set_up() and goal.with_wechat,
        "minutes": signing_in.MINUTES,
        "digits": signing_in.DIGITS,
        "phone_here": reverse("stand-in-phone") if settings.STAND_INS else "",
    }
    if request.method != "POST":
        return _form(request, form)
    try:
        phone = signing_in.number_of(form["phone"])
        if request.POST.get("step") != "code":
            return _send(request, form, phone)
        proved = signing_in.prove(
            phone, request.POST.get("code", "")[:20], now=catalogue.business_now(), stranger=form["stranger"]
        )
    except Invalid as wrong:
        return _form(request, {**form, "errors": {"phone": wrong.errors[0]["detail"]}}, status=wrong.status)
    except Refused as no:
        field = "code" if request.POST.get("step") == "code" else "phone"
        form |= {"errors": {field: no.detail}, "sent": field == "code", "wait": no.reasons[0].get("wait_seconds")}
        return _form(request, form, status=no.status)
    nickname = form["stranger"].nickname if form["stranger"] else ""
    response = _after(request, goal, Visitor(*proved, nickname), claims)
    door.let_in(response, proved, nickname)
    return response


def _send(request: HttpRequest, form: dict[str, Any], phone: str) -> HttpResponse:
    message = signing_in.ask_for_code(phone, now=catalogue.business_now(), address=address_of(request))
    messages.send(message.pk)
    if Message.objects.filter(pk=message.pk, status=Message.Status.FAILED).exists():
        raise Refused("code_unsent")
    return _form(request, {**form, "sent": True, "wait": int(signing_in.LIMITS[0][1].total_seconds())})


def _form(request: HttpRequest, form: dict[str, Any], status: int = 200) -> HttpResponse:
    return door.page(request, "distribution/h5/sign_in.html", form, status)


def _after(request: HttpRequest, goal: Goal, visitor: Visitor, claims: bool) -> HttpResponse:
    if goal.claim and claims:
        return goal.claim(request, visitor)
    return HttpResponseRedirect(goal.address, status=303)


@require_POST
@door.door
def sign_out(request: HttpRequest) -> HttpResponse:
    response = HttpResponseRedirect(goal_of(request.POST.get("to", "")).address, status=303)
    door.let_out(response)
    return response


# --- WeChat --------------------------------------------------------------------------------------------------------


@require_safe
@door.door
def to_wechat(request: HttpRequest) -> HttpResponse:
    if not wechat.is_set_up():
        raise Refused("wechat_failed")
    goal, nonce = goal_of(request.GET.get("to", "")), secrets.token_hex(16)
    back = request.build_absolute_uri(reverse("h5-wechat-back"))
    response = HttpResponseRedirect(wechat.door(back, nonce + _mark(nonce)))
    told = [nonce, goal.name, "1" if request.GET.get("claim") == "1" else ""]
    door.keep(response, WECHAT, signing.dumps(told, salt=WECHAT), WECHAT_SECONDS)
    return response


@require_safe
@door.door
def from_wechat(request: HttpRequest) -> HttpResponse:
    """``state`` must be one of ours, and of this browser: nobody is signed in as somebody else by a link."""
    state = request.GET.get("state", "")
    nonce, mark = state[:32], state[32:]
    try:
        told, to, claims = signing.loads(request.COOKIES.get(WECHAT, ""), salt=WECHAT, max_age=WECHAT_SECONDS)
    except signing.BadSignature:
        raise Refused("wechat_stale") from None
    if not (hmac.compare_digest(mark.encode(), _mark(nonce).encode()) and hmac.compare_digest(told, nonce)):
        raise Refused("wechat_stale")
    if not request.GET.get("code"):
        raise Refused("wechat_failed")
    stranger = wechat.who(request.GET["code"][:128])
    proved = signing_in.by_wechat(stranger)
    if proved:
        response: HttpResponse = HttpResponseRedirect(goal_of(to).address)
        door.let_in(response, proved, stranger.nickname)
    else:
        query = urlencode({"to": to, **({"claim": "1"} if claims else {})})
        response = HttpResponseRedirect(f"{reverse('h5-sign-in')}?{query}")
        door.remember_stranger(response, stranger)
    response.delete_cookie(WECHAT, path=door.HOME)
    return response


def _mark(nonce: str) -> str:
    """Letters and digits alone: WeChat hands nothing else back whole."""
    key = blake2b(settings.SECRET_KEY.encode(), person=b"h5:wechat", digest_size=32).digest()
    return blake2b(nonce.encode(), key=key, digest_size=16).hexdigest()
