"""What a list shows, as a file: CSV as it is read from the database, Excel as soon as it is written."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from typing import IO, Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

#: Excel's own limit, less the heading.
MOST_EXCEL_ROWS = 1_048_575
#: What a spreadsheet would take for a formula, or trim to find one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = list[Any]


def in_yuan(fen: int | None) -> Decimal | None:
    """A number of 元 that spreadsheets can add up, exact."""
    return None if fen is None else Decimal(fen).scaleb(-2)


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
    return f"'{text}" if text.startswith(_FORMULA) else text


class _Echo:
    def write(self, line: str) -> str:
        return line


def csv_lines(heading: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    writer = csv.writer(_Echo())
    yield b"\xef\xbb\xbf"  # so that Excel reads UTF-8
    yield writer.writerow([as_text(cell) for cell in heading]).encode()
    for row in rows:
        yield writer.writerow([as_text(cell) for cell in row]).encode()


def excel_file(heading: Row, rows: Iterable[Row]) -> IO[bytes]:
    """Written row by row to a file that is gone when it is closed."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet()

    def cell(value: Any) -> Any:
        match value:
            case None | bool() | int() | float() | Decimal():
                return value
            case datetime():
                return timezone.localtime(value).replace(tzinfo=None)
            case date():
                return value
        text = WriteOnlyCell(sheet)
        text.value = "".join(sign for sign in str(value) if sign in "\t\r\n" or ord(sign) >= 32)[:32_767]
        text.data_type = "s"  # whatever it begins with, it is words
        return text

    sheet.append([cell(value) for value in heading])
    for row in rows:
        sheet.append([cell(value) for value in row])
    result = tempfile.TemporaryFile()  # noqa: SIM115  the answer closes it
    book.save(result)
    result.seek(0)
    return result


def answer(kind: str, name: str, heading: Row, rows: Iterable[Row]) -> HttpResponseBase:
    """``kind``: csv or xlsx."""
    if kind == "csv":
        response: HttpResponseBase = StreamingHttpResponse(
            csv_lines(heading, rows), content_type="text/csv; charset=utf-8"
        )
        response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    else:
        response = FileResponse(
            excel_file(heading, rows), as_attachment=True, filename=f"{name}.xlsx", content_type=EXCEL
        )
    response["Cache-Control"] = "no-store"
    return response
