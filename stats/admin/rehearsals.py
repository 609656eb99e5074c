"""试算: started here for a template, watched, read, and held against what came."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin import exporting
from coupons.admin.asking import dress
from coupons.admin.desk import Desk
from coupons.admin.money import yuan
from coupons.admin.moving import person
from coupons.models import CouponTemplate
from coupons.queries.catalogue import business_now
from coupons.tasks import run_job
from stats import rehearsing
from stats.admin import rehearsal_days, rehearsal_words
from stats.admin.rehearsal_form import RehearsalForm
from stats.admin.worked import WorkedDesk
from stats.dashboard.figures import count
from stats.dashboard.links import page_of
from stats.models import Rehearsal

#: Templates to choose from where none was named, the newest.
MOST_CHOICES = 200


def ask_for(template: CouponTemplate) -> str:
    """Where a rehearsal of this template is begun."""
    return f"{reverse('admin:stats_rehearsal_add')}?template={template.pk}"


@admin.register(Rehearsal)
class RehearsalAdmin(WorkedDesk):
    list_display = ("template", "placement", "days", "state", "claims", "discount", "made_by", "created_at")
    list_select_related = ("template", "placement", "job", "made_by")
    list_filter = ("job__state",)
    search_fields = ("template__internal_name", "template__key")
    empty_words = gettext_lazy("No rehearsal yet. One is begun from a template's page.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Desk.has_delete_permission(self, request, obj)

    def hangs(self, obj: Any) -> bool:
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rehearsal]:
        return super().get_queryset(request).select_related("template__budget__campaign", "placement", "job", "made_by")

    # --- before --------------------------------------------------------------------------------------------------

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        known = CouponTemplate.objects.exclude(status=CouponTemplate.Status.ENDED)
        named, again = request.GET.get("template", ""), request.GET.get("again", "")
        before = self.get_queryset(request).filter(pk=again).first() if again.isdecimal() and len(again) < 19 else None
        is_named = named.isdecimal() and len(named) < 19
        template = before.template if before else known.filter(pk=named).first() if is_named else None
        context = {**self.admin_site.each_context(request), "title": _("Rehearse a template"), "opts": self.opts}
        if template is None:
            context["templates"] = known.order_by("-id")[:MOST_CHOICES]
            return TemplateResponse(request, "stats/rehearse.html", context)
        initial = {}
        if before:
            initial = {"placement": before.placement_id, "day_count": before.day_count}
            initial |= RehearsalForm.answers_of(before.assumptions)
        form = RehearsalForm(template, request.POST if request.method == "POST" else None, initial=initial)
        dress(form)
        if request.method == "POST" and form.is_valid():
            rehearsal = self._start(request, template, form)
            if rehearsal is not None:
                return HttpResponseRedirect(self.address("change", rehearsal.pk))
        context |= {"template": template, "form": form, "back": page_of(request, template)}
        return TemplateResponse(request, "stats/rehearse.html", context)

    def _start(self, request: HttpRequest, template: CouponTemplate, form: RehearsalForm) -> Rehearsal | None:
        try:
            rehearsal = rehearsing.start(
                template,
                form.cleaned_data["placement"],
                form.cleaned_data["day_count"],
                form.assumptions,
                now=business_now(),
                by=person(request),
            )
        except ValidationError as invalid:
            for field, problems in invalid.message_dict.items():
                form.add_error(field if field in form.fields else None, forms.ValidationError(problems))
            return None
        run_job.delay_on_commit(rehearsal.job_id)
        messages.success(request, _("The rehearsal has begun."))
        return rehearsal

    # --- after ---------------------------------------------------------------------------------------------------

    def result_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        rehearsal = self.one(request, object_id)
        context = {
            **self.shown(request, rehearsal),
            "title": _("Rehearsal of %(template)s") % {"template": rehearsal.template},
            "rehearsal": rehearsal,
            "template_page": page_of(request, rehearsal.template),
            "again": f"{self.address('add')}?again={rehearsal.pk}" if self.has_add_permission(request) else "",
            "assumed": rehearsal_words.assumed(rehearsal),
        }
        if rehearsal.found:
            context |= _found(rehearsal)
        return TemplateResponse(request, "stats/rehearsal.html", context)

    def excel(self, rehearsal: Rehearsal) -> HttpResponseBase:
        name = f"rehearsal-{rehearsal.template.key}-{rehearsal.last_day:%Y%m%d}"
        return exporting.answer("xlsx", name, [_("Rehearsal"), str(rehearsal.template)], _excel_rows(rehearsal))

    # --- columns -------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Claims"))
    def claims(self, obj: Any) -> str:
        return count(obj.found["claims"] if obj.found else None)

    @display(description=gettext_lazy("Discount"))
    def discount(self, obj: Any) -> str:
        return yuan(obj.found["discount_fen"] if obj.found else None)


def _found(rehearsal: Rehearsal) -> dict[str, Any]:
    assert rehearsal.found is not None
    began, real = rehearsal_days.real_days(rehearsal, timezone.now())
    return {
        "cards": rehearsal_words.cards(rehearsal.found),
        "curves": rehearsal_days.curves(rehearsal.found, real),
        "limits": list(rehearsal_words.limits(rehearsal.found)),
        "hindrances": [
            (_("Kept from claiming"), rehearsal_words.hindrances(rehearsal, "claim")),
            (_("Kept from using"), rehearsal_words.hindrances(rehearsal, "use")),
        ],
        "not_known": rehearsal_words.not_known(rehearsal),
        "began": began,
        "beside": rehearsal_days.beside(rehearsal.found, real),
        "changed": rehearsal.asked != rehearsing.asked_of(rehearsal.template, rehearsal.placement),
        "excel": reverse("admin:stats_rehearsal_excel", args=[rehearsal.pk]),
    }


def _excel_rows(rehearsal: Rehearsal) -> Iterator[list[Any]]:
    found = rehearsal.found
    assert found is not None
    yield [_("From"), rehearsal.first_day]
    yield [_("To"), rehearsal.last_day]
    for name, label in (
        ("orders", _("Orders")),
        ("customers", _("Customers who ordered")),
        ("qualifying", _("Customers who qualify")),
        ("population", _("Meet the rules about the customer today")),
        ("claims", _("Claims")),
        ("uses", _("Uses")),
        ("extra", _("Of them on additional orders")),
        ("refused", _("Turned away by limits")),
        ("still_out", _("Still usable after these days")),
    ):
        yield [label, found[name]]
    for name, label in (
        ("discount_fen", _("Discount")),
        ("merchant_fen", _("Of it the merchants'")),
        ("gmv_fen", _("GMV")),
        ("worst_fen", _("Worst case")),
    ):
        yield [_("%(what)s, yuan") % {"what": label}, exporting.in_yuan(found[name])]
    yield []
    for line in rehearsal_words.limits(found):
        yield [line.name, line.left, line.said]
    yield []
    for heading, sentences in (
        (_("What is assumed"), rehearsal_words.assumed(rehearsal)),
        (_("What it does not know"), rehearsal_words.not_known(rehearsal)),
    ):
        yield [heading]
        yield from ([sentence] for sentence in sentences)
        yield []
    yield [_("Day"), _("Claims"), _("Uses"), _("Discount, yuan"), _("Of it the merchants', yuan"), _("GMV, yuan")]
    for day in found["days"]:
        money = [exporting.in_yuan(day[name]) for name in ("discount_fen", "merchant_fen", "gmv_fen")]
        yield [day["day"], day["claims"], day["uses"], *money]
