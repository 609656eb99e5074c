"""围栏: service zones and business districts, drawn on a map or taken over from GeoJSON."""

import json
import re
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms.fields import InvalidJSONInput
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from unfold import widgets
from unfold.decorators import action, display

from coupons.admin.places import KeyedDesk
from coupons.mapping import geometry_of, take_over
from coupons.models import Area, Audience, CouponTemplate
from coupons.models.checks import area_fault
from coupons.refused import Invalid

DATUMS = (
    ("wgs84", gettext_lazy("WGS-84 (GPS)")),
    ("gcj02", gettext_lazy("GCJ-02 (Amap, Tencent)")),
    ("bd09", gettext_lazy("BD-09 (Baidu)")),
)
#: Bytes of a file of areas.
MOST_BYTES = 20_000_000
MOST_SHOWN = 100


def map_settings() -> dict[str, Any]:
    """What the map's script needs to know, its words among them."""
    return {
        "tiles": settings.MAP_TILES,
        "datum": settings.MAP_TILES_DATUM,
        "by": settings.MAP_TILES_BY,
        "language": "zh" if (get_language() or "zh").startswith("zh") else "en",
        "words": {
            "zoomIn": _("Zoom in"),
            "zoomOut": _("Zoom out"),
            "unreadable": _("The text below is no shape that can be drawn."),
            "go": _("Go"),
            "position": _("Latitude, longitude"),
        },
    }


class ShapeWidget(widgets.UnfoldAdminTextareaWidget):
    """The coordinates as text, and a map above that draws them. ``fault``: (lng, lat) of what is wrong."""

    fault: tuple[float, float] | None = None

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        text = super().render(name, value, {**(attrs or {}), "data-shape": ""}, renderer)
        context = {"text": text, "settings": map_settings(), "fault": self.fault, "drawn": True}
        return SafeString(render_to_string("coupons/admin/map.html", context))


class Shape(forms.JSONField):
    """GeoJSON; nothing yet is blank, not ``null``."""

    def to_python(self, value: Any) -> Any:
        try:
            return super().to_python(value)
        except RecursionError:  # nested deeper than any shape
            raise ValidationError(self.error_messages["invalid"], "invalid", {"value": value}) from None

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            return super().bound_data(data, initial)
        except RecursionError:
            return InvalidJSONInput(data)

    def prepare_value(self, value: Any) -> Any:
        return "" if value is None else super().prepare_value(value)


class AreaForm(forms.ModelForm):
    datum = forms.ChoiceField(
        label=gettext_lazy("Coordinates of the text"),
        choices=DATUMS,
        initial="wgs84",
        required=False,
        widget=widgets.UnfoldAdminSelectWidget,
        help_text=gettext_lazy("Text from a Chinese map is shifted. Drawn on the map it is WGS-84, and so is kept."),
    )

    class Meta:
        model = Area
        fields = ()

    def clean(self) -> Any:
        """As drawing tools write it, in whatever datum. The model says what is wrong with it."""
        cleaned = super().clean() or {}
        if "geojson" in cleaned:
            cleaned["geojson"] = geometry_of(cleaned["geojson"], cleaned.get("datum") or "wgs84")
        return cleaned

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for wrong in self.errors.as_data().get("geojson", ()):
            self.fields["geojson"].widget.fault = (wrong.params or {}).get("at")


class ImportForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("GeoJSON file"),
        required=False,
        widget=forms.FileInput({"accept": ".json,.geojson,application/json", "class": "desk-file"}),
    )
    text = forms.CharField(
        label=gettext_lazy("Or its text"), required=False, widget=widgets.UnfoldAdminTextareaWidget({"rows": 8})
    )
    datum = forms.ChoiceField(label=gettext_lazy("Coordinates"), choices=DATUMS, widget=widgets.UnfoldAdminSelectWidget)
    key_name = forms.CharField(
        label=gettext_lazy("Property with the key"), initial="key", widget=widgets.UnfoldAdminTextInputWidget
    )
    label_name = forms.CharField(
        label=gettext_lazy("Property with the name"), initial="name", widget=widgets.UnfoldAdminTextInputWidget
    )

    def clean(self) -> Any:
        cleaned = super().clean() or {}
        upload = cleaned.get("file")
        if upload and upload.size > MOST_BYTES:
            raise ValidationError({"file": _("The file is too big.")})
        said = upload.read() if upload else cleaned.get("text", "")
        if not said:
            raise ValidationError({"file": _("A file or its text.")})
        try:
            cleaned["said"] = json.loads(said)
        except (ValueError, RecursionError):
            raise ValidationError({"file" if upload else "text": _("This is not JSON in UTF-8.")}) from None
        return cleaned


