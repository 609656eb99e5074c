"""Pages of lists: ``?cursor=&page_size=``."""

from django.http import HttpRequest
from django.utils.translation import gettext as _

from coupons.refused import Invalid

PAGE_SIZE = 20
LARGEST_PAGE = 100


def page_size(request: HttpRequest) -> int:
    asked = request.GET.get("page_size", "")
    if not asked:
        return PAGE_SIZE
    if not (asked.isascii() and asked.isdigit() and 1 <= int(asked[:9]) <= LARGEST_PAGE):
        raise Invalid.of("page_size", "out_of_range", _("From 1 to %(most)s.") % {"most": LARGEST_PAGE})
    return int(asked)


def page_url(request: HttpRequest, cursor: str) -> str:
    """This list from ``cursor`` on."""
    query = request.GET.copy()
    query["cursor"] = cursor
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
