"""Choosing coupons to be reminded of: one in ten of many is due at the same moment."""

from datetime import timedelta
from time import perf_counter
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from distribution import reminding
from distribution.models import MessageTemplate, Reminder, ReminderRule

COUPONS = 1_000_000
#: A million due of ten million; smaller ones in proportion.
LIMIT_SECONDS, OF_DUE = 60.0, 1_000_000

#: In the order in which they were issued, as life brings them; a tenth expires in the hour that is asked for.
_FILL = """
INSERT INTO coupons_coupon (id, code, template_id, customer_id, status, issued_at, valid_from, valid_until,
                            committed_fen, newcomer)
SELECT gen_random_uuid(), 'R' || n, (SELECT min(id) FROM coupons_coupontemplate), n %% 500000 + 1, 'available', at, at,
       CASE WHEN n %% 10 = 0 THEN %(due)s + interval '3 days' + interval '1 second' * (n %% 3600)
            ELSE %(due)s + interval '1 day' * (5 + n %% 40) END, 0, false
  FROM (SELECT n, %(due)s - interval '30 days' + interval '1 day' * (n * 25.0 / %(coupons)s) AS at
          FROM generate_series(1, %(coupons)s) AS n) AS made
"""


class Measured(NamedTuple):
    coupons: int
    due: int
    seconds: float
    limit: float


def measure(coupons: int) -> Measured:
    due = timezone.now().replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute(_FILL, {"due": due, "coupons": coupons})
        cursor.execute("ANALYZE coupons_coupon")
    words = MessageTemplate.objects.create(
        key="bench", name="bench", channel="sms", occasion="reminder", text="{coupon} {days}"
    )
    rule = ReminderRule.objects.create(
        name="bench",
        basis="before_expiry",
        amount=3,
        message=words,
        status="live",
        chosen_until=due - timedelta(hours=1),
    )
    began = perf_counter()
    chosen = reminding.choose(rule.pk, due + timedelta(hours=1))
    seconds = perf_counter() - began
    assert chosen == Reminder.objects.filter(rule=rule).count() == coupons // 10
    return Measured(coupons, chosen, seconds, LIMIT_SECONDS * chosen / OF_DUE)
