"""The demo's shops: staff at their counters, coupons redeemed there today, the months before closed by finance."""

import random
from datetime import datetime, timedelta

from django.utils import timezone

from coupons import webhooks
from coupons.models import Coupon, Subscription
from coupons.refused import Refused
from couponsite.demo.stand_ins import CRM, CRM_PATH
from redemption import scanning, settling
from redemption.models import Clerk, Shop
from redemption.queries import settlement

#: Key, merchant, name, city; sign-in name and name of who stands there.
SHOPS = (
    ("laowang-rmgc", "laowang", "老王牛肉面 人民广场店", "310000", "laowang", "王店长"),
    ("laowang-xihu", "laowang", "老王牛肉面 西湖店", "330100", "xihu", "小吴"),
    ("chayan-ljz", "chabaidao", "茶言小铺 陆家嘴店", "310000", "chayan", "小陈"),
)


def make(luck: random.Random, now: datetime, password: str) -> None:
    clerks = []
    for key, merchant, name, city, username, who in SHOPS:
        shop = Shop.objects.create(
            key=key, merchant_id=merchant, name=name, city_id=city, category_id="food", takes_platform_coupons=False
        )
        clerk = Clerk(shop=shop, username=username, name=who)
        clerk.set_password(password)
        clerk.save()
        clerks.append(clerk)
    _redeem(luck, clerks[0], now)
    _close(now)
    Subscription.objects.create(
        name=CRM,
        url=f"http://127.0.0.1:8000{CRM_PATH}",  # each start says its own port
        kinds=["issued", "redeemed", "expired", "void"],
        secret=webhooks.new_secret(),
    )


def _redeem(luck: random.Random, clerk: Clerk, now: datetime) -> None:
    """A dozen guests of this morning; those whose coupon does not fit pay in full."""
    found = Coupon.objects.filter(template__key="laowang-10", status="available", valid_until__gt=now)
    taken = 0
    for coupon in found.order_by("?")[:40]:
        at = now - timedelta(minutes=(12 - taken) * 9)
        try:
            scanning.take(clerk, coupon.pk, luck.randint(4000, 12000), f"demo-{taken:04}", at)
        except Refused:
            continue
        taken += 1
        if taken == 12:
            break


def _close(now: datetime) -> None:
    """What is over is closed; the first merchant has paid for it."""
    month = settlement.first_month()
    while month is not None and settling.is_over(month, now):
        closed = settling.close(month, now=now, by="caiwu")
        for statement in closed.statements.filter(merchant_id="laowang", closing_fen__gt=0):
            settling.enter(
                merchant="laowang",
                kind="payment",
                amount_fen=-statement.closing_fen,
                reason=f"{timezone.localtime(now):%m-%d} 银行转账",
                now=now,
                by="caiwu",
            )
        month = settlement.first_month()
