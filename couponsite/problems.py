"""The way into the API, and the shape of every "no" that comes out of it (RFC 9457).

Doors and steps only raise. Whatever leaves a view under /api/ as an exception, or as another part's error page,
becomes `application/problem+json` here, in the language that the caller asked for.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import orjson
import psycopg
from django.conf import settings
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import OperationalError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import get_resolver
from django.utils import translation
from django.utils.translation import gettext_lazy
from rest_framework.exceptions import APIException, MethodNotAllowed

from coupons.refused import SENTENCES, Invalid, Refused
from couponsite import language, metrics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from django.urls import ResolverMatch

PROBLEM = "application/problem+json"
log = logging.getLogger("couponsite.problems")

# What the web itself says no to: status → code, sentence. The rest of the codes stand in coupons.refused.
OF_THE_WEB = {
    400: ("bad_request", gettext_lazy("The request cannot be understood.")),
    401: ("not_authenticated", SENTENCES["not_authenticated"]),
    403: ("forbidden", gettext_lazy("This is not allowed.")),
    404: ("not_found", SENTENCES["not_found"]),
    405: ("method_not_allowed", gettext_lazy("This door does not take this method.")),
    406: ("not_acceptable", gettext_lazy("This cannot be given in the form that was asked for.")),
    411: ("length_required", gettext_lazy("Say how long the body is.")),
    413: ("body_too_large", gettext_lazy("The body is too large.")),
    415: ("unsupported_media_type", gettext_lazy("The body must be application/json.")),
    429: ("too_many_requests", gettext_lazy("Too many requests. Wait a little.")),
    500: ("internal_error", gettext_lazy("Something went wrong on our side.")),
    503: ("busy", SENTENCES["busy"]),
}
TITLES = {
    400: gettext_lazy("Bad request"),
    401: gettext_lazy("Not signed in"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Method not allowed"),
    406: gettext_lazy("Not acceptable"),
    409: gettext_lazy("Refused"),
    411: gettext_lazy("Length required"),
    413: gettext_lazy("Too large"),
    415: gettext_lazy("Unsupported media type"),
    422: gettext_lazy("Not processable"),
    429: gettext_lazy("Too many requests"),
    500: gettext_lazy("Internal error"),
    503: gettext_lazy("Unavailable"),
}


class Doors:
    """Requests under /api/ go straight to their view, past everything that only the admin's pages need."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/") and request.path_info != "/api":
            return self.get_response(request)
        spoken = language.asked_for(request.META.get("HTTP_ACCEPT_LANGUAGE", ""))
        with translation.override(spoken), metrics.door(request) as timing:
            try:
                request.get_host()  # raises for a host that is not ours
                _take_in_pieces(request)
                match = request.resolver_match = get_resolver().resolve(request.path_info)
                _must_be_json(request, match)
                response: Any = match.func(request, *match.args, **match.kwargs)
                if not getattr(response, "is_rendered", True):
                    response.render()
            except Exception as exception:
                response = answer_to(exception, request)
            if response.status_code >= 400 and response.headers.get("Content-Type") not in (
                PROBLEM,
                "application/json",
            ):
                response = of_the_web(response.status_code, response.headers)
            if not response.streaming:
                response.headers["Content-Length"] = str(len(response.content))
            response.headers["Content-Language"] = spoken
            response.headers["Vary"] = "Accept-Language, Authorization"
            response.headers["X-Content-Type-Options"] = "nosniff"
            timing.status = response.status_code
        return response


def answer_to(exception: Exception, request: HttpRequest) -> HttpResponse:
    """The problem that says this exception; what nobody foresaw is logged and told as 500 without its inside."""
    match exception:
        case Refused():
            return problem(
                exception.status, exception.code, exception.detail, exception.reasons, headers=exception.headers
            )
        case Invalid():
            return invalid(exception.errors)
        case Http404():
            return of_the_web(404)
        case PermissionDenied():
            return of_the_web(403)
        case RequestDataTooBig():
            return of_the_web(413)
        case SuspiciousOperation():
            return of_the_web(400)
        case MethodNotAllowed():
            view = getattr(request.resolver_match and request.resolver_match.func, "view_class", None)
            return of_the_web(405, {"Allow": ", ".join(view().allowed_methods) if view else ""})
        case APIException() if exception.status_code < 500:
            return of_the_web(exception.status_code)
        case OperationalError() | psycopg.OperationalError():
            log.error("database_unavailable", exc_info=exception)
            return of_the_web(503, {"Retry-After": "1"})
    got_request_exception.send(sender=Doors, request=request)
    log.error("unforeseen", exc_info=exception, extra={"path": request.path})
    return of_the_web(500)


def of_the_web(status: int, headers: Mapping[str, str] | None = None) -> HttpResponse:
    code, detail = OF_THE_WEB.get(status, OF_THE_WEB[500 if status >= 500 else 400])
    kept = {name: headers[name] for name in ("Allow", "Retry-After", "WWW-Authenticate") if headers and name in headers}
    return problem(status, code, detail, headers=kept)


def invalid(errors: Iterable[Mapping[str, Any]]) -> HttpResponse:
    return problem(400, "invalid", SENTENCES["invalid"], errors=list(errors))


def problem(
    status: int,
    code: str,
    detail: object,
    reasons: list[Any] | None = None,
    errors: list[Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> HttpResponse:
    body = {
        "type": f"urn:coupons:problem:{code}",
        "title": str(TITLES.get(status) or HTTPStatus(status).phrase),
        "status": status,
        "code": code,
        "detail": str(detail),
        "reasons": reasons or [],
        "errors": errors or [],
    }
    response = HttpResponse(
        orjson.dumps(body, default=str), status=status, content_type=PROBLEM, headers=dict(headers or {})
    )
    if status == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer, Api-Key")
    return response


def leave_to_the_doors(exception: Exception, context: Mapping[str, Any]) -> None:
    """REST framework's exception handler: none; `Doors` catches what it lets pass."""
    raise exception


def _take_in_pieces(request: HttpRequest) -> None:
    """A body that comes in pieces has no length, and Django takes it for none: for "all lines" where some were named.

    :raises LengthRequired: the server does not say where such a body ends.
    """
    if "HTTP_TRANSFER_ENCODING" not in request.META or request.META.get("CONTENT_LENGTH"):
        return
    if not request.META.get("wsgi.input_terminated"):
        raise LengthRequired
    most = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    body = request.META["wsgi.input"].read(most + 1)
    if len(body) > most:
        raise RequestDataTooBig
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._body = body


def _must_be_json(request: HttpRequest, match: ResolverMatch) -> None:
    if request.method not in ("POST", "PUT", "PATCH") or request.content_type == "application/json":
        return
    view = getattr(match.func, "view_class", None)
    if request.META.get("CONTENT_LENGTH") in (None, "", "0") or not hasattr(view, request.method.lower()):
        return
    raise NotJson


class LengthRequired(APIException):
    status_code = 411


class NotJson(APIException):
    status_code = 415
