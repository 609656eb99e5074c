"""The menu: every condition registers itself when its module is imported."""

from coupons.conditions import audiences, customer, history, moment, order, place

__all__ = ["audiences", "customer", "history", "moment", "order", "place"]
