"""Things for tests to work with, each made with what the test cares about and believable otherwise."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from coupons.models import Audience, Budget, CouponTemplate, Supply
from distribution.models import Campaign, ClaimPage, Offer, Placement, TriggerRule

_numbers = count(1)

NO_LIMITS = dict.fromkeys(Supply.LIMITS)


def campaign(
    *, budget_fen: int | None = None, starts_at: datetime | None = None, ends_at: datetime | None = None
) -> Campaign:
    now = timezone.now()
    number = next(_numbers)
    return Campaign.objects.create(
        key=f"campaign-{number}",
        name=f"活动{number}",
        budget=Budget.objects.create(limit_fen=budget_fen),
        starts_at=starts_at or now - timedelta(days=30),
        ends_at=ends_at or now + timedelta(days=300),
    )


def template(
    of: Campaign | None = None, *, limits: dict[str, int | None] | None = None, **terms: Any
) -> CouponTemplate:
    """满100减20 for seven days, live, without limits, unless told otherwise."""
    number = next(_numbers)
    terms = {
        "key": f"template-{number}",
        "internal_name": f"满100减20 {number}",
        "name": "满减券",
        "status": "live",
        "type": "amount_off",
        "validity_type": "days_after_claim",
        **terms,
    }
    if terms["type"] != "percent_off":
        terms.setdefault("amount_fen", 2000)
    if terms["type"] == "amount_off":
        terms.setdefault("threshold_fen", 10000)
    if terms["validity_type"] == "days_after_claim":
        terms.setdefault("valid_days", 7)
    made = CouponTemplate(budget=(of or campaign()).budget, **terms)
    made.full_clean()
    made.save()
    Supply.objects.create(template=made, **{**NO_LIMITS, **(limits or {})})
    return made


def placement(
    *templates: CouponTemplate | tuple[CouponTemplate, Audience | None] | tuple[CouponTemplate, int],
    of: Campaign | None = None,
    **fields: Any,
) -> Placement:
    """Live in the coupon centre; offers in the order given, with an audience or a weight beside the template."""
    fields = {"key": f"placement-{next(_numbers)}", "channel": "coupon_center", "status": "live", **fields}
    made = Placement.objects.create(campaign=of or campaign(), **fields)
    for position, offered in enumerate(templates):
        what, beside = offered if isinstance(offered, tuple) else (offered, None)
        more = {"weight": beside} if isinstance(beside, int) else {"audience": beside}
        Offer.objects.create(placement=made, template=what, position=position, **more)
    return made


def audience(conditions: dict[str, Any]) -> Audience:
    return Audience.objects.create(key=f"audience-{next(_numbers)}", name="人群", conditions=conditions)


def trigger(
    *templates: CouponTemplate | tuple[CouponTemplate, Any], event: str = "app_open", **fields: Any
) -> TriggerRule:
    """A live placement set off by the event; no rest unless told."""
    of = fields.pop("of", None)
    channel = fields.pop("channel", "home_popup")
    made = placement(*templates, of=of, channel=channel, form="trigger", pick=fields.pop("pick", "first"))
    rule = TriggerRule(placement=made, event=event, **{"cooldown_minutes": 0, **fields})
    rule.full_clean()
    rule.save()
    return rule


def claim_page(*templates: CouponTemplate, status: str = "live", **fields: Any) -> ClaimPage:
    """An H5 page of a live placement of these templates."""
    number = next(_numbers)
    of = fields.pop("of", None)
    placed = placement(*templates, of=of, form="h5", channel="street_team", status=status)
    return ClaimPage.objects.create(
        placement=placed, **{"slug": f"page-{number}", "title": "夏日福利", "lead": "人人有份", **fields}
    )
