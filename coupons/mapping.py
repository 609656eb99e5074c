"""围栏 as maps and drawing tools give them become areas: one shape or a file of many, in WGS-84."""

from typing import Any, NamedTuple

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from coupons.geodesy import shape_to_wgs84
from coupons.models import Area
from coupons.models.checks import area_fault
from coupons.refused import Invalid

MOST_FEATURES = 5000


class Imported(NamedTuple):
    created: int
    changed: int
    unchanged: int


def geometry_of(said: Any, datum: str = "wgs84") -> Any:
    """The shape within a Feature or a collection of one, without heights and ``bbox``, in WGS-84. What is no shape, or
    says anything else (``crs``), stays as it is: :func:`area_fault` says what is wrong with it, in the coordinates in
    which it was given."""
    if isinstance(said, dict) and said.get("type") == "FeatureCollection" and len(said.get("features") or ()) == 1:
        said = said["features"][0]
    if isinstance(said, dict) and said.get("type") == "Feature":
        said = said.get("geometry")
    if not isinstance(said, dict) or "coordinates" not in said:
        return said
    flat = {name: said[name] for name in said if name != "bbox"} | {"coordinates": _flat(said["coordinates"])}
    if datum == "wgs84" or area_fault(flat):
        return flat
    return {**flat, "coordinates": shape_to_wgs84(flat["coordinates"], datum)}


def _flat(part: Any) -> Any:
    """Heights are left out: a fence has none."""
    if not isinstance(part, list) or not part:
        return part
    if isinstance(part[0], list):
        return [_flat(inner) for inner in part]
    return part[:2] if len(part) == 3 else part


@transaction.atomic
def take_over(said: Any, *, datum: str = "wgs84", key_name: str = "key", label_name: str = "name") -> Imported:
    """Every feature becomes the area of its key, all of them or none; ``key_name``, ``label_name``: properties.

    :raises Invalid: naming each feature that makes no sense.
    """
    features = said.get("features") if isinstance(said, dict) and said.get("type") == "FeatureCollection" else [said]
    if not isinstance(features, list) or not features:
        raise Invalid.of("", "invalid_area", _("There is no feature in it."))
    if len(features) > MOST_FEATURES:
        raise Invalid.of("", "too_many", _("At most %(limit)s of them.") % {"limit": MOST_FEATURES})
    errors: list[dict[str, Any]] = []
    areas: dict[str, Area] = {}
    for number, feature in enumerate(features):
        area = _read(feature, datum, key_name, label_name)
        try:
            area.clean_fields()
            area.clean()
            if area.key in areas:
                raise ValidationError({"key": ValidationError(_("This stands here twice."), "duplicate")})
            areas[area.key] = area
        except ValidationError as wrong:
            errors += [
                {"field": f"features.{number}.{field}", "code": problem.code or "invalid", "detail": sentence}
                for field, problems in wrong.error_dict.items()
                for problem in problems
                for sentence in problem.messages
            ]
    if errors:
        raise Invalid(errors)
    there = Area.objects.select_for_update(no_key=True).in_bulk(areas)
    new = [area for key, area in areas.items() if key not in there]
    changed = [
        area
        for key, area in areas.items()
        if key in there and (there[key].name, there[key].geojson) != (area.name, area.geojson)
    ]
    Area.objects.bulk_create(new)
    Area.objects.bulk_update(changed, ["name", "geojson"], batch_size=500)
    return Imported(len(new), len(changed), len(areas) - len(new) - len(changed))


def _read(feature: Any, datum: str, key_name: str, label_name: str) -> Area:
    feature = feature if isinstance(feature, dict) else {}
    properties = feature.get("properties") if isinstance(feature.get("properties"), dict) else {}
    key = properties.get(key_name, feature.get("id"))
    return Area(
        key="" if key is None else str(key),
        name=str(properties.get(label_name) or ("" if key is None else key)),
        geojson=geometry_of(feature, datum),
    )
