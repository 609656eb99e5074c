"""Evidence of money: orders as they were, redemptions and their lines."""

from redemption.models.orders import Order
from redemption.models.redemptions import Redemption, RedemptionLine

__all__ = ["Order", "Redemption", "RedemptionLine"]
