"""What must fit together in a template, field by field. One list for form, API and import."""

import math
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from coupons import pictures, rules
from coupons.models.places import City
from coupons.rules import looks, reversal, schedule

if TYPE_CHECKING:
    from coupons.models.templates import CouponTemplate

SCOPE_FIELDS = ("categories", "merchants", "skus")
MOST_POINTS = 20_000


def check_template(template: "CouponTemplate") -> dict[str, list[ValidationError]]:
    """Errors by field name; empty when all fits. Cleans the rules and the schedule in place."""
    errors: dict[str, list[ValidationError]] = {}

    def wrong(field: str, code: str, sentence: str) -> None:
        errors.setdefault(field, []).append(ValidationError(sentence, code=code))

    _check_money(template, wrong)
    _check_validity(template, wrong)
    if template.merchant_percent is not None and template.merchant_fen is not None:
        wrong("merchant_percent", "invalid", _("The merchant pays a percentage or an amount, not both."))

    for field in ("claim_conditions", "use_conditions"):
        try:
            setattr(template, field, rules.clean(getattr(template, field)))
        except rules.InvalidRules as invalid:
            for path, code, sentence in invalid.errors:
                wrong(f"{field}.{path}" if path else field, code, sentence)
    for code in template.use_conditions:
        if code in rules.menu and not rules.menu[code].for_use:
            wrong(f"use_conditions.{code}", "not_for_use", _("This can be asked at the claim, not at the use."))
    try:
        template.release = schedule.clean(template.release)
    except rules.InvalidRules as invalid:
        for path, code, sentence in invalid.errors:
            wrong(f"release.{path}" if path else "release", code, sentence)

    try:
        template.reversal = reversal.clean(template.reversal)
    except rules.InvalidRules as invalid:
        for path, code, sentence in invalid.errors:
            wrong(f"reversal.{path}" if path else "reversal", code, sentence)

    try:
        template.looks = looks.clean(template.looks)
    except rules.InvalidRules as invalid:
        for path, code, sentence in invalid.errors:
            wrong(f"looks.{path}" if path else "looks", code, sentence)
    else:
        if "picture" in template.looks and not pictures.is_kept(template.looks["picture"]):
            wrong("looks.picture", "unknown_key", _("There is no such picture here: upload it first."))

    unknown = set(template.claim_cities) - set(
        City.objects.filter(pk__in=template.claim_cities).values_list("pk", flat=True)
    )
    if unknown:
        wrong("claim_cities", "unknown_key", _("Unknown: %(keys)s.") % {"keys": ", ".join(sorted(unknown))})
    _check_scope(template, wrong)
    return errors


def _check_money(template: "CouponTemplate", wrong) -> None:  # type: ignore[no-untyped-def]
    required = _("This field is required.")
    superfluous = _("This type of coupon does not have it.")
    needed: tuple[str, ...]
    barred: tuple[str, ...]
    match template.type:
        case "amount_off":
            needed, barred = ("amount_fen", "threshold_fen"), ("percent_off", "cap_fen")
        case "percent_off":
            needed, barred = ("percent_off",), ("amount_fen",)
        case _:
            needed, barred = ("amount_fen",), ("threshold_fen", "percent_off", "cap_fen")
    for field in needed:
        if getattr(template, field) is None:
            wrong(field, "required", required)
    for field in barred:
        if getattr(template, field) is not None:
            wrong(field, "not_for_type", superfluous)
    amount, threshold = template.amount_fen, template.threshold_fen
    if template.type == "amount_off" and amount and threshold and amount > threshold:
        wrong("amount_fen", "above_threshold", _("The face value is above the threshold."))


def _check_validity(template: "CouponTemplate", wrong) -> None:  # type: ignore[no-untyped-def]
    if template.validity_type == "days_after_claim":
        if template.valid_days is None:
            wrong("valid_days", "required", _("This field is required."))
    elif template.valid_days is not None:
        wrong("valid_days", "not_for_type", _("This kind of validity does not have it."))
    if template.validity_type != "days_after_claim" and template.starts_after_days:
        wrong("starts_after_days", "not_for_type", _("This kind of validity does not have it."))
    if template.validity_type == "period":
        for field in ("valid_from", "valid_until"):
            if getattr(template, field) is None:
                wrong(field, "required", _("This field is required."))
        if template.valid_from and template.valid_until and template.valid_from >= template.valid_until:
            wrong("valid_until", "ends_before_start", _("The end must be after the start."))
    else:
        for field in ("valid_from", "valid_until"):
            if getattr(template, field) is not None:
                wrong(field, "not_for_type", _("This kind of validity does not have it."))


