"""New customers that campaigns brought: whose first finished order used one of the campaign's coupons."""

from collections.abc import Iterable, Mapping

from coupons.queries.direct import rows

_NEW = """
SELECT k.id, count(DISTINCT c.id)
  FROM distribution_campaign k
  JOIN coupons_coupontemplate t ON t.budget_id = k.budget_id
  JOIN coupons_couponevent e ON e.template_id = t.id AND e.kind = 'redeemed'
  JOIN redemption_redemption r ON r.id = e.redemption_id AND r.status = 'redeemed'
  JOIN redemption_order o ON o.id = r.order_id
  JOIN coupons_customer c ON c.id = e.customer_id AND c.first_order_at = o.finished_at
 WHERE k.id = ANY(%s::bigint[]) GROUP BY k.id
"""


def new_customers(campaigns: Iterable[int]) -> Mapping[int, int]:
    """By the campaigns' ids; who brought none is missing. What was rolled back whole brought nobody."""
    return dict(rows(_NEW, (list(campaigns),)))
