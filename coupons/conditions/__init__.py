"""The menu: every condition registers itself when its module is imported."""

from coupons.conditions import customer, history, moment, order, place

__all__ = ["customer", "history", "moment", "order", "place"]
