"""核销: what coupons took off orders, line by line, and who pays for it."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.exporting import in_yuan
from coupons.admin.ledger import COUPON_CHIPS, EVENT_CHIPS, people, state_now, uuid_of
from coupons.admin.money import yuan
from coupons.admin.saying import once, who
from coupons.models import Coupon, CouponEvent, CouponTemplate
from redemption.models import Order, Redemption

REDEMPTION_CHIPS = {
    "held": "warning",
    "redeemed": "success",
    "part": "info",
    "released": "",
    "ran_out": "",
    "rolled_back": "danger",
}
#: Its own state; a hold that ran out is none, and some of it may have come back.
STATES: dict[str, str | Promise] = {
    **dict(Redemption.Status.choices),
    "part": gettext_lazy("rolled back in part"),
    "ran_out": gettext_lazy("hold ran out"),
}


def redemption_state(redemption: Redemption) -> str:
    if (
        redemption.status == Redemption.Status.HELD
        and redemption.held_until
        and redemption.held_until <= timezone.now()
    ):
        return "ran_out"
    if redemption.status == Redemption.Status.REDEEMED and redemption.returned:
        return "part"
    return redemption.status


class StateFilter(admin.SimpleListFilter):
    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return list(STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Redemption]) -> QuerySet[Redemption]:
        now = timezone.now()
        match self.value():
            case "held":
                return queryset.filter(status="held", held_until__gt=now)
            case "ran_out":
                return queryset.filter(status="held", held_until__lte=now)
            case "redeemed":
                return queryset.filter(status="redeemed", returned={})
            case "part":
                return queryset.filter(status="redeemed").exclude(returned={})
            case "released" | "rolled_back" as status:
                return queryset.filter(status=status)
        return queryset


@admin.register(Redemption)
class RedemptionAdmin(ReadDesk):
    list_display = (
        "created_at",
        "order",
        "customer",
        "state",
        "show_discount_fen",
        "platform",
        "show_merchant_fen",
        "show_returned_fen",
    )
    list_filter = (StateFilter, ("created_at", RangeDateTimeFilter))
    list_select_related = ("order", "customer")
    search_fields = ("id",)
    search_help_text = gettext_lazy("Order number, coupon code, customer's key or phone number")
    ordering = ("-created_at",)
    empty_words = gettext_lazy("No redemptions yet. They appear as soon as orders use coupons.")
    export_fields = (
        "id",
        "order",
        "customer",
        "state",
        "created_at",
        "redeemed_at",
        "ended_at",
        "show_discount_fen",
        "platform",
        "show_merchant_fen",
        "show_returned_fen",
        "show_returned_merchant_fen",
        "by_whom",
    )
    fieldsets = (
        (None, {"fields": (("order_page", "customer_page"), ("number", "by_whom"))}),
        (
            gettext_lazy("Money"),
            {"fields": (("discount_fen", "platform", "merchant_fen"), ("returned_fen", "returned_merchant_fen"))},
        ),
        (gettext_lazy("Lines"), {"fields": ("parts",)}),
        (gettext_lazy("Coupons"), {"fields": ("coupon_list",)}),
        (
            gettext_lazy("When"),
            {"fields": (("created_at", "held_until"), ("redeemed_at", "ended_at"), "story")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Redemption]:
        return super().get_queryset(request).select_related("order", "customer")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = [f"show_{name}" for name in ("discount_fen", "merchant_fen", "returned_fen", "returned_merchant_fen")]
        return ("number", "order_page", "customer_page", "by_whom", "platform", "parts", "coupon_list", "story", *shown)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(order__in=list(Order.objects.filter(key=term).values_list("pk", flat=True)))
        found |= Q(customer_id__in=people(term))
        if uuid := uuid_of(term):
            found |= Q(pk=uuid)
        code = term.upper().replace("-", "").replace(" ", "")
        coupons = list(Coupon.objects.filter(code__in=[term, code]).values_list("pk", "customer_id"))
        for coupon, customer in coupons:
            found |= Q(customer_id=customer, coupons__contains=[coupon])
        return queryset.filter(found), False

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = redemption_state(obj)
        facts = [(_("Discount"), yuan(obj.discount_fen))]
        if obj.returned_fen:
            facts.append((_("Given back"), yuan(obj.returned_fen)))
        links = []
        if request.user.has_perm("redemption.view_order"):
            links.append((_("Order"), reverse("admin:redemption_order_change", args=[obj.order_id])))
        if request.user.has_perm("coupons.view_customer"):
            links.append((_("Customer"), reverse("admin:coupons_customer_change", args=[obj.customer_id])))
        if request.user.has_perm("coupons.view_couponevent"):
            links.append((_("Ledger"), f"{reverse('admin:coupons_couponevent_changelist')}?q={obj.pk}"))
        return {
            "chip": (STATES[state], REDEMPTION_CHIPS[state]),
            "title": str(obj.order),
            "facts": facts,
            "links": links,
        }

    # --- the page -------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Redemption number"))
    def number(self, obj: Any) -> str:
        return str(obj.pk)

    @display(description=gettext_lazy("Order"))
    def order_page(self, obj: Any) -> str:
        return str(obj.order)

    @display(description=gettext_lazy("Customer"))
    def customer_page(self, obj: Any) -> str:
        return str(obj.customer)

    @display(description=gettext_lazy("By"))
    def by_whom(self, obj: Any) -> str:
        return who(obj.by)

    @display(description=gettext_lazy("Lines"))
    @once
    def parts(self, obj: Any) -> SafeString:
        """What each coupon took off each line, with the shares, and their sums."""
        lines = list(obj.lines.select_related("merchant").order_by("id"))
        names = CouponTemplate.objects.only("internal_name").in_bulk({line.template_id for line in lines})
        rows = [
            {
                "line": line.line or _("shipping"),
                "template": names.get(line.template_id, line.template_id),
                "merchant": line.merchant,
                "quantity": line.quantity,
                "money": _row(line.amount_fen, line.discount_fen, line.merchant_fen, line.returned_fen),
            }
            for line in lines
        ]
        sums = _row(
            None,
            sum(line.discount_fen for line in lines),
            sum(line.merchant_fen for line in lines),
            sum(line.returned_fen for line in lines),
        )
        return render_to_string("redemption/admin/parts.html", {"rows": rows, "sums": sums})

    @display(description=gettext_lazy("Coupons"))
    @once
    def coupon_list(self, obj: Any) -> SafeString:
        found = Coupon.objects.select_related("template").in_bulk(obj.coupons)
        rows = []
        for pk in obj.coupons:
            if coupon := found.get(pk):
                state = state_now(coupon)
                rows.append((coupon, Coupon.Status(state).label, COUPON_CHIPS[state]))
        return render_to_string("redemption/admin/coupons.html", {"rows": rows})

    @display(description=gettext_lazy("What happened"))
    @once
    def story(self, obj: Any) -> SafeString:
        events = CouponEvent.objects.filter(coupon__in=obj.coupons, redemption_id=obj.pk).select_related("coupon")
        rows = [
            {
                "event": event,
                "kind": event.get_kind_display(),
                "look": EVENT_CHIPS.get(event.kind, ""),
                "spent": yuan(event.spent_fen) if event.spent_fen else "–",
                "by": who(event.by),
            }
            for event in events.order_by("id")[:200]
        ]
        return render_to_string("redemption/admin/story.html", {"rows": rows})

    # --- columns --------------------------------------------------------------------------------------------------

    def _export_cell(self, obj: Any, name: str) -> Any:
        return in_yuan(obj.platform_fen) if name == "platform" else super()._export_cell(obj, name)

    @display(description=gettext_lazy("State"), label=REDEMPTION_CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        state = redemption_state(obj)
        return state, str(STATES[state])

    @display(description=gettext_lazy("Platform pays"))
    def platform(self, obj: Any) -> str:
        return yuan(obj.platform_fen)


def _row(full: int | None, discount: int, merchant: int, returned: int) -> list[str]:
    return ["" if full is None else yuan(full), *map(yuan, (discount, discount - merchant, merchant, returned))]
