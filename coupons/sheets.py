"""Tables as files: what people upload, read row by row within limits; what they take away, written row by row.

What a file is, its first bytes say, not its name: CSV in UTF-8 (with or without BOM), UTF-16 with BOM or GB18030, or
Excel's .xlsx. A workbook is read as a stream of its first visible sheet, so that a preview of twenty rows costs twenty
rows and a million take no more memory than their distinct words. Every cell comes as text: numbers in plain notation,
moments as ``2026-06-01 12:00:00``, nothing as "".
"""

import codecs
import csv
import io
import re
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import chain
from posixpath import normpath
from typing import IO, Any, NamedTuple
from xml.parsers import expat

from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from coupons.refused import Refused

MEBIBYTE = 2**20
#: Excel's own limits: rows of a sheet, characters of a cell.
MOST_SHEET_ROWS, MOST_CHARACTERS = 1_048_576, 32_767
EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

#: What a spreadsheet would take for a formula, or trim to find one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


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


class Table(NamedTuple):
    """``heading``: the first row that is not blank."""

    heading: list[str]
    rows: Iterator[Row]


USUAL = Limits()


def table(file: IO[bytes], limits: Limits = USUAL) -> Table:
    """The heading, and the rows below it one by one.  :raises Refused: ``file_unreadable``, in words."""
    rows = read(file, limits)
    heading = next(rows, None)
    if heading is None:
        raise _no(_("The file is empty."))
    return Table(heading.cells, rows)


def read(file: IO[bytes], limits: Limits = USUAL) -> Iterator[Row]:
    """All rows that are not blank. Size and form are looked at now, the rows as they are taken.

    :raises Refused: ``file_unreadable``, in words; also while rows are taken.
    """
    if file.seek(0, io.SEEK_END) > limits.file_bytes:
        raise _no(_("The file is larger than %(most)s MB.") % {"most": limits.file_bytes // MEBIBYTE})
    file.seek(0)
    start = file.read(8)
    if start.startswith(b"PK\x03\x04"):
        found = _sheet(_archive(file, limits), limits)
    elif start.startswith(b"\xd0\xcf\x11\xe0"):
        raise _no(_("This is an old or protected Excel file. Save it as .xlsx without a password."))
    else:
        found = _csv(file, _encoding(file))
    return _bounded(found, limits)


def _no(words: str) -> Refused:
    return Refused("file_unreadable", detail=words)


def _bounded(rows: Iterator[Row], limits: Limits) -> Iterator[Row]:
    taken = 0
    for row in rows:
        if len(row.cells) > limits.columns:
            raise _no(_("Row %(row)s has more than %(most)s columns.") % {"row": row.number, "most": limits.columns})
        if any(len(cell) > MOST_CHARACTERS for cell in row.cells):
            raise _no(_("Row %(row)s has a cell that is too long.") % {"row": row.number})
        if any(row.cells):
            if taken > limits.rows:
                raise _no(_("The file has more than %(most)s rows.") % {"most": f"{limits.rows:,}"})
            taken += 1
            yield row


# --- CSV ---------------------------------------------------------------------------------------------------------

_CHUNK = MEBIBYTE
_MOST_LINE = MEBIBYTE


def _encoding(file: IO[bytes]) -> str:
    """Of a CSV file, all of which must be text."""
    file.seek(0)
    start = file.read(4)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    for encoding in ("utf-8-sig", "gb18030"):
        if _is_text(file, encoding):
            return encoding
    raise _no(_("This is neither CSV (in UTF-8 or GB18030) nor an Excel file (.xlsx)."))


def _is_text(file: IO[bytes], encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK):
            if re.search(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]", chunk):
                return False
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _csv(file: IO[bytes], encoding: str) -> Iterator[Row]:
    lines = _lines(file, encoding)
    first = next(lines, "")
    delimiter = max(",;\t", key=first.count)
    try:
        for number, cells in enumerate(csv.reader(chain([first], lines), delimiter=delimiter), 1):
            yield Row(number, [_said(cell.strip()) for cell in cells])
    except csv.Error:
        raise _no(_("The file has a quotation mark that is opened and never closed, or a cell too long.")) from None
    except UnicodeError:
        raise _no(_("The file is not all text.")) from None


def _said(cell: str) -> str:
    """Without the apostrophe that :func:`as_text` put before it."""
    return cell[1:] if cell[:1] == "'" and cell[1:2] in _FORMULA else cell


def _lines(file: IO[bytes], encoding: str) -> Iterator[str]:
    file.seek(0)
    decoder = io.IncrementalNewlineDecoder(codecs.getincrementaldecoder(encoding)(), translate=True)
    rest = ""
    while chunk := file.read(_CHUNK // 4):
        *lines, rest = (rest + decoder.decode(chunk)).split("\n")
        for line in lines:
            yield f"{line}\n"
        if len(rest) > _MOST_LINE:
            raise _no(_("The file has a line that is too long."))
    yield rest + decoder.decode(b"", final=True)


# --- Excel -------------------------------------------------------------------------------------------------------

#: Parts that are read whole: what sheets there are, where, and which styles are dates.
_MOST_PART = 4 * MEBIBYTE
_MOST_STRINGS = 8_000_000
_DAY_NUMBERS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_QUOTED = re.compile(r'"[^"]*"|\[(?![hms]+\])[^\]]*\]|\\.', re.IGNORECASE)


def _archive(file: IO[bytes], limits: Limits) -> zipfile.ZipFile:
    """Looked at before anything is unpacked. ``zipfile`` never unpacks more of an entry than it declares."""
    too_much = _no(_("This Excel file holds too much, or is not what it says."))
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 22))
    end = file.read(22)
    if len(end) < 22 or not end.startswith(b"PK\x05\x06"):
        raise _no(_("This Excel file is damaged."))
    entries, directory = struct.unpack("<10xHI6x", end)
    if entries > limits.entries or directory > MEBIBYTE:
        raise too_much
    file.seek(max(0, size - 42))
    if file.read(4) == b"PK\x06\x07":  # a second, larger directory would go before this one
        raise too_much
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, struct.error):
        raise _no(_("This Excel file is damaged.")) from None
    inside = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    if any(entry.flag_bits & 1 for entry in inside):
        raise _no(_("This Excel file is protected by a password."))
    ends = 0
    for entry in inside:
        if entry.header_offset < ends or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise too_much  # entries that share their bytes are how a small file becomes a large one
        ends = entry.header_offset + entry.compress_size
    if (
        len(inside) > limits.entries
        or len({entry.filename for entry in inside}) < len(inside)
        or sum(entry.file_size for entry in inside) > limits.unpacked_bytes
    ):
        raise too_much
    return archive


