"""The operators' pages of what is counted and reckoned."""

from stats.admin import rehearsals, rehearsed

__all__ = ["rehearsals", "rehearsed"]
