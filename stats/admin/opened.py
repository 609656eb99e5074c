"""A number's own rows: those of the ledger, or the coupons that were seen."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.ledger import CouponAdmin, CouponEventAdmin
from coupons.models import Coupon, CouponEvent, Sight
from stats.queries.measures import DIMENSION
from stats.queries.numbers import DIMENSIONS
from stats.queries.opening import of_cell, of_seen_cell


def urls() -> list[URLPattern]:
    rows, seen = admin.site.admin_view(rows_view), admin.site.admin_view(seen_view)
    return [
        path("rows/<str:cell>/", rows, name="stats_opened"),
        path("rows/<str:cell>/export/<slug:kind>/", rows, name="stats_opened_export"),
        path("seen/", seen, name="stats_seen_all"),
        path("seen/export/<slug:kind>/", seen, name="stats_seen_all_export"),
        path("seen/<str:cell>/", seen, name="stats_seen"),
        path("seen/<str:cell>/export/<slug:kind>/", seen, name="stats_seen_export"),
    ]


class OpenedDesk(CouponEventAdmin):
    """The ledger with the rows of one cell alone. It is nowhere registered: each is made where it is asked for."""

    list_before_template = "stats/opened.html"

    class Media:
        css = {"all": ("stats/overview.css",)}

    def __init__(self, cell: dict[str, Any]) -> None:
        super().__init__(CouponEvent, admin.site)
        self.wanted: list[Q] = of_cell(cell)

    def get_queryset(self, request: HttpRequest) -> QuerySet[CouponEvent]:
        return super().get_queryset(request).filter(*self.wanted)


class SeenDesk(CouponAdmin):
    """Coupons of one cell that were seen, with the moment; made as :class:`OpenedDesk` is."""

    list_before_template = "stats/seen.html"
    list_display = ("code", "seen_at", "template", "customer", "state", "issued_at", "placement")
    export_fields = ("seen_at", *CouponAdmin.export_fields)
    list_filter = (("sight__at", RangeDateTimeFilter),)
    list_select_related = ("template", "customer", "sight")

    class Media:
        css = {"all": ("stats/overview.css",)}

    def __init__(self, cell: dict[str, Any]) -> None:
        super().__init__(Coupon, admin.site)
        self.wanted: list[Q] = of_seen_cell(cell)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Coupon]:
        return super().get_queryset(request).filter(sight__in=Sight.objects.filter(*self.wanted))

    @display(description=gettext_lazy("First seen at"), ordering="sight__at")
    def seen_at(self, obj: Coupon) -> dt.datetime:
        return obj.sight.at


def rows_view(request: HttpRequest, cell: str, kind: str = "") -> HttpResponseBase:
    return _opened(request, OpenedDesk, cell, kind)


def seen_view(request: HttpRequest, cell: str = "", kind: str = "") -> HttpResponseBase:
    return _opened(request, SeenDesk, cell, kind)


def _opened(request: HttpRequest, made: type[OpenedDesk | SeenDesk], cell: str, kind: str) -> HttpResponseBase:
    said: dict[str, list[Any]] = {}
    for name, value in parse_qsl(cell, keep_blank_values=True):
        said.setdefault(name, []).append(_value(name, value))
    desk = made(said)
    if kind:
        return desk.export_view(request, kind)
    words = [f"{DIMENSION[name].label}: {', '.join(DIMENSION[name].called(said[name]).values())}" for name in said]
    return desk.changelist_view(request, {"cell": " · ".join(words)})


def _value(name: str, said: str) -> Any:
    """:raises Http404: no number could have led here."""
    if name not in DIMENSIONS or "\0" in said or (DIMENSION[name].in_time and not DIMENSION[name].number):
        raise Http404
    if not DIMENSION[name].number or not said:
        return said
    if not said.isdecimal() or len(said) > 18:
        raise Http404
    return int(said)
