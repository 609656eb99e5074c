"""Proof that every counter, sum and state of a coupon follows from the rows: set-based, a statement each."""

from collections.abc import Iterator

from django.conf import settings
from django.db import connection

#: A day is the business's own.
_ISSUED = "(e.at AT TIME ZONE %(zone)s)::date"

#: What is proved, and the SQL of it: (where, stored, counted) of the rows that differ.
_PROOFS: tuple[tuple[str, str], ...] = (
    (
        "supply: issued (number, fen), day (number, fen)",
        f"""
WITH counted AS (
    SELECT e.template_id, count(*) AS number, sum(e.committed_fen)::bigint AS fen,
           count(*) FILTER (WHERE {_ISSUED} = s.day) AS day_number,
           sum(e.committed_fen) FILTER (WHERE {_ISSUED} = s.day)::bigint AS day_fen
      FROM coupons_couponevent e JOIN coupons_supply s ON s.template_id = e.template_id
     WHERE e.kind = 'issued' GROUP BY e.template_id
)
SELECT 'template ' || s.template_id, ROW(s.issued_count, s.issued_fen, s.day_count, s.day_fen)::text,
       ROW(coalesce(c.number, 0), coalesce(c.fen, 0), coalesce(c.day_number, 0), coalesce(c.day_fen, 0))::text
  FROM coupons_supply s LEFT JOIN counted c USING (template_id)
 WHERE (s.issued_count, s.issued_fen, s.day_count, s.day_fen)
    <> (coalesce(c.number, 0), coalesce(c.fen, 0), coalesce(c.day_number, 0), coalesce(c.day_fen, 0))
 ORDER BY s.template_id
""",  # noqa: S608  our own words
    ),
    (
        "customer's counter: issued (number, fen), day (number, fen)",
        f"""
WITH counted AS (
    SELECT e.customer_id, e.template_id, count(*) AS number, sum(e.committed_fen)::bigint AS fen,
           count(*) FILTER (WHERE {_ISSUED} = k.day) AS day_number,
           sum(e.committed_fen) FILTER (WHERE {_ISSUED} = k.day)::bigint AS day_fen
      FROM coupons_couponevent e
      LEFT JOIN coupons_customercounter k ON k.customer_id = e.customer_id AND k.template_id = e.template_id
     WHERE e.kind = 'issued' GROUP BY e.customer_id, e.template_id
)
SELECT 'customer ' || coalesce(k.customer_id, c.customer_id) || ', template ' || coalesce(k.template_id, c.template_id),
       ROW(k.issued_count, k.issued_fen, k.day_count, k.day_fen)::text,
       ROW(c.number, c.fen, c.day_number, coalesce(c.day_fen, 0))::text
  FROM coupons_customercounter k
  FULL JOIN counted c ON c.customer_id = k.customer_id AND c.template_id = k.template_id
 WHERE (k.issued_count, k.issued_fen, k.day_count, k.day_fen)
       IS DISTINCT FROM (c.number, c.fen, c.day_number, coalesce(c.day_fen, 0))
""",  # noqa: S608  our own words
    ),
    (
        "budget: committed, spent",
        """
WITH coupons AS (
    SELECT t.budget_id AS id, sum(c.fen)::bigint AS fen
      FROM (SELECT template_id, sum(committed_fen)::bigint AS fen FROM coupons_coupon GROUP BY template_id) c
      JOIN coupons_coupontemplate t ON t.id = c.template_id GROUP BY t.budget_id
), events AS (
    SELECT t.budget_id AS id, sum(e.committed)::bigint AS committed, sum(e.spent)::bigint AS spent
      FROM (SELECT template_id, sum(committed_fen)::bigint AS committed, sum(spent_fen)::bigint AS spent
              FROM coupons_couponevent GROUP BY template_id) e
      JOIN coupons_coupontemplate t ON t.id = e.template_id GROUP BY t.budget_id
)
SELECT 'budget ' || b.id, ROW(b.committed_fen, b.committed_fen, b.spent_fen)::text,
       'coupons and events ' || ROW(coalesce(c.fen, 0), coalesce(e.committed, 0), coalesce(e.spent, 0))::text
  FROM coupons_budget b LEFT JOIN coupons c USING (id) LEFT JOIN events e USING (id)
 WHERE (b.committed_fen, b.committed_fen, b.spent_fen)
    <> (coalesce(c.fen, 0), coalesce(e.committed, 0), coalesce(e.spent, 0))
    OR b.committed_fen + b.spent_fen > b.limit_fen
 ORDER BY b.id
""",
    ),
    (
        # The last of a coupon's events that changes a state says its state; its number and kind travel in one sum.
        "coupon: state, committed",
        """
WITH told AS (
    SELECT e.coupon_id, sum(e.committed_fen)::bigint AS committed, count(*) FILTER (WHERE e.kind = 'issued') AS issued,
           min(e.template_id) AS template, max(e.template_id) AS template_too,
           min(e.customer_id) AS customer, max(e.customer_id) AS customer_too,
           max(e.id * 8 + CASE e.kind WHEN 'held' THEN 1 WHEN 'redeemed' THEN 2 WHEN 'expired' THEN 3
                                      WHEN 'void' THEN 4 ELSE 0 END)
               FILTER (WHERE e.kind NOT IN ('rolled_back', 'freed')) %% 8 AS last
      FROM coupons_couponevent e GROUP BY e.coupon_id
)
SELECT 'coupon ' || coalesce(c.id, t.coupon_id), ROW(c.status, c.committed_fen, c.template_id, c.customer_id)::text,
       ROW((ARRAY['available', 'held', 'redeemed', 'expired', 'void'])[t.last + 1], t.committed, t.template,
           t.customer)::text
  FROM coupons_coupon c FULL JOIN told t ON t.coupon_id = c.id
 WHERE c.id IS NULL OR t.coupon_id IS NULL OR t.issued <> 1
    OR t.committed <> c.committed_fen
    OR (ARRAY['available', 'held', 'redeemed', 'expired', 'void'])[t.last + 1] <> c.status
    OR t.template <> c.template_id OR t.template_too <> c.template_id
    OR t.customer <> c.customer_id OR t.customer_too <> c.customer_id
    OR (c.status IN ('expired', 'void') AND c.committed_fen <> 0)
""",
    ),
    (
        "coupon: template or customer that is not there",
        """
SELECT 'coupon ' || c.id, ROW(c.template_id, c.customer_id)::text, '-'
  FROM coupons_coupon c
  LEFT JOIN coupons_coupontemplate t ON t.id = c.template_id
  LEFT JOIN coupons_customer u ON u.id = c.customer_id
 WHERE t.id IS NULL OR u.id IS NULL
""",
    ),
)


def differences() -> Iterator[str]:
    """Each line says where, what stands there, and what the rows say."""
    return proved(_PROOFS)


def proved(proofs: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for what, sql in proofs:
        with connection.cursor() as cursor:
            cursor.execute(sql, {"zone": settings.TIME_ZONE})
            for where, stored, counted in cursor:
                yield f"{what}: {where} has {stored}, should have {counted}"
