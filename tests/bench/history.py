"""A company's past: ten weeks of coupons issued, used, given back and expired, as the real steps would have left them.

Written by SQL, since ten million real claims would take an hour; ``check_ledger`` finds nothing to say about it.
"""

from collections.abc import Callable
from datetime import timedelta
from time import perf_counter

from django.conf import settings
from django.db import connection
from django.utils import timezone

from coupons.models import Category, City, Merchant
from stats import folding
from tests import making

DAYS, CAMPAIGNS, TEMPLATES, PLACEMENTS, CITIES = 70, 20, 40, 60, 30
#: Coupons to a customer; events that one fold takes: the timetable's take fewer, and there are more of them.
COUPONS_EACH, FOLDED = 10, 500_000
CHANNELS = ("points_mall", "home_popup", "coupon_center", "merchant_page", "flash_sale", "share", "partner")
FORMS = ("api", "h5", "code", "trigger")

#: Who was given what, when and where, and what became of it: three in ten are used within ten days, one in thirty of
#: those is given back, what is not used expires after thirty days. Some customers, cities and templates see more.
_PLANNED = """
INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen, deducted_fen)
SELECT 'past-' || n, '', '', %(begins)s, '{}', 0, 0, 0
  FROM generate_series(%(known)s / %(each)s + 1, (%(known)s + %(coupons)s) / %(each)s) AS n;
SELECT setseed(0.5);
CREATE UNLOGGED TABLE past AS
SELECT r.n, (lpad(to_hex((extract(epoch FROM r.at) * 1000)::bigint), 12, '0') || '7'
             || substr(md5(r.n || 'coupon'), 1, 19))::uuid AS id,
       t.id AS template, t.budget_id, t.merchant_id, t.amount_fen AS worth,
       CASE WHEN t.merchant_id IS NULL THEN 0 ELSE t.amount_fen * 3 / 10 END AS merchants, p.key AS placement,
       c.id AS customer, y.key AS city, r.at, r.at + interval '30 days' AS valid_until, 8000 + r.n %% 90 * 100 AS goods,
       r.used_at, CASE WHEN r.chance < 0.01 AND r.used_at + interval '1 day' < %(now)s
                       THEN r.used_at + interval '1 day' END AS back_at,
       CASE WHEN r.used_at IS NOT NULL THEN nextval('redemption_order_id_seq') END AS "order",
       CASE WHEN r.used_at IS NOT NULL THEN (md5(r.n || 'used'))::uuid END AS redemption,
       (ARRAY[NULL, 'ride', 'food', 'hotel'])[1 + r.n %% 4] AS line
  FROM (SELECT *, CASE WHEN chance < 0.3 AND at + later < %(now)s THEN at + later END AS used_at
          FROM (SELECT n, random() AS chance, floor(power(random(), 1.5) * %(templates)s) AS t,
                       floor(power(random(), 2) * %(cities)s) AS y, (random() < 0.3)::int AS p,
                       1 + floor(power(random(), 1.5) * ((%(known)s + %(coupons)s) / %(each)s))::bigint AS c,
                       interval '10 days' * power(random(), 2) AS later,
                       %(begins)s + (%(now)s - %(begins)s) * ((n - %(known)s)::float / (%(coupons)s + 1)) AS at
                  FROM generate_series(%(known)s + 1, %(known)s + %(coupons)s) AS n OFFSET 0) AS drawn) AS r
  JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS r FROM coupons_coupontemplate WHERE key LIKE 'past-%%') t
    ON t.r = r.t
  JOIN (SELECT key, row_number() OVER (ORDER BY id) - 1 AS r FROM distribution_placement WHERE key LIKE 'past-%%') p
    ON p.r = CASE WHEN r.p = 1 AND r.t < %(placements)s - %(templates)s THEN %(templates)s + r.t ELSE r.t END
  JOIN (SELECT key, row_number() OVER (ORDER BY key) - 1 AS r FROM coupons_city) y ON y.r = r.y
  JOIN (SELECT id, row_number() OVER (ORDER BY id) AS r FROM coupons_customer WHERE key LIKE 'past-%%') c ON c.r = r.c
 ORDER BY r.n;
ANALYZE past
"""
_COUPONS = """
INSERT INTO coupons_coupon (id, code, template_id, customer_id, placement, status, issued_at, valid_from, valid_until,
                            committed_fen, redemption_id, newcomer)
SELECT id, 'P' || n, template, customer, placement,
       CASE WHEN used_at IS NULL AND valid_until < %(now)s THEN 'expired'
            WHEN used_at IS NULL OR back_at IS NOT NULL THEN 'available' ELSE 'redeemed' END,
       at, at, valid_until,
       CASE WHEN used_at IS NULL AND valid_until < %(now)s OR used_at IS NOT NULL AND back_at IS NULL THEN 0
            ELSE worth END,
       CASE WHEN back_at IS NULL THEN redemption END, false FROM past ORDER BY n
"""
_EVENTS = """
ALTER TABLE coupons_couponevent DISABLE TRIGGER event_untold;
WITH happened AS (
    INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, placement, city_id, client,
                                     redemption_id, committed_fen, spent_fen, merchant_fen, gmv_fen, paid_fen,
                                     order_parts, by, reason)
    SELECT m.at, m.kind, p.id, p.template, p.customer, p.placement, CASE WHEN m.kind <> 'expired' THEN p.city END,
           m.client, CASE WHEN m.kind IN ('redeemed', 'rolled_back', 'returned') THEN p.redemption END,
           m.committed * p.worth, m.spent * p.worth, m.spent * p.merchants, m.spent * p.goods,
           m.spent * (p.goods - p.worth), m.spent * 1000000, 'past', ''
      FROM past p CROSS JOIN LATERAL (
           SELECT p.at, 'issued' AS kind, 'app' AS client, 1 AS committed, 0 AS spent, 1 AS o
           UNION ALL SELECT p.used_at, 'redeemed', 'app', -1, 1, 2 WHERE p.used_at IS NOT NULL
           UNION ALL SELECT p.back_at, 'rolled_back', NULL, 0, -1, 3 WHERE p.back_at IS NOT NULL
           UNION ALL SELECT p.back_at, 'returned', NULL, 1, 0, 4 WHERE p.back_at IS NOT NULL
           UNION ALL SELECT p.valid_until, 'expired', NULL, -1, 0, 5
                      WHERE p.used_at IS NULL AND p.valid_until < %(now)s) m
     ORDER BY m.at, p.n, m.o RETURNING id
) INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened;
ALTER TABLE coupons_couponevent ENABLE TRIGGER event_untold
"""
_ORDERS = """
INSERT INTO redemption_order (id, key, customer_id, placed_at, finished_at, client, business_line, city_id, lines,
                              goods_fen, shipping_fen, deducted_fen)
SELECT "order", 'past-' || n, customer, used_at, CASE WHEN used_at < %(now)s - interval '40 minutes'
                                                      THEN used_at + interval '40 minutes' END, 'app', line, city,
       jsonb_build_array(jsonb_build_object('id', '1', 'unit_price_fen', goods, 'quantity', 1)), goods, 0,
       CASE WHEN back_at IS NULL THEN worth ELSE 0 END FROM past WHERE "order" IS NOT NULL ORDER BY n;
ALTER TABLE redemption_redemption DISABLE TRIGGER redemption_open_insert;
INSERT INTO redemption_redemption (id, order_id, customer_id, status, created_at, redeemed_at, ended_at, discount_fen,
                                   merchant_fen, returned_fen, returned_merchant_fen, by, coupons, withdrawn, returned)
SELECT redemption, "order", customer, CASE WHEN back_at IS NULL THEN 'redeemed' ELSE 'rolled_back' END, used_at,
       used_at, back_at, worth, merchants, CASE WHEN back_at IS NULL THEN 0 ELSE worth END,
       CASE WHEN back_at IS NULL THEN 0 ELSE merchants END, 'past', ARRAY[id], '{}',
       CASE WHEN back_at IS NULL THEN '{}' ELSE '{"1": 1}' END::jsonb FROM past WHERE "order" IS NOT NULL ORDER BY n;
ALTER TABLE redemption_redemption ENABLE TRIGGER redemption_open_insert;
INSERT INTO redemption_redemptionline (redemption_id, coupon_id, template_id, line, merchant_id, quantity, amount_fen,
                                       discount_fen, merchant_fen, returned_quantity, returned_fen,
                                       returned_merchant_fen)
SELECT redemption, id, template, '1', merchant_id, 1, goods, worth, merchants, (back_at IS NOT NULL)::int,
       CASE WHEN back_at IS NULL THEN 0 ELSE worth END, CASE WHEN back_at IS NULL THEN 0 ELSE merchants END
  FROM past WHERE "order" IS NOT NULL ORDER BY n;
INSERT INTO redemption_givenback (redemption_id, at, merchant_id, discount_fen, merchant_fen)
SELECT redemption, back_at, merchant_id, worth, merchants FROM past WHERE back_at IS NOT NULL ORDER BY n
"""
#: Only orders that are finished count among a customer's.
_TOTALS = """
CREATE TEMP TABLE finished AS
SELECT customer, used_at + interval '40 minutes' AS at, line, goods,
       CASE WHEN back_at IS NULL THEN worth ELSE 0 END AS off
  FROM past WHERE used_at < %(now)s - interval '40 minutes';
UPDATE coupons_customer AS c
   SET order_count = c.order_count + f.number, gross_fen = c.gross_fen + f.gross, deducted_fen = c.deducted_fen + f.off,
       first_order_at = least(c.first_order_at, f.first), last_order_at = greatest(c.last_order_at, f.last)
  FROM (SELECT customer, count(*) AS number, sum(goods) AS gross, sum(off) AS off, min(at) AS first, max(at) AS last
          FROM finished GROUP BY 1) AS f WHERE f.customer = c.id;
INSERT INTO coupons_customerline AS l (customer_id, business_line, order_count, first_order_at, last_order_at)
SELECT customer, line, count(*), min(at), max(at) FROM finished WHERE line IS NOT NULL GROUP BY 1, 2
ON CONFLICT (customer_id, business_line) DO UPDATE
   SET order_count = l.order_count + excluded.order_count,
       first_order_at = least(l.first_order_at, excluded.first_order_at),
       last_order_at = greatest(l.last_order_at, excluded.last_order_at);
INSERT INTO coupons_customerday AS d (customer_id, day, order_count, gross_fen, deducted_fen)
SELECT customer, (at AT TIME ZONE %(zone)s)::date, count(*), sum(goods), sum(off) FROM finished GROUP BY 1, 2
ON CONFLICT (customer_id, day) DO UPDATE
   SET order_count = d.order_count + excluded.order_count, gross_fen = d.gross_fen + excluded.gross_fen,
       deducted_fen = d.deducted_fen + excluded.deducted_fen;
DROP TABLE finished
"""
_COUNTERS = """
INSERT INTO coupons_customercounter AS o (customer_id, template_id, issued_count, issued_fen, day, day_count, day_fen)
SELECT customer, template, count(*), sum(worth), %(today)s, count(*) FILTER (WHERE at >= %(midnight)s),
       coalesce(sum(worth) FILTER (WHERE at >= %(midnight)s), 0) FROM past GROUP BY 1, 2
ON CONFLICT (customer_id, template_id) DO UPDATE
   SET issued_count = o.issued_count + excluded.issued_count, issued_fen = o.issued_fen + excluded.issued_fen,
       day_count = o.day_count + excluded.day_count, day_fen = o.day_fen + excluded.day_fen;
UPDATE coupons_supply AS s
   SET issued_count = s.issued_count + m.number, issued_fen = s.issued_fen + m.fen, day = %(today)s,
       day_count = CASE WHEN s.day = %(today)s THEN s.day_count ELSE 0 END + m.day_number,
       day_fen = CASE WHEN s.day = %(today)s THEN s.day_fen ELSE 0 END + m.day_fen
  FROM (SELECT template, count(*) AS number, sum(worth) AS fen,
               count(*) FILTER (WHERE at >= %(midnight)s) AS day_number,
               coalesce(sum(worth) FILTER (WHERE at >= %(midnight)s), 0) AS day_fen FROM past GROUP BY 1) AS m
 WHERE s.template_id = m.template;
UPDATE coupons_budget AS b SET committed_fen = b.committed_fen + m.committed, spent_fen = b.spent_fen + m.spent
  FROM (SELECT budget_id, coalesce(sum(worth) FILTER (WHERE used_at IS NULL AND valid_until >= %(now)s
                                                        OR back_at IS NOT NULL), 0) AS committed,
               coalesce(sum(worth) FILTER (WHERE used_at IS NOT NULL AND back_at IS NULL), 0) AS spent
          FROM past GROUP BY 1) AS m WHERE b.id = m.budget_id
"""
_REFUSALS = """
INSERT INTO coupons_refusalcount AS r
       (hour, deed, placement, template_id, code, city_id, business_line, activity, reason, count)
SELECT date_trunc('hour', p.at), CASE n %% 3 WHEN 0 THEN 'use' ELSE 'claim' END, p.placement, p.template,
       (ARRAY['expired', 'sold_out', 'limit_reached'])[1 + n %% 3], p.city, '',
       (ARRAY['none', 'low', 'middle', 'high'])[1 + n %% 4], '', count(*)
  FROM past p WHERE n %% 20 < 3
 GROUP BY 1, 2, 3, 4, 5, 6, 8
ON CONFLICT (hour, deed, placement, template_id, city_id, business_line, activity, code, reason)
DO UPDATE SET count = r.count + excluded.count;
DELETE FROM coupons_refusalday;
INSERT INTO coupons_refusalday (day, deed, code, count)
SELECT (hour AT TIME ZONE %(zone)s)::date, deed, code, sum(count) FROM coupons_refusalcount GROUP BY 1, 2, 3;
DROP TABLE past
"""


