"""Sixty days of the demo company's life, lived through the real steps with the clock handed in."""

import random
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

import jwt
import orjson
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, User
from django.db import connection
from django.utils import timezone

from coupons import approving, refusals, sights, telling
from coupons.lifecycle import ending
from coupons.models import ApiKey, CouponTemplate, Fact, TemplateDraft, Weather
from coupons.queries.catalogue import forget
from coupons.refused import Refused
from couponsite import secret
from couponsite.demo import codes, guarded, pages, reports, shops, triggers
from couponsite.demo.campaigns import CITIES, MERCHANTS, documents
from distribution import claiming, drafting
from distribution.models import Placement
from redemption import ordering, quoting, redeeming, returning
from redemption.pricing import Line
from redemption.queries.basket import Basket
from stats import folding

CUSTOMERS = 3000
DAYS = 60
#: Name, group, what they are for.
STAFF = (
    ("yunying", "运营", "makes campaigns and coupons"),
    ("shenhe", "审核", "approves them"),
    ("caiwu", "财务", "reads the money"),
    ("kefu", "客服", "helps customers"),
    ("admin", "管理员", "everything"),
)
PASSWORD = "coupons-demo"  # noqa: S105  printed for every visitor of the demo
BY = "demo"

_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗"
_TAGS = (("会员", 0.2), ("白领", 0.4), ("学生", 0.15), ("夜宵党", 0.1))
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰涛明超霞平刚桂文辉玲红梅鑫宇晨轩涵雨桐欣怡浩然子墨"
_PRICES = {  # yuan, lowest and highest
    "food": (14, 58),
    "drinks": (9, 26),
    "groceries": (8, 45),
    "ride": (11, 68),
    "premier": (38, 160),
}


class Person(NamedTuple):
    key: str
    city: str
    #: How many things a day they are up to, at most about one.
    activity: float
    #: Of ten orders, how many are rides.
    rides: int


def fill(now: datetime, say: Callable[[str], None]) -> None:
    """An empty database becomes the company's. ``now``: this moment; the last day is today."""
    today = timezone.localtime(now)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    luck = random.Random(2026)
    with connection.cursor() as cursor:
        # Sixty days' commits need not wait for the disk one by one: a demo that was cut off begins anew.
        cursor.execute("SET synchronous_commit TO off")
    _staff()
    say(f"{CUSTOMERS} customers …")
    people = _customers(luck, today)
    say("Campaigns …")
    _campaigns(midnight)
    _weather(midnight)
    forget()
    say(f"{DAYS} days of claims and orders …")
    for offset in range(-DAYS, 1):
        start = midnight + timedelta(days=offset)
        if start >= today:
            break
        _live(luck, people, start, min(start + timedelta(days=1), today))
        if offset % 10 == 0 and offset:
            say(f"  {-offset} days ago")
    _afterwards()
    guarded.make(today)
    say("Shops …")
    shops.make(random.Random(14), today, PASSWORD)
    say("H5 pages …")
    pages.make(random.Random(13), today)
    say("Codes and bindings …")
    codes.make(luck, get_user_model().objects.get(username="yunying"), [person.key for person in people], today)
    folding.fold_all()
    reports.make(today)


def accounts() -> list[str]:
    """What a visitor needs: who may sign in, a key and a token to call with."""
    lines = [f"{name:<8} {PASSWORD}   {group} — {what}" for name, group, what in STAFF]
    return [
        *lines,
        f"{shops.SHOPS[0][4]:<8} {PASSWORD}   店员 — redeems at the counter, /counter/",
        "",
        f"API key (all scopes):  {_key()}",
        f"Customer's token (C00001, 30 days):  {_token('C00001')}",
    ]


def _staff() -> None:
    users = get_user_model().objects
    for name, group, _what in STAFF:
        user = users.create_user(
            name,
            f"{name}@fengxing.example",
            PASSWORD,
            is_staff=True,
            is_superuser=name == "admin",
            first_name=group,
        )
        user.groups.add(Group.objects.get(name=group))
    ApiKey.objects.create(name="演示系统", digest=ApiKey.digest_of(_key()), scopes=list(ApiKey.Scope.values))


