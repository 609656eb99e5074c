"""Cities, areas, weather; categories and merchants: the things that rules name."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from shapely.geometry import shape as drawn
from shapely.validation import explain_validity
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadDesk
from coupons.models import Area, Audience, Category, City, CouponTemplate, Merchant, Weather

#: Corners of one area; more belong into a simplified shape.
MOST_CORNERS = 20_000


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
    fields = ("key", "name")

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


class AreaForm(forms.ModelForm):
    class Meta:
        model = Area
        fields = ()

    def clean_geojson(self) -> dict[str, Any]:
        return clean_shape(self.cleaned_data["geojson"])


def clean_shape(shape: Any) -> dict[str, Any]:
    """A Polygon or MultiPolygon in WGS-84, as GeoJSON writes it; a Feature around it is taken off.

    :raises ValidationError: with what is wrong, in words.
    """
    if isinstance(shape, dict) and shape.get("type") == "Feature":
        shape = shape.get("geometry")
    if not isinstance(shape, dict) or shape.get("type") not in ("Polygon", "MultiPolygon"):
        raise ValidationError(_("A GeoJSON Polygon or MultiPolygon is wanted."), "invalid_shape")
    polygons = shape.get("coordinates")
    polygons = [polygons] if shape["type"] == "Polygon" else polygons
    corners = 0
    if not isinstance(polygons, list) or not polygons:
        raise ValidationError(_("The shape has no coordinates."), "invalid_shape")
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            raise ValidationError(_("The shape has no coordinates."), "invalid_shape")
        for ring in polygon:
            if not isinstance(ring, list) or len(ring) < 4 or ring[0] != ring[-1]:
                raise ValidationError(_("Each ring has at least four positions, the last equal to the first."), "ring")
            corners += len(ring)
            for position in ring:
                _check_position(position)
    if corners > MOST_CORNERS:
        raise ValidationError(_("At most %(most)d corners.") % {"most": MOST_CORNERS}, "too_long")
    figure = drawn({"type": shape["type"], "coordinates": shape["coordinates"]})
    if not figure.is_valid or not figure.area:
        raise ValidationError(_("The shape crosses itself or has no inside: %(why)s.") % {"why": explain_validity(figure)})
    return {"type": shape["type"], "coordinates": shape["coordinates"]}


def _check_position(position: Any) -> None:
    if (
        not isinstance(position, list)
        or len(position) < 2
        or not all(type(number) in (int, float) for number in position[:2])
    ):
        raise ValidationError(_("A position is [longitude, latitude]."), "position")
    longitude, latitude = position[:2]
    if not (-180 <= longitude <= 180 and -90 <= latitude <= 90):
        raise ValidationError(_("Longitude comes first, within ±180; then latitude, within ±90."), "position")


@admin.register(Area)
class AreaAdmin(KeyedDesk):
    form = AreaForm
    fields = ("key", "name", "geojson")
    empty_words = gettext_lazy("No areas yet. An area is a service zone or a business district on the map.")

    def hangs(self, obj: Any) -> bool:
        named: Any = {"areas": {"any_of": [obj.pk]}}
        return (
            Audience.objects.filter(conditions__contains=named).exists()
            or CouponTemplate.objects.filter(
                Q(claim_conditions__contains=named) | Q(use_conditions__contains=named)
            ).exists()
        )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if db_field.name == "geojson":
            field.widget.attrs["rows"] = 12
        return field


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

    @display(description=gettext_lazy("Said by"), label={"operator": "info", "provider": ""})
    def said_by(self, obj: Any) -> tuple[str, str]:
        return ("operator", _("an operator")) if obj.is_override else ("provider", _("a provider"))
