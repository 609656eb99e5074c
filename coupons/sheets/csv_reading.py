"""CSV, read line by line: its encoding and its delimiter are found out."""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from typing import IO

from django.utils.translation import gettext as _

from coupons.sheets.rows import FORMULA, MEBIBYTE, PIECE, Row, unreadable

_MOST_LINE = MEBIBYTE


def encoding_of(file: IO[bytes]) -> str:
    """Of a CSV file, all of which must be text."""
    file.seek(0)
    start = file.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_text(file, encoding):
            return encoding
    raise unreadable(_("This is neither CSV (in UTF-8 or GB18030) nor an Excel file (.xlsx)."))


def _is_text(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(PIECE):
            if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", chunk):
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def read_csv(file: IO[bytes], encoding: str) -> Iterator[Row]:
    lines = _lines(file, encoding)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    try:
        for number, cells in enumerate(csv.reader(chain([first], lines), delimiter=delimiter), 1):
            yield Row(number, [_said(cell.strip()) for cell in cells])
    except csv.Error:
        raise unreadable(
            _("The file has a quotation mark that is opened and never closed, or a cell too long.")
        ) from None
    except UnicodeError:
        raise unreadable(_("The file is not all text.")) from None


def _said(cell: str) -> str:
    """Without the apostrophe that :func:`as_text` put before it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in FORMULA else cell


def _lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    file.seek(0)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest = ""
    while chunk := file.read(PIECE // 4):
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in lines:
            yield f"{line}\n"
        if len(rest) > _MOST_LINE:
            raise unreadable(_("The file has a line that is too long."))
    yield rest + decoder.decode(b"", final=True)
