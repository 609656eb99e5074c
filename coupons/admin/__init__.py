"""The operators' pages of what a coupon is."""

from coupons.admin import (
    areas,
    audiences,
    callers,
    customers,
    days,
    facts,
    jobs,
    ledger,
    places,
    refusals,
    templates,
    webhooks,
)

__all__ = [
    "areas",
    "audiences",
    "callers",
    "customers",
    "days",
    "facts",
    "jobs",
    "ledger",
    "places",
    "refusals",
    "templates",
    "webhooks",
]
