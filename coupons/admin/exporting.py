"""What a list shows, as a file: CSV as it is read from the database, Excel as soon as it is written."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from django.http import FileResponse, HttpResponseBase, StreamingHttpResponse

from coupons.sheets import EXCEL, csv_lines, excel_file

Row = list[Any]


def in_yuan(fen: int | None) -> Decimal | None:
    """A number of 元 that spreadsheets can add up, exact."""
    return None if fen is None else Decimal(fen).scaleb(-2)


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
