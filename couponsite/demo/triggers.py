"""What the demo company's app sets off: a falling red packet, a designated driver late at night, amends, thanks."""

import random
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.contrib.auth.models import User
from django.db.models import F

from coupons.refused import Refused
from distribution import reminding, sharing, triggering
from distribution.models import Message, MessageTemplate, ReminderRule
from distribution.queries.triggers import Event

MESSAGES = (
    ("driver-sms", "代驾券到账", "夜深了，喝酒别开车。{coupon}已放入您的卡包，{until}前可用：{link}"),
    ("late-sms", "超时补偿到账", "让您久等了，抱歉。{coupon}已放入您的卡包，{until}前可用：{link}"),
)
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
#: What sets off which placement.
RULES: dict[str, dict[str, Any]] = {
    "open-packet": {
        "event": "app_open",
        "conditions": {"clients": {"any_of": ["app"]}},
        "cooldown_minutes": 3 * 24 * 60,
    },
    "night-driver": {
        "event": "page_view",
        "tests": [{"field": "page", "is": "=", "value": "bar_list"}],
        "conditions": {"hours": {"inside": [["21:00", "03:00"]]}},
        "message": "driver-sms",
    },
    "late-amends": {
        "event": "order_delivered_late",
        "tests": [{"field": "late_minutes", "is": ">=", "value": 20}],
        "cooldown_minutes": 0,
        "message": "late-sms",
    },
    "review-thanks": {"event": "review_posted", "tests": [{"field": "words", "is": ">=", "value": 20}]},
}


def document(day: Any, campaign: Any, template: Any, placement: Any) -> dict[str, Any]:
    """The campaign below which they hang; made of the same pieces as the others."""

    def triggered(key: str, title: str, channel: str, offer: str) -> Any:
        return placement(key, title, channel, offer, form="trigger", trigger=RULES[key])

    once_a_day = {"customer_daily_count": 1, "daily_count": 400}
    return campaign(
        "service",
        "自动触发关怀",
        -30,
        60,
        6_000,
        800,
        messages=[
            {"key": key, "name": name, "channel": "sms", "occasion": "issued", "text": text}
            for key, name, text in MESSAGES
        ],
        templates=[
            template("open-2", "天降-无门槛2元", "天降红包", 2, validity={"type": "claim_day"}, limits=once_a_day),
            template("driver-15", "代驾-满60减15", "代驾平安券", 15, 60, limits=once_a_day),
            template("amends-8", "超时补偿-8元", "超时补偿券", 8, limits=once_a_day),
            template("thanks-3", "评价返-满20减3", "评价返红包", 3, 20, limits=once_a_day),
        ],
        placements=[
            triggered("open-packet", "打开App天降红包", "home_popup", "open-2"),
            triggered("night-driver", "深夜代驾关怀", "home_popup", "driver-15"),
            triggered("late-amends", "配送超时补偿", "open_platform", "amends-8"),
            triggered("review-thanks", "评价返红包", "review_reward", "thanks-3"),
        ],
    )


def remind_from(maker: User, start: datetime) -> None:
    """Reminders begin at ``start``."""
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


def deliver(now: datetime) -> None:
    """What was due by then went out then: asked to send it today, the outbox would rightly call it too late."""
    waiting = Message.objects.filter(status=Message.Status.WAITING, due_at__lte=now)
    waiting.update(status=Message.Status.SENT, sent_at=F("due_at"), gateway="recording", attempt_count=1)


def remind(now: datetime) -> None:
    """Reminders of the morning of this day."""
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
