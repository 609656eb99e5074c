"""`check_ledger` over a million coupons, against its limit in seconds."""

import io
from contextlib import suppress
from time import perf_counter

from django.core.management import call_command
from django.db import connection

COUPONS = 1_000_000
LIMIT_SECONDS = 60.0

#: A million coupons of the templates that are there, each with its event, and counters that agree with them.
FILL = """
CREATE TEMP TABLE made AS
SELECT gen_random_uuid() AS id, t.id AS template, t.budget_id, c.id AS customer, t.amount_fen AS worth, n,
       date_trunc('second', now() - interval '1 day' * (n %% 40)) AS at
  FROM generate_series(1, %(coupons)s) AS n
  JOIN (SELECT *, row_number() OVER (ORDER BY id) - 1 AS r FROM coupons_coupontemplate WHERE key LIKE 'many-%%') t
    ON t.r = n %% (SELECT count(*) FROM coupons_coupontemplate WHERE key LIKE 'many-%%')
  JOIN (SELECT id, row_number() OVER (ORDER BY id) - 1 AS r FROM coupons_customer) c
    ON c.r = n::bigint * 7919 %% (SELECT count(*) FROM coupons_customer);
INSERT INTO coupons_coupon (id, code, template_id, customer_id, placement, status, issued_at, valid_from, valid_until,
                            committed_fen, newcomer)
SELECT id, 'L' || n, template, customer, NULL, 'available', at, at, now() + interval '60 days', worth, false FROM made;
WITH happened AS (
    INSERT INTO coupons_couponevent (at, kind, coupon_id, template_id, customer_id, committed_fen, spent_fen,
                                     merchant_fen, gmv_fen, paid_fen, by, reason)
    SELECT at, 'issued', id, template, customer, worth, 0, 0, 0, 0, 'bench', '' FROM made RETURNING id
) INSERT INTO coupons_uncountedevent (event_id) SELECT id FROM happened;
INSERT INTO coupons_customercounter AS o (customer_id, template_id, issued_count, issued_fen, day, day_count, day_fen)
SELECT customer, template, count(*), sum(worth), %(today)s, count(*) FILTER (WHERE at >= %(midnight)s),
       coalesce(sum(worth) FILTER (WHERE at >= %(midnight)s), 0) FROM made GROUP BY 1, 2
ON CONFLICT (customer_id, template_id) DO UPDATE
   SET issued_count = o.issued_count + excluded.issued_count, issued_fen = o.issued_fen + excluded.issued_fen,
       day_count = o.day_count + excluded.day_count, day_fen = o.day_fen + excluded.day_fen;
UPDATE coupons_supply AS s
   SET issued_count = s.issued_count + m.number, issued_fen = s.issued_fen + m.fen, day = %(today)s,
       day_count = CASE WHEN s.day = %(today)s THEN s.day_count ELSE 0 END + m.day_number,
       day_fen = CASE WHEN s.day = %(today)s THEN s.day_fen ELSE 0 END + m.day_fen
  FROM (SELECT template, count(*) AS number, sum(worth) AS fen,
               count(*) FILTER (WHERE at >= %(midnight)s) AS day_number,
               coalesce(sum(worth) FILTER (WHERE at >= %(midnight)s), 0) AS day_fen FROM made GROUP BY 1) AS m
 WHERE s.template_id = m.template;
UPDATE coupons_budget AS b SET committed_fen = b.committed_fen + m.fen
  FROM (SELECT budget_id, sum(worth) AS fen FROM made GROUP BY 1) AS m WHERE b.id = m.budget_id;
DROP TABLE made;
"""


def measure() -> tuple[int, float, str]:
    """How many coupons there were, the seconds it took, and what it said."""
    from coupons.queries.catalogue import business_now

    now = business_now()
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
        cursor.execute(FILL, {"coupons": COUPONS, "today": now.date(), "midnight": midnight})
        cursor.execute("ANALYZE")
        cursor.execute("SELECT count(*) FROM coupons_coupon")
        coupons = cursor.fetchone()[0]
    said = io.StringIO()
    start = perf_counter()
    with suppress(SystemExit):
        call_command("check_ledger", stdout=said, stderr=said)
    return coupons, perf_counter() - start, said.getvalue().strip()
