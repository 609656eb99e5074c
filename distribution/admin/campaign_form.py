"""The form of a campaign: its budget and its target in 元 where they are money."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from coupons.admin.money import YuanField, fen_of, plain_yuan, yuan
from coupons.models.templates import MAX_FEN
from distribution.admin.seen import SeenForm
from distribution.models import Campaign


def below_used(used_fen: int) -> str:
    return _("%(used)s is spent or committed already; the budget cannot be lower.") % {"used": yuan(used_fen)}


class CampaignForm(SeenForm):
    goal_target = forms.CharField(
        label=gettext_lazy("Target"),
        required=False,
        max_length=20,
        help_text=gettext_lazy("A whole number; for order value, an amount in yuan. Empty: no target."),
        widget=widgets.UnfoldAdminTextInputWidget({"inputmode": "decimal", "autocomplete": "off"}),
    )
    budget_limit = YuanField(
        label=gettext_lazy("Budget"),
        required=False,
        help_text=gettext_lazy("What all its coupons together may cost. Empty: no limit."),
    )

    class Meta:
        model = Campaign
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["budget_limit"] = self.instance.budget.limit_fen
            target = self.instance.goal_target
            if target is not None and self.instance.goal_metric == Campaign.Metric.GMV_FEN:
                self.initial["goal_target"] = plain_yuan(target)

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean() or {}
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and starts_at >= ends_at:
            self.add_error("ends_at", _("The end must be after the start."))
        if "goal_target" in cleaned:
            cleaned["goal_target"] = self._target(cleaned["goal_target"], cleaned.get("goal_metric"))
        limit = cleaned.get("budget_limit")
        if limit is not None and self.instance.pk and not self.has_error("budget_limit"):
            budget = self.instance.budget
            if limit < budget.spent_fen + budget.committed_fen:
                self.add_error("budget_limit", below_used(budget.spent_fen + budget.committed_fen))
        return cleaned

    def _target(self, text: str, metric: str | None) -> int | None:
        if not text.strip():
            return None
        try:
            target = fen_of(text) if metric == Campaign.Metric.GMV_FEN else int(text.replace(",", ""))
            if not 1 <= target <= MAX_FEN:
                raise ValueError(text)
        except ValueError:
            self.add_error("goal_target", _("A number above zero; an amount only if the goal is order value."))
            return None
        return target
