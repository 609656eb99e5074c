"""The operators' pages of campaigns, of where they are placed, what sets them off, and what is written to customers."""

from distribution.admin import campaigns, messages, placements, triggers

__all__ = ["campaigns", "messages", "placements", "triggers"]
