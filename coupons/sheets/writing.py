"""What people take away, row by row."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from coupons.sheets.rows import FORMULA, MOST_CHARACTERS, MOST_SHEET_ROWS

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def as_text(value: Any) -> str:
    """A cell of a CSV file. Words that begin like a formula get an apostrophe; numbers are numbers."""
    match value:
        case None:
            return ""
        case bool() | int() | float() | Decimal():
            return str(value)
        case datetime():
            return f"{timezone.localtime(value):%Y-%m-%d %H:%M:%S}"
        case date():
            return value.isoformat()
    text = str(value).replace("\x00", "")
    return f"'{text}" if text.startswith(FORMULA) else text


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(heading: Iterable[Any], rows: Iterable[Iterable[Any]]) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf"  # so that Excel reads UTF-8
    yield writer.writerow([as_text(cell) for cell in heading]).encode()
    for row in rows:
        yield writer.writerow([as_text(cell) for cell in row]).encode()


def excel_file(heading: Iterable[Any], rows: Iterable[Iterable[Any]], most_rows: int = MOST_SHEET_ROWS) -> IO[bytes]:
    """Written row by row to a file that is gone when it is closed. What does not fit on a sheet goes on to the next,
    under the same heading.
    """
    book = Workbook(write_only=True)
    heading = list(heading)
    sheet, left = book.create_sheet(), most_rows - 1
    sheet.append([_cell(sheet, value) for value in heading])
    for row in rows:
        if not left:
            sheet, left = book.create_sheet(), most_rows - 1
            sheet.append([_cell(sheet, value) for value in heading])
        sheet.append([_cell(sheet, value) for value in row])
        left -= 1
    result = tempfile.TemporaryFile()  # noqa: SIM115  whoever takes it closes it
    book.save(result)
    result.seek(0)
    return result


class Formula(str):
    """One of our own, for a cell of Excel; never made of what people typed."""

    __slots__ = ()


def _cell(sheet: Any, value: Any) -> Any:
    match value:
        case Formula():
            return str(value)
        case None | bool() | int() | float() | Decimal():
            return value
        case datetime():
            return timezone.localtime(value).replace(tzinfo=None)
        case date():
            return value
    text = WriteOnlyCell(sheet)
    text.value = "".join(sign for sign in str(value) if sign in "\t\r\n" or ord(sign) >= 32)[:MOST_CHARACTERS]
    text.data_type = "s"  # whatever it begins with, it is words
    return text
