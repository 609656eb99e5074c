"""The operators' pages of campaigns, of where they are placed, what sets them off, and what is written to customers."""

from distribution.admin import (
    bindings,
    campaigns,
    code_batches,
    messages,
    pages,
    placed,
    placements,
    risk,
    shares,
    triggers,
)

__all__ = [
    "bindings",
    "campaigns",
    "code_batches",
    "messages",
    "pages",
    "placed",
    "placements",
    "risk",
    "shares",
    "triggers",
]
