"""The calendar: a year at a glance, days off by notice, local customs."""

from calendar import Calendar
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.dates import MONTHS, WEEKDAYS_ABBR
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from coupons.admin.desk import Desk, DeskInline
from coupons.admin.places import KeyedDesk
from coupons.calendar import FESTIVALS, PUBLIC_HOLIDAYS, RECKONED
from coupons.conditions.moment import CUSTOM
from coupons.models import Audience, CouponTemplate, Custom, CustomDay, ToldDay
from coupons.models.days import MAKEUP
from coupons.queries import almanac, catalogue

#: What a weekday is anyhow; not worth a word in the year's picture.
_PLAIN = ("workday", "weekend", "holiday")
MOST_DAYS = 31


class DaysForm(forms.Form):
    """Several days of one notice at once."""

    code = forms.ChoiceField(
        label=gettext_lazy("What they are"),
        choices=[*PUBLIC_HOLIDAYS.items(), (MAKEUP, gettext_lazy("make-up working day"))],
        widget=widgets.UnfoldAdminSelectWidget,
    )
    first = forms.DateField(
        label=gettext_lazy("First day"), widget=widgets.UnfoldAdminTextInputWidget({"type": "date"})
    )
    last = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=widgets.UnfoldAdminTextInputWidget({"type": "date"}),
        help_text=gettext_lazy("Empty: one day."),
    )

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        first, last = cleaned.get("first"), cleaned.get("last")
        if first and last and not 0 <= (last - first).days < MOST_DAYS:
            raise ValidationError({"last": _("Not before the first day, and a month later at most.")})
        return cleaned

    @transaction.atomic
    def save(self) -> int:
        first, last = self.cleaned_data["first"], self.cleaned_data["last"] or self.cleaned_data["first"]
        days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        ToldDay.objects.bulk_create(
            [ToldDay(day=day, code=self.cleaned_data["code"]) for day in days],
            update_conflicts=True,
            unique_fields=["day"],
            update_fields=["code"],
        )
        return len(days)


@admin.register(ToldDay)
class ToldDayAdmin(Desk):
    """Its list is the year; single days are mended below it."""

    fields = ("day", "code")
    list_display = ("day", "code")
    list_filter = (("code", ChoicesDropdownFilter),)
    date_hierarchy = "day"
    ordering = ("-day",)
    empty_words = gettext_lazy("No days told by operators. The years that come along are in the calendar.")

    def hangs(self, obj: Any) -> bool:
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("day",) if obj else ()

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.year_view)
        return [
            path("year/", view, name="coupons_calendar"),
            path("year/<int:year>/", view, name="coupons_calendar_year"),
            *super().get_urls(),
        ]

    def year_view(self, request: HttpRequest, year: int = 0) -> HttpResponse:
        """A year: days off, make-up days, festivals, solar terms, customs; and days told here and now."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        now = timezone.localtime()
        year = min(max(year or now.year, RECKONED.start), RECKONED.stop - 1)
        may_tell = self.has_add_permission(request) and self.has_change_permission(request)
        form = DaysForm(request.POST or None) if may_tell else None
        if request.method == "POST":
            if form is None:
                raise PermissionDenied
            if form.is_valid():
                count = form.save()
                messages.success(request, _("%(count)s days told.") % {"count": count})
                year = form.cleaned_data["first"].year
                return HttpResponseRedirect(reverse("admin:coupons_calendar_year", args=[year]))
        book = catalogue.current()
        customs = {CUSTOM + key: name for key, name in Custom.objects.values_list("key", "name")}
        context = {
            **self.admin_site.each_context(request),
            "title": _("Calendar %(year)s") % {"year": year},
            "opts": self.opts,
            "year": year,
            "today": now.date(),
            "months": [_month(year, month, now.date(), customs, book) for month in range(1, 13)],
            "weekdays": [WEEKDAYS_ABBR[day] for day in range(7)],
            "announced": year in almanac.announced_years(book),
            "missing": almanac.missing_year(now, book),
            "form": form,
        }
        status = 422 if form is not None and form.errors else 200
        return TemplateResponse(request, "coupons/admin/year.html", context, status=status)


def _month(year: int, month: int, today: date, customs: dict[str, str], book: Any) -> dict[str, Any]:
    weeks = []
    for week in Calendar().monthdatescalendar(year, month):
        weeks.append([_day(day, today, customs, book) if day.month == month else None for day in week])
    return {"name": MONTHS[month], "weeks": weeks}


def _day(day: date, today: date, customs: dict[str, str], book: Any) -> dict[str, Any]:
    codes = almanac.festivals_anywhere(day, book)
    kind = "off" if "holiday" in codes else "makeup" if MAKEUP in codes else "weekend" if "weekend" in codes else ""
    names = [str(FESTIVALS[code]) for code in FESTIVALS if code in codes and code not in (*_PLAIN, MAKEUP)]
    names += [name for code, name in customs.items() if code in codes]
    return {"day": day, "kind": kind, "names": names, "today": day == today}


class CustomDayInline(DeskInline):
    model = CustomDay
    fields = ("first_date", "last_date", "city")
    autocomplete_fields = ("city",)
    extra = 1


@admin.register(Custom)
class CustomAdmin(KeyedDesk):
    inlines = (CustomDayInline,)
    empty_words = gettext_lazy(
        "No local customs. A temple fair, a marathon, a sales day of your own: rules can name it like a festival."
    )

    def hangs(self, obj: Any) -> bool:
        named: Any = {"festivals": {"any_of": [CUSTOM + obj.pk]}}
        return (
            Audience.objects.filter(conditions__contains=named).exists()
            or CouponTemplate.objects.filter(claim_conditions__contains=named).exists()
            or CouponTemplate.objects.filter(use_conditions__contains=named).exists()
        )
