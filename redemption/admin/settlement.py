"""结算单: what each merchant and the platform owe for any period, as a page and as Excel; months closed for good."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadDesk, RefusedMixin
from coupons.admin.exporting import in_yuan
from coupons.admin.money import YuanField, yuan
from coupons.models.templates import MAX_FEN
from coupons.refused import Refused
from coupons.sheets import EXCEL, Formula, excel_file
from redemption import settling
from redemption.models import SettledMonth, SettlementEntry
from redemption.queries import settlement
from redemption.queries.settlement import Share

#: Far from the ends of the calendar, where a day has no next one.
EARLIEST, LATEST = date(2000, 1, 1), date(2999, 12, 31)
SIGNS = ("-", "−", "－")


class PeriodForm(forms.Form):
    start = forms.DateField(label=gettext_lazy("From"))
    end = forms.DateField(label=gettext_lazy("Up to and including"))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = widgets.UnfoldAdminTextInputWidget(attrs={"type": "date"})

    def clean(self) -> None:
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        for name, day in (("start", start), ("end", end)):
            if day and not EARLIEST <= day <= LATEST:
                between = {"first": EARLIEST, "last": LATEST}
                self.add_error(name, _("A day between %(first)s and %(last)s.") % between)
        if start and end and start > end:
            self.add_error("end", _("The end must not be before the beginning."))


@admin.register(SettledMonth)
class SettlementAdmin(ReadDesk):
    fieldsets = ((None, {"fields": ("month", "closed_at", "closed_by", "statements_table")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("statements_table",)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("close/", wrap(self.close_view), name="redemption_settledmonth_close"),
            path("excel/", wrap(self.excel_view), name="redemption_settledmonth_excel"),
            *super().get_urls(),
        ]

    def may_close(self, request: HttpRequest) -> bool:
        return request.user.has_perm("redemption.close_settledmonth")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = self._period(request)
        found: list[Share] = []
        if form.is_valid():
            found = settlement.shares(form.cleaned_data["start"], form.cleaned_data["end"] + timedelta(days=1))
        month = settlement.first_month()
        context = {
            **self.admin_site.each_context(request),
            "title": _("Settlement"),
            "opts": self.opts,
            "form": form,
            "table": _table(found),
            "months": SettledMonth.objects.all()[:36],
            "next": month,
            "may_close": self.may_close(request) and month is not None and settling.is_over(month, timezone.now()),
            "may_export": request.user.has_perm("redemption.export_settledmonth"),
            "may_enter": request.user.has_perm("redemption.add_settlemententry"),
            "entries": [(entry, yuan(entry.amount_fen)) for entry in self._entries(form)],
            "query": request.GET.urlencode(),
        }
        return TemplateResponse(request, "redemption/admin/settlement.html", context)

    def close_view(self, request: HttpRequest) -> HttpResponse:
        """Asked once more with the sums that will stay, then closed."""
        if not self.may_close(request):
            raise PermissionDenied
        back = reverse("admin:redemption_settledmonth_changelist")
        month = settlement.first_month()
        if month is None or not settling.is_over(month, timezone.now()):
            messages.error(request, str(Refused("month_not_over").detail))
            return HttpResponseRedirect(back)
        if request.method == "POST":
            try:
                said = date.fromisoformat(request.POST.get("month", ""))
                made = settling.close(said, now=timezone.now(), by=request.user.get_username())
            except ValueError:
                messages.error(request, str(Refused("month_not_next").detail))
                return HttpResponseRedirect(back)
            except Refused as no:
                messages.error(request, str(no.detail))
                return HttpResponseRedirect(back)
            messages.success(request, _("%(month)s is closed.") % {"month": made})
            return HttpResponseRedirect(reverse("admin:redemption_settledmonth_change", args=[made.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Close %(month)s") % {"month": f"{month:%Y-%m}"},
            "opts": self.opts,
            "month": month,
            "table": _table(settlement.shares(month, settlement.next_month(month))),
            "back": back,
        }
        return TemplateResponse(request, "redemption/admin/settle.html", context)

    def excel_view(self, request: HttpRequest) -> HttpResponseBase:
        if not (self.has_view_permission(request) and request.user.has_perm("redemption.export_settledmonth")):
            raise PermissionDenied
        form = self._period(request)
        if not form.is_valid():
            page = reverse("admin:redemption_settledmonth_changelist")
            return HttpResponseRedirect(f"{page}?{request.GET.urlencode()}")
        start, end = form.cleaned_data["start"], form.cleaned_data["end"]
        found = settlement.shares(start, end + timedelta(days=1))
        return FileResponse(
            excel_file(_HEADING, _excel_rows(found)),
            as_attachment=True,
            filename=f"settlement-{start:%Y%m%d}-{end:%Y%m%d}.xlsx",
            content_type=EXCEL,
            headers={"Cache-Control": "no-store"},
        )

    def _entries(self, form: PeriodForm) -> Iterable[SettlementEntry]:
        if not form.is_valid():
            return ()
        start, end = form.cleaned_data["start"], form.cleaned_data["end"] + timedelta(days=1)
        within = {"at__gte": settlement.midnight(start), "at__lt": settlement.midnight(end)}
        return SettlementEntry.objects.select_related("merchant").filter(**within)[:200]

    def _period(self, request: HttpRequest) -> PeriodForm:
        today = timezone.localdate()
        usual = {"start": today.replace(day=1), "end": today}
        return PeriodForm({**usual, **{name: request.GET[name] for name in usual if name in request.GET}})

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        last = settlement.next_month(obj.month) - timedelta(days=1)
        address = reverse("admin:redemption_settledmonth_changelist")
        links = [(_("Statement and Excel"), f"{address}?start={obj.month:%Y-%m-%d}&end={last:%Y-%m-%d}")]
        return {"chip": (_("closed"), "success"), "title": str(obj), "links": links}

    @display(description=gettext_lazy("Statements"))
    def statements_table(self, obj: Any) -> SafeString:
        """As they were written when the month was closed."""
        rows = obj.statements.order_by("merchant_id").values_list(
            "merchant_id",
            "opening_fen",
            "redeemed_count",
            "redeemed_fen",
            "returned_count",
            "returned_fen",
            "entries_fen",
        )
        found = sorted(map(Share._make, rows), key=lambda share: (share.merchant is not None, share.merchant or ""))
        return render_to_string("redemption/admin/shares.html", {"table": _table(found)})


_HEADING = [
    gettext_lazy("Party"),
    gettext_lazy("Key"),
    gettext_lazy("Opening"),
    gettext_lazy("Redemptions, number"),
    gettext_lazy("Redemptions, share"),
    gettext_lazy("Rollbacks, number"),
    gettext_lazy("Rollbacks, share"),
    gettext_lazy("Entries"),
    gettext_lazy("Closing"),
]


def _table(found: list[Share]) -> dict[str, Any]:
    """The page's rows and its sums; money in yuan."""
    names = settlement.named(found)
    sums = [sum(column) for column in zip(*(_numbers(share) for share in found), strict=True)] if found else []
    if found:  # the platform has its part in each redemption: its numbers are those of all
        sums[1], sums[3] = found[0].redeemed_count, found[0].returned_count
    return {
        "heading": [_HEADING[0], *_HEADING[2:]],
        "rows": [(_called(share, names), _shown(_numbers(share))) for share in found],
        "sums": _shown(sums) if sums else [],
    }


