"""What the operator believes of customers; everything else is asked of the past."""

from dataclasses import asdict, dataclass
from typing import Any

#: One customer, in the parts that shares of customers are counted in: shares are whole percents, up to three of them
#: multiplied, and nothing is rounded before the end.
WHOLE = 100**3


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Shares in whole percents.

    seen_percent        of the customers who qualify and order, so many see the offer
    quiet_seen_percent  of the customers who qualify today and did not order in these days
    claim_percent       of those who see it, so many claim
    use_percent         of the coupons in hand when an order fits, so many are used on it
    extra_percent       of the coupons claimed, so many bring an order that would not have been
    unknown_passes      a condition whose fact nobody knows any more counts as fulfilled
    discounted_fit      the coupon is used also on orders that something was taken off already
    """

    seen_percent: int = 30
    quiet_seen_percent: int = 0
    claim_percent: int = 60
    use_percent: int = 80
    extra_percent: int = 0
    unknown_passes: bool = False
    discounted_fit: bool = True

    @property
    def claimers(self) -> int:
        """Of a customer who qualifies and orders, the part that claims."""
        return WHOLE * self.seen_percent * self.claim_percent // 100**2

    @property
    def quiet_claimers(self) -> int:
        return WHOLE * self.quiet_seen_percent * self.claim_percent // 100**2

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def part(weight: int, percent: int) -> int:
    return weight * percent // 100


def whole(weight: int) -> int:
    """How many that is, half up."""
    return (2 * weight + WHOLE) // (2 * WHOLE)
