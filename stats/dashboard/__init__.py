"""The operators' first page: what happened in some days, held against others, and what is left in the purses."""

from stats.dashboard.page import SEES_FIGURES, board, charts, first_page, opening

__all__ = ["SEES_FIGURES", "board", "charts", "first_page", "opening"]
