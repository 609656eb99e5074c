"""A statement over a million redemptions, against its limit in seconds."""

from datetime import date
from time import perf_counter

from django.db import connection

from coupons.sheets import excel_file
from redemption.admin import settlement as page
from redemption.queries import settlement

REDEMPTIONS, MERCHANTS = 1_000_000, 500
LIMIT_SECONDS = 20.0
#: Two lines each, spread over a month and the merchants; every tenth rolled back.
FILL = """
INSERT INTO coupons_merchant (key, name) SELECT 'bench-' || n, 'bench ' || n FROM generate_series(1, %(merchants)s) n
ON CONFLICT DO NOTHING;
CREATE TEMP TABLE made AS
SELECT gen_random_uuid() AS id, n, timestamptz '2025-03-01 00:00+08' + n * interval '2.6 seconds' AS at
  FROM generate_series(1, %(redemptions)s) n;
INSERT INTO redemption_redemption (id, order_id, customer_id, status, created_at, redeemed_at, discount_fen,
                                   merchant_fen, returned_fen, returned_merchant_fen, by, coupons, returned)
SELECT id, 10000000000 + n, 1, 'redeemed', at, at, 2000, 600, 0, 0, 'bench', ARRAY[id], '{}' FROM made;
INSERT INTO redemption_redemptionline (redemption_id, coupon_id, template_id, line, merchant_id, quantity, amount_fen,
                                       discount_fen, merchant_fen, returned_quantity, returned_fen,
                                       returned_merchant_fen)
SELECT id, id, 1, part, 'bench-' || 1 + (n + k) %% %(merchants)s, 1, 6000, 1000, 300, 0, 0, 0
  FROM made CROSS JOIN (VALUES ('a', 0), ('b', 1)) AS l(part, k);
INSERT INTO redemption_givenback (redemption_id, at, merchant_id, discount_fen, merchant_fen)
SELECT id, at + interval '1 hour', 'bench-' || 1 + n %% %(merchants)s, 1000, 300 FROM made WHERE n %% 10 = 0;
ANALYZE redemption_redemption, redemption_redemptionline, redemption_givenback;
"""


def measure() -> tuple[float, int]:
    """Seconds of the month's statement with its Excel file; its parties."""
    with connection.cursor() as cursor:
        cursor.execute(FILL, {"redemptions": REDEMPTIONS, "merchants": MERCHANTS})
    begun = perf_counter()
    found = settlement.shares(date(2025, 3, 1), date(2025, 4, 1))
    excel_file(page._HEADING, page._excel_rows(found)).close()
    seconds = perf_counter() - begun
    assert sum(share.redeemed_fen for share in found) == REDEMPTIONS * 2000
    return seconds, len(found)
