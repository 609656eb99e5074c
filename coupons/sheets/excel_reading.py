"""Excel's .xlsx, read as a stream of its first visible sheet."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from decimal import Decimal
from posixpath import normpath
from typing import IO, Any
from xml.parsers import expat

from django.utils.translation import gettext as _

from coupons.sheets.rows import MEBIBYTE, MOST_SHEET_ROWS, PIECE, Limits, Row, unreadable

#: Parts that are read whole: what sheets there are, where, and which styles are dates.
_MOST_PART = 4 * MEBIBYTE
_MOST_STRINGS = 8_000_000
_DAY_NUMBERS = frozenset({*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)})
_QUOTED = re.compile(r'"[^"]*"|\[(?![hms]+\])[^\]]*\]|\\.', re.IGNORECASE)


def open_archive(file: IO[bytes], limits: Limits) -> zipfile.ZipFile:
    """Looked at before anything is unpacked. ``zipfile`` never unpacks more of an entry than it declares."""
    too_much = unreadable(_("This Excel file holds too much, or is not what it says."))
    size = file.seek(0, io.SEEK_END)
    file.seek(max(0, size - 22))
    end = file.read(22)
    if len(end) < 22 or not end.startswith(b"PK\x05\x06"):
        raise unreadable(_("This Excel file is damaged."))
    entries, directory = struct.unpack("<10xHI6x", end)
    if entries > limits.entries or directory > MEBIBYTE:
        raise too_much
    file.seek(max(0, size - 42))
    if file.read(4) == b"PK\x06\x07":  # a second, larger directory would go before this one
        raise too_much
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, OSError, struct.error):
        raise unreadable(_("This Excel file is damaged.")) from None
    inside = sorted(archive.infolist(), key=lambda entry: entry.header_offset)
    if any(entry.flag_bits & 1 for entry in inside):
        raise unreadable(_("This Excel file is protected by a password."))
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


def read_sheet(archive: zipfile.ZipFile, limits: Limits) -> Iterator[Row]:
    try:
        name, since = _first_sheet(archive)
        dates = _date_styles(archive)
        strings = _strings(archive)
        cells = _Cells(strings, dates, since, limits)
        with archive.open(name) as part:
            while chunk := part.read(PIECE // 4):
                cells.feed(chunk)
                yield from cells.taken()
        cells.feed(b"", final=True)
        yield from cells.taken()
    except (expat.ExpatError, zipfile.BadZipFile, zlib.error, KeyError, ValueError, EOFError, OSError, IndexError):
        raise unreadable(_("This Excel file is damaged.")) from None


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
            while chunk := part.read(PIECE // 4):
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
            raise unreadable(_("Row %(row)s has more than %(most)s columns.") % said)
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
