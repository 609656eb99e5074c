"""What people upload, row by row: what the file is, its first bytes say."""

import io
from collections.abc import Iterator
from typing import IO, NamedTuple

from django.utils.translation import gettext as _

from coupons.sheets.csv_reading import encoding_of, read_csv
from coupons.sheets.excel_reading import open_archive, read_sheet
from coupons.sheets.rows import MEBIBYTE, MOST_CHARACTERS, USUAL, Limits, Row, unreadable


class Table(NamedTuple):
    """``heading``: the first row that is not blank."""

    heading: list[str]
    rows: Iterator[Row]


def table(file: IO[bytes], limits: Limits = USUAL) -> Table:
    """The heading, and the rows below it one by one.  :raises Refused: ``file_unreadable``, in words."""
    rows = read(file, limits)
    heading = next(rows, None)
    if heading is None:
        raise unreadable(_("The file is empty."))
    return Table(heading.cells, rows)


def read(file: IO[bytes], limits: Limits = USUAL) -> Iterator[Row]:
    """All rows that are not blank. Size and form are looked at now, the rows as they are taken.

    :raises Refused: ``file_unreadable``, in words; also while rows are taken.
    """
    if file.seek(0, io.SEEK_END) > limits.file_bytes:
        raise unreadable(_("The file is larger than %(most)s MB.") % {"most": limits.file_bytes // MEBIBYTE})
    file.seek(0)
    start = file.read(8)
    if start.startswith(b"PK\x03\x04"):
        found = read_sheet(open_archive(file, limits), limits)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise unreadable(_("This is an old or protected Excel file. Save it as .xlsx without a password."))
    else:
        found = read_csv(file, encoding_of(file))
    return _bounded(found, limits)


def _bounded(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    taken = 0
    for row in rows:
        if len(row.cells) > limits.columns:
            raise unreadable(
                _("Row %(row)s has more than %(most)s columns.") % {"row": row.number, "most": limits.columns}
            )
        if any(len(cell) > MOST_CHARACTERS for cell in row.cells):
            raise unreadable(_("Row %(row)s has a cell that is too long.") % {"row": row.number})
        if any(row.cells):
            if taken > limits.rows:
                raise unreadable(_("The file has more than %(most)s rows.") % {"most": f"{limits.rows:,}"})
            taken += 1
            yield row
