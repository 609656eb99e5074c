"""Orders as they were told; to read."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.ledger import people
from coupons.admin.money import yuan
from coupons.admin.saying import once
from coupons.models import Category, Merchant
from redemption.admin.redemptions import REDEMPTION_CHIPS, STATES, redemption_state
from redemption.models import Order


class FinishedFilter(admin.SimpleListFilter):
    title = gettext_lazy("Finished")
    parameter_name = "finished"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return [("yes", _("finished")), ("no", _("not finished"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        if self.value() in ("yes", "no"):
            return queryset.filter(finished_at__isnull=self.value() == "no")
        return queryset


@admin.register(Order)
class OrderAdmin(ReadDesk):
    list_display = (
        "key",
        "customer",
        "placed_at",
        "finished_at",
        "city",
        "client",
        "show_goods_fen",
        "show_shipping_fen",
        "show_deducted_fen",
    )
    list_filter = (FinishedFilter, ("client", ChoicesDropdownFilter), ("placed_at", RangeDateTimeFilter))
    list_select_related = ("customer", "city")
    search_fields = ("key",)
    search_help_text = gettext_lazy("Order number, customer's key or phone number")
    ordering = ("-id",)
    empty_words = gettext_lazy("No orders yet. The company's systems tell us of them through the API.")
    export_fields = (
        "key",
        "customer",
        "placed_at",
        "finished_at",
        "city",
        "client",
        "business_mode",
        "business_line",
        "show_goods_fen",
        "show_shipping_fen",
        "show_deducted_fen",
    )
    fieldsets = (
        (None, {"fields": (("key", "customer_name"), ("placed_at", "finished_at"))}),
        (gettext_lazy("Where"), {"fields": (("client", "city_name"), ("business_mode", "business_line"))}),
        (gettext_lazy("Money"), {"fields": (("goods_fen", "shipping_fen"), ("deducted_fen", "paid"))}),
        (gettext_lazy("Lines"), {"fields": ("goods",)}),
        (gettext_lazy("Redemptions"), {"fields": ("uses",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("customer", "city")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        shown = ("show_goods_fen", "show_shipping_fen", "show_deducted_fen")
        return ("customer_name", "city_name", "paid", "goods", "uses", *shown)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        return (queryset.filter(Q(key=term) | Q(customer_id__in=people(term))) if term else queryset), False

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if request.user.has_perm("coupons.view_customer"):
            links.append((_("Customer"), reverse("admin:coupons_customer_change", args=[obj.customer_id])))
        done = (_("finished"), "success") if obj.finished_at else (_("not finished"), "warning")
        return {"chip": done, "title": obj.key, "facts": [(_("Paid"), self.paid(obj))], "links": links}

    @display(description=gettext_lazy("Customer"))
    def customer_name(self, obj: Any) -> str:
        return str(obj.customer)

    @display(description=gettext_lazy("City"))
    def city_name(self, obj: Any) -> str:
        return str(obj.city or "–")

    @display(description=gettext_lazy("Paid"))
    def paid(self, obj: Any) -> str:
        return yuan(obj.goods_fen + obj.shipping_fen - obj.deducted_fen)

    @display(description=gettext_lazy("Lines"))
    @once
    def goods(self, obj: Any) -> SafeString:
        categories = Category.objects.in_bulk({line.get("category") for line in obj.lines} - {None})
        merchants = Merchant.objects.in_bulk({line.get("merchant") for line in obj.lines} - {None})
        rows = [
            {
                "id": line["id"],
                "sku": line.get("sku") or "–",
                "category": categories.get(line.get("category"), line.get("category") or "–"),
                "merchant": merchants.get(line.get("merchant"), line.get("merchant") or "–"),
                "price": yuan(line["unit_price_fen"]),
                "quantity": line["quantity"],
                "sum": yuan(line["unit_price_fen"] * line["quantity"]),
            }
            for line in obj.lines
        ]
        return render_to_string("redemption/admin/goods.html", {"rows": rows})

    @display(description=gettext_lazy("Redemptions"))
    @once
    def uses(self, obj: Any) -> SafeString:
        rows = []
        for redemption in obj.redemptions.order_by("-created_at")[:100]:
            state = redemption_state(redemption)
            rows.append(
                {
                    "redemption": redemption,
                    "state": STATES[state],
                    "look": REDEMPTION_CHIPS[state],
                    "money": [yuan(redemption.discount_fen), yuan(redemption.returned_fen)],
                }
            )
        return render_to_string("redemption/admin/uses.html", {"rows": rows})
