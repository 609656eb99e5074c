"""Two saved reports of the demo company, one shared with customer service, one sent every Monday; and what the campaign
with a control group brought.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group, User

from coupons import jobs
from distribution.models import Campaign
from stats import effect
from stats.models import EffectReading, Report
from stats.reporting import sending


def make(now: datetime) -> None:
    yunying, caiwu = (User.objects.get(username=name) for name in ("yunying", "caiwu"))
    share = Report.objects.create(
        name="各渠道领取与核销",
        owner=yunying,
        question={
            "measures": ["issued_count", "used_count", "use_rate", "spent_fen"],
            "rows": ["channel"],
            "across": "month",
            "only": {},
            "period": "last_90",
            "chart": "auto",
        },
    )
    sending.share(share, Group.objects.filter(name__in=("审核", "财务", "客服")), by=yunying)
    weekly = Report.objects.create(
        name="补贴周报",
        owner=caiwu,
        question={
            "measures": ["spent_fen", "gmv_fen", "subsidy_rate", "used_count"],
            "rows": ["day"],
            "across": "",
            "only": {},
            "period": "last_week",
            "chart": "line",
        },
    )
    sending.share(weekly, Group.objects.filter(name__in=("运营", "审核")), by=caiwu)
    sending.schedule(
        weekly,
        every=Report.Every.WEEK,
        weekday=1,
        month_day=1,
        hour=9,
        recipients=[yunying, caiwu],
        by=caiwu,
        now=now - timedelta(days=8),
    )
    recall, everybody = Campaign.objects.get(key="recall"), EffectReading.Population.ALL
    reading = effect.start(recall, everybody, Decimal(20), now=now, by=yunying)
    jobs.run(reading.job_id, now)
