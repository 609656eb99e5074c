"""The operators' pages of what is counted and reckoned."""

from stats.admin import rehearsals

__all__ = ["rehearsals"]
