"""The operators' pages of campaigns and of where they are placed."""

from distribution.admin import campaigns, messages, placements

__all__ = ["campaigns", "messages", "placements"]
