"""A small company with one of everything, and somebody of every role."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import orjson
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from coupons import jobs
from coupons.models import (
    ApiKey,
    Area,
    Category,
    City,
    Coupon,
    CouponTemplate,
    Custom,
    CustomDay,
    Customer,
    Merchant,
    RefusalCount,
    ToldDay,
    Weather,
)
from coupons.queries.catalogue import business_now
from distribution import messages, sharing
from distribution.models import (
    Block,
    Campaign,
    ClaimLink,
    MessageTemplate,
    OptOut,
    Reminder,
    ReminderRule,
    RiskRule,
    SharePlan,
)
from distribution.queries.triggers import Event
from distribution.triggering import happen
from stats import effect
from stats.models import Report
from tests import coding, making, using

ROLES = ("运营", "审核", "财务", "客服", "管理员")
BLOCK = {
    "type": "Polygon",
    "coordinates": [[[121.5, 31.23], [121.52, 31.23], [121.52, 31.25], [121.5, 31.25], [121.5, 31.23]]],
}


def somebody(role: str, name: str = "") -> User:
    user = get_user_model().objects.create_user(name or f"{ROLES.index(role)}", password="x", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    return user


def desk(user: User, language: str = "zh-hans") -> Client:
    """A browser in which this person has signed in."""
    client = Client()
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


def found(till: Any) -> dict[str, Any]:
    """Makes the company; ``till`` is a caller that may redeem."""
    Category.objects.create(key="food-1", name="美食")
    Merchant.objects.create(key="shop-1", name="老王牛肉面")
    Area.objects.create(key="block-1", name="陆家嘴", geojson=BLOCK)
    now = timezone.now()
    city = City.objects.get(pk="310000")
    Weather.objects.create(city=city, kind="rain", starts_at=now, ends_at=now + timedelta(hours=3))
    ApiKey.make("测试系统", ["read"])
    Block.objects.create(kind="phone", value="+8613800138009", reason="羊毛党")
    RiskRule.objects.create(kind="ip", minutes=60, most_count=20)
    ToldDay.objects.create(day=now.date(), code="workday_makeup")
    fair = Custom.objects.create(key="fair-1", name="庙会")
    CustomDay.objects.create(custom=fair, first_date=now.date(), last_date=now.date(), city=city)
    RefusalCount.objects.create(hour=now, deed="claim", code="sold_out", count=7)
    campaign = making.campaign(budget_fen=1_000_000)
    out = making.template(
        campaign,
        limits={"total_count": 10, "customer_count": 5},
        category_id="food-1",
        use_conditions={"clients": {"any_of": ["app"]}},
        release={"weekdays": [1, 2, 3, 4, 5, 6, 7]},
    )
    percent = making.template(campaign, type="percent_off", percent_off="15.00", cap_fen=3000, status="draft")
    waiting = making.template(
        campaign,
        type="no_threshold",
        validity_type="period",
        valid_from=now,
        valid_until=now + timedelta(days=9),
        status="awaiting_approval",
    )
    audience = making.audience({"order_count": {"min": 1}, "cities": {"any_of": ["310000"]}})
    placement = making.placement(out, (percent, audience), of=campaign)
    batch = coding.batch(coding.placement(out, of=campaign), kind="shared", shared_code="夏日2026", use_limit=9)
    used, kept = using.give(out), using.give(out)
    told = till.post("redemptions/", {"order": using.order("order-1"), "coupons": [used]})
    assert told.status == 201, told.body
    said = {"nickname": "林", "coupon": out.name, "days": "3"}
    messages.put("reminder:1", "coupon-reminder", "+8613800138000", said, now=now, by="reminder:3d")
    page = making.claim_page(out, of=campaign, slug="summer-1", title="夏日福利")
    ClaimLink.objects.create(page=page, name="人民广场1队")
    tools(campaign, out)
    return {
        "campaign": campaign,
        "out": CouponTemplate.objects.get(pk=out.pk),
        "draft": percent,
        "waiting": waiting,
        "placement": placement,
        "coupon": kept,
        "batch": batch,
    }


def tools(campaign: Campaign, template: CouponTemplate) -> None:
    """A trigger that was set off, a packet that was shared, a reminder that was sent, a reading of the effect, a
    report that everybody may read."""
    now = business_now()
    red = making.template(campaign, type="no_threshold", amount_fen=500)
    making.trigger(template, of=campaign, tests=[{"field": "minutes", "is": ">=", "value": 20}])
    happen(Event("app_open", "alice", now, data={"minutes": 30}), now, by="key:1")
    happen(Event("app_open", "alice", now, data={"minutes": 10}), now, by="key:1")
    shared = making.placement(red, of=campaign, channel="share", title="分享红包")
    SharePlan.objects.create(placement=shared, slots_count=2, pot_fen=1000)
    packet = orjson.loads(sharing.spawn(shared.key, "order-2", "alice", now).body)
    sharing.take(packet["token"], "bob-1", now, by="customer:bob-1")
    rule = ReminderRule.objects.create(name="到期提醒", message=MessageTemplate.objects.get(key="coupon-reminder"))
    coupon = Coupon.objects.order_by("pk")[0]
    Reminder.objects.create(
        rule=rule, coupon_id=coupon.pk, customer_id=coupon.customer_id, due_at=now, chosen_at=now, outcome="written"
    )
    OptOut.objects.create(customer=Customer.objects.get(key="bob-1"), at=now, by="user:1")
    Campaign.objects.filter(pk=campaign.pk).update(control_percent=10)
    reading = effect.start(Campaign.objects.get(pk=campaign.pk), "all", Decimal(20), now=now, by=None)
    jobs.run(reading.job_id)
    question = {"measures": ["issued_count", "spent_fen"], "rows": ["channel"], "across": "month", "period": "last_30"}
    report = Report.objects.create(name="周报", question=question, owner=User.objects.create_user("小林"))
    report.shared_with.set(Group.objects.all())
