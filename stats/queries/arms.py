"""A campaign's coupon group and control group, as sums over their customers."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from coupons.queries.direct import row, rows
from distribution.models import Campaign
from stats.models import EffectReading

#: Days before the campaign in which an order makes a customer active.
ACTIVE_DAYS = 90

_ARMS = """
SELECT t.control, count(*), sum(t.orders), sum(t.orders ^ 2), sum(t.gmv), sum(t.gmv ^ 2),
       sum(t.deducted), sum(t.deducted ^ 2), sum(t.gmv * t.deducted)
  FROM (SELECT distribution_in_control_group(%(secret)s::uuid, %(percent)s::numeric, c.key) AS control,
               coalesce(d.orders, 0)::numeric AS orders, coalesce(d.gmv, 0)::numeric AS gmv,
               coalesce(d.deducted, 0)::numeric AS deducted
          FROM coupons_customer c
          LEFT JOIN (SELECT customer_id, sum(order_count) AS orders, sum(gross_fen) AS gmv,
                            sum(deducted_fen) AS deducted
                       FROM coupons_customerday WHERE day BETWEEN %(first)s::date AND %(last)s::date
                      GROUP BY customer_id) d ON d.customer_id = c.id
         WHERE coalesce(c.registered_at, c.created_at) < %(starts)s::timestamptz
           AND (%(everybody)s::boolean OR EXISTS (
                SELECT FROM coupons_customerday b WHERE b.customer_id = c.id AND b.order_count > 0
                   AND b.day >= %(active)s::date AND b.day < %(first)s::date))) t
 GROUP BY t.control
"""


def arms(reading: EffectReading) -> dict[str, list[float]]:
    """``coupon`` and ``control``: how many customers, then sums and sums of squares of orders, GMV and subsidy in fen,
    and of GMV times subsidy. A group without customers is missing.
    """
    campaign = reading.campaign
    parameters = {
        "secret": campaign.control_secret,
        "percent": campaign.control_percent,
        "first": reading.first_day,
        "last": reading.last_day,
        "starts": timezone.make_aware(datetime.combine(reading.first_day, time.min)),
        "everybody": reading.population == EffectReading.Population.ALL,
        "active": reading.first_day - timedelta(days=ACTIVE_DAYS),
    }
    return {
        "control" if found[0] else "coupon": [float(number) for number in found[1:]]
        for found in rows(_ARMS, parameters)
    }


def days_of(campaign: Campaign, now: datetime) -> tuple[date, date]:
    """The campaign's days so far; a day that is not over yet is not looked at.  The last may lie before the first."""
    first = timezone.localtime(campaign.starts_at).date()
    end = min(now, campaign.ends_at)
    return first, timezone.localtime(end - timedelta(microseconds=1)).date() - timedelta(days=1 if end == now else 0)


def share_changed(campaign: Campaign) -> bool:
    """Whether the control group's share was another one while the campaign ran: then the groups are no equals."""
    found = row(
        "SELECT count(DISTINCT control_percent) FROM distribution_historicalcampaign"
        " WHERE id = %s AND (history_date >= %s::timestamptz OR history_id = ("
        "   SELECT max(history_id) FROM distribution_historicalcampaign"
        "    WHERE id = %s AND history_date < %s::timestamptz))",
        (campaign.pk, campaign.starts_at, campaign.pk, campaign.starts_at),
    )
    return bool(found and found[0] > 1)
