"""What the demo has no account for: a phone on which messages arrive, WeChat as far as its sign-in goes, a CRM that
is told of coupons' moves.

Served only where ``STAND_INS`` is set, which the demo does: whoever sees the phone sees everybody's codes.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from coupons import webhooks
from coupons.models import Subscription
from distribution.h5 import door

#: What WeChat knows of those who try the demo: openid and nickname.
PEOPLE = {"lin": "林小满🌸", "ajie": "阿杰", "nana": "娜娜 Nana"}
SHOWN = 30
#: The CRM's name among the webhooks, and where it listens.
CRM, CRM_PATH = "CRM", "/stand-in/crm/"


@require_safe
@door.door
def phone(request: HttpRequest) -> HttpResponse:
    home = Path(settings.MESSAGE_RECORD)
    lines = home.read_text().splitlines()[-SHOWN:] if home.exists() else []
    arrived = [json.loads(line) for line in reversed(lines)]
    response = door.page(request, "couponsite/stand_in_phone.html", {"arrived": arrived})
    response.headers["Refresh"] = "4"
    return response


@require_safe
@door.door
def authorize(request: HttpRequest) -> HttpResponse:
    """Who in WeChat opens the page? It goes back to our own sign-in alone."""
    back = request.GET.get("redirect_uri", "")
    if back != request.build_absolute_uri(reverse("h5-wechat-back")):
        raise Http404
    people = [
        (nickname, f"{back}?{urlencode({'code': openid, 'state': request.GET.get('state', '')})}")
        for openid, nickname in PEOPLE.items()
    ]
    return door.page(request, "couponsite/stand_in_wechat.html", {"people": people})


@require_safe
def token(request: HttpRequest) -> HttpResponse:
    code = request.GET.get("code", "")
    if code not in PEOPLE or request.GET.get("secret") != settings.WECHAT_SECRET:
        return _say({"errcode": 40029, "errmsg": "invalid code"})
    return _say({"access_token": f"token-{code}", "openid": f"demo-{code}", "expires_in": 7200})


@require_safe
def person(request: HttpRequest) -> HttpResponse:
    who = request.GET.get("access_token", "").removeprefix("token-")
    if who not in PEOPLE:
        return _say({"errcode": 40001, "errmsg": "invalid credential"})
    return _say({"openid": f"demo-{who}", "nickname": PEOPLE[who], "unionid": f"union-{who}"})


@csrf_exempt
@require_POST
def crm(request: HttpRequest) -> HttpResponse:
    """Believes what bears a signature by its secret and is new: 204; else 401, as receivers are told to do."""
    sent = request.headers.get("Webhook-Timestamp", "")
    known = Subscription.objects.filter(name=CRM).first()
    if known is None or not (sent.isdecimal() and abs(timezone.now().timestamp() - int(sent)) < 300):
        return HttpResponse(status=401)
    due = webhooks.sign(known.secret, request.headers.get("Webhook-Id", ""), int(sent), request.body)
    return HttpResponse(status=204 if due in request.headers.get("Webhook-Signature", "").split() else 401)


def _say(said: dict[str, Any]) -> HttpResponse:
    """As WeChat does: JSON that calls itself text/plain."""
    return HttpResponse(json.dumps(said, ensure_ascii=False).encode(), content_type="text/plain")


urlpatterns = [
    path("phone/", phone, name="stand-in-phone"),
    path("wechat/connect/oauth2/authorize", authorize),
    path("wechat/sns/oauth2/access_token", token),
    path("wechat/sns/userinfo", person),
    path("crm/", crm),
]
