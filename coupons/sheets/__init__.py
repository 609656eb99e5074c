"""Tables as files: what people upload, read row by row within limits; what they take away, written row by row.

What a file is, its first bytes say, not its name: CSV in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030, or
Excel's .xlsx. A workbook is read as a stream of its first visible sheet, so that a preview of twenty rows costs twenty
rows and a million take no more memory than their distinct words. Every cell comes as text: numbers in plain notation,
moments as ``2026-06-01 12:00:00``, nothing as "".
"""

from coupons.sheets.reading import Table, read, table
from coupons.sheets.rows import USUAL, Limits, Row
from coupons.sheets.writing import EXCEL, Formula, as_text, csv_lines, excel_file

__all__ = [
    "EXCEL",
    "USUAL",
    "Formula",
    "Limits",
    "Row",
    "Table",
    "as_text",
    "csv_lines",
    "excel_file",
    "read",
    "table",
]
