"""Proof that redemptions, their lines, the coupons' events, orders and customers' totals say the same."""

from collections.abc import Iterator

from coupons.queries.ledger import proved

_PROOFS: tuple[tuple[str, str], ...] = (
    (
        "redemption: discount, merchants', given back, given back to merchants",
        """
WITH counted AS (
    SELECT redemption_id AS id, sum(discount_fen)::bigint AS discount, sum(merchant_fen)::bigint AS merchant,
           sum(returned_fen)::bigint AS returned, sum(returned_merchant_fen)::bigint AS returned_merchant
      FROM redemption_redemptionline GROUP BY redemption_id
)
SELECT 'redemption ' || coalesce(r.id, c.id),
       ROW(r.discount_fen, r.merchant_fen, r.returned_fen, r.returned_merchant_fen)::text,
       'lines ' || ROW(c.discount, c.merchant, c.returned, c.returned_merchant)::text
  FROM redemption_redemption r FULL JOIN counted c USING (id)
 WHERE r.id IS NULL
    OR (r.discount_fen, r.merchant_fen, r.returned_fen, r.returned_merchant_fen)
    <> (coalesce(c.discount, 0), coalesce(c.merchant, 0), coalesce(c.returned, 0), coalesce(c.returned_merchant, 0))
    OR (r.status = 'rolled_back' AND (r.returned_fen <> r.discount_fen OR r.returned_merchant_fen <> r.merchant_fen))
    OR (r.status IN ('held', 'released') AND r.returned_fen <> 0)
""",
    ),
    (
        "redemption: given back, by its rollbacks",
        """
WITH told AS (
    SELECT redemption_id AS id, sum(discount_fen)::bigint AS returned, sum(merchant_fen)::bigint AS merchant
      FROM redemption_givenback GROUP BY redemption_id
)
SELECT 'redemption ' || coalesce(r.id, t.id), ROW(r.returned_fen, r.returned_merchant_fen)::text,
       'rollbacks ' || ROW(t.returned, t.merchant)::text
  FROM redemption_redemption r FULL JOIN told t USING (id)
 WHERE r.id IS NULL
    OR (r.returned_fen, r.returned_merchant_fen) <> (coalesce(t.returned, 0), coalesce(t.merchant, 0))
""",
    ),
    (
        "statement of a closed month: shares of redemptions, of rollbacks",
        """
WITH months AS (
    SELECT id, month::timestamp AT TIME ZONE %(zone)s AS starts_at, ends_at FROM redemption_settledmonth
), parts AS (
    SELECT m.id AS month, l.merchant_id AS merchant, l.merchant_fen, l.discount_fen, 1 AS sign
      FROM months m
      JOIN redemption_redemption r ON r.redeemed_at >= m.starts_at AND r.redeemed_at < m.ends_at
       AND r.status IN ('redeemed', 'rolled_back')
      JOIN redemption_redemptionline l ON l.redemption_id = r.id
    UNION ALL
    SELECT m.id, g.merchant_id, g.merchant_fen, g.discount_fen, -1
      FROM months m JOIN redemption_givenback g ON g.at >= m.starts_at AND g.at < m.ends_at
), counted AS (
    SELECT month, coalesce(merchant, '') AS party, sum(merchant_fen) FILTER (WHERE sign > 0) AS taken,
           sum(merchant_fen) FILTER (WHERE sign < 0) AS back
      FROM parts WHERE merchant IS NOT NULL GROUP BY 1, 2
    UNION ALL
    SELECT month, '', sum(discount_fen - merchant_fen) FILTER (WHERE sign > 0),
           sum(discount_fen - merchant_fen) FILTER (WHERE sign < 0)
      FROM parts GROUP BY month
), kept AS (
    SELECT month_id AS month, coalesce(merchant_id, '') AS party, redeemed_fen, returned_fen FROM redemption_statement
)
SELECT 'statement of ' || coalesce(nullif(coalesce(k.party, c.party), ''), 'the platform'),
       ROW(k.redeemed_fen, k.returned_fen)::text, ROW(c.taken, c.back)::text
  FROM kept k FULL JOIN counted c ON c.month = k.month AND c.party = k.party
 WHERE (coalesce(k.redeemed_fen, 0)::numeric, coalesce(k.returned_fen, 0)::numeric)
    <> (coalesce(c.taken, 0), coalesce(c.back, 0))
""",
    ),
    (
        "redemption: spent, merchants', the order once by the coupons' events",
        """
WITH told AS (
    SELECT redemption_id AS id, sum(spent_fen)::bigint AS spent, sum(merchant_fen)::bigint AS merchant,
           sum(order_parts)::bigint AS parts
      FROM coupons_couponevent WHERE redemption_id IS NOT NULL GROUP BY redemption_id
)
SELECT 'redemption ' || coalesce(r.id, t.id),
       ROW(r.status, r.discount_fen - r.returned_fen, r.merchant_fen - r.returned_merchant_fen)::text,
       'events ' || ROW(t.spent, t.merchant, t.parts)::text
  FROM redemption_redemption r FULL JOIN told t USING (id)
 WHERE r.id IS NULL
    OR (coalesce(t.spent, 0), coalesce(t.merchant, 0), coalesce(t.parts, 0))
    <> CASE WHEN r.status IN ('redeemed', 'rolled_back')
            THEN (r.discount_fen - r.returned_fen, r.merchant_fen - r.returned_merchant_fen,
                  CASE WHEN r.status = 'redeemed' THEN 1000000 ELSE 0 END::bigint)
            ELSE (0::bigint, 0::bigint, 0::bigint) END
""",
    ),
    (
        "redemption: order or customer that is not there, or not the order's",
        """
SELECT 'redemption ' || r.id, ROW(r.order_id, r.customer_id)::text, ROW(o.id, o.customer_id)::text
  FROM redemption_redemption r
  LEFT JOIN redemption_order o ON o.id = r.order_id
  LEFT JOIN coupons_customer u ON u.id = r.customer_id
 WHERE o.id IS NULL OR u.id IS NULL OR o.customer_id <> r.customer_id
""",
    ),
    (
        "line of a redemption: coupon or merchant that is not there, or not the redemption's",
        """
SELECT 'line ' || l.id, ROW(l.coupon_id, l.template_id, l.merchant_id)::text, ROW(c.id, c.template_id, m.key)::text
  FROM redemption_redemptionline l
  JOIN redemption_redemption r ON r.id = l.redemption_id
  LEFT JOIN coupons_coupon c ON c.id = l.coupon_id
  LEFT JOIN coupons_merchant m ON m.key = l.merchant_id
 WHERE c.id IS NULL OR c.template_id <> l.template_id OR c.customer_id <> r.customer_id
    OR l.coupon_id <> ALL (r.coupons) OR (m.key IS NULL AND l.merchant_id IS NOT NULL)
""",
    ),
    (
        "coupon: the redemption that has it",
        """
SELECT 'coupon ' || c.id, ROW(c.status, c.redemption_id)::text, coalesce(r.status, '-')
  FROM coupons_coupon c LEFT JOIN redemption_redemption r ON r.id = c.redemption_id
 WHERE (c.status = 'redeemed' AND (r.status IS NULL OR r.status NOT IN ('redeemed', 'rolled_back')
                                   OR c.id <> ALL (r.coupons)))
    OR (c.status = 'held' AND c.held_until > now() AND (r.status IS DISTINCT FROM 'held' OR c.id <> ALL (r.coupons)))
""",
    ),
    (
        "order: deducted",
        """
SELECT 'order ' || o.key, o.deducted_fen::text, (r.discount_fen - r.returned_fen)::text
  FROM redemption_redemption r JOIN redemption_order o ON o.id = r.order_id
 WHERE r.status = 'redeemed' AND o.deducted_fen <> r.discount_fen - r.returned_fen
""",
    ),
    (
        "order: customer or city that is not there",
        """
SELECT 'order ' || o.key, ROW(o.customer_id, o.city_id)::text, ROW(u.id, c.key)::text
  FROM redemption_order o
  LEFT JOIN coupons_customer u ON u.id = o.customer_id
  LEFT JOIN coupons_city c ON c.key = o.city_id
 WHERE u.id IS NULL OR (c.key IS NULL AND o.city_id IS NOT NULL)
""",
    ),
    (
        "customer's day: orders, original price, deducted",
        """
WITH counted AS (
    SELECT customer_id, (finished_at AT TIME ZONE %(zone)s)::date AS day, count(*) AS orders,
           sum(goods_fen + shipping_fen)::bigint AS gross, sum(deducted_fen)::bigint AS deducted
      FROM redemption_order WHERE finished_at IS NOT NULL GROUP BY 1, 2
)
SELECT 'customer ' || coalesce(d.customer_id, c.customer_id) || ' on ' || coalesce(d.day, c.day),
       ROW(d.order_count, d.gross_fen, d.deducted_fen)::text, ROW(c.orders, c.gross, c.deducted)::text
  FROM coupons_customerday d FULL JOIN counted c ON c.customer_id = d.customer_id AND c.day = d.day
 WHERE (coalesce(d.order_count, 0)::bigint, coalesce(d.gross_fen, 0), coalesce(d.deducted_fen, 0))
    <> (coalesce(c.orders, 0), coalesce(c.gross, 0), coalesce(c.deducted, 0))
""",
    ),
    (
        # What a business line's system tells of its orders goes before our own count of them.
        "customer: orders outside business lines, original price, deducted",
        """
WITH counted AS (
    SELECT customer_id, count(*) FILTER (WHERE business_line IS NULL) AS without_line,
           sum(goods_fen + shipping_fen)::bigint AS gross, sum(deducted_fen)::bigint AS deducted
      FROM redemption_order WHERE finished_at IS NOT NULL GROUP BY customer_id
), lines AS (
    SELECT customer_id, sum(order_count)::bigint AS orders FROM coupons_customerline GROUP BY customer_id
)
SELECT 'customer ' || u.key, ROW(u.order_count - coalesce(l.orders, 0), u.gross_fen, u.deducted_fen)::text,
       ROW(coalesce(c.without_line, 0), coalesce(c.gross, 0), coalesce(c.deducted, 0))::text
  FROM coupons_customer u
  LEFT JOIN counted c ON c.customer_id = u.id
  LEFT JOIN lines l ON l.customer_id = u.id
 WHERE (u.order_count - coalesce(l.orders, 0), u.gross_fen, u.deducted_fen)
    <> (coalesce(c.without_line, 0), coalesce(c.gross, 0), coalesce(c.deducted, 0))
""",
    ),
)


def differences() -> Iterator[str]:
    """Each line says where, what stands there, and what the rows say."""
    return proved(_PROOFS)
