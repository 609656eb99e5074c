"""Customers: what is known about them, and what is in their hands."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import FieldTextFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadInline
from coupons.admin.imports import WithImport
from coupons.admin.ledger import COUPON_CHIPS
from coupons.admin.saying import who
from coupons.conditions.names import line_called
from coupons.models import Coupon, CouponEvent, Customer, CustomerLine, Fact
from coupons.queries.wallet import status_at
from coupons.rules.answers import Words

SHOWN_COUPONS, SHOWN_EVENTS = 50, 50


def _known(fact: Any) -> str:
    """A fact in words; one that was never told is unknown, which is not "no"."""
    if fact is None:
        return _("unknown")
    if isinstance(fact, bool):
        return _("yes") if fact else _("no")
    return str(fact)


class TagField(Words):
    """Tags, separated by commas."""

    widget = widgets.UnfoldAdminTextInputWidget

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, **kwargs)
        self.from_text = True

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.prepare_value(initial or []) != (data or "")


class CustomerForm(forms.ModelForm):
    by = ""
    tags = TagField(label=gettext_lazy("Tags"), help_text=gettext_lazy("Separated by commas."))

    class Meta:
        model = Customer
        fields = ()

    def save(self, commit: bool = True) -> Any:
        now = timezone.now()
        for fact in {*Fact.Code.values} & set(self.changed_data):
            setattr(self.instance, f"{fact}_at", now)
            setattr(self.instance, f"{fact}_source", self.by)
            self.instance.facts_at = now
        return super().save(commit)


class LineInline(ReadInline):
    model = CustomerLine
    fields = ("line", "order_count", "first_order_at", "last_order_at")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Business lines")

    @display(description=gettext_lazy("Business line"))
    def line(self, obj: Any) -> str:
        return line_called(obj.business_line)


class HasTag(FieldTextFilter):
    """Customers with this very tag."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Customer]) -> QuerySet[Customer]:
        tag = self.value()
        return queryset.filter(tags__contains=[tag]) if tag else queryset


