"""A campaign as it is read: in the list, in its export, and by those who may not change it."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin.exporting import in_yuan
from coupons.admin.history import WithHistory
from coupons.admin.money import plain_yuan, yuan
from coupons.admin.saying import bar
from coupons.models import CouponTemplate
from distribution.admin import figures
from distribution.admin.campaign_list import purse
from distribution.admin.rights import SEES_BUDGETS
from distribution.admin.states import phase_of
from distribution.models import Campaign, Placement

PHASE_CHIPS = {"planned": "info", "running": "success", "over": ""}


class CampaignColumns(WithHistory):
    _MONEY = {"show_budget_limit": "limit_fen", "spent": "spent_fen", "committed": "committed_fen", "free": "free_fen"}

    def _export_cell(self, obj: Any, name: str) -> Any:
        if name in self._MONEY:
            return in_yuan(getattr(obj.budget, self._MONEY[name]))
        return super()._export_cell(obj, name)

    def export_view(self, request: HttpRequest, kind: str) -> Any:
        if not request.user.has_perm(SEES_BUDGETS):
            raise PermissionDenied
        return super().export_view(request, kind)

    def know(self, campaigns: Any) -> None:
        ids = [campaign.pk for campaign in campaigns]
        budgets = [campaign.budget_id for campaign in campaigns]
        so_far = figures.reached(ids)
        templates = dict(
            CouponTemplate.objects.filter(budget__in=budgets).values_list("budget").annotate(Count("pk")).order_by()
        )
        placements = dict(
            Placement.objects.filter(campaign__in=ids).values_list("campaign").annotate(Count("pk")).order_by()
        )
        for campaign in campaigns:
            campaign.known = (
                so_far.get(campaign.pk, figures.Reached()),
                templates.get(campaign.budget_id, 0),
                placements.get(campaign.pk, 0),
            )

    @display(description=gettext_lazy("Campaign"), header=True, ordering="name")
    def named(self, obj: Any) -> list[str]:
        return [obj.name, obj.key]

    @display(description=gettext_lazy("State"), label=PHASE_CHIPS)
    def phase(self, obj: Any) -> tuple[str, str]:
        phase = phase_of(obj)
        return phase.value, str(phase.label)

    @display(description=gettext_lazy("Period"), ordering="starts_at")
    def period(self, obj: Any) -> str:
        start, end = (timezone.localtime(moment) for moment in (obj.starts_at, obj.ends_at))
        return f"{start:%Y-%m-%d} – {end:%Y-%m-%d}"

    @display(description=gettext_lazy("Budget"))
    def purse(self, obj: Any) -> SafeString:
        return purse(obj.budget)

    @display(description=gettext_lazy("Goal"))
    def goal(self, obj: Any) -> SafeString:
        so_far = figures.towards_goal(obj, self._so_far(obj))
        target = obj.goal_target if so_far is not None else None
        return bar(so_far or 0, target, self._goal_words(obj, self._so_far(obj)))

    @display(description=gettext_lazy("Templates"))
    def template_count(self, obj: Any) -> int:
        return obj.known[1]

    @display(description=gettext_lazy("Placements"))
    def placement_count(self, obj: Any) -> int:
        return obj.known[2]

    @staticmethod
    def _so_far(obj: Any) -> figures.Reached:
        return obj.known[0] if hasattr(obj, "known") else figures.reached([obj.pk]).get(obj.pk, figures.Reached())

    @staticmethod
    def _goal_words(obj: Any, so_far: figures.Reached) -> str:
        number = yuan if obj.goal_metric == Campaign.Metric.GMV_FEN else lambda value: f"{value:,}"
        reached = figures.towards_goal(obj, so_far)
        words = [number(reached)] if reached is not None else []
        words += [number(obj.goal_target)] if obj.goal_target is not None else []
        return f"{obj.get_goal_metric_display()} {' / '.join(words)}"

    # --- to read --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Target"))
    def show_goal_target(self, obj: Any) -> str:
        if obj.goal_target is None:
            return _("none")
        return yuan(obj.goal_target) if obj.goal_metric == Campaign.Metric.GMV_FEN else f"{obj.goal_target:,}"

    @display(description=gettext_lazy("Target"))
    def target(self, obj: Any) -> str:
        return self.show_goal_target(obj)

    @display(description=gettext_lazy("So far"))
    def so_far(self, obj: Any) -> str:
        reached = figures.towards_goal(obj, self._so_far(obj))
        if reached is None:
            return ""
        return plain_yuan(reached) if obj.goal_metric == Campaign.Metric.GMV_FEN else str(reached)

    @display(description=gettext_lazy("Budget"))
    def show_budget_limit(self, obj: Any) -> str:
        return yuan(obj.budget.limit_fen, _("no limit"))

    @display(description=gettext_lazy("Spent"))
    def spent(self, obj: Any) -> str:
        return yuan(obj.budget.spent_fen)

    @display(description=gettext_lazy("Committed"))
    def committed(self, obj: Any) -> str:
        return yuan(obj.budget.committed_fen)

    @display(description=gettext_lazy("Free"))
    def free(self, obj: Any) -> str:
        return yuan(obj.budget.free_fen, _("no limit"))
