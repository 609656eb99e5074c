"""The operators' pages of what was taken off orders, to read; of shops and their staff."""

from redemption.admin import orders, redemptions, settlement, shops

__all__ = ["orders", "redemptions", "settlement", "shops"]
