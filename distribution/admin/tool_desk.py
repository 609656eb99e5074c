"""What the pages of trigger rules and share plans have in common: each is the tool of one placement."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin.history import WithHistory
from distribution import placing
from distribution.admin.rights import APPROVES
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.models import Placement


def onwards(tool: Any) -> HttpResponse:
    """One chain: the placement's page has the link, the call, the way to try it, and what it waits for."""
    return HttpResponseRedirect(reverse("admin:distribution_placement_change", args=[tool.placement_id]))


class ToolDesk(WithHistory):
    """``back_to_draft``: what is said when a change without the right to approve made the placement a draft again."""

    back_to_draft: str | Promise = ""
    change_form_before_template = "distribution/admin/seen.html"
    list_select_related = ("placement__campaign",)

    def placements(self) -> QuerySet[Placement]:
        """Those that want such a tool and have none."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("placement",) if obj else ()

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "placement":
            kwargs["queryset"] = self.placements().exclude(status=Placement.Status.ENDED)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        ended = obj is not None and obj.placement.status == Placement.Status.ENDED
        return super().has_change_permission(request, obj) and not ended

    def hangs(self, obj: Any) -> bool:
        return obj.placement.status != Placement.Status.DRAFT

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if placing.save_tool(obj, may_approve=request.user.has_perm(APPROVES), by=request.user):  # type: ignore[arg-type]
            self.message_user(request, self.back_to_draft, 30)

    def response_post_save_add(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return onwards(obj)

    @display(description=gettext_lazy("Placement"), header=True, ordering="placement__title")
    def named(self, obj: Any) -> list[str]:
        return [str(obj), obj.placement.campaign.name]

    @display(description=gettext_lazy("State"), label=PLACEMENT_CHIPS)
    def state(self, obj: Any) -> tuple[str, str]:
        state = placement_state(obj.placement)
        return state, str(PLACEMENT_STATES[state])