@admin.register(Customer)
class CustomerAdmin(WithImport, Desk):
    form = CustomerForm
    inlines = (LineInline,)
    list_display = ("named", "phone", "city", "order_count", "last_order_at", "tag_list", "registered_at")
    list_filter = (("city", RelatedDropdownFilter), ("tags", HasTag), "rival_app")
    list_select_related = ("city",)
    search_fields = ("key__startswith", "phone__exact", "nickname__exact")
    search_help_text = gettext_lazy("Key (its beginning), whole phone number or whole nickname")
    autocomplete_fields = ("city",)
    empty_words = gettext_lazy("No customers yet. The company's systems tell us of them through the API.")
    export_fields = (
        "key",
        "nickname",
        "phone",
        "city",
        "registered_at",
        "order_count",
        "last_order_at",
        "show_gross_fen",
        "show_deducted_fen",
        "sensitivity",
        "churn_probability",
        "rival_app",
        "plain_tags",
    )
    fieldsets = (
        (gettext_lazy("Who they are"), {"fields": ("key", "nickname", "phone", "city", "registered_at", "created_at")}),
        (
            gettext_lazy("Facts"),
            {"fields": ("sensitivity", "churn_probability", "rival_app", "tags", "facts_told")},
        ),
        (
            gettext_lazy("Orders"),
            {"fields": ("order_count", "first_order_at", "last_order_at", "show_gross_fen", "show_deducted_fen")},
        ),
        (gettext_lazy("Wallet"), {"fields": ("wallet",)}),
    )
    _told = (
        "created_at",
        "facts_told",
        "order_count",
        "first_order_at",
        "last_order_at",
        "show_gross_fen",
        "show_deducted_fen",
        "wallet",
    )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"by": f"user:{request.user.get_username()}"})

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*self._told, "key") if obj else self._told

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or not request.user.has_perm("coupons.view_coupon"):
            fieldsets = fieldsets[:-1]
        return fieldsets[:2] if obj is None else fieldsets

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if request.user.has_perm("coupons.view_coupon"):
            links.append((_("All coupons"), f"{reverse('admin:coupons_coupon_changelist')}?q={obj.key}"))
        if request.user.has_perm("coupons.view_couponevent"):
            links.append((_("Ledger"), f"{reverse('admin:coupons_couponevent_changelist')}?q={obj.key}"))
        if request.user.has_perm("distribution.view_placement"):
            why = self._above("admin:distribution_placement_why")
            links += [(_("Why, or why not?"), f"{why}?customer={obj.key}")] if why else []
        orders = self._above("admin:redemption_order_changelist")
        if orders and request.user.has_perm("redemption.view_order"):
            links.append((_("All orders"), f"{orders}?q={obj.key}"))
        return {"title": obj.nickname or obj.key, "links": links, "facts": [(_("Orders"), f"{obj.order_count:,}")]}

    @staticmethod
    def _above(name: str) -> str:
        """A page above this floor; there is a link when there is the page."""
        try:
            return reverse(name)
        except NoReverseMatch:
            return ""

    def show_sensitivity(self, obj: Any) -> str:
        return _known(obj.sensitivity)

    show_sensitivity.short_description = gettext_lazy("Coupon sensitivity")  # type: ignore[attr-defined]

    def show_churn_probability(self, obj: Any) -> str:
        return _known(obj.churn_probability)

    show_churn_probability.short_description = gettext_lazy("Churn probability")  # type: ignore[attr-defined]

    def show_rival_app(self, obj: Any) -> str:
        return _known(obj.rival_app)

    show_rival_app.short_description = gettext_lazy("Has a rival app")  # type: ignore[attr-defined]

    def show_tags(self, obj: Any) -> str:
        return ", ".join(obj.tags)

    show_tags.short_description = gettext_lazy("Tags")  # type: ignore[attr-defined]

    @display(description=gettext_lazy("Wallet"))
    def wallet(self, obj: Any) -> SafeString:
        now = timezone.now()
        coupons = list(
            Coupon.objects.filter(customer=obj).select_related("template").order_by("-id")[: SHOWN_COUPONS + 1]
        )
        rows = []
        for coupon in coupons[:SHOWN_COUPONS]:
            state = status_at(coupon.status, coupon.valid_until, coupon.held_until, now)
            rows.append((coupon, Coupon.Status(state).label, COUPON_CHIPS[state]))
        kinds = dict(CouponEvent.Kind.choices)
        events = [
            (event, kinds[event.kind], who(event.by))
            for event in CouponEvent.objects.filter(coupon__in=[coupon.pk for coupon in coupons]).order_by("-id")[
                :SHOWN_EVENTS
            ]
        ]
        context = {"rows": rows, "more": len(coupons) > SHOWN_COUPONS, "events": events}
        return render_to_string("coupons/admin/wallet.html", context)

    @display(description=gettext_lazy("Who told it, and when"))
    def facts_told(self, obj: Any) -> SafeString:
        now = timezone.now()
        told = []
        for fact in Fact.objects.all():
            value, at = getattr(obj, fact.pk), getattr(obj, f"{fact.pk}_at")
            old = fact.most_days is not None and (at is None or at < now - timedelta(days=fact.most_days))
            said = ", ".join(value) or "–" if isinstance(value, list) else _known(value)
            by = getattr(obj, f"{fact.pk}_source")
            told.append(
                {"name": fact, "value": said, "old": old and value not in (None, []), "at": at, "by": who(by or "")}
            )
        return render_to_string("coupons/admin/facts_told.html", {"facts": told})

    @display(description=gettext_lazy("Customer"), header=True, ordering="id")
    def named(self, obj: Any) -> list[str]:
        return [obj.nickname or obj.key, obj.key]

    @display(description=gettext_lazy("Tags"))
    def tag_list(self, obj: Any) -> str:
        return ", ".join(obj.tags[:3]) + (" …" if len(obj.tags) > 3 else "")

    @display(description=gettext_lazy("Tags"))
    def plain_tags(self, obj: Any) -> str:
        return ", ".join(obj.tags)
