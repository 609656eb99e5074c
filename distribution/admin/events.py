"""触发记录: events that the app told, and what each rule made of them."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.saying import who
from coupons.models import City
from coupons.refused import SENTENCES
from coupons.rules import Client
from distribution.models import InboundEvent, Placement


def code_words(code: str) -> str:
    """What became of an event under a rule."""
    return _("coupons given") if code == "issued" else str(SENTENCES.get(code, code))


class ResultFilter(admin.SimpleListFilter):
    title = gettext_lazy("What came of it")
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [
            ("given", _("coupons given")),
            ("refused", _("rules listened, none gave")),
            ("unheard", _("no rule listens to it")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[InboundEvent]) -> QuerySet[InboundEvent]:
        match self.value():
            case "given":
                return queryset.filter(issued_count__gt=0)
            case "refused":
                return queryset.filter(issued_count=0).exclude(outcomes=[])
            case "unheard":
                return queryset.filter(outcomes=[])
        return queryset


@admin.register(InboundEvent)
class EventAdmin(ReadDesk):
    list_display = ("received_at", "event", "customer", "result", "city", "through")
    list_filter = (ResultFilter, "event", ("client", ChoicesDropdownFilter))
    search_fields = ("customer",)
    search_help_text = gettext_lazy("The customer's key, whole.")
    empty_words = gettext_lazy("No events yet. The app tells them by POST /api/v1/events/.")
    fields = ("event", "customer", "occurred_at", "received_at", "city", "through", "told", "told_by")
    readonly_fields = ("city", "through", "told", "told_by")
    change_form_before_template = "distribution/admin/event_outcomes.html"

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return (queryset.filter(customer=term) if term else queryset), False

    def know(self, rows: Any) -> None:
        cities = City.objects.in_bulk({event.city_id for event in rows if event.city_id})
        for event in rows:
            event.where = str(cities.get(event.city_id, event.city_id or "–"))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        event = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {}), "outcomes": list(_outcomes(event)) if event else []}
        return super().changeform_view(request, object_id, form_url, context)

    @display(description=gettext_lazy("What came of it"))
    def result(self, obj: Any) -> str:
        if obj.issued_count:
            return _("%(count)d given") % {"count": obj.issued_count}
        if not obj.outcomes:
            return _("no rule listens to it")
        return code_words(obj.outcomes[0]["code"])

    @display(description=gettext_lazy("City"))
    def city(self, obj: Any) -> str:
        if not hasattr(obj, "where"):
            self.know([obj])
        return obj.where

    @display(description=gettext_lazy("Client"), ordering="client")
    def through(self, obj: Any) -> str:
        return str(dict(Client.choices).get(obj.client, obj.client or "–"))

    @display(description=pgettext_lazy("an event", "What it says"))
    def told(self, obj: Any) -> str:
        return ", ".join(f"{name}: {value}" for name, value in obj.data.items()) or "–"

    @display(description=gettext_lazy("told by"))
    def told_by(self, obj: Any) -> str:
        return who(obj.by)


def _outcomes(event: InboundEvent) -> Iterator[dict[str, Any]]:
    each = [
        {**outcome, "placement": key}
        for outcome in event.outcomes
        for key in outcome.get("placements") or [outcome["placement"]]
    ]
    placements = Placement.objects.in_bulk([outcome["placement"] for outcome in each], field_name="key")
    for outcome in each:
        yield {
            "placement": placements.get(outcome["placement"], outcome["placement"]),
            "given": outcome["code"] == "issued",
            "words": code_words(outcome["code"]),
            "reasons": [reason.get("detail", "") for reason in outcome.get("reasons", ())],
        }
