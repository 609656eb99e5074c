"""风控: the block list, and how often one may come."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk
from distribution.models import Block, RiskRule


class InForce(admin.SimpleListFilter):
    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("in_force", _("in force")), ("over", _("over"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Block]) -> QuerySet[Block]:
        now = timezone.now()
        match self.value():
            case "in_force":
                return queryset.filter(Q(until=None) | Q(until__gt=now))
            case "over":
                return queryset.filter(until__lte=now)
        return queryset


@admin.register(Block)
class BlockAdmin(Desk):
    """Whoever stands here gets nothing, and is not told why."""

    fields = ("kind", "value", "reason", "until", "show_made_by", "created_at")
    readonly_fields = ("show_made_by", "created_at")
    list_display = ("value", "kind", "reason", "until", "state", "made_by", "created_at")
    list_filter = (("kind", ChoicesDropdownFilter), InForce)
    list_select_related = ("made_by",)
    search_fields = ("value", "reason")
    empty_words = gettext_lazy(
        "Nobody is blocked. Who is blocked gets no coupon by any door; what they hold already stays theirs."
    )

    def hangs(self, obj: Any) -> bool:
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else self.fields[:4]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"kind": Block.Kind.CUSTOMER, **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.made_by = request.user
        super().save_model(request, obj, form, change)

    @display(description=gettext_lazy("State"), label={"in_force": "danger", "over": ""})
    def state(self, obj: Any) -> tuple[str, str]:
        over = obj.until is not None and obj.until <= timezone.now()
        return ("over", _("over")) if over else ("in_force", _("in force"))


@admin.register(RiskRule)
class RiskRuleAdmin(Desk):
    fields = ("kind", "minutes", "most_count", "digits", "is_on")
    list_display = ("kind", "says", "is_on")
    list_filter = (("kind", ChoicesDropdownFilter), "is_on")
    empty_words = gettext_lazy(
        "No risk rules. A rule says how many claims may succeed from one device, address, phone segment or account "
        "within a window, or how old an account must be."
    )

    def hangs(self, obj: Any) -> bool:
        return False

    @display(description=gettext_lazy("Rule"))
    def says(self, obj: Any) -> str:
        if obj.kind == RiskRule.Kind.ACCOUNT_AGE:
            return _("registered %(minutes)s minutes ago or earlier") % {"minutes": obj.minutes}
        words = _("at most %(count)s claims in %(minutes)s minutes") % {"count": obj.most_count, "minutes": obj.minutes}
        return words if obj.digits is None else _("%(words)s, first %(digits)s digits") % {
            "words": words, "digits": obj.digits,
        }  # fmt: skip
