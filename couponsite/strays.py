"""Where the web itself says no to a page: in the look of the place that somebody was at, in their language.

What went wrong on our side is said by ``500.html``, which needs nothing that may be broken.
"""

from collections.abc import Callable

import psycopg
from django.db import DataError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from couponsite.problems import OF_THE_WEB
from distribution.h5 import door


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, 400, _("Not understood"), str(OF_THE_WEB[400][1]))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return _said(request, 404, _("Not found"), _("There is no page at this address."))


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    """As a rule a page from before somebody signed in or out, or a browser without cookies."""
    return _said(request, 403, _("Not sent"), _("Nothing was changed. Open the page anew, then try again."))


def _said(request: HttpRequest, status: int, title: str, sentence: str) -> HttpResponse:
    if request.path_info.startswith(door.HOME):
        return door.door(lambda asked: door.no(asked, sentence, status))(request)
    home = "counter:page" if request.path_info.startswith("/counter/") else "admin:index"
    context = {"title": title, "sentence": sentence, "home": reverse(home)}
    return render(request, "couponsite/stray.html", context, status=status)


class Untypable:
    """A NUL, which nobody types and no text of the database holds: where no form complained of it, the request is
    not understood."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, DataError | psycopg.DataError) and "NUL" in str(exception):
            return bad_request(request, exception)
        return None
