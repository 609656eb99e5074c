"""Proof that what was exchanged, bound and counted here is what the ledger says was given out."""

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
)


def differences() -> Iterator[str]:
    return proved(_PROOFS)