def _key() -> str:
    return secret.kept("demo_api_key")[:43]


def _token(customer: str) -> str:
    key = settings.CUSTOMER_JWT_KEY or secret.kept("customer_jwt_key")
    claims = {"sub": customer, "aud": settings.CUSTOMER_JWT_AUDIENCE, "exp": timezone.now() + timedelta(days=30)}
    if settings.CUSTOMER_JWT_ISSUER:
        claims["iss"] = settings.CUSTOMER_JWT_ISSUER
    return jwt.encode(claims, key, settings.CUSTOMER_JWT_ALGORITHMS[0])


def _customers(luck: random.Random, today: datetime) -> list[Person]:
    people = []
    told: list[telling.Told] = []
    for number in range(1, CUSTOMERS + 1):
        city = luck.choices(list(CITIES), [30, 25, 18, 17, 10])[0]
        person = Person(f"C{number:05}", city, luck.betavariate(1.1, 13), luck.randint(1, 8))
        people.append(person)
        row: telling.Told = {
            "key": person.key,
            "phone": f"+86138{number:08}",
            "nickname": luck.choice(_SURNAMES) + "".join(luck.choices(_GIVEN, k=luck.randint(1, 2))),
            "city": city,
            "registered_at": today - timedelta(days=luck.randint(1, 900), minutes=luck.randint(0, 1400)),
        }
        if luck.random() < 0.9:  # of some, data work has told nothing yet
            row["sensitivity"] = _share(luck.betavariate(2, 2))
            row["churn_probability"] = _share(luck.betavariate(2, 4))
        if luck.random() < 0.8:
            row["rival_app"] = luck.random() < 0.35
        tags = [tag for tag, share in _TAGS if luck.random() < share]
        if tags:
            row["tags_added"] = tags
        if luck.random() < 0.45:  # known before: orders of the time before this system
            last = today - timedelta(days=luck.randint(DAYS, 200))
            line = {"orders": luck.randint(1, 40), "first_order_at": last - timedelta(days=90), "last_order_at": last}
            row["business_lines"] = {luck.choice(["ride", "food"]): line}  # type: ignore[dict-item]
        told.append(row)
    for start in range(0, len(told), 1000):
        telling.tell(told[start : start + 1000], now=today - timedelta(days=DAYS), by="system:demo")
    # Data work tells of some anew; a fact that it has not told for long is no longer believed.
    renewed = [row for row in told if "sensitivity" in row and luck.random() < 0.6][:1000]
    telling.tell(renewed, now=today - timedelta(days=2), by="system:demo")
    Fact.objects.filter(pk="tags").update(most_days=45)
    return people


def _share(value: float) -> Decimal:
    return Decimal(str(round(value, 4)))


def _campaigns(midnight: datetime) -> None:
    """One makes them, another approves what is to be live."""
    users = get_user_model().objects
    maker, approver = users.get(username="yunying"), users.get(username="shenhe")
    for document in documents(midnight):
        live = [template["key"] for template in document["templates"] if template["status"] == "live"]
        for template in document["templates"]:
            template["status"] = template["status"].replace("live", "awaiting_approval")
        saved = drafting.save(drafting.Document.model_validate_json(orjson.dumps(document)), may_approve=True, by=maker)
        saved.campaign.owner = maker
        saved.campaign.save()
        for key in live:
            approving.approve(CouponTemplate.objects.get(key=key), by=approver, accepted=None)
    triggers.remind_from(maker, midnight - timedelta(days=20))


