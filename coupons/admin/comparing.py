"""Two versions of a template side by side: what was approved last, what somebody else saved, what is proposed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Field, Q
from django.utils.translation import gettext as _

from coupons.admin.history import shown
from coupons.approving import TAKEN
from coupons.editing import column
from coupons.models import CouponTemplate, Supply

#: Columns that change by themselves, or that moves change.
_QUIET = {
    "id", "version", "updated_at", "created_at", "status", "made_by", "approved_by", "second_approved_by",
    "approvals_needed", "accepted_warnings",
}  # fmt: skip
Values = Mapping[str, Any]


class Difference(NamedTuple):
    """``names`` of the column; what stands in each version, in words."""

    name: str
    label: str
    versions: list[str]


def values_of(template: Any, limits: Any) -> dict[str, Any]:
    """A template, or a record of its history, with its limits (a row, a record or a mapping; None: not known)."""
    values = {field.attname: getattr(template, field.attname) for field in _columns()}
    for name in Supply.LIMITS if limits is not None else ():
        values[name] = limits[name] if isinstance(limits, Mapping) else getattr(limits, name)
    return values


def differences(*versions: Values) -> Iterator[Difference]:
    """Fields in which the versions are not all alike; what one of them does not know is left out."""
    for field in _fields():
        if all(field.attname in version for version in versions):
            values = [version[field.attname] for version in versions]
            if any(value != values[0] for value in values):
                yield Difference(field.name, str(field.verbose_name), [_words(field, value) for value in values])


def _words(field: Any, value: Any) -> str:
    return _("no limit") if value is None and field.name in Supply.LIMITS else shown(field, value)


def version_of(template: CouponTemplate, number: int) -> dict[str, Any] | None:
    """As it stood when its version had this number; None: it is not on record."""
    record = template.history.filter(version=number).order_by("history_date", "history_id").first()
    return None if record is None else values_of(record, limits_at(template, record))


def last_approved(template: CouponTemplate) -> tuple[Any, dict[str, Any]] | None:
    """The record of its last approval, or of the last change that was taken over, and what was approved."""
    record = (
        template.history.filter(Q(history_change_reason="approve") | Q(history_change_reason__startswith=f"{TAKEN} "))
        .select_related("history_user")
        .order_by("-history_date", "-history_id")
        .first()
    )
    return None if record is None else (record, values_of(record, limits_at(template, record)))


def limit_changes(records: list[Any]) -> dict[Any, list[tuple[str, str, str]]]:
    """For records of a template's history, one page of them: moment → which limits changed, from what, to what."""
    if not records:
        return {}
    wanted = Supply.history.filter(template_id=records[0].id).order_by("history_date", "history_id")
    changes: dict[Any, list[tuple[str, str, str]]] = {}
    before = None
    for record in wanted:
        if before is not None:
            found = differences(*({name: getattr(one, name) for name in Supply.LIMITS} for one in (before, record)))
            changes[record.history_date] = [(one.label, one.versions[0], one.versions[1]) for one in found]
        before = record
    return changes


def records(template: CouponTemplate, *numbers: str) -> list[dict[str, Any]]:
    """Its records of these numbers, as they stood; those that are not its own are missing."""
    known = {str(record.history_id): record for record in template.history.filter(pk__in=_whole(numbers))}
    found = [known[number] for number in numbers if number in known]
    return [values_of(record, limits_at(template, record)) for record in found]


def _whole(numbers: Iterable[str]) -> list[int]:
    return [int(number) for number in numbers if number.isdecimal() and len(number) < 10]


def limits_at(template: CouponTemplate, record: Any) -> Any:
    """The limits that stood beside this record of its history; None: none are on record."""
    following = template.history.filter(history_date__gt=record.history_date).order_by("history_date").first()
    limits = Supply.history.filter(template_id=template.pk)
    if following is not None:
        limits = limits.filter(history_date__lt=following.history_date)
    return limits.order_by("-history_date", "-history_id").first()


def _columns() -> Iterable[Any]:
    return [field for field in CouponTemplate._meta.concrete_fields if field.name not in _QUIET]


def _fields() -> "Iterable[Field[Any, Any]]":
    return [*_columns(), *(column(Supply, name) for name in Supply.LIMITS)]


def limits_of(supply: Any) -> dict[str, Any]:
    return {name: getattr(supply, name) for name in Supply.LIMITS}


def fingerprint(found: list[Difference]) -> str:
    """Of exactly these differences, so that nobody says yes to others."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
