"""A page that is sent twice, by a tired finger in a browser without scripts, does what it does once."""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from coupons.answers import Once, Reply, do_once
from coupons.models import Answer


def done_once(
    request: HttpRequest, act: Callable[[], tuple[HttpResponse, object]], again: Callable[[str], HttpResponse]
) -> HttpResponse:
    """What ``act`` answers; beside it the id of what it made, or None: nothing was made, and it may be sent anew.

    ``again``: the answer to whoever sends the same page once more, of the id that was made the first time.
    """
    once = _once(request)
    if once is None:
        return act()[0]
    first: list[HttpResponse] = []

    def do() -> Reply:
        response, made = act()
        first.append(response)
        return Reply(200 if made is not None else 0, str(made).encode())

    with transaction.atomic():
        reply = do_once(once, timezone.now(), do)
        if first and not reply.status:
            Answer.objects.filter(caller=once.caller, key=once.key).delete()
    return first[0] if first else again(reply.body.decode())


def _once(request: HttpRequest) -> Once | None:
    """Each page that is shown has a token of its own; typed anew, it is meant anew."""
    token = request.POST.get("csrfmiddlewaretoken")
    if not token:
        return None
    said = blake2b(digest_size=16)
    for name, values in [("", [request.path]), *sorted(request.POST.lists())]:
        said.update(repr((name, values)).encode())
    files: Any = request.FILES
    for name, file in sorted(files.items()):
        said.update(repr((name, file.name, file.size)).encode())
        for piece in file.chunks():
            said.update(piece)
        file.seek(0)
    return Once(f"user:{request.user.pk}", f"page:{said.hexdigest()}", said.digest())
