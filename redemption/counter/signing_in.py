"""Who stands at the counter: accounts and a cookie of their own, apart from the back office's sessions and rights."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Concatenate, ParamSpec

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from coupons.refused import Refused
from redemption.models import Clerk

COOKIE, PATH = "counter", "/counter/"
SALT = "redemption.counter.session"
SECONDS = 12 * 3600

Rest = ParamSpec("Rest")


def sign_in(request: HttpRequest, username: str, password: str, now: datetime) -> Clerk:
    """:raises Refused: "sign_in_wrong", alike for whoever is unknown, switched off or mistyped; "sign_in_locked"."""
    username = username.strip().lower()[:40]
    credentials = {"username": f"counter:{username}"}  # among the failed sign-ins, and no user of that name
    if not AxesProxyHandler.is_allowed(request, credentials):
        request.axes_locked_out = False  # type: ignore[attr-defined]  # the counter says it itself
        raise Refused("sign_in_locked")
    clerk = _active().filter(username=username).first()
    if clerk is None:
        make_password(password)  # takes as long as a check
    if clerk is None or not clerk.has_password(password):
        AxesProxyHandler.user_login_failed(sender=Clerk, credentials=credentials, request=request)
        request.axes_locked_out = False  # type: ignore[attr-defined]
        raise Refused("sign_in_wrong")
    AxesProxyHandler.reset_attempts(username=credentials["username"])
    clerk.signed_in_at = now
    clerk.save(update_fields=["signed_in_at"])
    return clerk


def remember(response: HttpResponse, clerk: Clerk) -> None:
    response.set_cookie(
        COOKIE,
        signing.dumps([clerk.pk, clerk.session_mark], salt=SALT),
        max_age=SECONDS,
        path=PATH,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Strict",
    )


def forget(response: HttpResponse) -> None:
    response.delete_cookie(COOKIE, path=PATH, samesite="Strict")


def whoever(request: HttpRequest) -> Clerk | None:
    """Who signed in on this phone. Another password, a switched-off account or a closed shop ends it at once."""
    try:
        pk, mark = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT, max_age=SECONDS)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    clerk = _active().filter(pk=pk).first()
    return clerk if clerk and constant_time_compare(clerk.session_mark, mark) else None


def for_clerks(
    door: Callable[Concatenate[HttpRequest, Clerk, Rest], HttpResponse],
) -> Callable[Concatenate[HttpRequest, Rest], HttpResponse]:
    """:raises Refused: "not_authenticated"."""

    @wraps(door)
    def entered(request: HttpRequest, *args: Rest.args, **kwargs: Rest.kwargs) -> HttpResponse:
        clerk = whoever(request)
        if clerk is None:
            raise Refused("not_authenticated")
        return door(request, clerk, *args, **kwargs)

    return entered


def _active() -> QuerySet[Clerk]:
    return Clerk.objects.select_related("shop", "shop__merchant").filter(is_active=True, shop__is_active=True)
