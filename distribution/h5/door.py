"""What all H5 pages have in common: the visitor, the language, a strict policy for the browser, the shape of a "no".

Visitors are known by a signed cookie of their own below ``/h5/``; the operators' session has no part in it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.utils.http import urlencode
from django.utils.translation import get_language
from django.utils.translation.trans_real import parse_accept_lang_header

from coupons.api.callers import address_of
from coupons.queries import catalogue
from coupons.refused import SENTENCES, Refused
from coupons.rules.situation import Client
from distribution.claiming import Where
from distribution.signing_in import Proved, Stranger

HOME = "/h5/"
SESSION, STRANGER, SOURCE, LANGUAGE = "h5_session", "h5_stranger", "h5_source", "h5_language"
SESSION_SECONDS, STRANGER_SECONDS, SOURCE_SECONDS, LANGUAGE_SECONDS = 7 * 86400, 1800, 7 * 86400, 365 * 86400
#: What an address keeps when the language is changed.
KEPT = ("to", "claim", "tab", "text")
POLICY = "; ".join(
    [
        "default-src 'none'",
        "img-src 'self' data:",
        "style-src 'self'",
        "script-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


@dataclass(frozen=True)
class Visitor:
    """Who has proved their phone number in this browser; ``nickname`` as WeChat told it."""

    phone: str
    customer: str
    nickname: str = ""

    @property
    def called(self) -> str:
        return self.nickname or f"{self.phone.removeprefix('+86')[:3]}****{self.phone[-4:]}"


View = Callable[..., HttpResponse]


def door(view: View) -> View:
    """A page: in the visitor's language, a refusal as a page, nothing from elsewhere let in."""

    @wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        language = spoken(request)
        with translation.override(language):
            try:
                response = view(request, *args, **kwargs)
            except Refused as refused:
                response = no(request, str(refused.detail), refused.status)
            except Http404:
                response = no(request, str(SENTENCES["not_found"]), 404)
        if "lang" in request.GET:
            keep(response, LANGUAGE, language, LANGUAGE_SECONDS)
        response.headers["Content-Language"] = language
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return opened


def spoken(request: HttpRequest) -> str:
    """The language that the visitor chose, else the browser's, else Chinese."""
    chosen = request.GET.get("lang") or request.COOKIES.get(LANGUAGE, "")
    known = dict(settings.LANGUAGES)
    if chosen in known:
        return chosen
    for name, _quality in parse_accept_lang_header(request.META.get("HTTP_ACCEPT_LANGUAGE", "")[:200]):
        if name.startswith(("zh", "en")):
            return "en" if name.startswith("en") else settings.LANGUAGE_CODE
    return settings.LANGUAGE_CODE


def no(request: HttpRequest, sentence: str, status: int) -> HttpResponse:
    return page(request, "distribution/h5/no.html", {"sentence": sentence}, status=status)


def page(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    asked = {**request.GET.dict(), **request.POST.dict()}
    kept = {name: asked[name] for name in KEPT if name in asked}
    usual = {
        "visitor": visitor_of(request),
        "language": get_language(),
        "switch": urlencode({**kept, "lang": "zh-hans" if get_language() == "en" else "en"}),
    }
    return render(request, name, {**usual, **context}, status=status)


# --- who it is -----------------------------------------------------------------------------------------------------


def visitor_of(request: HttpRequest) -> Visitor | None:
    told = _read(request, SESSION, SESSION_SECONDS)
    return Visitor(*told) if told else None


def let_in(response: HttpResponse, proved: Proved, nickname: str = "") -> None:
    _write(response, SESSION, [proved.phone, proved.customer, nickname], SESSION_SECONDS)
    response.delete_cookie(STRANGER, path=HOME)


def let_out(response: HttpResponse) -> None:
    for name in (SESSION, STRANGER):
        response.delete_cookie(name, path=HOME)


def stranger_of(request: HttpRequest) -> Stranger | None:
    told = _read(request, STRANGER, STRANGER_SECONDS)
    return Stranger(*told) if told else None


def remember_stranger(response: HttpResponse, stranger: Stranger) -> None:
    _write(response, STRANGER, list(stranger), STRANGER_SECONDS)


def keep(response: HttpResponse, name: str, value: str, seconds: int) -> None:
    response.set_cookie(
        name, value, max_age=seconds, path=HOME, secure=settings.SESSION_COOKIE_SECURE, httponly=True, samesite="Lax"
    )


def _read(request: HttpRequest, name: str, seconds: int) -> list[str] | None:
    cookie = request.COOKIES.get(name)
    if not cookie:
        return None
    try:
        return signing.loads(cookie, salt=name, max_age=seconds)
    except signing.BadSignature:
        return None


def _write(response: HttpResponse, name: str, value: list[str], seconds: int) -> None:
    keep(response, name, signing.dumps(value, salt=name), seconds)


def city_of(request: HttpRequest) -> str | None:
    """What was chosen from a list of ours."""
    city = request.POST.get("city", "")
    return city if city in catalogue.current().cities else None


def once_of(request: HttpRequest) -> str:
    """What the page that was sent calls itself, so that sent twice it is done once; odd words are as good as none."""
    said = request.POST.get("once", "")[:64]
    return said if said.isascii() and said.isprintable() and said else str(uuid4())


def where(request: HttpRequest, city: str | None = None) -> Where:
    """Through what the visitor came, as far as a browser tells, and whence; where they are, if they shared it."""
    agent, client = request.META.get("HTTP_USER_AGENT", ""), None
    if "MicroMessenger" in agent:
        client = Client.MINI_PROGRAM if "miniProgram" in agent else Client.WECHAT
    return Where(client, city, _position(request), ip=address_of(request))


def _position(request: HttpRequest) -> tuple[float, float] | None:
    """Browsers tell WGS-84."""
    try:
        lat, lng = float(request.POST.get("lat", "")), float(request.POST.get("lng", ""))
    except ValueError:
        return None
    return (lat, lng) if abs(lat) <= 90 and abs(lng) <= 180 else None