def _weather(midnight: datetime) -> None:
    """Rain now and then, as an operator would say it."""
    luck = random.Random(7)
    for offset in range(-30, 2):
        for city in CITIES:
            if luck.random() < 0.25:
                start = midnight + timedelta(days=offset, hours=luck.randint(0, 12))
                end = start + timedelta(hours=luck.randint(3, 12))
                Weather.objects.create(city_id=city, kind=Weather.Kind.RAIN, starts_at=start, ends_at=end)


# --- a day -------------------------------------------------------------------------------------------------------

#: Share of a day's doings by hour.
_HOURS = (1, 1, 0, 0, 0, 1, 3, 7, 8, 5, 6, 10, 11, 7, 4, 4, 5, 8, 11, 9, 7, 6, 4, 2)


def _live(luck: random.Random, people: list[Person], start: datetime, end: datetime) -> None:
    if start + timedelta(hours=10) < end:
        triggers.remind(start + timedelta(hours=10))
    weekend = 1.3 if start.isoweekday() >= 6 else 1.0
    doings = []
    for person in people:
        if luck.random() < person.activity * weekend:
            hour = luck.choices(range(24), _HOURS)[0]
            doings.append((start + timedelta(hours=hour, seconds=luck.randint(0, 3599)), person))
    doings.sort(key=lambda doing: doing[0])
    finished: list[ordering.Told] = []
    for moment, person in doings:
        if moment < end:
            _visit(luck, person, moment, finished)
    if finished:
        ordering.tell(finished, now=end)
        for told in (order.basket for order in luck.sample(finished, min(2, len(finished)))):
            friends = [person.key for person in luck.sample(people, luck.randint(3, 9)) if person.key != told.customer]
            triggers.share(luck, told.key, told.customer, friends, told.placed_at)
    triggers.deliver(end)
    sights.flush()
    refusals.flush()
    now = end
    while ending.expire(now=now):
        pass
    ending.lapse(now=now)


#: Where customers look, and how often.
_LOOKED_AT = {
    "home-welcome": 20,
    "recall-popup": 12,
    "commute-center": 22,
    "premier-mall": 6,
    "weekend-center": 14,
    "d11-center": 18,
    "delivery-center": 20,
    "rainy-popup": 8,
    "laowang-page": 8,
    "flash-sale": 10,
    "tea-open": 12,
    "street-qr": 4,
}


def _visit(luck: random.Random, person: Person, now: datetime, finished: list[ordering.Told]) -> None:
    """Look around, take a coupon or two, perhaps order, perhaps give something back."""
    client = luck.choices(["app", "mini_program", "wechat", "open_platform"], [60, 25, 10, 5])[0]
    latitude, longitude = CITIES[person.city]
    position = (latitude + luck.uniform(-0.03, 0.03), longitude + luck.uniform(-0.03, 0.05))
    where = claiming.Where(client, person.city, position)
    for place in {luck.choices(list(_LOOKED_AT), list(_LOOKED_AT.values()))[0] for _ in range(luck.randint(1, 2))}:
        try:
            claiming.claim(place, person.key, now, where, by=f"customer:{person.key}")
        except Refused:
            continue  # a "no" is part of life
    triggers.tell(luck, person.key, now, client, person.city)
    if luck.random() < 0.75:
        _order(luck, person, now + timedelta(minutes=luck.randint(1, 20)), client, position, finished)


