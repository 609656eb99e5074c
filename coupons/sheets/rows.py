"""Rows as people's files have them, how much of them is taken, and how it is said that they are not."""

from typing import NamedTuple

from coupons.refused import Refused

MEBIBYTE = 2**20
#: Excel's own limits: rows of a sheet, characters of a cell.
MOST_SHEET_ROWS, MOST_CHARACTERS = 1_048_576, 32_767
#: Read at a time.
PIECE = MEBIBYTE
#: What a spreadsheet would take for a formula, or trim to find one.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


class Limits(NamedTuple):
    """``rows`` without the heading. ``unpacked_bytes``: of all that is in a workbook."""

    file_bytes: int = 100 * MEBIBYTE
    unpacked_bytes: int = 500 * MEBIBYTE
    entries: int = 500
    rows: int = 1_000_000
    columns: int = 100


class Row(NamedTuple):
    """``number``: as a spreadsheet shows it, the first is 1."""

    number: int
    cells: list[str]


USUAL = Limits()


def unreadable(words: str) -> Refused:
    return Refused("file_unreadable", detail=words)
