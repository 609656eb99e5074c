"""What every door of the API has in common: who may enter, how a body is read, how an answer goes out.

An ``APIView``, so that the OpenAPI tool documents it; at run time it goes its own short way, because the framework's
parsing, negotiation and serializers cost more than the work behind the hot doors. Doors only raise: the wiring gives
every "no" its shape.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import orjson
from django.http import HttpRequest, HttpResponse
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.views import APIView

from coupons import answers, refusals
from coupons.answers import Once, Reply
from coupons.api import shapes
from coupons.api.callers import Caller, identify
from coupons.api.shapes import ShapeType
from coupons.refused import Refused

JSON = "application/json"


class Door(APIView):
    """``who``: for each method the scopes of which one is enough; "customer" lets customers' own calls in."""

    who: ClassVar[dict[str, frozenset[str]]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        method = request.method or ""
        scopes = self.who.get(method)
        if scopes is None:
            raise MethodNotAllowed(method)
        caller = identify(request)
        if scopes.isdisjoint(caller.scopes):
            raise Refused("scope_missing", needed=sorted(scopes))
        handler: Callable[..., HttpResponse] = getattr(self, method.lower())
        return handler(request, caller, **kwargs)

    @property
    def allowed_methods(self) -> list[str]:
        return list(self.who)


def read(request: HttpRequest, shape: type[ShapeType]) -> ShapeType:
    """The body, checked; no body at all is an empty object.  :raises Invalid: naming every field that is wrong."""
    return shapes.read(shape, request.body or b"{}")


def once(request: HttpRequest, caller: Caller) -> Once | None:
    """The call's idempotency key, if it has one; to be asked after ``read``.

    :raises Refused: "idempotency_key_invalid".
    """
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    if key is None:
        return None
    if not (0 < len(key) <= 255 and key.isascii() and key.isprintable()):
        raise Refused("idempotency_key_invalid")
    # The same body is the same JSON, whatever its spaces and the order of its keys.
    body = orjson.dumps(orjson.loads(request.body or b"{}"), option=orjson.OPT_SORT_KEYS)
    return Once(caller.name, key, answers.fingerprint(request.method or "", request.path, body))


def answer_once(key: Once | None, act: Callable[[], Reply]) -> HttpResponse:
    """What ``act`` replies; or, if it refuses a call that was answered before, that answer."""
    try:
        reply = act()
    except Refused as no:
        found = answers.find(key)
        if found is None:
            raise
        refusals.take_back(no)
        reply = found
    response = HttpResponse(reply.body, content_type=JSON, status=reply.status)
    if reply.replayed:
        response["Idempotent-Replayed"] = "true"
    return response


def answer(data: Any, status: int = 200) -> HttpResponse:
    """``data`` as JSON; bytes are JSON already."""
    body = data if isinstance(data, bytes) else orjson.dumps(data)
    return HttpResponse(body, content_type=JSON, status=status)
