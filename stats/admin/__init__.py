"""The operators' pages of what is counted and reckoned."""

from stats.admin import effects, rehearsals, rehearsed, reports

__all__ = ["effects", "rehearsals", "rehearsed", "reports"]
