"""The operators' pages of campaigns and of where they are placed."""

from distribution.admin import campaigns, placements

__all__ = ["campaigns", "placements"]
