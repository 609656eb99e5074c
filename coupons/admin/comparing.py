"""Two versions of a template side by side: what was approved last, what somebody else saved, what is proposed."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from django.db.models import Field
from django.utils.translation import gettext as _

from coupons.admin.history import shown
from coupons.editing import column
from coupons.models import CouponTemplate, Supply

#: Columns that change by themselves, or that moves change.
_QUIET = {
    "id", "version", "updated_at", "created_at", "status", "made_by", "approved_by", "second_approved_by",
    "approvals_needed",
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
    return None if record is None else values_of(record, limits_at(template, record.history_date))


def last_approved(template: CouponTemplate) -> tuple[Any, dict[str, Any]] | None:
    """The record of its last approval, or of the last change that was taken over, and what was approved."""
    record = (
        template.history.filter(history_change_reason__in=("approve", "proposal"))
        .select_related("history_user")
        .order_by("-history_date", "-history_id")
        .first()
    )
    return None if record is None else (record, values_of(record, limits_at(template, record.history_date)))


def limits_at(template: CouponTemplate, moment: Any) -> Any:
    records = Supply.history.filter(template_id=template.pk, history_date__lte=moment)
    return records.order_by("-history_date", "-history_id").first()


def _columns() -> Iterable[Any]:
    return [field for field in CouponTemplate._meta.concrete_fields if field.name not in _QUIET]


def _fields() -> "Iterable[Field[Any, Any]]":
    return [*_columns(), *(column(Supply, name) for name in Supply.LIMITS)]


def limits_of(supply: Any) -> dict[str, Any]:
    return {name: getattr(supply, name) for name in Supply.LIMITS}


def fingerprint(found: list[Difference]) -> str:
    """Of exactly these differences, so that nobody says yes to others."""
    return hashlib.sha256(repr(found).encode()).hexdigest()[:16]
