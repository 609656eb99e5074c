"""What the demo has no account for: a phone on which messages arrive, and WeChat, as far as its sign-in goes.

Served only where ``STAND_INS`` is set, which the demo does: whoever sees the phone sees everybody's codes.
"""

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from distribution.h5 import door

#: What WeChat knows of those who try the demo: openid and nickname.
PEOPLE = {"lin": "林小满🌸", "ajie": "阿杰", "nana": "娜娜 Nana"}
SHOWN = 30


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


def _say(said: dict[str, Any]) -> HttpResponse:
    """As WeChat does: JSON that calls itself text/plain."""
    return HttpResponse(json.dumps(said, ensure_ascii=False).encode(), content_type="text/plain")


urlpatterns = [
    path("phone/", phone, name="stand-in-phone"),
    path("wechat/connect/oauth2/authorize", authorize),
    path("wechat/sns/oauth2/access_token", token),
    path("wechat/sns/userinfo", person),
]
