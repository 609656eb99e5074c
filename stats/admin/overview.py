"""The first page, and what hangs on it: its tables as Excel files, what is counted after it was drawn, a number's own
rows.
"""

import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, override

from coupons.admin import exporting
from coupons.admin.ledger import CouponEventAdmin
from coupons.models import CouponEvent
from stats import dashboard
from stats.dashboard.asked import asked
from stats.dashboard.charts import excel_rows
from stats.dashboard.customers import card
from stats.queries.measures import DIMENSION
from stats.queries.opening import of_cell

log = logging.getLogger(__name__)


def urls() -> list[URLPattern]:
    view = admin.site.admin_view
    return [
        path("overview/customers/", view(customers_view), name="stats_customers"),
        path("overview/<slug:key>.xlsx", view(excel_view), name="stats_overview_excel"),
        path("rows/<str:cell>/", view(rows_view), name="stats_opened"),
        path("rows/<str:cell>/export/<slug:kind>/", view(rows_view), name="stats_opened_export"),
    ]


#: Where the figures stand in the page.
FIGURES = "<!-- figures -->"


class Piecemeal(StreamingHttpResponse):
    """Sent piece by piece as it is made; whoever asks for its content has it whole, as of any other page."""

    @cached_property
    def content(self) -> bytes:  # type: ignore[override]  # where Django only refuses
        return self.getvalue()


def first_page(request: HttpRequest) -> HttpResponseBase:
    """What can be said at once is sent at once: the browser reads styles and draws while the figures are added up."""
    page = admin.site.index(request)
    above, figures, below = page.render().text.partition(FIGURES)
    if not figures:
        return page
    found = (page.context_data or {})["dashboard"]
    return Piecemeal(_pieces(request, found, above, below, get_language()), headers=dict(page.items()))


def _pieces(request: HttpRequest, found: dict[str, Any], above: str, below: str, language: str | None) -> Iterator[str]:
    yield above
    try:
        with override(language):
            context = {"d": dashboard.board(request, found)}
            figures = render_to_string("stats/figures.html", context, request)
        yield figures
        with override(language):
            figures = render_to_string("stats/further_figures.html", context, request)
        yield figures
    except Exception:  # what was sent cannot be taken back
        log.exception("the first page broke off")
        with override(language):
            sorry = render_to_string("stats/broken_off.html", {}, request)
        yield sorry
    yield below


def _needs_figures(request: HttpRequest) -> None:
    if not request.user.has_perm(dashboard.SEES_FIGURES):
        raise PermissionDenied


def excel_view(request: HttpRequest, key: str) -> HttpResponseBase:
    """The table under a chart as this operator sees it; what they do not see is no chart of theirs."""
    _needs_figures(request)
    found = dashboard.board(request, dashboard.opening(request))
    chart = dashboard.charts(found).get(key)
    if chart is None:
        raise Http404
    heading, rows = excel_rows(chart, found["asked"])
    period = found["asked"].period
    return exporting.answer("xlsx", f"{chart.title}-{period.first:%Y%m%d}-{period.last:%Y%m%d}", heading, rows)


def customers_view(request: HttpRequest) -> HttpResponse:
    """A card that the page fetches: of one campaign or city each customer is looked at, which takes a moment."""
    _needs_figures(request)
    choice = asked(request.GET, timezone.localdate())
    if choice.period is None:
        raise Http404
    return TemplateResponse(request, "stats/card.html", {"card": card(choice, choice.period)})


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


def rows_view(request: HttpRequest, cell: str, kind: str = "") -> HttpResponseBase:
    said = {name: _value(name, value) for name, value in parse_qsl(cell, keep_blank_values=True)}
    desk = OpenedDesk(said)
    if kind:
        return desk.export_view(request, kind)
    words = [f"{DIMENSION[name].label}: {DIMENSION[name].called([value])[value]}" for name, value in said.items()]
    return desk.changelist_view(request, {"cell": " · ".join(words)})


def _value(name: str, said: str) -> Any:
    """:raises Http404: no number could have led here."""
    if name not in DIMENSION or "\0" in said or (DIMENSION[name].in_time and not DIMENSION[name].number):
        raise Http404
    if not DIMENSION[name].number or not said:
        return said
    if not said.isdecimal() or len(said) > 18:
        raise Http404
    return int(said)