def _place(path: str) -> str:
    """``features.1.key`` as people count and say it."""
    found = re.fullmatch(r"features\.(\d+)\.(key|name|geojson)", path)
    if found is None:
        return ""
    field: Any = Area._meta.get_field(found[2])
    return _("feature %(number)d, %(field)s") % {"number": int(found[1]) + 1, "field": field.verbose_name}


@admin.register(Area)
class AreaAdmin(KeyedDesk):
    form = AreaForm
    fields = ("key", "name", "geojson", "datum")
    actions_list = ["import_areas"]
    empty_words = gettext_lazy("No areas yet. An area is a service zone or a business district on the map.")

    class Media:
        css = {
            "all": (
                "coupons/vendor/leaflet-1.9.4/leaflet.css",
                "coupons/vendor/leaflet-geoman-2.20.2/leaflet-geoman.css",
                "coupons/map.css",
            )
        }
        js = (
            "coupons/vendor/leaflet-1.9.4/leaflet.js",
            "coupons/vendor/leaflet-geoman-2.20.2/leaflet-geoman.js",
            "coupons/map.js",
        )

    def hangs(self, obj: Any) -> bool:
        named: Any = {"areas": {"any_of": [obj.pk]}}
        return (
            Audience.objects.filter(conditions__contains=named).exists()
            or CouponTemplate.objects.filter(
                Q(claim_conditions__contains=named) | Q(use_conditions__contains=named)
            ).exists()
        )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for name in self.fields if name != "datum" or not self.reads_only(request, obj)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("show_geojson", *super().get_readonly_fields(request, obj))

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "geojson":
            return db_field.formfield(
                form_class=Shape, help_text="", widget=ShapeWidget({"rows": 6, "spellcheck": "false"})
            )
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    @display(description=gettext_lazy("Shape"))
    def show_geojson(self, obj: Any) -> SafeString:
        context = {"shape": obj.geojson, "settings": map_settings(), "drawn": area_fault(obj.geojson) is None}
        return SafeString(render_to_string("coupons/admin/map.html", context))

    # --- many at once ---------------------------------------------------------------------------------------------

    def has_import_areas_permission(self, request: HttpRequest) -> bool:
        return self.has_add_permission(request) and self.has_change_permission(request)

    @action(
        description=gettext_lazy("Import GeoJSON"),
        url_path="import",
        permissions=["import_areas"],
        icon="upload_file",
    )
    def import_areas(self, request: HttpRequest) -> HttpResponse:
        """Every feature becomes an area, all of them or none; what is wrong is said feature by feature."""
        form = ImportForm(request.POST or None, request.FILES or None, initial={"datum": "wgs84"})
        errors: list[tuple[str, str, str]] = []
        if request.method == "POST" and form.is_valid():
            said = form.cleaned_data
            try:
                done = take_over(
                    said["said"], datum=said["datum"], key_name=said["key_name"], label_name=said["label_name"]
                )
            except Invalid as invalid:
                errors = [(error["field"], _place(error["field"]), str(error["detail"])) for error in invalid.errors]
            else:
                sentence = _("%(created)s areas made, %(changed)s changed, %(unchanged)s as they were.")
                messages.success(request, sentence % done._asdict())
                return HttpResponseRedirect(reverse("admin:coupons_area_changelist"))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import areas"),
            "opts": self.opts,
            "form": form,
            "errors": errors[:MOST_SHOWN],
            "error_count": len(errors),
            "back": reverse("admin:coupons_area_changelist"),
        }
        return TemplateResponse(
            request, "coupons/admin/import_areas.html", context, status=422 if errors or form.errors else 200
        )
