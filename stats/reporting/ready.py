"""Ready-made reports: a question for each of what is asked of coupons most."""

from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from stats.queries.measures import DIMENSION, MEASURES
from stats.queries.refusals import REASON
from stats.reporting.periods import Period


@dataclass(frozen=True)
class Ready:
    code: str
    name: str | Promise
    about: str | Promise
    measures: tuple[str, ...]
    rows: tuple[str, ...]
    across: str = ""
    period: str = Period.LAST_30

    @property
    def question(self) -> dict[str, Any]:
        return {
            "measures": list(self.measures),
            "rows": list(self.rows),
            "across": self.across,
            "only": {},
            "period": str(self.period),
        }

    @property
    def is_countable(self) -> bool:
        """Whether all that it asks for is counted here."""
        return {*self.measures} <= {*MEASURES} and {*self.rows, self.across} - {""} <= {*DIMENSION}


_READY = (
    Ready(
        "issued_used",
        _("Issued, used, unused, expired"),
        _("What became of the coupons, by placement and channel."),
        ("issued_count", "used_count", "use_rate", "unused_count", "expired_count", "void_count"),
        ("channel", "placement"),
    ),
    Ready(
        "funnel",
        _("Issued, seen, redeemed"),
        _("How many coupons their holders were ever shown, and how many were used, by placement."),
        ("issued_count", "seen_count", "seen_rate", "used_count", "use_rate"),
        ("placement",),
    ),
    Ready(
        "use_rate",
        _("Use rate"),
        _("Redeemed ÷ issued, day by day."),
        ("use_rate", "issued_count", "used_count"),
        ("day",),
    ),
    Ready(
        "average_paid",
        _("Average paid per order"),
        _("What customers paid where a coupon was used, by coupon."),
        ("average_paid_fen", "order_count", "paid_fen"),
        ("template",),
    ),
    Ready(
        "subsidy_rate",
        _("Subsidy rate"),
        _("Discount ÷ value of the orders at full price, and who bears it."),
        ("subsidy_rate", "spent_fen", "platform_fen", "merchant_fen", "gmv_fen"),
        ("campaign",),
    ),
    Ready(
        "gmv",
        _("GMV by city and month"),
        _("Value of the orders on which coupons were used."),
        ("gmv_fen",),
        ("city",),
        "month",
        Period.LAST_90,
    ),
    Ready(
        "coupons_per_customer",
        _("Coupons per customer"),
        _("How many coupons those had who had any, day by day."),
        ("coupons_per_customer", "issued_count", "customer_count"),
        ("day",),
    ),
    Ready(
        "activity",
        _("Use by activity level"),
        _("Who uses the coupons: those who order often, or seldom."),
        ("used_count", "issued_count", "use_rate"),
        ("activity",),
    ),
    Ready(
        "failures",
        _("Failure rate"),
        _("Attempts that were refused, day by day."),
        ("claim_failure_rate", "refused_claim_count", "use_failure_rate", "refused_use_count"),
        ("day",),
    ),
    Ready(
        "failure_reasons",
        _("Reasons of refusals"),
        _("What customers were told who were refused a claim or a use."),
        ("refused_claim_count", "refused_use_count"),
        (REASON,),
    ),
    Ready(
        "weekdays",
        _("Uses by weekday and channel"),
        _("When coupons are used."),
        ("used_count",),
        ("channel",),
        "weekday",
    ),
)


def ready() -> list[Ready]:
    return [one for one in _READY if one.is_countable]