def _sheet(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Row]:
    try:
        name, since = _first_sheet(archive)
        dates = _date_styles(archive)
        strings = _strings(archive)
        cells = _Cells(strings, dates, since, limits)
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK // 4):
                cells.feed(chunk)
                yield from cells.taken()
        cells.feed(b"", final=True)
        yield from cells.taken()
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, IndexError):
        raise _no(_("This Excel file is damaged.")) from None


class _Reader:
    """A part of a workbook as a stream; its own words may carry a prefix (``x:row``), which is taken off."""

    def __init__(self) -> None:
        self.prefix: str | None = None
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.StartDoctypeDeclHandler = self._doctype

    def _doctype(self, *_said: Any) -> None:
        raise ValueError("a workbook has no DOCTYPE")

    def _start(self, name: str, said: dict[str, str]) -> None:
        if self.prefix is None:
            self.prefix = name[: name.find(":") + 1]
        self.start(name[len(self.prefix) :] if self.prefix else name, said)

    def _end(self, name: str) -> None:
        self.end(name[len(self.prefix) :] if self.prefix else name)

    def start(self, name: str, said: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """It ends."""

    def feed(self, chunk: bytes, final: bool = False) -> None:
        self.parser.Parse(chunk, final)

    def read(self, archive: zipfile.ZipFile, name: str, most: int | None = None) -> None:
        if most is not None and archive.getinfo(name).file_size > most:
            raise ValueError(name)
        with archive.open(name) as part:
            while chunk := part.read(_CHUNK // 4):
                self.feed(chunk)
        self.feed(b"", final=True)


class _Elements(_Reader):
    """All elements of a small part, in their order."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.read(archive, name, _MOST_PART)

    def start(self, name: str, said: dict[str, str]) -> None:
        self.found.append(("/".join([*self.open[-1:], name]), said))
        self.open.append(name)

    def end(self, name: str) -> None:
        self.open.pop()


def _first_sheet(archive: zipfile.ZipFile) -> tuple[str, datetime]:
    """Where the first visible sheet is, and the day that the workbook's dates count from."""
    sheet, since = None, datetime(1899, 12, 30)  # noqa: DTZ001  a workbook knows no time zone
    for name, said in _Elements(archive, "xl/workbook.xml").found:
        if name.endswith("workbookPr") and said.get("date1904") in ("1", "true"):
            since = datetime(1904, 1, 1)  # noqa: DTZ001
        if name == "sheets/sheet" and sheet is None and said.get("state", "visible") == "visible":
            sheet = next(value for key, value in said.items() if key.endswith(":id"))
    for _name, said in _Elements(archive, "xl/_rels/workbook.xml.rels").found:
        if sheet is not None and said.get("Id") == sheet:
            target = said["Target"]
            return (target[1:] if target.startswith("/") else normpath(f"xl/{target}")), since
    raise ValueError("no sheet")


def _date_styles(archive: zipfile.ZipFile) -> frozenset[str]:
    """The styles, by number, that show a number as a moment."""
    if "xl/styles.xml" not in archive.namelist():
        return frozenset()
    own: dict[str, bool] = {}
    styles: list[str] = []
    for name, said in _Elements(archive, "xl/styles.xml").found:
        if name == "numFmts/numFmt":
            own[said["numFmtId"]] = bool(re.search("[dhmsy]", _QUOTED.sub("", said["formatCode"]), re.IGNORECASE))
        elif name == "cellXfs/xf":
            styles.append(said.get("numFmtId", "0"))
    return frozenset(str(place) for place, number in enumerate(styles) if own.get(number, int(number) in _DAY_NUMBERS))


class _Words(_Reader):
    """Takes the text of ``t`` elements, but not how a word is pronounced."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.strings: list[str] = []
        self.silent = False

    def start(self, name: str, said: dict[str, str]) -> None:
        if name == "rPh":
            self.silent = True
        elif name == "t" and not self.silent:
            self.parser.CharacterDataHandler = self.words.append

    def end(self, name: str) -> None:
        if name == "t":
            self.parser.CharacterDataHandler = None
        elif name == "rPh":
            self.silent = False
        elif name == "si":
            if len(self.strings) >= _MOST_STRINGS:
                raise ValueError("too many strings")
            self.strings.append("".join(self.words).strip())
            self.words.clear()


def _strings(archive: zipfile.ZipFile) -> list[str]:
    if "xl/sharedStrings.xml" not in archive.namelist():
        return []
    reader = _Words()
    reader.read(archive, "xl/sharedStrings.xml")
    return reader.strings


class _Cells(_Reader):
    """Rows as their last cell comes by."""

    def __init__(self, strings: list[str], dates: frozenset[str], since: datetime, limits: Limits) -> None:
        super().__init__()
        self.strings, self.dates, self.since, self.limits = strings, dates, since, limits
        self.rows: list[Row] = []
        self.number = 0
        self.cells: list[str] = []
        self.column = -1
        self.kind = self.style = ""
        self.words: list[str] = []
        self.silent = False
        self.columns: dict[str, int] = {}

    def taken(self) -> list[Row]:
        rows, self.rows = self.rows, []
        return rows

    def start(self, name: str, said: dict[str, str]) -> None:
        if name == "c":
            place = said.get("r")
            self.column = self._column(place.rstrip("0123456789")) if place else self.column + 1
            self.kind, self.style = said.get("t", "n"), said.get("s", "")
        elif name == "v" or (name == "t" and not self.silent):
            self.parser.CharacterDataHandler = self.words.append
        elif name == "row":
            number = int(said.get("r", self.number + 1))
            if not self.number < number <= MOST_SHEET_ROWS:
                raise ValueError("rows out of order")
            self.number, self.column, self.cells = number, -1, []
        elif name == "rPh":
            self.silent = True

    def end(self, name: str) -> None:
        if name in ("v", "t"):
            self.parser.CharacterDataHandler = None
        elif name == "c":
            if self.words:
                self._put(self._text("".join(self.words)))
                self.words.clear()
        elif name == "row":
            self.rows.append(Row(self.number, self.cells))
        elif name == "rPh":
            self.silent = False

    def _column(self, letters: str) -> int:
        column = self.columns.get(letters)
        if column is None:
            column = 0
            for letter in letters[:4]:
                column = column * 26 + ord(letter) - 64
            column = self.columns[letters] = column - 1
        return column

    def _put(self, text: str) -> None:
        if self.column >= self.limits.columns:
            said = {"row": self.number, "most": self.limits.columns}
            raise _no(_("Row %(row)s has more than %(most)s columns.") % said)
        while len(self.cells) < self.column:
            self.cells.append("")
        self.cells.append(text)

    def _text(self, said: str) -> str:
        match self.kind:
            case "s":
                return self.strings[int(said)]
            case "n":
                return self._moment(said) if self.style in self.dates else _number(said)
            case "b":
                return "TRUE" if said == "1" else "FALSE"
        return said.strip()

    def _moment(self, said: str) -> str:
        try:
            moment = self.since + timedelta(seconds=round(float(said) * 86_400))
        except (ValueError, OverflowError):
            return said
        return f"{moment:%Y-%m-%d %H:%M:%S}" if moment.time() != time.min else f"{moment:%Y-%m-%d}"


def _number(said: str) -> str:
    """As people write it: 13800138000, not 1.3800138E10; 0.85, not 0.84999999999999998."""
    if said.isdigit():
        return said
    try:
        value = float(said)
    except ValueError:
        return said.strip()
    if value.is_integer() and abs(value) < 10**15:
        return str(int(value))
    return f"{Decimal(repr(value)):f}" if abs(value) < 10**15 else said


# --- writing -----------------------------------------------------------------------------------------------------


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
