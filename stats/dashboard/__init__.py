"""The operators' first page: what happened in the last days, and what is left in the purses."""

from stats.dashboard.page import first_page

__all__ = ["first_page"]
