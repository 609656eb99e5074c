"""Shops and their staff: who may redeem at which counter."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from unfold.contrib.filters.admin import RelatedDropdownFilter
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from coupons.admin.desk import Desk
from redemption.models import Clerk, CounterUse, Shop


@admin.register(Shop)
class ShopAdmin(Desk):
    list_display = ("name", "key", "merchant", "city", "staff_count", "opened")
    list_filter = (("merchant", RelatedDropdownFilter), "is_active")
    list_select_related = ("merchant", "city")
    search_fields = ("key", "name", "merchant__name")
    autocomplete_fields = ("merchant", "city", "category")
    empty_words = gettext_lazy("No shops yet. A shop's staff redeem coupons at its counter, on a phone.")
    fieldsets = (
        (None, {"fields": (("key", "name"), "merchant", "takes_platform_coupons", "is_active")}),
        (
            gettext_lazy("What the bill says to a coupon's rules"),
            {"fields": (("city", "category"), ("lat", "lng"), ("business_line", "business_mode"))},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Shop]:
        return super().get_queryset(request).annotate(clerk_count=Count("clerks"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whose it is never changes: what was redeemed here is that merchant's."""
        return ("key", "merchant") if obj else ()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = self.opened(obj)
        links = [(_("Shop staff"), f"{reverse('admin:redemption_clerk_changelist')}?shop__id__exact={obj.pk}")]
        address = request.build_absolute_uri(reverse("counter:page"))
        return {
            "chip": (state[1], "success" if obj.is_active else "danger"),
            "title": str(obj),
            "links": links if request.user.has_perm("redemption.view_clerk") else [],
            "notes": [_("Its staff sign in at %(address)s.") % {"address": address}],
        }

    @display(description=gettext_lazy("Staff"), ordering="clerk_count")
    def staff_count(self, obj: Any) -> int:
        return obj.clerk_count

    @display(description=gettext_lazy("State"), label={"open": "success", "closed": "danger"})
    def opened(self, obj: Any) -> tuple[str, str]:
        return ("open", _("open")) if obj.is_active else ("closed", _("closed"))


NAME = pgettext_lazy("of a person", "Name")


class ClerkForm(forms.ModelForm):
    new_password = forms.CharField(
        label=gettext_lazy("New password"),
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Clerk
        fields = ()
        labels: ClassVar = {"name": NAME}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if field := self.fields.get("new_password"):
            field.required = self.instance.pk is None
            field.help_text = (
                _("They can change it at the counter.") if field.required else _("Left blank, it stays as it is.")
            )

    def clean_new_password(self) -> str:
        new = self.cleaned_data["new_password"]
        if new:
            validate_password(new)
        return new


@admin.register(Clerk)
class ClerkAdmin(Desk):
    form = ClerkForm
    list_display = ("person", "username", "shop", "signed_in_at", "switched")
    list_filter = (("shop", RelatedDropdownFilter), "is_active")
    list_select_related = ("shop",)
    search_fields = ("username", "name", "shop__name", "shop__key")
    autocomplete_fields = ("shop",)
    empty_words = gettext_lazy("No shop staff yet. Each has an account of their own, for one shop's counter alone.")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        names: tuple[Any, ...] = (("username", "name"), "shop", "is_active")
        if not self.reads_only(request, obj):
            names = (*names, "new_password")
        return [(None, {"fields": (*names, "signed_in_at") if obj else names})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Who redeemed what bears their name; another shop is another account."""
        return ("username", "shop", "signed_in_at") if obj else ()

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if form.cleaned_data.get("new_password"):
            obj.set_password(form.cleaned_data["new_password"])
        super().save_model(request, obj, form, change)

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        words, look = (_("active"), "success") if obj.is_active else (_("switched off"), "danger")
        facts = [(_("Redeemed at the counter"), CounterUse.objects.filter(shop=obj.shop, clerk=obj).count())]
        return {"chip": (words, look), "title": f"{obj.name} · {obj.shop}", "facts": facts}

    @display(description=NAME, ordering="name")
    def person(self, obj: Any) -> str:
        return str(obj.name)

    @display(description=gettext_lazy("State"), label={"on": "success", "off": "danger"})
    def switched(self, obj: Any) -> tuple[str, str]:
        return ("on", _("active")) if obj.is_active else ("off", _("switched off"))
