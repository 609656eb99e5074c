"""用户事实: what every fact means, of how many customers it is known, how fresh it is and how long it is believed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.decorators import display

from coupons.admin.history import WithHistory
from coupons.admin.saying import bar
from coupons.models import Band, Fact
from coupons.queries import facts

MEANINGS = {
    "sensitivity": gettext_lazy("How strongly the customer answers to coupons; 0 not at all, 1 most."),
    "churn_probability": gettext_lazy("How likely the customer is to leave; 0 surely stays, 1 surely leaves."),
    "rival_app": gettext_lazy("Whether an app of a rival is installed on the customer's phone."),
    "tags": gettext_lazy("Words that the company's tag system gave the customer, such as the stage of life cycle."),
}
#: What follows from the orders that are told: always known, never too old.
FROM_ORDERS = (
    (gettext_lazy("Standing"), gettext_lazy("New to the platform, new to a business line, or returning.")),
    (gettext_lazy("Number of orders"), gettext_lazy("Finished orders, ever or in the last N days.")),
    (
        gettext_lazy("Days since the last order"),
        gettext_lazy("Whole days; 0 is today. Who never ordered has no last order."),
    ),
    (
        gettext_lazy("Subsidy rate"),
        gettext_lazy("What was taken off ÷ original price, ever or in the last N days. Without orders it is 0."),
    ),
)


@admin.register(Fact)
class FactAdmin(WithHistory):
    fields = ("most_days",)
    list_display = ("named", "meaning", "known", "too_old", "freshest", "stalest", "believed")
    list_display_links = ("named",)
    change_list_template = "coupons/admin/facts.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context: dict[str, Any] = {"from_orders": FROM_ORDERS}
        if self.has_view_or_change_permission(request):
            request.coverage = facts.coverage(timezone.now())  # type: ignore[attr-defined]
            ordered = facts.ordered()
            known = bar(ordered.known, ordered.customers, f"{ordered.known:,} / {ordered.customers:,}")
            context |= {"ordered": known, "newest_at": ordered.newest_at}
        response = super().changelist_view(request, {**context, **(extra_context or {})})
        if changes := (getattr(response, "context_data", None) or {}).get("cl"):
            for fact in changes.result_list:
                fact.coverage = request.coverage[fact.pk]  # type: ignore[attr-defined]
        return response

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {
            "title": str(obj),
            "notes": [
                _("Conditions ask it at every claim and for every reach: a change counts at once, for all audiences.")
            ],
            "groups": [(_("What it means"), [MEANINGS[obj.pk]])],
        }

    @display(description=gettext_lazy("Fact"))
    def named(self, obj: Any) -> SafeString:
        return format_html("{}<br><code>{}</code>", obj, obj.pk)

    @display(description=gettext_lazy("What it means"))
    def meaning(self, obj: Any) -> str:
        return str(MEANINGS[obj.pk])

    @display(description=gettext_lazy("Known of"))
    def known(self, obj: Any) -> SafeString:
        known, customers = obj.coverage.known, obj.coverage.customers
        share = f" ({known * 100 / customers:.1f} %)" if customers else ""
        return bar(known, customers, f"{known:,} / {customers:,}{share}")

    @display(description=gettext_lazy("Too old"))
    def too_old(self, obj: Any) -> str:
        return f"{obj.coverage.old:,}"

    @display(description=gettext_lazy("Newest"))
    def freshest(self, obj: Any) -> Any:
        return obj.coverage.newest_at

    @display(description=gettext_lazy("Oldest"))
    def stalest(self, obj: Any) -> Any:
        return obj.coverage.oldest_at

    @display(description=gettext_lazy("Believed for"))
    def believed(self, obj: Any) -> str:
        if obj.most_days is None:
            return _("ever")
        return ngettext("%(days)d day", "%(days)d days", obj.most_days) % {"days": obj.most_days}


@admin.register(Band)
class BandAdmin(WithHistory):
    fields = ("name", "low", "high")
    list_display = ("name", "low", "high")
    search_fields = ("name",)
    empty_words = gettext_lazy("No bands yet. A band is a range of coupon sensitivity with a name.")

    def hangs(self, obj: Any) -> bool:
        return False
