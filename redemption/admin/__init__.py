"""The operators' pages of what was taken off orders; to read."""

from redemption.admin import orders, redemptions

__all__ = ["orders", "redemptions"]
