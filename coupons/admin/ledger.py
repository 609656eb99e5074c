"""优惠券与流水: coupons in customers' hands and what happened to them; to read, and to void with a reason."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
    FieldTextFilter,
    RangeDateTimeFilter,
)
from unfold.decorators import display

from coupons.admin.desk import ReadDesk
from coupons.admin.money import yuan
from coupons.admin.moving import Move
from coupons.admin.saying import who
from coupons.lifecycle import ending
from coupons.models import City, Coupon, CouponEvent, CouponTemplate, Customer
from coupons.queries.wallet import status_at
from coupons.rules.situation import Client

COUPON_CHIPS = {"available": "success", "held": "warning", "redeemed": "info", "expired": "", "void": "danger"}
EVENT_CHIPS = {
    "issued": "success",
    "held": "warning",
    "released": "",
    "redeemed": "info",
    "rolled_back": "warning",
    "returned": "success",
    "expired": "",
    "void": "danger",
    "freed": "",
}


def people(term: str) -> list[int]:
    """Ids of customers by their whole key or phone number."""
    return list(Customer.objects.filter(Q(key=term) | Q(phone=term)).values_list("pk", flat=True)[:100])


def uuid_of(term: str) -> UUID | None:
    return UUID(term) if re.fullmatch(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}", term) else None


def state_now(coupon: Coupon) -> str:
    return status_at(coupon.status, coupon.valid_until, coupon.held_until, timezone.now())


class StateFilter(admin.SimpleListFilter):
    """By what a coupon is at this moment, not by what the row says."""

    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return Coupon.Status.choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[Coupon]) -> QuerySet[Coupon]:
        now = timezone.now()
        free = Q(status="available") | Q(status="held", held_until__lte=now)
        match self.value():
            case "available":
                return queryset.filter(free, valid_until__gt=now)
            case "held":
                return queryset.filter(status="held", held_until__gt=now)
            case "expired":
                return queryset.filter(Q(status="expired") | (free & Q(valid_until__lte=now)))
            case "redeemed" | "void" as status:
                return queryset.filter(status=status)
        return queryset


class VoidForm(forms.Form):
    reason = forms.CharField(
        label=gettext_lazy("Reason"), max_length=200, help_text=gettext_lazy("It stays in the ledger.")
    )


def _void(coupon: Coupon, request: HttpRequest, answers: dict[str, Any]) -> None:
    by = f"user:{request.user.get_username()}"
    ending.void(coupon.pk, now=timezone.localtime(), by=by[:80], reason=answers["reason"])


VOID = Move(
    "void",
    gettext_lazy("Void"),
    gettext_lazy("Void this coupon?"),
    ("coupons.void_coupon",),
    lambda coupon: state_now(coupon) == "available",
    lambda coupon: [
        _("The customer loses it at once, and this cannot be undone."),
        _("What it holds of the campaign's budget is free again."),
        _("The number of coupons given out stays as it is."),
    ],
    _void,
    gettext_lazy("The coupon is void."),
    icon="block",
    danger=True,
    form=VoidForm,
)


@admin.register(Coupon)
class CouponAdmin(ReadDesk):
    moves = (VOID,)
    list_display = ("code", "template", "customer", "state", "issued_at", "valid_until", "placement")
    list_filter: tuple[Any, ...] = (
        StateFilter,
        ("template", AutocompleteSelectFilter),
        ("placement", FieldTextFilter),
        ("issued_at", RangeDateTimeFilter),
    )
    list_select_related: tuple[str, ...] = ("template", "customer")
    search_fields = ("code",)
    search_help_text = gettext_lazy("Coupon code, customer's key or phone number")
    ordering: tuple[str, ...] = ("-id",)
    empty_words = gettext_lazy("No coupons yet. They appear as soon as customers claim them.")
    export_fields: tuple[str, ...] = (
        "code",
        "template",
        "customer",
        "state",
        "issued_at",
        "valid_from",
        "valid_until",
        "placement",
        "show_committed_fen",
    )
    fieldsets = (
        (None, {"fields": ("code", "template", "customer", "placement", "issued_at", "valid_from", "valid_until")}),
        (gettext_lazy("Now"), {"fields": ("state", "held_until", "committed_fen")}),
        (gettext_lazy("What happened"), {"fields": ("story",)}),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if request.user.has_perm("coupons.view_budget"):
            return fieldsets
        return [
            (title, {**options, "fields": [name for name in options["fields"] if "committed_fen" not in name]})
            for title, options in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("state", "story", "show_committed_fen")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        code = term.upper().replace("-", "").replace(" ", "")
        found = Q(code__in=[term, code]) | Q(customer_id__in=people(term))
        if uuid := uuid_of(term):
            found |= Q(pk=uuid)
        return queryset.filter(found), False

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = state_now(obj)
        return {"chip": (Coupon.Status(state).label, COUPON_CHIPS[state]), "title": obj.code}

    @display(description=gettext_lazy("State"), label=COUPON_CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        state = state_now(obj)
        return state, str(Coupon.Status(state).label)

    @display(description=gettext_lazy("Ledger"))
    def story(self, obj: Any) -> SafeString:
        rows = [(event, event.get_kind_display(), who(event.by)) for event in obj.events.order_by("id")[:200]]
        return render_to_string("coupons/admin/story.html", {"rows": rows})

    def show_state(self, obj: Any) -> str:
        return str(Coupon.Status(state_now(obj)).label)

    show_state.short_description = gettext_lazy("State")  # type: ignore[attr-defined]


@admin.register(CouponEvent)
class CouponEventAdmin(ReadDesk):
    list_display = ("at", "what", "of_coupon", "customer", "template", "placement", "money", "by_whom", "reason")
    list_filter = (
        ("kind", ChoicesDropdownFilter),
        ("placement", FieldTextFilter),
        ("at", RangeDateTimeFilter),
    )
    list_select_related = ("coupon",)
    search_fields = ("id",)
    search_help_text = gettext_lazy("Coupon code, customer's key or phone number")
    ordering = ("-id",)
    empty_words = gettext_lazy("Nothing has happened yet. Every move of every coupon is written here.")
    export_fields = (
        "id",
        "at",
        "what",
        "of_coupon",
        "customer",
        "template",
        "placement",
        "city",
        "through",
        "show_committed_fen",
        "show_spent_fen",
        "show_merchant_fen",
        "show_gmv_fen",
        "show_paid_fen",
        "of_order",
        "by",
        "reason",
    )
    fields = (
        "at",
        "what",
        "of_coupon",
        "customer",
        "template",
        "placement",
        "city",
        "through",
        "committed_fen",
        "spent_fen",
        "merchant_fen",
        "gmv_fen",
        "paid_fen",
        "of_order",
        "by_whom",
        "reason",
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        money = (f"show_{name}" for name in self.fields if name.endswith("_fen"))
        return ("what", "of_coupon", "customer", "template", "city", "through", "of_order", "by_whom", *money)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        coupons = list(
            Coupon.objects.filter(
                Q(code__in=[term, term.upper().replace("-", "").replace(" ", "")]) | Q(customer_id__in=people(term))
            ).values_list("pk", flat=True)[:2000]
        )
        if uuid := uuid_of(term):
            return queryset.filter(Q(coupon_id__in=coupons) | Q(redemption_id=uuid)), False
        return queryset.filter(coupon_id__in=coupons), False

    def know(self, events: Any) -> None:
        """The ledger names by number."""
        templates = CouponTemplate.objects.only("internal_name").in_bulk({event.template_id for event in events})
        customers = Customer.objects.only("key", "nickname").in_bulk({event.customer_id for event in events})
        for event in events:
            event.known = (templates.get(event.template_id), customers.get(event.customer_id))

    @display(description=gettext_lazy("What happened"), label=EVENT_CHIPS, ordering="kind")
    def what(self, obj: Any) -> tuple[str, str]:
        return obj.kind, obj.get_kind_display()

    def show_what(self, obj: Any) -> str:
        return obj.get_kind_display()

    show_what.short_description = gettext_lazy("What happened")  # type: ignore[attr-defined]

    @display(description=gettext_lazy("Coupon"))
    def of_coupon(self, obj: Any) -> str:
        return obj.coupon.code if obj.coupon else ""

    @display(description=gettext_lazy("By"), ordering="by")
    def by_whom(self, obj: Any) -> str:
        return who(obj.by)

    @display(description=gettext_lazy("Template"))
    def template(self, obj: Any) -> str:
        found = obj.known[0] if hasattr(obj, "known") else CouponTemplate.objects.filter(pk=obj.template_id).first()
        return str(found or obj.template_id)

    @display(description=gettext_lazy("Customer"))
    def customer(self, obj: Any) -> str:
        found = obj.known[1] if hasattr(obj, "known") else Customer.objects.filter(pk=obj.customer_id).first()
        return str(found or obj.customer_id)

    @display(description=gettext_lazy("City"))
    def city(self, obj: Any) -> str:
        return str(City.objects.filter(pk=obj.city_id).first() or "") if obj.city_id else ""

    @display(description=gettext_lazy("Client"), ordering="client")
    def through(self, obj: Any) -> str:
        return str(dict(Client.choices).get(obj.client, obj.client or ""))

    @display(description=gettext_lazy("Orders, change"))
    def of_order(self, obj: Any) -> Decimal:
        """Adds up to the orders with a coupon, each once."""
        return Decimal(obj.order_parts) / CouponEvent.ORDER_PARTS

    @display(description=gettext_lazy("Money"))
    def money(self, obj: Any) -> SafeString:
        moved = ((_("committed"), obj.committed_fen), (_("spent"), obj.spent_fen))
        pairs = [(words, yuan(fen)) for words, fen in moved if fen]
        return render_to_string("coupons/admin/moved.html", {"moved": pairs})