def fill(coupons: int, known: int = 0, say: Callable[[str], None] = lambda line: None) -> None:
    """So many coupons more, beside those ``known`` from an earlier call. ``say``: told each step's seconds."""
    if not known:
        _company()
    now = timezone.localtime(timezone=timezone.get_default_timezone())
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    told = {
        "known": known,
        "coupons": coupons,
        "each": COUPONS_EACH,
        "now": now,
        "begins": midnight - timedelta(days=DAYS),
        "today": now.date(),
        "midnight": midnight,
        "zone": settings.TIME_ZONE,
        "templates": TEMPLATES,
        "placements": PLACEMENTS,
        "cities": CITIES,
    }
    steps = {"plan": _PLANNED, "coupons": _COUPONS, "events": _EVENTS, "orders": _ORDERS, "totals": _TOTALS,
             "counters": _COUNTERS, "refusals": _REFUSALS}  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute("SET work_mem TO '256MB'")
        for name, statement in steps.items():
            began = perf_counter()
            cursor.execute(statement, told)
            say(f"  {name}: {perf_counter() - began:.0f} s")
        cursor.execute("RESET work_mem")
        cursor.execute("ANALYZE")
        began = perf_counter()
        events = folding.fold_all(FOLDED)
        say(f"  {events:,} events folded into the rollups: {perf_counter() - began:.0f} s")
        cursor.execute("VACUUM ANALYZE")


def _company() -> None:
    """Templates over the campaigns, each at one or two placements; a merchant shares the cost of every second one."""
    kinds = [Category.objects.create(key=f"past-{n}", name=f"品类{n}") for n in range(8)]
    shops = [Merchant.objects.create(key=f"past-{n}", name=f"商户{n}") for n in range(20)]
    campaigns = [making.campaign(budget_fen=10**12) for _n in range(CAMPAIGNS)]
    templates = [
        making.template(
            campaigns[n % CAMPAIGNS],
            key=f"past-{n}",
            category=kinds[n % len(kinds)],
            valid_days=30,
            amount_fen=1000 + 100 * n,
            limits={"total_count": 10**9},
            **({"merchant": shops[n // 2], "merchant_percent": 30} if n % 2 else {}),
        )
        for n in range(TEMPLATES)
    ]
    for n in range(PLACEMENTS):
        making.placement(
            templates[n % TEMPLATES],
            of=campaigns[n % CAMPAIGNS],
            key=f"past-{n}",
            title=f"投放{n}",
            channel=CHANNELS[n % len(CHANNELS)],
            form=FORMS[n % len(FORMS)],
        )
    assert City.objects.count() >= CITIES
