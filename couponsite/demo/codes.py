"""What the demo company hands out by hand: codes for partners and followers, coupons bound to accounts."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User

from coupons import jobs
from coupons.models import Audience
from coupons.refused import Refused
from distribution import codes, exchanging, minting
from distribution.binding import moving
from distribution.claiming import Where
from distribution.models import Binding, CodeBatch, Placement

SHARED = "风行夏日88"
#: How many customers come with a code of each batch.
EXCHANGED = 40
BOUND = 120


def document(day: Any, campaign: Any, template: Any, placement: Any) -> dict[str, Any]:
    """The campaign below which they hang; made of the same pieces as the others."""
    return campaign(
        "partners",
        "异业合作与回馈",
        -20,
        70,
        30_000,
        600,
        templates=[
            template(
                "partner-10", "异业-无门槛10元", "合作伙伴券", 10, validity={"type": "days_after_claim", "days": 30}
            ),
            template("follow-5", "关注-满25减5", "关注有礼券", 5, 25),
            template("regular-8", "老客回馈-满40减8", "老友回馈券", 8, 40, limits={"customer_count": 2}),
        ],
        placements=[
            placement("partner-codes", "书店合作兑换码", "partner", "partner-10", form="code"),
            placement("follow-code", "公众号暗号", "wechat_follow", "follow-5", form="code"),
            placement("regular-bind", "老客回馈绑券", "points_mall", "regular-8", form="bind"),
        ],
    )


def make(luck: random.Random, maker: User, customers: list[str], now: datetime) -> None:
    """``now``: this moment in the business time zone."""
    books = Placement.objects.get(key="partner-codes")
    cards = _batch(CodeBatch(placement=books, name="书店收银台卡片", kind="latin", code_count=2000), maker)
    words = _batch(CodeBatch(placement=books, name="书签口令", kind="chinese", code_count=300), maker)
    follow = Placement.objects.get(key="follow-code")
    minting.begin(
        CodeBatch(placement=follow, name="七月公众号推文", kind="shared", shared_code=SHARED, use_limit=5000), by=maker
    )
    coming = luck.sample(customers, 3 * EXCHANGED)
    typed = [*_some(cards), *_some(words), *[SHARED] * EXCHANGED]
    for customer, code in zip(coming, typed, strict=True):
        at = now - timedelta(minutes=luck.randint(1, 600))
        try:
            exchanging.exchange(code, customer, at, Where("app"), by=f"customer:{customer}")
        except Refused:
            continue  # limits say no to somebody every now and then
    regulars = Placement.objects.get(key="regular-bind")
    named = [*luck.sample(customers, BOUND), "C99999"]
    done = _look_over(Binding(placement=regulars, name="春节前回馈老客"), maker, accounts=named)
    moving.move(done, "confirm", by=maker)
    done.refresh_from_db()
    assert done.job_id
    assert done.starts_at
    jobs.run(done.job_id, done.starts_at)
    audience = Audience.objects.order_by("pk").first()
    _look_over(Binding(placement=regulars, name="人群回馈，待确认", audience=audience), maker)


def _batch(batch: CodeBatch, maker: User) -> CodeBatch:
    made = minting.begin(batch, by=maker)
    assert made.job_id
    jobs.run(made.job_id)
    return made


def _some(batch: CodeBatch) -> list[str]:
    sheet = batch.sheets.get(number=0)
    return [code for code, _customer in codes.unseal(batch.pk, 0, bytes(sheet.sealed))[:EXCHANGED]]


def _look_over(of: Binding, maker: User, **said: Any) -> Binding:
    made = moving.begin(of, by=maker, **said)
    assert made.job_id
    jobs.run(made.job_id)
    made.refresh_from_db()
    return made
