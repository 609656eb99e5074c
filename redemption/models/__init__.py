"""Evidence of money: orders as they were, redemptions and their lines."""

from redemption.models.orders import Order
from redemption.models.redemptions import GivenBack, Redemption, RedemptionLine
from redemption.models.settlement import SettledMonth, SettlementEntry, Statement
from redemption.models.shops import Clerk, CounterUse, Shop

__all__ = [
    "Clerk",
    "CounterUse",
    "GivenBack",
    "Order",
    "Redemption",
    "RedemptionLine",
    "SettledMonth",
    "SettlementEntry",
    "Shop",
    "Statement",
]
