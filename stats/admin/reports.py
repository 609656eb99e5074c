"""报表: a question is put together, its answer read as table and chart, saved, shared, taken away and sent."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin import exporting
from coupons.admin.asking import dress
from coupons.admin.history import WithHistory
from coupons.admin.moving import Move, person
from coupons.models import CouponEvent
from coupons.refused import Refused
from stats import reporting
from stats.admin import comparisons, opened, overview
from stats.admin.report_form import QuestionForm, typed
from stats.admin.report_look import look
from stats.admin.report_moves import MOVES
from stats.dashboard.links import list_of
from stats.models import Report, ReportSending
from stats.queries.measures import MEASURES
from stats.reporting import OVERSEES, SEES_MONEY, sending
from stats.reporting.ready import Ready, ready

STATE_CHIPS = {"sent": "success", "failed": "danger", "unclear": "warning", "skipped": "warning", "sending": "info"}
#: Letters on a report's page, the newest.
MOST_SENDINGS = 50


class NameForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)


@admin.register(Report)
class ReportAdmin(WithHistory):
    list_display = ("name", "asked", "sent", "shared", "owner", "updated_at")
    list_select_related = ("owner",)
    search_fields = ("name",)
    moves = MOVES
    list_before_template = "stats/ready_reports.html"
    empty_words = gettext_lazy("No saved reports yet. Open one of the ready-made ones above, or put together your own.")

    class Media:
        css = {"all": ("stats/overview.css",)}

    # --- who may what ---------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Report]:
        return reporting.visible(super().get_queryset(request), person(request)).prefetch_related("shared_with")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        return Report.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) and (obj is None or reporting.sees(person(request), obj))

    def _owns(self, request: HttpRequest, obj: Any) -> bool:
        return obj is None or obj.owner_id == request.user.pk or request.user.has_perm(OVERSEES)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self._owns(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self._owns(request, obj)

    def hangs(self, obj: Any) -> bool:
        return False

    def moves_for(self, request: HttpRequest, obj: Any) -> list[Move]:
        return super().moves_for(request, obj) if self.has_change_permission(request, obj) else []

    def move_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        report = self.get_object(request, object_id)
        if report is not None and not self.has_change_permission(request, report):
            raise PermissionDenied
        return super().move_view(request, object_id, name)

    # --- addresses ------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("excel/", view(self.excel_view), name="stats_report_excel"),
            path("comparison/", view(self.comparison_view), name="stats_comparison"),
            *overview.urls(),
            *opened.urls(),
            *super().get_urls(),
        ]

    def comparison_view(self, request: HttpRequest) -> HttpResponseBase:
        return comparisons.view(request, {**self.admin_site.each_context(request), "opts": self.opts})

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """A saved report, or a question that is put together; what stands in the address is what is asked."""
        report = None
        if object_id is not None:
            report = self.get_object(request, object_id)
            if report is None:
                raise Http404
        may = self.has_add_permission(request) if report is None else self.has_view_permission(request, report)
        if not may:
            raise PermissionDenied
        money = request.user.has_perm(SEES_MONEY)
        if request.method == "POST":
            return self._save(request, report, money)
        return self._page(request, report, money, NameForm(initial={"name": report.name if report else ""}))

    def _asked(self, request: HttpRequest, report: Report | None, money: bool) -> QueryDict:
        if "measures" in request.GET:
            return request.GET
        named = _named(request)
        answers = report.question if report else named.question if named else _FIRST
        return typed(_without_money(answers, money))

    def _page(
        self, request: HttpRequest, report: Report | None, money: bool, naming: NameForm, asked: QueryDict | None = None
    ) -> HttpResponse:
        asked = self._asked(request, report, money) if asked is None else asked
        form = QuestionForm(asked, money=money)
        form.dress()
        dress(naming)
        named = _named(request)
        context = {
            **self.admin_site.each_context(request),
            "title": report.name if report else named.name if named else _("New report"),
            "opts": self.opts,
            "original": report,
            "report": report,
            "about": "" if report or named is None else named.about,
            "form": form,
            "media": self.media + form.media,
            "naming": naming,
            "asked": asked.urlencode(),
            "is_changed": report is not None and "measures" in request.GET,
            "is_open": not form.is_valid() or (report is None and named is None),
            "may_save": self.has_add_permission(request),
            "may_change": report is not None and self.has_change_permission(request, report),
            "may_delete": report is not None and self.has_delete_permission(request, report),
            "plain": [form[name] for name in PLAIN],
            "schedule": sending.schedule_words(report) if report else "",
            "sendings": [(one, STATE_CHIPS.get(one.state, "")) for one in _sendings(report)] if report else [],
            "moves": self.moves_for(request, report) if report else [],
        }
        if not asked.getlist("measures"):
            context["nothing_to_see"] = _("This report tells of money alone, which your account may not see.")
        elif form.is_valid():
            answers = form.answers
            try:
                question = reporting.question_of(answers, timezone.localdate())
                answer, ledger = reporting.table(question), list_of(request, CouponEvent)
                context["look"] = look(answer, question.shown(money=money), answers["chart"], ledger)
                context["sentence"] = reporting.words(answers)
                context["excel"] = f"{reverse('admin:stats_report_excel')}?{asked.urlencode()}" + (
                    f"&report={report.pk}" if report else ""
                )
            except Refused as no:
                context["nothing_to_see"] = str(no.detail)
        return TemplateResponse(request, "stats/report.html", context)

    def _save(self, request: HttpRequest, report: Report | None, money: bool) -> HttpResponse:
        """What was looked at becomes a report, or the report's new question."""
        change = report is not None and request.POST.get("as") == "change"
        if not (self.has_change_permission(request, report) if change else self.has_add_permission(request)):
            raise PermissionDenied
        asked, naming = QueryDict(request.POST.get("asked", "")), NameForm(request.POST)
        form = QuestionForm(asked, money=money)
        if not (naming.is_valid() and form.is_valid()):
            return self._page(request, report, money, naming, asked)
        kept = report if change and report is not None else Report(owner=person(request))
        kept.name, kept.question = naming.cleaned_data["name"], form.answers
        kept.save()
        messages.success(request, _("The report is saved."))
        return HttpResponseRedirect(reverse("admin:stats_report_change", args=[kept.pk]))

    def excel_view(self, request: HttpRequest) -> HttpResponseBase:
        """The whole answer to what stands in the address."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        report = self.get_object(request, request.GET.get("report", "")[:19])
        if report is not None and not self.has_view_permission(request, report):
            raise PermissionDenied
        if report is None and not self.has_add_permission(request):
            raise PermissionDenied
        money = request.user.has_perm(SEES_MONEY)
        form = QuestionForm(self._asked(request, report, money), money=money)
        if not form.is_valid():
            raise Http404
        question = reporting.question_of(form.answers, timezone.localdate())
        heading, rows = reporting.excel_rows(reporting.table(question), question.shown(money=money))
        name = report.name if report else _("Report")
        return exporting.answer("xlsx", f"{name}-{timezone.localdate():%Y%m%d}", heading, rows)

    def _changes(self, before: Any, after: Any) -> Any:
        for label, old, new in super()._changes(before, after):
            if label == str(Report._meta.get_field("question").verbose_name):
                old, new = reporting.words(before.question), reporting.words(after.question)
            yield label, old, new

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        money = request.user.has_perm(SEES_MONEY)
        shown = [
            one
            for one in ready()
            if self.has_add_permission(request) and _without_money(one.question, money)["measures"]
        ]
        return super().changelist_view(request, {"ready": shown, **(extra_context or {})})

    # --- columns --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Contents"))
    def asked(self, obj: Any) -> str:
        return reporting.words(obj.question)

    @display(description=gettext_lazy("Shared with"))
    def shared(self, obj: Any) -> str:
        return ", ".join(group.name for group in obj.shared_with.all()) or "–"

    @display(description=gettext_lazy("Is sent"))
    def sent(self, obj: Any) -> str:
        return sending.schedule_words(obj)


def _named(request: HttpRequest) -> Ready | None:
    return next((one for one in ready() if one.code == request.GET.get("ready")), None)


def _sendings(report: Report) -> QuerySet[ReportSending]:
    return report.sendings.select_related("recipient")[:MOST_SENDINGS]


PLAIN = ("row_1", "row_2", "row_3", "across", "period", "first", "last", "chart")
_FIRST = {
    "measures": ["issued_count", "used_count", "use_rate"],
    "rows": ["channel"],
    "period": str(reporting.Period.LAST_30),
}


def _without_money(answers: dict[str, Any], money: bool) -> dict[str, Any]:
    kept = [code for code in answers["measures"] if money or code not in MEASURES or not MEASURES[code].is_money]
    return {**answers, "measures": kept}
