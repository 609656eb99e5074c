"""The first page as somebody reads it: its cards and tables out of the HTML, its files out of Excel."""

import io
from html.parser import HTMLParser
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client
from openpyxl import load_workbook


def operator(*groups: str, language: str = "zh-hans") -> Client:
    """Somebody of these roles, signed in."""
    user = User.objects.create_user("-".join(groups) or "nobody", is_staff=True)
    user.groups.set(Group.objects.filter(name__in=groups))
    client = Client(headers={"Accept-Language": language})
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    client.cookies["django_language"] = language
    return client


class Page(HTMLParser):
    """``cards``: figures by key. ``tables``: by id, lines of cells; a line's first is its name. ``links``: where each
    figure leads, by key of the card, or by table, line and column. ``small``: what stands under a figure.
    """

    def __init__(self, client: Client, asked: dict[str, Any] | str | None = None) -> None:
        super().__init__()
        address = f"/admin/?{asked}" if isinstance(asked, str) else "/admin/"
        self.answer = client.get(address, asked if isinstance(asked, dict) else None)
        assert self.answer.status_code == 200
        self.html = self.answer.content.decode()
        assert 'id="broken-off"' not in self.html
        self.cards: dict[str, str] = {}
        self.tables: dict[str, list[list[str]]] = {}
        self.links: dict[Any, str] = {}
        self.small: dict[Any, str] = {}
        self.wrong: dict[str, str] = {}
        self.fetched = ""  #: the address of the card that the page fetches
        self._card = self._table = self._wrong = ""
        self._in: list[str] = []  # of what is open: figure, small, cell, or nothing
        self.feed(self.html)

    @property
    def _place(self) -> Any:
        return (self._table, len(self.tables[self._table]) - 1, len(self.tables[self._table][-1]) - 1)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        said = dict(attrs)
        id, look = said.get("id") or "", (said.get("class") or "").split()
        if tag in ("br", "input", "img", "meta", "link", "hr"):
            return
        self.fetched = said.get("data-fetch") or self.fetched
        if tag == "li" and id.startswith("card-"):
            self._card, self._table = id.removeprefix("card-"), ""
        if tag == "table":
            self._card, self._table = "", id.removeprefix("table-")
            self.tables[self._table] = []
        kind = ""
        if tag == "tr" and self._table:
            self.tables[self._table].append([])
        elif tag in ("td", "th") and self._table:
            self.tables[self._table][-1].append("")
            kind = "cell"
        elif self._card and "ov-value" in look:
            kind, self.cards[self._card] = "figure", ""
        elif self._in and self._in[-1] in ("cell", "figure"):
            kind = "small" if "ov-sub" in look or "ov-notes" in look else self._in[-1]
            if tag == "a":
                self.links[self._place if self._table else self._card] = said["href"]
        elif self._in[-1:] == ["small"] or (self._card and "ov-change" in look):
            kind = "small"
        if id.startswith("wrong-"):
            self._wrong, kind = id.removeprefix("wrong-"), "wrong"
        self._in.append(kind)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("br", "input", "img", "meta", "link", "hr"):
            return
        if tag == "table":
            self._table = ""
        self._in.pop()

    def handle_data(self, data: str) -> None:
        words = " ".join(data.split())
        match self._in[-1] if self._in and words else "":
            case "cell":
                self.tables[self._table][-1][-1] += words
            case "figure":
                self.cards[self._card] += words
            case "small":
                place = self._place if self._table else self._card
                self.small[place] = f"{self.small.get(place, '')} {words}".strip()
            case "wrong":
                self.wrong[self._wrong] = words

    def total(self, table: str) -> list[str]:
        return self.tables[table][-1]

    def line(self, table: str, name: str) -> list[str]:
        return next(cells for cells in self.tables[table] if cells and cells[0] == name)


def excel(client: Client, key: str, asked: str = "") -> list[list[Any]]:
    """A chart's file, row by row."""
    answer = client.get(f"/admin/stats/report/overview/{key}.xlsx?{asked}")
    assert answer.status_code == 200, key
    sheet = load_workbook(io.BytesIO(b"".join(answer))).active
    return [list(row) for row in sheet.iter_rows(values_only=True)]


def table_of(rows: list[list[Any]]) -> list[list[Any]]:
    """A file's heading and lines, without what stands above them."""
    start = next(place for place, row in enumerate(rows) if not any(cell is not None for cell in row))
    return rows[start + 1 :]
