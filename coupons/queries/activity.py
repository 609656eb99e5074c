"""How often customers have ordered of late: the one place in SQL that says what an activity level is."""

#: How many days of orders, the one asked about among them, make a customer active.
ACTIVE_DAYS = 30

#: A level of :class:`coupons.models.Activity`, of what :func:`orders` adds.
LEVEL = """CASE WHEN n.orders >= 10 THEN 'high' WHEN n.orders >= 4 THEN 'middle' WHEN n.orders >= 1 THEN 'low'
            ELSE 'none' END"""


def orders(customer: str, day: str) -> str:
    """To be joined: ``n.orders`` of these columns' customer until this day of the business."""
    return f"""
  LEFT JOIN LATERAL (
       SELECT sum(d.order_count) AS orders FROM coupons_customerday d
        WHERE d.customer_id = {customer} AND d.day > {day} - {ACTIVE_DAYS} AND d.day <= {day}
       ) n ON true"""  # noqa: S608  names of our own columns
