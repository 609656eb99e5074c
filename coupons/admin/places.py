"""Cities, weather; categories and merchants: the things that rules name."""

from typing import Any

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadDesk
from coupons.models import Category, City, CouponTemplate, Merchant, Weather


@admin.register(City)
class CityAdmin(ReadDesk):
    fields = ("key", "name", "name_en", "province")
    list_display = ("name", "name_en", "key", "province")
    search_fields = ("key__startswith", "name", "name_en", "province")
    list_filter = ("province",)


class KeyedDesk(Desk):
    """Things with a key that never changes and a name that may."""

    list_display = ("name", "key")
    search_fields = ("key", "name")
    fields: tuple[str, ...] = ("key", "name")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("key",) if obj else ()


@admin.register(Category)
class CategoryAdmin(KeyedDesk):
    empty_words = gettext_lazy("No categories yet. A category is what a coupon is for: food, rides, freight …")

    def hangs(self, obj: Any) -> bool:
        return CouponTemplate.objects.filter(Q(category=obj) | Q(scope__categories__contains=[obj.pk])).exists()


@admin.register(Merchant)
class MerchantAdmin(KeyedDesk):
    empty_words = gettext_lazy("No merchants yet. Merchants share the cost of coupons, or have coupons of their own.")
    export_fields = ("key", "name")


class NowFilter(admin.SimpleListFilter):
    title = gettext_lazy("When")
    parameter_name = "when"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("now", _("now")), ("later", _("later")), ("past", _("past"))]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        now = timezone.now()
        match self.value():
            case "now":
                return queryset.filter(starts_at__lte=now, ends_at__gt=now)
            case "later":
                return queryset.filter(starts_at__gt=now)
            case "past":
                return queryset.filter(ends_at__lte=now)
        return queryset


@admin.register(Weather)
class WeatherAdmin(Desk):
    """What operators say of the weather; it goes before what a provider says."""

    fields = ("city", "kind", "starts_at", "ends_at")
    list_display = ("city", "kind", "starts_at", "ends_at", "said_by")
    list_filter = (("kind", ChoicesDropdownFilter), ("city", RelatedDropdownFilter), NowFilter, "is_override")
    list_select_related = ("city",)
    ordering = ("-starts_at", "-id")
    autocomplete_fields = ("city",)
    empty_words = gettext_lazy("Nobody has said anything about the weather yet.")

    def hangs(self, obj: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """What a provider said stays as it was said; an operator says something else beside it."""
        return super().has_change_permission(request, obj) and (obj is None or obj.is_override)

    @display(description=gettext_lazy("Said by"), label={"operator": "info", "provider": ""})
    def said_by(self, obj: Any) -> tuple[str, str]:
        return ("operator", _("an operator")) if obj.is_override else ("provider", _("a provider"))
