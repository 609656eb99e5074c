"""The operators' first page: what happened in some days, held against others, and what is left in the purses."""

from stats.dashboard.page import board, charts, first_page

__all__ = ["board", "charts", "first_page"]
