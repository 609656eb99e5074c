"""What the demo company's app sets off: a falling red packet, a designated driver late at night, amends, thanks."""

import random
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.contrib.auth.models import User

from coupons.refused import Refused
from distribution import placing, reminding, sharing, triggering
from distribution.models import MessageTemplate, Placement, ReminderRule, SharePlan, TriggerRule
from distribution.queries.triggers import Event

MESSAGES = (
    ("driver-sms", "代驾券到账", "夜深了，喝酒别开车。{coupon}已放入您的卡包，{until}前可用：{link}"),
    ("late-sms", "超时补偿到账", "让您久等了，抱歉。{coupon}已放入您的卡包，{until}前可用：{link}"),
)
#: Placement, event, what it says, conditions, rest in minutes, message.
REMINDERS = (
    (
        "到期前两天",
        "before_expiry",
        2,
        "expiring-sms",
        "{nickname}，您的{coupon}还有{days}天到期，共{count}张待用：{link}",
    ),
    ("领后三天未用", "after_claim", 3, "unused-push", "{coupon}还没用哦，{until}前有效"),
)
RULES: tuple[tuple[str, str, list[dict[str, Any]], dict[str, Any], int, str | None], ...] = (
    ("open-packet", "app_open", [], {"clients": {"any_of": ["app"]}}, 3 * 24 * 60, None),
    (
        "night-driver",
        "page_view",
        [{"field": "page", "is": "=", "value": "bar_list"}],
        {"hours": {"inside": [["21:00", "03:00"]]}},
        24 * 60,
        "driver-sms",
    ),
    ("late-amends", "order_delivered_late", [{"field": "late_minutes", "is": ">=", "value": 20}], {}, 0, "late-sms"),
    ("review-thanks", "review_posted", [{"field": "words", "is": ">=", "value": 20}], {}, 24 * 60, None),
)


def document(day: Any, campaign: Any, template: Any, placement: Any) -> dict[str, Any]:
    """The campaign below which they hang; made of the same pieces as the others."""
    once_a_day = {"customer_daily_count": 1, "daily_count": 400}
    return campaign(
        "service",
        "自动触发关怀",
        -30,
        60,
        6_000,
        800,
        templates=[
            template("open-2", "天降-无门槛2元", "天降红包", 2, validity={"type": "claim_day"}, limits=once_a_day),
            template("driver-15", "代驾-满60减15", "代驾平安券", 15, 60, limits=once_a_day),
            template("amends-8", "超时补偿-8元", "超时补偿券", 8, limits=once_a_day),
            template("thanks-3", "评价返-满20减3", "评价返红包", 3, 20, limits=once_a_day),
        ],
        placements=[
            placement("open-packet", "打开App天降红包", "home_popup", "open-2", form="trigger"),
            placement("night-driver", "深夜代驾关怀", "home_popup", "driver-15", form="trigger"),
            placement("late-amends", "配送超时补偿", "open_platform", "amends-8", form="trigger"),
            placement("review-thanks", "评价返红包", "review_reward", "thanks-3", form="trigger"),
        ],
    )


def make(maker: User, start: datetime) -> None:
    """``start``: when reminders begin."""
    messages = {
        key: MessageTemplate.objects.create(key=key, name=name, channel="sms", occasion="issued", text=text)
        for key, name, text in MESSAGES
    }
    for placement, event, tests, conditions, rest, message in RULES:
        rule = TriggerRule(
            placement=Placement.objects.get(key=placement),
            event=event,
            tests=tests,
            conditions=conditions,
            cooldown_minutes=rest,
            message=messages.get(message or ""),
        )
        rule.full_clean()
        placing.save_tool(rule, may_approve=True, by=maker)

    for name, basis, days, key, text in REMINDERS:
        channel = key.rsplit("-", 1)[1]
        words = MessageTemplate.objects.create(
            key=key,
            name=name,
            channel=channel,
            occasion="reminder",
            text=text,
            title="" if channel == "sms" else "卡包提醒",
        )
        reminder = ReminderRule(name=name, basis=basis, amount=days, message=words)
        reminder.full_clean()
        reminder.save()
        reminding.move(reminder, "start", by=maker, now=start)
    plan = SharePlan(placement=Placement.objects.get(key="luck-share"), slots_count=8, pot_fen=6400)
    plan.full_clean()
    placing.save_tool(plan, may_approve=True, by=maker)


def remind(now: datetime) -> None:
    """Reminders of the morning of this day, and every message on its way."""
    for rule in ReminderRule.objects.all():
        reminding.choose(rule.pk, now)
    customer = 0
    while True:
        _written, customer = reminding.write(now, customer)
        if not customer:
            break


def share(luck: random.Random, order: str, customer: str, friends: list[str], now: datetime) -> None:
    """A packet of the order, and friends who take some of it."""
    try:
        packet = orjson.loads(sharing.spawn("luck-share", order, customer, now).body)
    except Refused:
        return  # the campaign has not begun
    for friend in friends:
        now += timedelta(minutes=luck.randint(1, 50))
        try:
            sharing.take(packet["token"], friend, now, by=f"customer:{friend}")
        except Refused:
            continue


def tell(luck: random.Random, customer: str, now: datetime, client: str, city: str) -> None:
    """What the app reports while somebody looks around."""
    said: list[tuple[str, dict[str, Any]]] = []
    if luck.random() < 0.2:
        said.append(("app_open", {}))
    if now.hour >= 20 and luck.random() < 0.3:
        said.append(("page_view", {"page": luck.choice(["bar_list", "home"])}))
    if luck.random() < 0.04:
        said.append(("order_delivered_late", {"late_minutes": luck.randint(5, 50)}))
    if luck.random() < 0.04:
        said.append(("review_posted", {"stars": luck.randint(3, 5), "words": luck.randint(0, 80)}))
    for event, data in said:
        occurred_at = now - timedelta(seconds=luck.randint(1, 30))
        triggering.happen(Event(event, customer, occurred_at, client, city, None, data), now, by="demo")
