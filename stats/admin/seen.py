"""What was seen, opened down to the coupons that were."""

import datetime as dt
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.ledger import CouponAdmin
from coupons.models import Coupon, Sight
from stats.admin.overview import _value
from stats.queries.measures import DIMENSION
from stats.queries.opening import of_seen_cell


def urls() -> list[URLPattern]:
    seen = admin.site.admin_view(view)
    return [
        path("seen/", seen, name="stats_seen_all"),
        path("seen/export/<slug:kind>/", seen, name="stats_seen_all_export"),
        path("seen/<str:cell>/", seen, name="stats_seen"),
        path("seen/<str:cell>/export/<slug:kind>/", seen, name="stats_seen_export"),
    ]


class SeenDesk(CouponAdmin):
    """Coupons of one cell that were seen, with the moment; made as :class:`stats.admin.overview.OpenedDesk` is."""

    list_before_template = "stats/seen.html"
    list_display = ("code", "seen_at", "template", "customer", "state", "issued_at", "placement")
    export_fields = ("seen_at", *CouponAdmin.export_fields)
    list_filter = (("sight__at", RangeDateTimeFilter),)
    list_select_related = ("template", "customer", "sight")
    ordering = ("-sight__at", "-id")

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


def view(request: HttpRequest, cell: str = "", kind: str = "") -> HttpResponseBase:
    said = {name: _value(name, value) for name, value in parse_qsl(cell, keep_blank_values=True)}
    desk = SeenDesk(said)
    if kind:
        return desk.export_view(request, kind)
    words = [f"{DIMENSION[name].label}: {DIMENSION[name].called([value])[value]}" for name, value in said.items()]
    return desk.changelist_view(request, {"cell": " · ".join(words)})
