"""What a campaign calls by name and may share with others: created, changed or left alone."""

from base64 import b64decode
from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from coupons import pictures, rules
from coupons.conditions.audiences import circle, leading_to, named_by
from coupons.models import Area, Audience, Category, CouponTemplate, Custom, CustomDay, Merchant
from coupons.models.places import Named
from distribution.drafting.document import AudienceIn, CustomDayIn, NamedIn
from distribution.drafting.draft import Draft
from distribution.models import MessageTemplate, Offer, Placement

NamedRow = TypeVar("NamedRow", bound=Named)


def save(draft: Draft) -> None:
    _named(draft, Category, draft.document.categories)
    _named(draft, Merchant, draft.document.merchants)
    _named(draft, Area, draft.document.areas, "geojson")
    _customs(draft)
    _audiences(draft)
    _messages(draft)
    _pictures(draft)


def _named(draft: Draft, model: type[NamedRow], items: Iterable[NamedIn], *more: str) -> None:
    """Created, renamed or left alone."""
    there = model._default_manager.in_bulk([item.key for item in items])
    for item in items:
        _change(draft, there.get(item.key) or model(key=item.key), item, ("name", *more))


def _change(draft: Draft, row: Named, item: object, fields: Iterable[str]) -> None:
    changed = [field for field in fields if getattr(row, field) != getattr(item, field)]
    for field in changed:
        setattr(row, field, getattr(item, field))
    if changed:
        row.save()
        draft.changed = True


def _customs(draft: Draft) -> None:
    _named(draft, Custom, draft.document.customs)
    for place, item in enumerate(draft.document.customs):
        if item.days is None:
            continue
        wanted = [CustomDay(custom_id=item.key, city_id=day.city, **_dates(day)) for day in item.days]
        there = CustomDay.objects.filter(custom=item.key)
        if _days_of(there) == _days_of(wanted):
            continue
        for number, day in enumerate(wanted):
            draft.check(day, f"customs.{place}.days.{number}", exclude=["custom"])
        if not draft.errors:
            there.delete()
            CustomDay.objects.bulk_create(wanted)
            draft.changed = True


def _audiences(draft: Draft) -> None:
    there = Audience.objects.in_bulk([item.key for item in draft.document.audiences])
    for place, item in _by_need(draft):
        try:
            cleaned = rules.clean(item.conditions)
        except rules.InvalidRules as invalid:
            for path, code, sentence in invalid.errors:
                draft.wrong(f"audiences.{place}.conditions{path and '.'}{path}", code, sentence)
            continue
        if way := circle(item.key, cleaned):
            sentence = _("An audience cannot lead back to itself: %(way)s.") % {"way": " → ".join(way)}
            draft.wrong(f"audiences.{place}.conditions.audiences", "circle", sentence)
            continue
        audience = there.get(item.key) or Audience(key=item.key)
        before = audience.conditions
        _change(draft, audience, item.model_copy(update={"conditions": cleaned}), ("name", "conditions"))
        if before != cleaned and _is_at_work(item.key):
            draft.needs_approval("audience", item.key)


def _by_need(draft: Draft) -> list[tuple[int, AudienceIn]]:
    """With their places; each after those of the document that it names, as far as that is possible."""
    left = dict(enumerate(draft.document.audiences))
    ordered: list[tuple[int, AudienceIn]] = []
    while left:
        waiting = {item.key for item in left.values()}
        ready = [place for place, item in left.items() if waiting.isdisjoint(_names_of(item) - {item.key})]
        for place in ready or list(left):
            ordered.append((place, left.pop(place)))
    return ordered


def _messages(draft: Draft) -> None:
    there = {row.key: row for row in MessageTemplate.objects.filter(key__in=[m.key for m in draft.document.messages])}
    for place, item in enumerate(draft.document.messages):
        message = there.get(item.key) or MessageTemplate(key=item.key)
        said = item.model_dump()
        if message.pk and all(getattr(message, field) == value for field, value in said.items()):
            continue
        for field, value in said.items():
            setattr(message, field, value)
        draft.check(message, f"messages.{place}", exclude=[])
        if not draft.errors:
            message.save()
            draft.changed = True


def _pictures(draft: Draft) -> None:
    """Files have no way back; one that nothing names does no harm."""
    for place, item in enumerate(draft.document.pictures):
        try:
            pictures.restore(item.address, b64decode(item.data, validate=True))
        except ValueError:
            draft.wrong(f"pictures.{place}.data", "invalid_format", _("Not in base64."))
        except ValidationError as invalid:
            draft.wrong(f"pictures.{place}.data", str(invalid.code), invalid.messages[0])


def _dates(day: CustomDayIn) -> dict[str, date]:
    return {"first_date": day.first_date, "last_date": day.last_date}


def _days_of(days: Iterable[CustomDay]) -> list[tuple[date, date, str]]:
    return sorted((day.first_date, day.last_date, day.city_id or "") for day in days)


def _is_at_work(audience: str) -> bool:
    """Whether something live asks for it, if only through other audiences."""
    asking = leading_to(audience)
    live = CouponTemplate.objects.filter(status=CouponTemplate.Status.LIVE, claim_conditions__has_key="audiences")
    return Offer.objects.filter(audience__in=asking, placement__status=Placement.Status.LIVE).exists() or any(
        not asking.isdisjoint(named_by(conditions)) for conditions in live.values_list("claim_conditions", flat=True)
    )


def _names_of(item: AudienceIn) -> set[str]:
    """The audiences that it names, before anybody has looked whether it makes sense."""
    answers = item.conditions.get("audiences")
    sides = [answers.get(side) for side in ("any_of", "none_of")] if isinstance(answers, dict) else []
    return {key for side in sides if isinstance(side, list) for key in side if isinstance(key, str)}
