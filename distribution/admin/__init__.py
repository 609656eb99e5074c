"""The operators' pages of campaigns and placements, of each form's tool, of messages, and of who gets nothing."""

from distribution.admin import (
    bindings,
    campaigns,
    code_batches,
    events,
    messages,
    pages,
    placed,
    placements,
    redemption_codes,
    reminders,
    risk,
    shares,
    triggers,
)

__all__ = [
    "bindings",
    "campaigns",
    "code_batches",
    "events",
    "messages",
    "pages",
    "placed",
    "placements",
    "redemption_codes",
    "reminders",
    "risk",
    "shares",
    "triggers",
]
