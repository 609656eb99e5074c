"""What the demo company guards itself against, and which days it keeps."""

from datetime import datetime, timedelta

from django.contrib.auth import get_user_model

from coupons.models import Custom, CustomDay
from distribution.models import Block, RiskRule

Kind = Block.Kind
#: What, who, why, and for how many days from today; None: until somebody lifts it.
BLOCKED = (
    (Kind.PHONE, "+8617000000001", "170 号段批量注册", None),
    (Kind.DEVICE, "emulator-5554", "模拟器，一天领取 60 次", None),
    (Kind.IP, "203.0.113.0/24", "机房网段", 30),
    (Kind.CUSTOMER, "C99999", "恶意退款，客服已核实", -3),
)


def make(today: datetime) -> None:
    by = get_user_model().objects.get(username="kefu")
    for kind, value, reason, days in BLOCKED:
        until = None if days is None else today + timedelta(days=days)
        Block.objects.create(kind=kind, value=value, reason=reason, until=until, made_by=by)
    RiskRule.objects.create(kind=RiskRule.Kind.DEVICE, minutes=60, most_count=10)
    RiskRule.objects.create(kind=RiskRule.Kind.IP, minutes=60, most_count=300)
    RiskRule.objects.create(kind=RiskRule.Kind.PHONE_PREFIX, minutes=1440, most_count=500, digits=7)
    RiskRule.objects.create(kind=RiskRule.Kind.ACCOUNT_AGE, minutes=10, is_on=False)
    fair = Custom.objects.create(key="temple-fair", name="城隍庙会")
    CustomDay.objects.create(
        custom=fair, first_date=today.date(), last_date=(today + timedelta(days=4)).date(), city_id="310000"
    )
    race = Custom.objects.create(key="marathon", name="马拉松")
    day = (today + timedelta(days=11)).date()
    CustomDay.objects.create(custom=race, first_date=day, last_date=day, city_id="440300")
