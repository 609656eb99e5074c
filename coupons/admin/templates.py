"""券模板: made, read, changed where its state allows, and moved from draft to end."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter

from coupons import approving
from coupons.admin import comparing
from coupons.admin.money import yuan
from coupons.admin.moving import Move, person
from coupons.admin.template_columns import CHIPS, TemplateColumns, of
from coupons.admin.template_form import TemplateForm
from coupons.admin.template_moves import MOVES
from coupons.models import Coupon, CouponTemplate, Supply
from coupons.queries.wording import claim_wording, wording


class UnderCampaign(RelatedDropdownFilter):
    """By campaign, which is what operators call a budget."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = _("Campaign")

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[Any, str]]:
        budgets = field.remote_field.model.objects.select_related("campaign").order_by("-campaign__id")
        return [(budget.pk, budget.campaign.name) for budget in budgets if getattr(budget, "campaign", None)]


@admin.register(CouponTemplate)
class TemplateAdmin(TemplateColumns):
    form = TemplateForm
    moves = MOVES
    change_form_before_template = "coupons/admin/template_top.html"
    empty_words = gettext_lazy(
        "No templates yet. A template says what a coupon is worth, for whom, and how many there are."
    )
    list_display = ("named", "face", "state", "campaign", "progress", "validity", "updated_at")
    list_filter = (
        ("status", ChoicesDropdownFilter),
        ("type", ChoicesDropdownFilter),
        ("budget", UnderCampaign),
        ("category", RelatedDropdownFilter),
        "newcomer",
    )
    search_fields = ("key", "internal_name", "name")
    list_select_related = ("supply", "budget__campaign")
    export_fields = (
        "key",
        "internal_name",
        "name",
        "state",
        "campaign",
        "type",
        "show_amount_fen",
        "show_threshold_fen",
        "percent_off",
        "show_cap_fen",
        "validity",
        "issued_count",
        "total_count",
        "created_at",
    )

    class Media:
        css = {"all": ("coupons/card.css", "coupons/maker.css")}
        js = ("coupons/admin.js", "coupons/maker.js")

    #: The steps, in the order in which they are thought of.
    fieldsets = (
        (gettext_lazy("Type"), {"fields": ("budget", "type", "internal_name", "name", "key", "category")}),
        (
            gettext_lazy("Money"),
            {
                "fields": (
                    "amount_fen",
                    "percent_off",
                    "threshold_fen",
                    "cap_fen",
                    "merchant",
                    ("merchant_percent", "merchant_fen"),
                )
            },
        ),
        (
            gettext_lazy("Validity"),
            {"fields": ("validity_type", "valid_days", "starts_after_days", "valid_from", "valid_until")},
        ),
        (
            gettext_lazy("Who and where"),
            {"fields": ("newcomer", "exclusive_group", "claim_cities", "claim_conditions", "release")},
        ),
        (
            gettext_lazy("Use rules"),
            {"fields": ("use_conditions", "scope", "stack_group", "returns_on_rollback", "reversal")},
        ),
        (gettext_lazy("Looks"), {"fields": ("looks",)}),
        (
            gettext_lazy("Limits"),
            {
                "description": gettext_lazy("A limit that is left empty does not limit; 0 means none at all."),
                "fields": tuple(zip(Supply.LIMITS[::2], Supply.LIMITS[1::2], strict=True)),
            },
        ),
    )

    # --- form ---------------------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[CouponTemplate]:
        return super().get_queryset(request).select_related("supply", "budget__campaign")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        key = f"c{timezone.localtime():%m%d}-{get_random_string(4, 'abcdefghjkmnpqrstuvwxyz23456789')}"
        return {"valid_days": 7, "key": key, **super().get_changeform_initial_data(request)}

    def moves_for(self, request: HttpRequest, obj: Any) -> list[Move]:
        moves = super().moves_for(request, obj)
        if any(move.name == "approve" for move in moves) and not self._may_approve_now(request, obj):
            return [move for move in moves if move.name != "approve"]
        return moves

    @staticmethod
    def _may_approve_now(request: HttpRequest, obj: Any) -> bool:
        if not hasattr(obj, "approvable"):  # asked for the buttons and for the notes
            obj.approvable = approving.may_approve_now(obj, person(request))
        return obj.approvable

    def hangs(self, obj: Any) -> bool:
        return obj.supply.issued_count > 0 or obj.offers.exists() or Coupon.objects.filter(template=obj).exists()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        supply, words = obj.supply, wording(obj)
        facts = [(_("Given out"), of(supply.issued_count, supply.total_count))]
        if request.user.has_perm("coupons.view_budget"):
            facts.append((_("Budget free"), yuan(obj.budget.free_fen, _("no limit"))))
        for label, who in (
            (_("Made by"), obj.made_by),
            (_("Approved by"), obj.approved_by),
            (_("Also approved by"), obj.second_approved_by),
        ):
            if who:
                facts.append((label, str(who)))
        coupons = f"{reverse('admin:coupons_coupon_changelist')}?template__id__exact={obj.pk}"
        links = [(_("Its coupons"), coupons)] if request.user.has_perm("coupons.view_coupon") else []
        if request.user.has_perm("distribution.add_placement") and obj.status != CouponTemplate.Status.ENDED:
            links.insert(0, (_("Place it"), f"{reverse('admin:distribution_placement_add')}?template={obj.pk}"))
        notes = []
        if back := approving.sent_back(obj):
            who, why = back
            told = {"who": who or _("another system"), "why": why or _("no reason was given")}
            notes.append(_("Sent back by %(who)s: %(why)s") % told)
        if approving.possible(obj, "approve") and obj.approved_by_id:
            notes.append(_("One of two has approved it; a second approver, somebody else, decides."))
        waits = approving.possible(obj, "approve")
        if waits and obj.approved_by_id != request.user.pk and not self._may_approve_now(request, obj):
            notes.append(_("You had a hand in this template, so somebody else has to approve it."))
        if supply.issued_count and self.has_change_permission(request, obj):
            notes.append(
                _(
                    "Coupons are out, so what customers were promised stays as it is: money, validity, use rules, "
                    "cost. Limits, release and claim rules can still be changed. For other terms, make a copy."
                )
            )
        return {
            "chip": (obj.get_status_display(), CHIPS[obj.status]),
            "facts": facts,
            "title": words["short"],
            "groups": [(_("On the coupon"), words["rules"]), (_("When it is given out"), claim_wording(obj))],
            "links": links,
            "notes": notes,
        }

    # --- history ------------------------------------------------------------------------------------------------

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Any two versions side by side, if ``?from=&to=`` names them."""
        obj = self.get_object(request, object_id)
        older, newer = (request.GET.get(name, "") for name in ("from", "to"))
        more: dict[str, Any] = {"comparable": True, "older": older, "newer": newer}
        if obj is not None and self.has_view_or_change_permission(request, obj):
            versions = comparing.records(obj, older, newer)
            if len(versions) == 2:
                more |= {"compares": True, "comparison": list(comparing.differences(*versions))}
        return super().history_view(request, object_id, {**more, **(extra_context or {})})

    def _entries(self, records: Any) -> Iterator[dict[str, Any]]:
        """With its limits, which are written at the same moment in a history of their own."""
        rows = list(records)
        limits = comparing.limit_changes(rows)
        for record, entry in zip(rows, super()._entries(rows), strict=True):
            yield {**entry, "changes": [*entry["changes"], *limits.get(record.history_date, [])]}
