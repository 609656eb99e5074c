"""`reports/`: what became of messages, told by the providers of SMS. Who calls is known by the address alone."""

import hmac
from typing import Any

import orjson
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from coupons.api.door import answer
from coupons.queries import catalogue
from coupons.refused import Invalid, Refused
from distribution.messages import reports

MOST = 1000


@require_POST
def told(request: HttpRequest, gateway: str, token: str) -> HttpResponse:
    known = settings.SMS_REPORT_TOKEN
    if gateway not in reports.READERS or not known or not hmac.compare_digest(token.encode(), known.encode()):
        raise Refused("not_found")
    read, thanks = reports.READERS[gateway]
    reports.take(gateway, read(_rows(request.body)), now=catalogue.business_now())
    return answer(thanks)


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        rows = orjson.loads(body)
    except orjson.JSONDecodeError:
        rows = None
    if not isinstance(rows, list) or len(rows) > MOST or not all(isinstance(row, dict) for row in rows):
        raise Invalid.of("", "wrong_type", _("A list of at most %(most)d reports.") % {"most": MOST})
    return rows
