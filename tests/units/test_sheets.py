"""Uploaded tables: what they are is seen by their bytes, and nothing hostile gets far."""

import io
import struct
import time
import tracemalloc
import zipfile
from datetime import datetime

import openpyxl
import pytest

from coupons import sheets
from coupons.refused import Refused
from coupons.sheets import Limits, Row, read, table


def excel(*rows, write=lambda sheet: None):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in rows:
        sheet.append(row)
    write(book)
    file = io.BytesIO()
    book.save(file)
    return file


def zipped(**parts):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name.replace("__", "/").replace("_xml", ".xml"), content)
    return file


def cells(file, limits=sheets.USUAL):
    return [row.cells for row in read(file, limits)]


def refused(file, limits=sheets.USUAL):
    with pytest.raises(Refused) as no:
        list(read(file, limits))
    assert no.value.code == "file_unreadable"
    return str(no.value.detail)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_file_is_read_in_whatever_it_was_written(encoding, delimiter):
    ends = "\r\n" if delimiter == "," else "\r"
    text = f'用户{delimiter}标签\r\nC1{delimiter}"一{delimiter}二"\r\n\r\n C2 {delimiter}𠮷'.replace("\r\n", ends)
    assert list(read(io.BytesIO(text.encode(encoding)))) == [
        Row(1, ["用户", "标签"]),
        Row(2, ["C1", f"一{delimiter}二"]),
        Row(4, ["C2", "𠮷"]),
    ]


def test_an_excel_file_is_read_as_text():
    file = excel(
        ["key", "phone", "share", "moment", "day", "yes", "rich"],
        ["007", 13800138000, 0.85, datetime(2026, 6, 1, 12, 30), datetime(2026, 6, 1), True, None],
        [],
        [None, 1.5e-7, -0.5, "=1+1", "", False, " a "],
    )
    assert list(read(file)) == [
        Row(1, ["key", "phone", "share", "moment", "day", "yes", "rich"]),
        Row(2, ["007", "13800138000", "0.85", "2026-06-01 12:30:00", "2026-06-01", "TRUE"]),
        Row(4, ["", "0.00000015", "-0.5", "", "", "FALSE", "a"]),
    ]


def test_the_first_visible_sheet_is_read_whatever_its_dates_count_from():
    def write(book):
        book.active.sheet_state = "hidden"
        book.epoch = openpyxl.utils.datetime.CALENDAR_MAC_1904
        book.create_sheet("二").append(["here", datetime(2026, 6, 1)])

    assert cells(excel(["hidden"], write=write)) == [["here", "2026-06-01"]]


