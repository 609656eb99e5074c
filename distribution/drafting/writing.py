"""A campaign as the document that would make it again."""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone

from coupons import pictures
from coupons.conditions.audiences import named_by
from coupons.conditions.moment import CUSTOM
from coupons.models import Area, Audience, Category, CouponTemplate, Custom, Merchant, Supply
from coupons.models.places import Named
from distribution.drafting.document import MessageIn, PageIn, ShareIn, TriggerIn
from distribution.models import Campaign, MessageTemplate, Offer, Placement


def document_of(campaign: Campaign) -> dict[str, Any]:
    """Everything that the campaign says, with the names that it uses, so that an empty database can take it."""
    templates = list(_templates(campaign))
    placements = list(
        Placement.objects.filter(campaign=campaign)
        .order_by("id")
        .select_related("trigger__message", "share_plan", "claim_page")
        .prefetch_related(Prefetch("offers", Offer.objects.order_by("position", "id").select_related("template")))
    )
    triggers = [placement.trigger for placement in placements if hasattr(placement, "trigger")]
    rules = [rules for template in templates for rules in (template.claim_conditions, template.use_conditions)]
    rules += [trigger.conditions for trigger in triggers]
    audiences = _audiences(campaign, rules)
    rules += [audience.conditions for audience in audiences]
    areas = {key for conditions in rules for key in conditions.get("areas", {}).get("any_of", ())}
    days = {day for conditions in rules for day in conditions.get("festivals", {}).get("any_of", ())}
    return {
        "key": campaign.key,
        "name": campaign.name,
        "goal": {"metric": campaign.goal_metric, "target": campaign.goal_target},
        "budget_fen": campaign.budget.limit_fen,
        "starts_at": _moment(campaign.starts_at),
        "ends_at": _moment(campaign.ends_at),
        "control_percent": _percent(campaign.control_percent),
        "categories": _named(Category, _keys(templates, "category_id", "categories")),
        "merchants": _named(Merchant, _keys(templates, "merchant_id", "merchants")),
        "areas": [
            {"key": area.key, "name": area.name, "geojson": area.geojson}
            for area in Area.objects.filter(key__in=areas).order_by("key")
        ],
        "customs": _customs(day.removeprefix(CUSTOM) for day in days if day.startswith(CUSTOM)),
        "audiences": [
            {"key": audience.key, "name": audience.name, "conditions": audience.conditions} for audience in audiences
        ],
        "messages": _messages(trigger.message for trigger in triggers),
        "pictures": list(_pictures(templates, placements)),
        "templates": [template_document(template) for template in templates],
        "placements": [_placement(placement) for placement in placements],
    }


def results_of(campaign: Campaign) -> dict[str, Any]:
    """What came of it so far: the purse, and how many were issued."""
    budget = campaign.budget
    return {
        "budget": {
            "spent_fen": budget.spent_fen,
            "committed_fen": budget.committed_fen,
            "free_fen": budget.free_fen,
        },
        "templates": {
            template.key: {"issued_count": template.supply.issued_count, "issued_fen": template.supply.issued_fen}
            for template in _templates(campaign)
        },
    }


def _audiences(campaign: Campaign, rules: Iterable[Mapping[str, Any]]) -> list[Audience]:
    """Those of its offers and of these rules, and all that they name in turn; by key."""
    wanted = set(Audience.objects.filter(offers__placement__campaign=campaign).values_list("pk", flat=True))
    wanted |= {key for conditions in rules for key in named_by(conditions)}
    found: dict[str, Audience] = {}
    while wanted := wanted - found.keys():
        found |= Audience.objects.in_bulk(wanted)
        wanted = {key for audience in found.values() for key in named_by(audience.conditions)}
    return [found[key] for key in sorted(found)]


def _templates(campaign: Campaign) -> Iterable[CouponTemplate]:
    return CouponTemplate.objects.filter(budget=campaign.budget_id).select_related("supply").order_by("id")


def _keys(templates: Iterable[CouponTemplate], column: str, scope: str) -> set[str]:
    own = {getattr(template, column) for template in templates} - {None}
    return own | {key for template in templates for key in template.scope.get(scope, ())}


def _named(model: type[Named], keys: set[str]) -> list[dict[str, str]]:
    return [{"key": row.key, "name": row.name} for row in model._default_manager.filter(pk__in=keys).order_by("pk")]


