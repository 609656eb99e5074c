"""Templates, compiled once per process and version of the catalogue.

A ``Book`` holds what one version says and never changes; another version is another book. Where a moment's staleness
would matter, the issuing function in the database compares the version it is handed with its own.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, TypeVar, cast

import orjson
from django.conf import settings
from django.utils import timezone
from django.utils.translation import get_language

from coupons import rules
from coupons.conditions import names
from coupons.models import City, CouponTemplate
from coupons.queries.direct import row
from coupons.queries.wording import wording
from coupons.rules.schedule import Schedule

Made = TypeVar("Made")


@dataclass(slots=True)
class CompiledTemplate:
    """A template as the hot doors read it. Money in fen; ``worth_fen`` is the most a coupon takes off (0: unknown)."""

    row: CouponTemplate
    id: int
    key: str
    status: str
    budget_id: int
    worth_fen: int
    newcomer: bool
    exclusive_group: str | None
    schedule: Schedule
    claim_rules: tuple[rules.Condition, ...]
    use_rules: tuple[rules.Condition, ...]
    _said: dict[str, bytes]
    _faces: dict[str, dict[str, Any]]

    def validity(self, now: datetime) -> tuple[datetime, datetime]:
        """Of a coupon given at ``now`` (business time zone)."""
        return validity_of(self.row, now)

    @property
    def discount(self) -> dict[str, Any]:
        template = self.row
        said = {
            "type": template.type,
            "amount_fen": template.amount_fen,
            "threshold_fen": template.threshold_fen,
            "percent_off": None if template.percent_off is None else plain(template.percent_off),
            "cap_fen": template.cap_fen,
        }
        return {name: value for name, value in said.items() if value is not None}

    def face(self) -> dict[str, Any]:
        """What every coupon of this template says of itself, in the active language; kept, so not to be changed."""
        language = get_language() or settings.LANGUAGE_CODE
        face = self._faces.get(language)
        if face is None:
            face = self._faces[language] = {
                "template": self.key,
                "name": self.row.name,
                "wording": wording(self.row),
                "discount": self.discount,
                "looks": self.row.looks,
            }
        return face

    def face_bytes(self) -> bytes:
        """``face`` as JSON without its opening brace, kept per language."""
        language = get_language() or settings.LANGUAGE_CODE
        said = self._said.get(language)
        if said is None:
            said = self._said[language] = orjson.dumps(self.face())[1:]
        return said


def validity_of(template: CouponTemplate, now: datetime) -> tuple[datetime, datetime]:
    """Of a coupon given at ``now`` (business time zone); half-open. The day of the start is day one."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if template.validity_type == CouponTemplate.Validity.PERIOD:
        return cast(datetime, template.valid_from), cast(datetime, template.valid_until)
    if template.validity_type == CouponTemplate.Validity.CLAIM_DAY:
        return now, midnight + timedelta(days=1)
    start = midnight + timedelta(days=template.starts_after_days)
    return (start if template.starts_after_days else now), start + timedelta(days=template.valid_days or 1)


def plain(number: Decimal) -> str:
    """Without trailing zeros or exponents: 20, 12.5."""
    return f"{number.normalize():f}"


class Book:
    """Everything compiled from one version of the catalogue; made when first asked for."""

    def __init__(self, version: int) -> None:
        self.version = version
        self._templates: dict[int, CompiledTemplate] = {}
        self._kept: dict[Hashable, Any] = {}

    def templates(self, ids: Iterable[int]) -> Mapping[int, CompiledTemplate]:
        """By id; those that do not exist are missing."""
        wanted = [id for id in ids if id not in self._templates]
        if wanted:
            for template in CouponTemplate.objects.filter(id__in=wanted).select_related("category", "merchant"):
                self._templates[template.id] = _compiled(template)
        return self._templates

    @property
    def cities(self) -> frozenset[str]:
        """The keys of all cities that there are."""
        return self.keep("cities", lambda: frozenset(City.objects.values_list("pk", flat=True)))

    def keep(self, name: Hashable, make: Callable[[], Made]) -> Made:
        """What another room compiles from this version, made once."""
        if name not in self._kept:
            self._kept[name] = make()
        return cast(Made, self._kept[name])


def _compiled(template: CouponTemplate) -> CompiledTemplate:
    claim_rules = template.claim_conditions
    if template.claim_cities:
        claim_rules = {**claim_rules}
        named = claim_rules.pop("cities", None)
        both = template.claim_cities if named is None else sorted(set(named["any_of"]) & set(template.claim_cities))
        claim_rules = {"cities": {"any_of": both}, **claim_rules}
    return CompiledTemplate(
        row=template,
        id=template.id,
        key=template.key,
        status=template.status,
        budget_id=template.budget_id,
        worth_fen=template.worth_fen or 0,
        newcomer=template.newcomer,
        exclusive_group=template.exclusive_group,
        schedule=Schedule.of(template.release),
        claim_rules=rules.compile_rules(claim_rules, "claim"),
        use_rules=rules.compile_rules(template.use_conditions),
        _said={},
        _faces={},
    )


_book = Book(0)
_looked_at = float("-inf")


def current() -> Book:
    """The book in force, at most ``CATALOGUE_SECONDS`` old."""
    global _book, _looked_at
    if monotonic() - _looked_at >= settings.CATALOGUE_SECONDS:
        found = row("SELECT version FROM coupons_catalogue")
        version = found[0] if found else 0
        if version != _book.version:
            names.forget()
            _book = Book(version)
        _looked_at = monotonic()
    return _book


def at_least(version: int) -> Book:
    """The book in force, of no earlier version than this, which was read a moment ago."""
    book = current()
    if book.version < version:
        forget()
        book = current()
    return book


def forget() -> None:
    """Look again at the next question; for a call that was told it works from a stale book."""
    global _looked_at
    _looked_at = float("-inf")


def start_anew() -> None:
    """Trust nothing compiled so far; for tests, whose rolled-back versions come again with other contents."""
    global _book
    _book = Book(0)
    forget()


def business_now(moment: datetime | None = None) -> datetime:
    """``moment``, or this moment, in the business time zone. Only doors ask without a moment."""
    return timezone.localtime(moment)