def _order(
    luck: random.Random,
    person: Person,
    now: datetime,
    client: str,
    position: tuple[float, float],
    finished: list[ordering.Told],
) -> None:
    basket = _basket(luck, person, now, client, position)
    quote = quoting.quote(basket, now)
    sights.shown([UUID(str(one["coupon"])).int for one in (*quote["usable"], *quote["unusable"])], now)
    best = [UUID(str(id)) for id in quote["best"]["coupons"]]
    if quote["unusable"] and basket.key[-1] == "F":  # tried all the same
        with suppress(Refused):
            redeeming.redeem(basket, [UUID(str(quote["unusable"][0]["coupon"]))], captures=True, now=now, by=BY)
    deducted = 0
    if best and luck.random() < 0.9:
        reply = redeeming.redeem(basket, best, captures=luck.random() < 0.6, now=now, by=BY)
        redemption = orjson.loads(reply.body)
        id = UUID(redemption["id"])
        soon = now + timedelta(minutes=2)
        if redemption["status"] == "held":
            if luck.random() < 0.06:  # changed their mind at the till
                redeeming.release(id, now=soon, by=BY)
                return
            redeeming.capture(id, now=soon, by=BY)
        if luck.random() < 0.03:
            returning.roll_back(id, None, now=soon, by=BY)
            return
        deducted = quote["best"]["discount_fen"]
        if len(basket.lines) > 1 and luck.random() < 0.03:
            returning.roll_back(id, [returning.Given(basket.lines[0].id, 1)], now=soon, by=BY)
    finished.append(ordering.Told(basket, now + timedelta(minutes=30), deducted))


def _basket(luck: random.Random, person: Person, now: datetime, client: str, position: tuple[float, float]) -> Basket:
    line = "ride" if luck.randint(1, 10) <= person.rides else "food"
    lines = []
    if line == "ride":
        category = luck.choices(["ride", "premier"], [85, 15])[0]
        lines.append(_line(luck, 1, category, None))
    else:
        merchant = luck.choice(list(MERCHANTS))
        for number in range(luck.choices([1, 2, 3, 4], [30, 40, 20, 10])[0]):
            category = luck.choices(["food", "drinks", "groceries"], [70, 22, 8])[0]
            lines.append(_line(luck, number + 1, category, merchant))
    return Basket(
        key=f"D{now:%y%m%d}{luck.randrange(16**8):08X}",
        customer=person.key,
        placed_at=now,
        client=client,
        business_mode=luck.choice(["self_operated", "agent"]) if line == "ride" else None,
        business_line=line,
        city=person.city,
        position=position,
        lines=tuple(lines),
        shipping_fen=0 if line == "ride" else luck.choice([0, 300, 400, 500, 600]),
    )


def _line(luck: random.Random, number: int, category: str, merchant: str | None) -> Line:
    low, high = _PRICES[category]
    fen = luck.randint(low * 10, high * 10) * 10
    return Line(str(number), category, merchant, None, fen, 2 if merchant and luck.random() < 0.2 else 1)


def _afterwards() -> None:
    """What people did with the campaigns by hand: one is paused, those that are over are ended."""
    maker = get_user_model().objects.get(username="yunying")
    for key in ("tea-6", "d11-50-12", "d11-85"):
        approving.end(CouponTemplate.objects.get(key=key), by=maker)
    approving.pause(CouponTemplate.objects.get(key="street-10"), by=maker)
    Placement.objects.filter(key="street-qr").update(status=Placement.Status.PAUSED)
    # Somebody went home before it was finished: the threshold is still missing.
    typed = {
        "budget": [str(CouponTemplate.objects.get(key="newyear-66").budget_id)],
        "key": ["spring-30"],
        "internal_name": ["春节-满？减30"],
        "name": ["新春红包"],
        "type": ["amount_off"],
        "amount_fen": ["30"],
        "validity_type": ["days_after_claim"],
        "valid_days": ["15"],
        "stack_group": ["order"],
        "looks-design": ["festive"],
        "total_count": ["2000"],
        "customer_count": ["1"],
    }
    TemplateDraft.objects.create(made_by=maker, title="春节-满？减30", answers=typed)
    _propose(maker)


def _propose(maker: User) -> None:
    """Of a coupon that is out already a customer is to have more: it waits for somebody who may approve."""
    template = CouponTemplate.objects.get(key="welcome-back-5")
    typed = {"internal_name": [template.internal_name], "name": ["好久不见，再来一张"], "customer_count": ["2"]}
    TemplateDraft.objects.create(
        template=template,
        made_by=maker,
        state=TemplateDraft.State.PROPOSED,
        title=template.internal_name,
        answers=typed,
    )