def _customs(keys: Iterable[str]) -> list[dict[str, Any]]:
    found = Custom.objects.filter(pk__in=list(keys)).order_by("pk").prefetch_related("days")
    return [
        {
            "key": custom.key,
            "name": custom.name,
            "days": [
                {"first_date": str(day.first_date), "last_date": str(day.last_date), "city": day.city_id}
                for day in custom.days.all()
            ],
        }
        for custom in found
    ]


def _pictures(templates: Iterable[CouponTemplate], placements: Iterable[Placement]) -> Iterator[dict[str, str]]:
    named = {template.looks.get("picture") for template in templates}
    named |= {placement.claim_page.picture for placement in placements if hasattr(placement, "claim_page")}
    for address in sorted(filter(None, named)):
        with suppress(FileNotFoundError):  # lost; the address alone stays
            content, _kind = pictures.read(address.removeprefix(pictures.ADDRESS))
            yield {"address": address, "data": b64encode(content).decode()}


def _messages(messages: Iterable[MessageTemplate | None]) -> list[dict[str, Any]]:
    by_key = {message.key: message for message in messages if message}
    return [{field: getattr(by_key[key], field) for field in MessageIn.model_fields} for key in sorted(by_key)]


def template_document(template: CouponTemplate) -> dict[str, Any]:
    money = {
        "amount_fen": template.amount_fen,
        "threshold_fen": template.threshold_fen,
        "percent_off": _percent(template.percent_off),
        "cap_fen": template.cap_fen,
    }
    cost = {"merchant_percent": _percent(template.merchant_percent), "merchant_fen": template.merchant_fen}
    return {
        "key": template.key,
        "internal_name": template.internal_name,
        "name": template.name,
        "type": template.type,
        **_said(money),
        "validity": _validity(template),
        "release": template.release,
        "claim_cities": template.claim_cities,
        "category": template.category_id,
        "merchant": template.merchant_id,
        "cost": _said(cost),
        "limits": {name: getattr(template.supply, name) for name in Supply.LIMITS},
        "newcomer": template.newcomer,
        "exclusive_group": template.exclusive_group,
        "stack_group": template.stack_group,
        "claim_conditions": template.claim_conditions,
        "use_conditions": template.use_conditions,
        "scope": template.scope,
        "returns_on_rollback": template.returns_on_rollback,
        **({"reversal": template.reversal} if template.reversal else {}),
        "looks": template.looks,
        "status": template.status,
    }


def _validity(template: CouponTemplate) -> dict[str, Any]:
    match template.validity_type:
        case CouponTemplate.Validity.DAYS_AFTER_CLAIM:
            more: dict[str, Any] = {"days": template.valid_days, "starts_after_days": template.starts_after_days}
        case CouponTemplate.Validity.PERIOD:
            more = {"starts_at": _moment(template.valid_from), "ends_at": _moment(template.valid_until)}
        case _:
            more = {}
    return {"type": template.validity_type, **more}


def _placement(placement: Placement) -> dict[str, Any]:
    return {
        "key": placement.key,
        "title": placement.title,
        "channel": placement.channel,
        "form": placement.form,
        "pick": placement.pick,
        "offers": [
            {"template": offer.template.key, "audience": offer.audience_id, "weight": offer.weight}
            for offer in placement.offers.all()
        ],
        **_tools(placement),
        "status": placement.status,
    }


def _tools(placement: Placement) -> dict[str, Any]:
    """What it works with."""
    said: dict[str, Any] = {}
    if trigger := getattr(placement, "trigger", None):
        said["trigger"] = {field: getattr(trigger, field) for field in TriggerIn.model_fields}
        said["trigger"]["message"] = trigger.message.key if trigger.message else None
    if plan := getattr(placement, "share_plan", None):
        said["share"] = {field: getattr(plan, field) for field in ShareIn.model_fields}
    if page := getattr(placement, "claim_page", None):
        said["page"] = {field: getattr(page, field) for field in PageIn.model_fields}
    return said


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _moment(moment: datetime | None) -> str | None:
    """In the business time zone."""
    return None if moment is None else timezone.localtime(moment).isoformat()


def _percent(percent: Decimal | None) -> int | str | None:
    """A whole number, or a string with its decimals; never a float."""
    if percent is None:
        return None
    return int(percent) if percent == int(percent) else f"{percent.normalize():f}"
