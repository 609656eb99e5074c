"""Proof that what was exchanged, shared, bound and counted here is what the ledger says was given out."""

from collections.abc import Iterator

from coupons.queries.ledger import proved

_PROOFS: tuple[tuple[str, str], ...] = (
    (
        "code: used",
        """
WITH counted AS (SELECT digest, count(*) AS number FROM distribution_codeexchange GROUP BY digest)
SELECT 'code ' || coalesce(c.digest, k.digest), coalesce(c.used_count::text, 'no row'), coalesce(k.number, 0)::text
  FROM distribution_redemptioncode c FULL JOIN counted k ON k.digest = c.digest
 WHERE c.digest IS NULL OR c.used_count <> coalesce(k.number, 0)
""",
    ),
    (
        "exchange: coupons issued for it",
        """
WITH said AS (
    SELECT unnest(e.coupons) AS coupon, e.batch_id AS batch, e.customer FROM distribution_codeexchange e
), issued AS (
    SELECT e.coupon_id AS coupon, substr(e.reason, 7)::bigint AS batch, u.key AS customer
      FROM coupons_couponevent e JOIN coupons_customer u ON u.id = e.customer_id
     WHERE e.kind = 'issued' AND e.reason ~ '^batch:[0-9]+$'
)
SELECT 'coupon ' || coalesce(s.coupon, i.coupon), 'exchange ' || ROW(s.batch, s.customer)::text,
       'issued ' || ROW(i.batch, i.customer)::text
  FROM said s FULL JOIN issued i ON i.coupon = s.coupon
 WHERE (s.batch, s.customer) IS DISTINCT FROM (i.batch, i.customer)
""",
    ),
    (
        "share packet: taken",
        """
SELECT 'packet of order ' || p.order_key, p.taken_count::text, count(t.id)::text
  FROM distribution_sharepacket p LEFT JOIN distribution_sharetake t ON t.packet_id = p.token
 GROUP BY p.token HAVING p.taken_count <> count(t.id) OR p.taken_count > jsonb_array_length(p.cut)
 ORDER BY p.token
""",
    ),
    (
        "share packet: a slot's coupon",
        """
SELECT 'take ' || t.id, t.coupon_id::text, coalesce(c.template_id::text, 'no coupon')
  FROM distribution_sharetake t JOIN distribution_sharepacket p ON p.token = t.packet_id
  LEFT JOIN coupons_coupon c ON c.id = t.coupon_id
 WHERE c.template_id IS DISTINCT FROM (p.cut->>t.slot)::bigint
 ORDER BY t.id
""",
    ),
    (
        "binding: coupons of an account",
        """
WITH said AS (
    SELECT l.binding_id AS binding, l.customer_id AS customer, l.coupons::bigint AS number
      FROM distribution_bindingline l WHERE l.coupons > 0
), issued AS (
    SELECT substr(e.reason, 9)::bigint AS binding, e.customer_id AS customer, count(*) AS number
      FROM coupons_couponevent e WHERE e.kind = 'issued' AND e.reason ~ '^binding:[0-9]+$' GROUP BY 1, 2
)
SELECT 'binding ' || binding || ', customer ' || customer, coalesce(s.number, 0)::text, coalesce(i.number, 0)::text
  FROM said s FULL JOIN issued i USING (binding, customer) WHERE s.number IS DISTINCT FROM i.number
""",
    ),
)


def differences() -> Iterator[str]:
    return proved(_PROOFS)
