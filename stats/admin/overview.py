"""The first page, and what hangs on it: its tables as Excel files, what is counted after it was drawn."""

import logging
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import get_language, override

from coupons.admin import exporting
from stats import dashboard
from stats.dashboard.asked import asked
from stats.dashboard.charts import excel_rows
from stats.dashboard.customers import card

log = logging.getLogger(__name__)


def urls() -> list[URLPattern]:
    view = admin.site.admin_view
    return [
        path("overview/customers/", view(customers_view), name="stats_customers"),
        path("overview/<slug:key>.xlsx", view(excel_view), name="stats_overview_excel"),
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
