"""活动: goal, period, budget and owner; what hangs below; the whole of it as a document, out and in."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from coupons.admin.money import yuan
from coupons.admin.template_columns import CHIPS as TEMPLATE_CHIPS
from coupons.approving import making_sense
from coupons.editing import set_budget
from coupons.models import Budget, CouponTemplate
from coupons.refused import Refused
from distribution.admin import figures
from distribution.admin.campaign_columns import PHASE_CHIPS, CampaignColumns
from distribution.admin.campaign_form import CampaignForm, below_used
from distribution.admin.campaign_list import BudgetFilter, PhaseFilter, purse
from distribution.admin.documents import WithDocuments
from distribution.admin.rights import SEES_BUDGETS, SETS_BUDGETS
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, phase_of, placement_state
from distribution.models import Campaign, Placement
from distribution.queries.offered_where import live_in

MOST_BELOW = 100


@admin.register(Campaign)
class CampaignAdmin(WithDocuments, CampaignColumns):
    form = CampaignForm
    change_form_outer_before_template = "distribution/admin/campaign_top.html"
    change_form_before_template = "distribution/admin/seen.html"
    change_form_outer_after_template = "distribution/admin/campaign_below.html"
    empty_words = gettext_lazy(
        "No campaigns yet. A campaign comes first: its goal, its period and its budget; coupons and placements follow."
    )
    list_display = ("named", "phase", "period", "purse", "goal", "template_count", "placement_count", "owner")
    list_filter = (PhaseFilter, BudgetFilter, ("goal_metric", ChoicesDropdownFilter), ("owner", RelatedDropdownFilter))
    search_fields = ("key", "name")
    list_select_related = ("budget", "owner")
    ordering = ("-id",)
    export_fields = (
        "key",
        "name",
        "phase",
        "starts_at",
        "ends_at",
        "goal_metric",
        "target",
        "so_far",
        "show_budget_limit",
        "spent",
        "committed",
        "free",
        "owner",
    )
    fieldsets = (
        (
            gettext_lazy("Goal and period"),
            {
                "classes": ["tab"],
                "fields": ("name", "key", "starts_at", "ends_at", "goal_metric", "goal_target", "control_percent"),
            },
        ),
        (gettext_lazy("Budget"), {"classes": ["tab"], "fields": ("budget_limit",)}),
        (gettext_lazy("Owner"), {"classes": ["tab"], "fields": ("owner", "created_at")}),
    )

    class Media:
        css = {"all": ("distribution/desk.css",)}
        js = ("distribution/desk.js",)

    # --- who sees and changes what --------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).select_related("budget")

    def get_list_display(self, request: HttpRequest) -> Any:
        return [name for name in self.list_display if name != "purse" or request.user.has_perm(SEES_BUDGETS)]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        sets = request.user.has_perm(SETS_BUDGETS)
        result = []
        for title, options in fieldsets:
            names = [name for name in options["fields"] if obj or name != "created_at"]
            if names[0].endswith("budget_limit"):
                if not (request.user.has_perm(SEES_BUDGETS) if obj else sets):
                    continue
                names = names if sets else ["show_budget_limit"]
            result.append((title, {**options, "fields": names}))
        return result

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("created_at", "show_budget_limit")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form = type(form.__name__, (form,), {"request": request})
        if not request.user.has_perm(SETS_BUDGETS):
            form.base_fields.pop("budget_limit", None)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        today = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
        start = today + timedelta(days=1)
        month = {"starts_at": start, "ends_at": start + timedelta(days=30), "owner": request.user.pk}
        return {**month, **super().get_changeform_initial_data(request)}

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "owner":
            users = db_field.remote_field.model._default_manager
            kwargs["queryset"] = users.filter(is_active=True, is_staff=True).order_by("username")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def hangs(self, obj: Any) -> bool:
        return obj.placements.exists() or CouponTemplate.objects.filter(budget=obj.budget_id).exists()

    # --- writing --------------------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        limit = form.cleaned_data.get("budget_limit")
        if not change:
            obj.budget = set_budget(Budget(), limit)
            obj.save()
            return
        now = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("budget").get(pk=obj.pk)
        seen, last = form.cleaned_data.get("seen"), now.history.values_list("history_id", flat=True).first()
        if seen is not None and seen != last:
            raise Refused("edited_meanwhile")
        before, moved = now.budget.limit_fen, "budget_limit" in form.changed_data
        if moved:
            obj._change_reason = f"budget {before} {limit}"
        same_period = (now.starts_at, now.ends_at) == (obj.starts_at, obj.ends_at)
        with making_sense(() if same_period else live_in(now)):
            obj.save()
        if moved:
            try:
                obj.budget = set_budget(now.budget, limit)  # the most shared row, last
            except ValidationError as invalid:
                raise ValidationError({"budget_limit": invalid.messages}) from None
            except Refused as refused:
                raise Refused(
                    refused.code,
                    [
                        {**why, "detail": below_used(why["used_fen"]) if "used_fen" in why else why["detail"],
                         "field": "budget_limit"}
                        for why in refused.reasons
                    ],
                ) from None  # fmt: skip

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """On to its coupons, which its page asks for."""
        if "_addanother" in request.POST or "_popup" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        self.message_user(request, _("The campaign is there. Next come its coupons, then where they are placed."))
        return HttpResponseRedirect(reverse("admin:distribution_campaign_change", args=[obj.pk]))

    @transaction.atomic
    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        budget = obj.budget
        super().delete_model(request, obj)
        budget.delete()

    def _entries(self, records: Any) -> Iterator[dict[str, Any]]:
        rows = list(records)
        for record, entry in zip(rows, super()._entries(rows), strict=True):
            match (record.history_change_reason or "").split():
                case ["budget", before, after]:
                    entry["said"] = _("budget: %(before)s → %(after)s") % {
                        "before": _limit_words(before),
                        "after": _limit_words(after),
                    }
            yield entry

    # --- the page -------------------------------------------------------------------------------------------------

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        phase = phase_of(obj)
        so_far = figures.reached([obj.pk]).get(obj.pk, figures.Reached())
        templates = list(
            CouponTemplate.objects.filter(budget=obj.budget_id)
            .select_related("supply")
            .order_by("-id")[: MOST_BELOW + 1]
        )
        placements = list(obj.placements.order_by("-id")[: MOST_BELOW + 1])
        placed = figures.placed([placement.key for placement in placements])
        for placement in placements:
            placement.campaign = obj
        money = request.user.has_perm(SEES_BUDGETS)
        document = reverse("admin:distribution_campaign_document", args=[obj.pk])
        may_add_template = request.user.has_perm("coupons.add_coupontemplate")
        may_add_placement = request.user.has_perm("distribution.add_placement")
        return {
            "chip": (phase.label, PHASE_CHIPS[phase]),
            "title": obj.name,
            "facts": [(_("Goal"), self._goal_words(obj, so_far))],
            "notes": _pace_words(obj, so_far),
            "links": [(_("Export as a document"), document)] if money else [],
            "purse": purse(obj.budget, wide=True) if money else "",
            "sees_templates": request.user.has_perm("coupons.view_coupontemplate"),
            "templates": [
                (template, (template.get_status_display(), TEMPLATE_CHIPS[template.status]), _given_out(template))
                for template in templates[:MOST_BELOW]
            ],
            "more_templates": f"{reverse('admin:coupons_coupontemplate_changelist')}?budget__id__exact={obj.budget_id}"
            if len(templates) > MOST_BELOW
            else "",
            "sees_placements": request.user.has_perm("distribution.view_placement"),
            "placements": [
                (placement, self._chip(placement), *_results(placed.get(placement.key, figures.Placed())))
                for placement in placements[:MOST_BELOW]
            ],
            "sees_money": money,
            "more_placements": f"{reverse('admin:distribution_placement_changelist')}?campaign__id__exact={obj.pk}"
            if len(placements) > MOST_BELOW
            else "",
            "new_template": f"{reverse('admin:coupons_coupontemplate_add')}?budget={obj.budget_id}"
            if may_add_template
            else "",
            "new_placement": f"{reverse('admin:distribution_placement_add')}?campaign={obj.pk}"
            if may_add_placement
            else "",
        }

    @staticmethod
    def _chip(placement: Placement) -> tuple[str, str]:
        state = placement_state(placement)
        return str(PLACEMENT_STATES[state]), PLACEMENT_CHIPS[state]


def _pace_words(campaign: Campaign, so_far: figures.Reached) -> list[str]:
    """How far the campaign is from its goal, and what its pace says."""
    reached, target = figures.towards_goal(campaign, so_far), campaign.goal_target
    if reached is None or not target:
        return []
    number = yuan if campaign.goal_metric == Campaign.Metric.GMV_FEN else lambda value: f"{value:,}"
    pace = figures.pace(campaign, reached, timezone.now())
    words = {
        "share": f"{reached / target:.0%}",
        "elapsed": f"{pace.elapsed:.0%}",
        "missing": number(max(target - reached, 0)),
        "ahead": number(pace.ahead or 0),
        "of": f"{(pace.ahead or 0) / target:.0%}",
    }
    if pace.elapsed == 0:
        return []
    if reached >= target:
        return [_("The goal is reached: %(share)s, after %(elapsed)s of the time.") % words]
    if pace.elapsed == 1:
        return [_("The goal was missed: %(share)s of it, %(missing)s are missing.") % words]
    if pace.ahead is None:
        return [_("%(share)s of the goal after %(elapsed)s of the time: too early to say more.") % words]
    said = _(
        "%(share)s of the goal after %(elapsed)s of the time. At this pace it will be %(ahead)s: %(of)s of the goal."
    )
    return [said % words]


def _results(placed: figures.Placed) -> tuple[str, str, str, str, str, str]:
    """Given out; seen and used, each with its share; cost; order value; cost of it. Comparable across channels and
    forms.
    """
    whole = placed.issued
    seen, used = (f"{n:,} ({n / whole:.0%})" if whole else f"{n:,}" for n in (placed.seen, placed.used))
    subsidy = f"{placed.spent_fen / placed.gmv_fen:.1%}" if placed.gmv_fen else "–"
    return f"{whole:,}", seen, used, yuan(placed.spent_fen), yuan(placed.gmv_fen), subsidy


def _given_out(template: CouponTemplate) -> str:
    supply = template.supply
    return f"{supply.issued_count:,}" + ("" if supply.total_count is None else f" / {supply.total_count:,}")


def _limit_words(fen: str) -> str:
    return yuan(int(fen)) if fen.isdecimal() else _("no limit")