def _numbers(share: Share) -> list[int]:
    return [*share[1:], share.closing_fen]


def _shown(numbers: list[int]) -> list[str]:
    return [f"{number:,}" if place in (1, 3) else yuan(number) for place, number in enumerate(numbers)]


def _called(share: Share, names: dict[str, str]) -> str:
    return str(_("the platform")) if share.merchant is None else names.get(share.merchant, share.merchant)


def _excel_rows(found: list[Share]) -> Iterator[list[Any]]:
    """Closing and sums are formulas, so that whoever checks the file checks the reckoning, too."""
    names = settlement.named(found)
    for line, share in enumerate(found, 2):
        numbers = [n if place in (1, 3) else in_yuan(n) for place, n in enumerate(share[1:])]
        yield [_called(share, names), share.merchant or "", *numbers, Formula(f"=C{line}+E{line}-G{line}+H{line}")]
    if found:
        last = len(found) + 1
        # The platform, on line 2, has its part in each redemption: its numbers are those of all.
        sums = (f"={letter}2" if letter in "DF" else f"=SUM({letter}2:{letter}{last})" for letter in "CDEFGHI")
        yield [_("In all"), "", *map(Formula, sums)]


class SignedYuan(YuanField):
    """With a minus before it, less is owed."""

    def to_python(self, value: Any) -> int | None:
        text = str(value or "").strip()
        below = text.startswith(SIGNS)
        fen = super().to_python(text[1:] if below else text)
        return -fen if fen and below else fen


class EntryForm(RefusedMixin, forms.ModelForm):
    amount_fen = SignedYuan(
        least=-MAX_FEN,
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("Above 0: more is owed; below 0: less. A payment is below 0."),
    )
    form_id = forms.UUIDField(label="", widget=forms.HiddenInput, initial=uuid4, required=False)

    class Meta:
        model = SettlementEntry
        fields = ()

    def clean_amount_fen(self) -> int:
        fen: int = self.cleaned_data["amount_fen"]
        if not fen:
            raise forms.ValidationError(_("The amount must not be 0."), "nothing")
        return fen


@admin.register(SettlementEntry)
class SettlementEntryAdmin(Desk):
    """Further entries alone: none is changed, none is deleted."""

    form = EntryForm
    list_display = ("at", "merchant", "kind", "show_amount_fen", "reason", "by")
    list_filter = (("kind", ChoicesDropdownFilter), ("at", RangeDateTimeFilter))
    list_select_related = ("merchant",)
    search_fields = ("merchant__key", "merchant__name", "reason")
    autocomplete_fields = ("merchant",)
    empty_words = gettext_lazy("No entries yet. What a statement got wrong is put right by an entry of its own.")
    export_fields = ("at", "merchant", "kind", "show_amount_fen", "reason", "by")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("merchant", "kind", "amount_fen", "reason", "form_id")})]
        return [(None, {"fields": ("at", "merchant", "kind", "show_amount_fen", "reason", "by")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("show_amount_fen",) if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        made = settling.enter(
            merchant=obj.merchant_id,
            kind=obj.kind,
            amount_fen=obj.amount_fen,
            reason=obj.reason,
            now=timezone.now(),
            by=request.user.get_username(),
            form=form.cleaned_data["form_id"],
        )
        obj.__dict__.update(made.__dict__)
