"""Pages of lists: ``?cursor=&page_size=``. A cursor says which way to go from which row."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Literal, TypeVar

from django.http import HttpRequest
from django.utils.translation import gettext as _

from coupons.refused import Invalid

PAGE_SIZE = 20
LARGEST_PAGE = 100

Way = Literal["after", "before"]
Row = TypeVar("Row")
_WAYS: dict[bytes, Way] = {b"n": "after", b"p": "before"}


def page_size(request: HttpRequest) -> int:
    asked = request.GET.get("page_size", "")
    if not asked:
        return PAGE_SIZE
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= LARGEST_PAGE):
        raise Invalid.of("page_size", "out_of_range", _("From 1 to %(most)s.") % {"most": LARGEST_PAGE})
    return int(asked)


def where_from(request: HttpRequest, row: Callable[[bytes], Row]) -> dict[Way, Row]:
    """The row that the page comes after or before, empty at the beginning; ``row`` reads its name.

    :raises Invalid: not a cursor of ours, or ``row`` raised ValueError.
    """
    cursor = request.GET.get("cursor")
    if not cursor:
        return {}
    try:
        told = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        return {_WAYS[told[:1]]: row(told[1:])}
    except (ValueError, KeyError):
        raise Invalid.of("cursor", "invalid", _("Not a cursor of this list.")) from None


def page_url(request: HttpRequest, way: Way, row: bytes) -> str:
    """This list, on from the row of this name."""
    cursor = urlsafe_b64encode((b"n" if way == "after" else b"p") + row).decode().rstrip("=")
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