def test_strings_with_pronunciation_and_prefixed_elements_are_read():
    """As other programs than Excel write them."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    file = zipped(
        xl__workbook_xml=f'<x:workbook xmlns:x="{main}"><x:sheets><x:sheet r:id="a"/></x:sheets></x:workbook>'.replace(
            "<x:sheet ", '<x:sheet xmlns:r="r" '
        ),
        **{"xl/_rels/workbook.xml.rels": '<Relationships><Relationship Id="a" Target="/xl/s.xml"/></Relationships>'},
        xl__sharedStrings_xml="<sst><si><r><t>东</t></r><r><t>京</t></r><rPh><t>とう</t></rPh></si></sst>",
        xl__s_xml=(
            f'<x:worksheet xmlns:x="{main}"><x:sheetData><x:row><x:c t="s"><x:v>0</x:v></x:c>'
            '<x:c t="inlineStr"><x:is><x:t>in</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>'
        ),
    )
    assert cells(file) == [["东京", "in"]]


def test_what_it_is_the_bytes_say_and_not_the_name():
    for start in (
        b"\xd0\xcf\x11\xe0old",
        b"%PDF-1.7\x00\x01",
        b"\x89PNG\r\n\x1a\n\0\0",
        b"\xff\xff\x00",
        b"PK\x03\x04",
    ):
        assert refused(io.BytesIO(start + bytes(20)))
    with pytest.raises(Refused):
        table(io.BytesIO(b"\xef\xbb\xbf\r\n ,\r\n"))
    assert refused(zipped(hello_xml="<a/>"))


def test_limits_hold_for_both_kinds():
    small = Limits(file_bytes=10_000, rows=2, columns=3)
    for make in (lambda *rows: io.BytesIO("\n".join(map(",".join, rows)).encode()), excel):
        assert len(cells(make(["h"], ["1"], ["2"]), small)) == 3
        assert "2" in refused(make(["h"], ["1"], ["2"], ["3"]), small)
        assert "3" in refused(make(["a", "b", "c", "d"]), small)
    assert "MB" in refused(io.BytesIO(b"a" * 10_001), small)
    assert refused(io.BytesIO(b"a" * 40_000))  # a cell longer than Excel's
    assert refused(io.BytesIO(b'a,"' + b"b\n" * 200_000))  # a quotation mark that is never closed
    assert refused(io.BytesIO(b"a" * (2**20 + 1)))


def test_a_zip_bomb_is_refused_in_less_than_a_second():
    """512 MiB in 511 KB, declared or not."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive,
        archive.open("xl/workbook.xml", "w") as part,
    ):
        for _ in range(512):
            part.write(bytes(2**20))
    honest = file.getvalue()
    assert len(honest) < 525_000
    lying = honest.replace(struct.pack("<I", 2**29), struct.pack("<I", 2**10))
    assert lying != honest
    began = time.process_time()
    tracemalloc.start()
    refused(io.BytesIO(honest))
    refused(io.BytesIO(lying))
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()
    assert time.process_time() - began < 1


def test_other_tricks_with_archives_are_refused():
    assert refused(zipped(**{f"n{n}": "x" for n in range(501)}))
    doubled = zipped(aaaa="x", bbbb="y").getvalue().replace(b"bbbb", b"aaaa")
    assert refused(io.BytesIO(doubled))
    shared = bytearray(zipped(aaaa="x" * 99, bbbb="y").getvalue())
    second = shared.rindex(b"PK\x01\x02")
    shared[second + 42 : second + 46] = bytes(4)  # both entries' bytes are the first's
    assert refused(io.BytesIO(shared))
    locked = bytearray(zipped(aaaa="x").getvalue())
    locked[locked.rindex(b"PK\x01\x02") + 8] |= 1
    assert "密码" in refused(io.BytesIO(locked))
    entities = '<!DOCTYPE w [<!ENTITY a "aaaaaaaaaa">]><workbook>&a;</workbook>'
    assert refused(zipped(xl__workbook_xml=entities))


def test_a_far_away_cell_takes_no_memory():
    """A sheet of one cell may say that it is the last of 17 billion."""
    book = excel(["a"], write=lambda book: book.active.cell(1_000_000, 90, "far"))
    tracemalloc.start()
    assert [(row.number, len(row.cells)) for row in read(book)] == [(1, 1), (1_000_000, 90)]
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    tracemalloc.stop()


def test_a_preview_reads_no_more_than_it_shows():
    file = io.BytesIO(b"key,share\n" + b"".join(b"C%d,0.5\n" % n for n in range(200_000)))
    heading, rows = table(file)
    assert (heading, next(rows)) == (["key", "share"], Row(2, ["C0", "0.5"]))
    assert file.tell() < len(file.getvalue()) / 2


def test_what_does_not_fit_on_a_sheet_goes_on_to_the_next():
    file = sheets.excel_file(["n"], ([n] for n in range(5)), most_rows=3)
    book = openpyxl.load_workbook(file)
    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [["n", 0, 1], ["n", 2, 3], ["n", 4]]


def test_what_was_written_is_read_back():
    rows = [["=1+1", "+86138", "@x", "-1"], ["一", "two", "", "3"]]
    assert cells(sheets.excel_file(["a", "b", "c", "d"], rows)) == [["a", "b", "c", "d"], *rows]