def _check_scope(template: "CouponTemplate", wrong) -> None:  # type: ignore[no-untyped-def]
    from coupons.models.places import Category, Merchant

    scope = template.scope
    if not isinstance(scope, dict) or set(scope) - {*SCOPE_FIELDS, "shipping"}:
        wrong("scope", "invalid", _("Categories, merchants, skus or shipping only."))
        return
    if not isinstance(scope.get("shipping", False), bool):
        wrong("scope.shipping", "wrong_type", _("True or false."))
    elif scope.get("shipping") and any(scope.get(name) for name in SCOPE_FIELDS):
        wrong("scope.shipping", "invalid", _("A coupon is for shipping or for goods, not both."))
    for name in SCOPE_FIELDS:
        keys = scope.get(name) or []
        if not isinstance(keys, list) or not all(isinstance(key, str) and key for key in keys):
            wrong(f"scope.{name}", "wrong_type", _("A list of keys."))
            continue
        if name == "skus":
            continue
        model = Category if name == "categories" else Merchant
        unknown = set(keys) - set(model.objects.filter(pk__in=keys).values_list("pk", flat=True))
        if unknown:
            wrong(f"scope.{name}", "unknown_key", _("Unknown: %(keys)s.") % {"keys": ", ".join(sorted(unknown))})
    template.scope = {key: value for key, value in scope.items() if value}
    if template.scope.get("shipping") and template.stack_group == "order":
        template.stack_group = "shipping"


def check_worst_case(
    template: "CouponTemplate", limits: Mapping[str, int | None], budget_fen: int | None
) -> dict[str, list[ValidationError]]:
    """A percentage without a cap has no worst case, so nothing may count it in fen. ``limits`` as in ``Supply``."""
    if template.type != "percent_off" or template.cap_fen is not None or not template.percent_off:
        return {}
    if budget_fen is None and all(value is None for name, value in limits.items() if name.endswith("_fen")):
        return {}
    sentence = _("Under a budget or a limit by amount, a percentage needs a cap.")
    return {"cap_fen": [ValidationError(sentence, code="uncapped")]}


def needs_two_approvers(worst_case_fen: int | None) -> bool:
    """Whether what may cost so much needs two of them; None: without end."""
    above = settings.SECOND_APPROVAL_ABOVE_FEN
    return above is not None and (worst_case_fen is None or worst_case_fen > above)


class Fault(NamedTuple):
    """What is wrong with a shape, and where: (lng, lat)."""

    sentence: str
    at: tuple[float, float] | None = None


def area_fault(geojson: Any) -> Fault | None:
    """What is wrong with the shape of an area; None: nothing. GeoJSON positions are [lng, lat]."""
    if not isinstance(geojson, dict) or set(geojson) != {"type", "coordinates"}:
        return Fault(_("A GeoJSON object with type and coordinates."))
    if geojson["type"] not in ("Polygon", "MultiPolygon"):
        return Fault(_("A Polygon or a MultiPolygon."))
    polygons = geojson["coordinates"] if geojson["type"] == "MultiPolygon" else [geojson["coordinates"]]
    if not isinstance(polygons, list) or not polygons:
        return Fault(_("At least one ring."))
    points = 0
    for rings in polygons:
        if not isinstance(rings, list) or not rings:
            return Fault(_("At least one ring."))
        for ring in rings:
            if not isinstance(ring, list) or len(ring) < 4 or ring[0] != ring[-1]:
                return Fault(_("A ring has four positions or more, and ends where it begins."))
            points += len(ring)
            if points > MOST_POINTS:
                return Fault(_("At most %(limit)s positions.") % {"limit": MOST_POINTS})
            for position in ring:
                if not _is_position(position):
                    return Fault(_("A position is a longitude and a latitude, in this order."))

    import shapely
    from shapely.geometry import shape

    border = shape(geojson)
    if border.is_valid:
        return None
    why = shapely.is_valid_reason(border)
    place = re.search(r"\[([-\d.]+) ([-\d.]+)\]", why)
    if place is None:
        return Fault(_("Its border is not valid: %(why)s.") % {"why": why})
    at = (float(place[1]), float(place[2]))
    lng, lat = (f"{number:.6f}".rstrip("0").rstrip(".") for number in at)
    if "elf-intersection" in why:
        return Fault(_("Its border crosses or touches itself at %(lng)s, %(lat)s.") % {"lng": lng, "lat": lat}, at)
    return Fault(_("Its border is not valid at %(lng)s, %(lat)s.") % {"lng": lng, "lat": lat}, at)


def _is_position(position: Any) -> bool:
    return (
        isinstance(position, list)
        and len(position) == 2
        and all(type(number) in (int, float) and math.isfinite(number) for number in position)
        and -180 <= position[0] <= 180
        and -90 <= position[1] <= 90
    )
