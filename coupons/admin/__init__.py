"""The operators' pages of what a coupon is."""

from coupons.admin import audiences, callers, customers, facts, jobs, ledger, places, refusals, templates

__all__ = ["audiences", "callers", "customers", "facts", "jobs", "ledger", "places", "refusals", "templates"]
