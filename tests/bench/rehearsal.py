"""A rehearsal on a hundred thousand orders, against its limit in seconds."""

from time import perf_counter

from django.db import connection

from coupons import jobs
from coupons.models import Category, CouponTemplate
from coupons.queries.catalogue import business_now
from stats.models import Rehearsal
from stats.rehearsing import Assumptions, start

ORDERS = 100_000
LIMIT_SECONDS = 30.0

#: Two lines each, over thirty days, four to a customer; the customers' totals agree with them.
FILL = """
INSERT INTO redemption_order (key, customer_id, placed_at, finished_at, client, business_mode, business_line, city_id,
                              lines, goods_fen, shipping_fen, deducted_fen)
SELECT 'past-' || n, c.id, at, at + interval '40 minutes', 'app', 'self_operated', 'food', '310000',
       jsonb_build_array(
           jsonb_build_object('id', '1', 'category', 'food', 'merchant', 'm1', 'sku', NULL, 'unit_price_fen',
                              2000 + n %% 90 * 100, 'quantity', 1),
           jsonb_build_object('id', '2', 'category', 'drinks', 'merchant', 'm2', 'sku', NULL, 'unit_price_fen', 900,
                              'quantity', 2)),
       2000 + n %% 90 * 100 + 1800, 500, 0
  FROM (SELECT n, %(now)s::timestamptz - interval '1 hour' - interval '25 seconds' * n AS at
          FROM generate_series(1, %(orders)s) AS n) AS o
  JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r FROM coupons_customer) c
    ON c.r = o.n * 7919 %% (SELECT count(*) FROM coupons_customer);
UPDATE coupons_customer AS c
   SET order_count = c.order_count + o.number, gross_fen = c.gross_fen + o.gross, first_order_at = o.first,
       last_order_at = o.last
  FROM (SELECT customer_id, count(*) AS number, sum(goods_fen + shipping_fen) AS gross, min(finished_at) AS first,
               max(finished_at) AS last FROM redemption_order WHERE key LIKE 'past-%%' GROUP BY 1) AS o
 WHERE o.customer_id = c.id;
INSERT INTO coupons_customerday AS d (customer_id, day, order_count, gross_fen, deducted_fen)
SELECT customer_id, (finished_at AT TIME ZONE %(zone)s)::date, count(*), sum(goods_fen + shipping_fen), 0
  FROM redemption_order WHERE key LIKE 'past-%%' GROUP BY 1, 2
ON CONFLICT (customer_id, day) DO UPDATE
   SET order_count = d.order_count + excluded.order_count, gross_fen = d.gross_fen + excluded.gross_fen;
"""
#: Rules of every kind, so that nothing is spared.
RULES = {
    "claim_conditions": {
        "standing": {"any_of": ["platform_new", "returning"], "business_line": "food"},
        "order_count": {"max": 50, "within_days": 14},
        "subsidy_rate": {"max": 0.5, "within_days": 30},
    },
    "use_conditions": {
        "clients": {"any_of": ["app"]},
        "hours": {"outside": [["07:00", "09:00"]]},
        "cities": {"any_of": ["310000"]},
        "last_order_days": {"max": 60},
    },
    "scope": {"categories": ["food", "drinks"]},
}


def measure() -> tuple[int, float, str]:
    """Orders, seconds, and what came of it in a few words."""
    now = business_now()
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute(FILL, {"orders": ORDERS, "now": now, "zone": now.tzinfo.key})
        cursor.execute("ANALYZE")
    for key in ("food", "drinks"):
        Category.objects.get_or_create(key=key, defaults={"name": key})
    template = CouponTemplate.objects.filter(type="amount_off").order_by("id")[0]
    CouponTemplate.objects.filter(pk=template.pk).update(
        amount_fen=500, threshold_fen=3000, merchant_percent=30, category=None, **RULES
    )
    template.refresh_from_db()
    began = perf_counter()
    rehearsal = start(template, None, 30, Assumptions(), now=now, by=None)
    state = jobs.run(rehearsal.job_id, now)
    seconds = perf_counter() - began
    found = Rehearsal.objects.get(pk=rehearsal.pk).found
    return found["orders"], seconds, f"{state}: {found['claims']:,} claims, {found['uses']:,} uses"
