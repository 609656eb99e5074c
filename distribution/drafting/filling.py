"""Before anything is written: rows are locked; templates, placements and offers are filled in and looked at."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Model
from django.utils.translation import gettext as _

from coupons.models import Audience, Category, CouponTemplate, Merchant, Supply
from coupons.models.checks import check_worst_case
from distribution.drafting.document import PlacementIn, TemplateIn
from distribution.drafting.draft import Draft
from distribution.models import Campaign, Placement

Limits = Mapping[str, int | None]
Filled = tuple[TemplateIn, CouponTemplate, Limits]


class Locked(NamedTuple):
    """What is there already, by key."""

    campaign: Campaign | None
    templates: dict[str, CouponTemplate]
    placements: dict[str, Placement]


def lock(draft: Draft) -> Locked:
    """Documents go one after the other; rows in the order in which everybody locks them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('campaign document', 0))")
    locked = Campaign.objects.select_for_update(no_key=True, of=("self",)).select_related("budget")
    campaign = locked.filter(key=draft.document.key).first()
    templates = _locked(CouponTemplate, [item.key for item in draft.document.templates])
    placements = _locked(Placement, [item.key for item in draft.document.placements])
    return Locked(campaign, templates, placements)


def fill_templates(draft: Draft, campaign: Campaign, there: dict[str, CouponTemplate]) -> list[Filled]:
    filled: list[Filled] = []
    categories = _known(Category, (item.category for item in draft.document.templates))
    merchants = _known(Merchant, (item.merchant for item in draft.document.templates))
    for place, item in enumerate(draft.document.templates):
        path = f"templates.{place}"
        template = there.get(item.key) or CouponTemplate(key=item.key)
        if template.pk and (not campaign.pk or template.budget_id != campaign.budget_id):
            draft.wrong(f"{path}.key", "other_campaign", _("Another campaign has one of this key."))
            continue
        for field, known in (("category", categories), ("merchant", merchants)):
            key = getattr(item, field)
            setattr(template, f"{field}_id", key if key in known else None)
            if key is not None and key not in known:
                draft.wrong(f"{path}.{field}", "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})
        _fill(template, item)
        limits: Limits = item.limits.model_dump() if item.limits else dict.fromkeys(Supply.LIMITS)
        worst = check_worst_case(template, limits, draft.document.budget_fen)
        draft.check(template, path, exclude=["budget"], more=worst)
        filled.append((item, template, limits))
    if campaign.pk and draft.document.budget_fen is not None:
        uncapped = CouponTemplate.objects.filter(
            budget=campaign.budget_id, type=CouponTemplate.Type.PERCENT_OFF, cap_fen__isnull=True
        ).exclude(key__in=[item.key for item in draft.document.templates])
        for key in uncapped.values_list("key", flat=True):
            sentence = _("%(template)s takes off a percentage without a cap; that cannot sit under a budget.")
            draft.wrong("budget_fen", "uncapped", sentence % {"template": key})
    return filled


def fill_placements(
    draft: Draft, campaign: Campaign, there: dict[str, Placement]
) -> list[tuple[PlacementIn, Placement]]:
    filled = []
    for place, item in enumerate(draft.document.placements):
        path = f"placements.{place}"
        placement = there.get(item.key) or Placement(key=item.key)
        if placement.pk and (not campaign.pk or placement.campaign_id != campaign.pk):
            draft.wrong(f"{path}.key", "other_campaign", _("Another campaign has one of this key."))
            continue
        placement.channel, placement.form, placement.pick = item.channel, item.form, item.pick
        if item.title is not None:
            placement.title = item.title
        draft.check(placement, path, exclude=["campaign"])
        filled.append((item, placement))
    return filled


def look_at_offers(draft: Draft) -> None:
    """Names that are neither in the document nor known."""
    offers = [offer for placement in draft.document.placements for offer in placement.offers]
    known = {
        "template": {item.key for item in draft.document.templates}
        | _known(CouponTemplate, (offer.template for offer in offers), "key"),
        "audience": {item.key for item in draft.document.audiences}
        | _known(Audience, (offer.audience for offer in offers)),
    }
    for place, placement in enumerate(draft.document.placements):
        for number, offer in enumerate(placement.offers):
            for field, keys in known.items():
                key = getattr(offer, field)
                if key is not None and key not in keys:
                    path = f"placements.{place}.offers.{number}.{field}"
                    draft.wrong(path, "unknown_key", _("Unknown: %(keys)s.") % {"keys": key})


def _fill(template: CouponTemplate, item: TemplateIn) -> None:
    """All that the document says of it but names of other rows, limits and state."""
    for field in ("internal_name", "name", "type", "amount_fen", "threshold_fen", "percent_off", "cap_fen"):
        setattr(template, field, getattr(item, field))
    for field in ("newcomer", "exclusive_group", "returns_on_rollback"):
        setattr(template, field, getattr(item, field))
    template.validity_type = item.validity.type
    template.valid_days = item.validity.days
    template.starts_after_days = item.validity.starts_after_days or 0
    template.valid_from, template.valid_until = item.validity.starts_at, item.validity.ends_at
    template.release = item.release.model_dump(mode="json", exclude_none=True) if item.release else {}
    template.claim_cities = list(dict.fromkeys(item.claim_cities or ()))
    template.merchant_percent = item.cost.merchant_percent if item.cost else None
    template.merchant_fen = item.cost.merchant_fen if item.cost else None
    template.stack_group = item.stack_group or "order"
    template.claim_conditions, template.use_conditions = item.claim_conditions or {}, item.use_conditions or {}
    template.reversal = item.reversal or {}
    template.scope = item.scope.model_dump(exclude_none=True) if item.scope else {}
    if item.looks is not None:
        template.looks = item.looks


def _locked(model: type[Model], keys: list[str]) -> dict[str, Any]:
    rows = model._default_manager.select_for_update(no_key=True).filter(key__in=keys).order_by("id")
    return {row.key: row for row in rows}  # type: ignore[attr-defined]


def _known(model: type[Model], keys: Iterable[str | None], column: str = "pk") -> set[str]:
    asked = {key for key in keys if key is not None}
    return set(model._default_manager.filter(**{f"{column}__in": asked}).values_list(column, flat=True))
