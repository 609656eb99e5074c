"""效果: a reading is asked for a campaign, watched, and read in words that claim no more than was shown."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin import exporting
from coupons.admin.asking import dress
from coupons.admin.money import yuan
from coupons.queries.catalogue import business_now
from coupons.refused import Refused
from coupons.tasks import run_job
from distribution.models import Campaign
from stats import effect
from stats.admin.worked import WorkedDesk
from stats.dashboard.links import page_of
from stats.effect import Arm, Interval
from stats.models import EffectReading

MOST_CHOICES = 200
#: An effect of so much is worth knowing of.
WORTH_KNOWING = 0.05


class ReadingForm(forms.ModelForm):
    class Meta:
        model = EffectReading
        fields = ("population", "margin_percent")
        widgets = {"population": forms.RadioSelect()}


@admin.register(EffectReading)
class EffectAdmin(WorkedDesk):
    list_display = ("campaign", "days", "population", "state", "verdict", "made_by", "created_at")
    list_select_related = ("campaign", "job", "made_by")
    search_fields = ("campaign__name", "campaign__key")
    empty_words = gettext_lazy(
        "No readings yet. A campaign with a control group can be read from its first full day on."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[EffectReading]:
        return super().get_queryset(request).select_related("campaign", "job", "made_by")

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        named = request.GET.get("campaign", "")
        measured = Campaign.objects.filter(control_percent__gt=0, starts_at__lte=business_now()).order_by("-id")
        campaign = Campaign.objects.filter(pk=named).first() if named.isdecimal() and len(named) < 19 else None
        context = {**self.admin_site.each_context(request), "title": _("What did it bring?"), "opts": self.opts}
        if campaign is None:
            context["campaigns"] = measured[:MOST_CHOICES]
            return TemplateResponse(request, "stats/read_effect.html", context)
        form = ReadingForm(request.POST if request.method == "POST" else None)
        dress(form)
        if request.method == "POST" and form.is_valid():
            answers = form.cleaned_data
            try:
                reading = effect.start(
                    campaign,
                    answers["population"],
                    answers["margin_percent"],
                    now=business_now(),
                    by=request.user,  # type: ignore[arg-type]
                )
            except Refused as no:
                form.add_error(None, str(no.detail))
            else:
                run_job.delay_on_commit(reading.job_id)
                messages.success(request, _("The reading has begun."))
                return HttpResponseRedirect(self.address("change", reading.pk))
        context |= {"campaign": campaign, "form": form, "back": page_of(request, campaign)}
        return TemplateResponse(request, "stats/read_effect.html", context)

    def result_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        reading = self.one(request, object_id)
        again = f"{self.address('add')}?campaign={reading.campaign_id}"
        context = {
            **self.shown(request, reading),
            "title": _("Effect of %(campaign)s") % {"campaign": reading.campaign},
            "reading": reading,
            "campaign_page": page_of(request, reading.campaign),
            "again": again if self.has_add_permission(request) else "",
        }
        if reading.found:
            coupon, control = effect.arms_of(reading)
            context |= {
                "excel": self.address("excel", reading.pk),
                "headline": headline(reading),
                "lines": lines(coupon, control),
                "back_lines": returns(reading, coupon, control),
                "needed": needed(reading, coupon, control),
                "share_changed": reading.found["share_changed"],
                "coupon": f"{coupon.customers:,}",
                "control": f"{control.customers:,}",
            }
        return TemplateResponse(request, "stats/effect.html", context)

    def excel(self, reading: EffectReading) -> HttpResponseBase:
        coupon, control = effect.arms_of(reading)
        heading = [_("Per customer"), _("Coupon group"), _("Control group"), _("Difference"), _("from"), _("to")]
        rows: list[list[Any]] = [
            [label, coupon.mean(name) / scale, control.mean(name) / scale]
            + ([one.value / scale, one.low / scale, one.high / scale] if one else ["", "", ""])
            for name, label, scale in _MEASURES()
            for one in [effect.difference(coupon, control, name)]
        ]
        rows.append([_("Customers"), coupon.customers, control.customers])
        name = f"effect-{reading.campaign.key}-{reading.last_day:%Y%m%d}"
        return exporting.answer("xlsx", name, heading, rows)

    @display(description=gettext_lazy("What it shows"))
    def verdict(self, obj: Any) -> str:
        return headline(obj) if obj.found else "–"


def _MEASURES() -> list[tuple[str, str, int]]:  # noqa: N802  a table
    return [
        ("orders", _("Orders per customer"), 1),
        ("gmv", _("GMV per customer, yuan"), 100),
        ("subsidy", _("Subsidy per customer, yuan"), 100),
    ]


def headline(reading: EffectReading) -> str:
    """What was shown of the GMV, in one sentence, and no more than that."""
    coupon, control = effect.arms_of(reading)
    gap = effect.difference(coupon, control, "gmv")
    if gap is None:
        return _("Too few customers in one of the groups to compare: each needs at least %(least)d.") % {
            "least": effect.LEAST
        }
    if not gap.shows:
        return _("No difference shown yet: the order value per customer may have grown or shrunk.")
    words = {"gap": yuan(abs(round(gap.value))), "low": yuan(round(gap.low)), "high": yuan(round(gap.high))}
    if gap.value > 0:
        return _("With coupons customers ordered for %(gap)s more each (95 %% interval %(low)s to %(high)s).") % words
    return _("With coupons customers ordered for %(gap)s less each (95 %% interval %(low)s to %(high)s).") % words


def lines(coupon: Arm, control: Arm) -> list[dict[str, str]]:
    said = []
    for name, label, scale in _MEASURES():
        gap = effect.difference(coupon, control, name)
        said.append(
            {
                "label": label,
                "coupon": f"{coupon.mean(name) / scale:,.2f}",
                "control": f"{control.mean(name) / scale:,.2f}",
                "gap": f"{gap.value / scale:+,.2f}" if gap else "–",
                "interval": _range(gap, scale) if gap else _("too few"),
                "words": (_("shown") if gap.shows else _("no difference shown yet")) if gap else "",
            }
        )
    return said


def _range(found: Interval, scale: float = 1) -> str:
    return f"{found.low / scale:+,.2f} … {found.high / scale:+,.2f}"


def returns(reading: EffectReading, coupon: Arm, control: Arm) -> list[str]:
    """Margin per ¥1 of subsidy, and whether it pays, as far as can be said."""
    margin = float(reading.margin_percent) / 100
    back = effect.margin_per_yuan(coupon, control, margin)
    assumed = _("Assumed: %(percent)s %% of the order value is margin, before the subsidy.") % {
        "percent": f"{reading.margin_percent.normalize():f}"
    }
    if back is None:
        return [_("Margin per ¥1 of subsidy cannot be told: too few customers, or no additional subsidy."), assumed]
    words = {"value": yuan(round(back.value * 100)), "low": f"{back.low:.2f}", "high": f"{back.high:.2f}"}
    said = [_("Each ¥1 of subsidy brought %(value)s of margin (95 %% interval %(low)s to %(high)s).") % words]
    if back.low > 1:
        said.append(_("It paid for itself, under this assumption."))
    elif back.high < 1:
        said.append(_("It did not pay for itself, under this assumption."))
    else:
        said.append(_("Whether it paid for itself is not shown yet."))
    return [*said, assumed]


def needed(reading: EffectReading, coupon: Arm, control: Arm) -> str:
    assert reading.found is not None
    share = float(reading.found["control_percent"]) / 100
    wanted = effect.customers_needed(control, share, WORTH_KNOWING)
    if wanted is None:
        return ""
    there = coupon.customers + control.customers
    words = {"wanted": f"{wanted:,}", "there": f"{there:,}"}
    return (
        _(
            "To show a change of 5 %% of the order value with 80 %% certainty it takes %(wanted)s customers"
            " in both groups together; there are %(there)s."
        )
        % words
    )
