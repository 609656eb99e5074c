"""Which language is spoken: operators choose (cookie), callers of the API ask (Accept-Language)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import translation
from django.utils.translation.trans_real import parse_accept_lang_header

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

CHINESE, ENGLISH = "zh-hans", "en"


class OperatorsChoice:
    """Pages speak the language in the operator's cookie, Simplified Chinese at first; not the browser's wish."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        chosen = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME)
        language = chosen if chosen in (CHINESE, ENGLISH) else CHINESE
        with translation.override(language):
            request.LANGUAGE_CODE = language
            response = self.get_response(request)
        response.headers.setdefault("Content-Language", language)
        return response


@lru_cache(maxsize=512)
def asked_for(accept_language: str) -> str:
    """The first language of the header that we speak; any Chinese is ours; Simplified Chinese if there is none."""
    for name, _quality in parse_accept_lang_header(accept_language):
        if name == "*" or name.split("-")[0] == "zh":
            return CHINESE
        if name.split("-")[0] == "en":
            return ENGLISH
    return CHINESE
