"""What the list of campaigns is filtered by, and how it shows a purse."""

from typing import Any

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin.money import yuan
from coupons.models import Budget
from distribution.admin.rights import SEES_BUDGETS
from distribution.admin.states import Phase
from distribution.models import Campaign


class PhaseFilter(admin.SimpleListFilter):
    """By what time makes of it."""

    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Phase.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        now = timezone.now()
        match self.value():
            case Phase.PLANNED:
                return queryset.filter(starts_at__gt=now)
            case Phase.RUNNING:
                return queryset.filter(starts_at__lte=now, ends_at__gt=now)
            case Phase.OVER:
                return queryset.filter(ends_at__lte=now)
        return queryset


class BudgetFilter(admin.SimpleListFilter):
    title = gettext_lazy("Budget")
    parameter_name = "budget"

    def has_output(self) -> bool:
        return self.may_see

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        self.may_see = request.user.has_perm(SEES_BUDGETS)
        super().__init__(request, *args)

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("low", _("more than 80 % used")), ("unlimited", _("no limit"))] if self.may_see else []

    def queryset(self, request: HttpRequest, queryset: QuerySet[Campaign]) -> QuerySet[Campaign]:
        if self.may_see and self.value() == "low":
            used = F("budget__committed_fen") + F("budget__spent_fen")
            return queryset.filter(budget__limit_fen__lte=used * 5 / 4)
        if self.may_see and self.value() == "unlimited":
            return queryset.filter(budget__limit_fen=None)
        return queryset


def purse(budget: Budget, *, wide: bool = False) -> SafeString:
    """Spent, committed and free in 元, with a bar."""
    whole = budget.limit_fen or budget.spent_fen + budget.committed_fen
    context = {
        "limit": yuan(budget.limit_fen, _("no limit")),
        "spent": yuan(budget.spent_fen),
        "committed": yuan(budget.committed_fen),
        "free": yuan(budget.free_fen, _("no limit")),
        "spent_share": f"{budget.spent_fen * 100 / whole:.2f}" if whole else "0",
        "committed_share": f"{budget.committed_fen * 100 / whole:.2f}" if whole else "0",
        "low": budget.limit_fen is not None
        and (budget.limit_fen - (budget.free_fen or 0)) * 100 >= budget.limit_fen * 80,
        "wide": wide,
    }
    return render_to_string("distribution/admin/purse.html", context)
