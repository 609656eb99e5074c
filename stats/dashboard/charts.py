"""What every picture of the first page is: lines of numbers, drawn, read as a table, taken away as the same table."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from coupons.conditions.ranges import start_of
from stats.dashboard.asked import Asked
from stats.dashboard.figures import Change, moved, said
from stats.dashboard.links import rows_of
from stats.dashboard.period import Period
from stats.queries.measures import MEASURES, Measure


@dataclass(frozen=True)
class Cell:
    """``value`` is what a spreadsheet gets, ``before`` what it was in the days compared with. ``link``: where its rows
    stand. ``shade``: of a heat map, in percent.
    """

    text: str
    value: Any = None
    change: Change | None = None
    before: Any = None
    link: str = ""
    shade: int | None = None
    title: str = ""


@dataclass(frozen=True)
class Line:
    """``bars``: colour and width in percent of what stands behind the name. ``label``, ``points`` and ``said``: how a
    curve draws it, several with ``|`` or a space between; ``-``: there is no point.
    """

    name: str
    cells: list[Cell]
    link: str = ""
    notes: Sequence[tuple[str, str]] = ()  # class, words
    bars: Sequence[tuple[str, str]] = ()
    label: str = ""
    points: str = ""
    said: str = ""


@dataclass(frozen=True)
class Chart:
    """``draws``: line or bar; empty: the table itself is the picture. ``units``: of the columns, in a spreadsheet."""

    key: str
    title: str
    name: str  # of the first column
    headers: list[str]
    lines: list[Line]
    total: Line | None = None
    about: str = ""
    unit: str = ""
    draws: str = ""
    series: str = ""
    look: str = ""
    empty: str = ""
    legend: Sequence[tuple[str, str]] = ()
    units: list[str] = field(default_factory=list)
    compared: bool = False

    @property
    def is_empty(self) -> bool:
        return not self.lines


@dataclass(frozen=True)
class View:
    """What all charts share. ``period`` is shown; ``money``: whether this operator sees money; ``ledger``: the ledger's
    address, empty for whoever may not read it.
    """

    asked: Asked
    period: Period
    money: bool
    ledger: str

    @property
    def against(self) -> Period | None:
        return self.asked.against

    @property
    def series(self) -> str:
        """What a chart's lines or bars are called; empty where there is one."""
        return "|".join((_("these days"), _("compared"))) if self.against else ""

    def measures(self, *codes: str) -> list[Measure]:
        return [MEASURES[code] for code in codes if self.money or not MEASURES[code].is_money]

    def cells(
        self,
        measures: list[Measure],
        now: Any,
        before: Any,
        cell: Mapping[str, Any] | None = None,
        first: dt.datetime | None = None,
        end: dt.datetime | None = None,
    ) -> list[Cell]:
        """``cell``: names and values of which the numbers are, in the whole period or from ``first`` until ``end``."""
        first = first or start_of(self.period.first)
        end = end or start_of(self.period.last + dt.timedelta(1))
        opens = cell is not None and now is not None
        named = {**(cell or {}), **self.asked.only}
        return [
            Cell(
                said(one, now),
                None if now is None else one.cell(now),
                moved(one, now, before),
                None if before is None else one.cell(before),
                rows_of(self.ledger, one.code, first, end, named) if opens and one.of(now) else "",
            )
            for one in measures
        ]

    def total(self, measures: list[Measure], now: Any, before: Any) -> Line:
        return Line(_("Total"), self.cells(measures, now, before, {}))


def heads(measures: list[Measure]) -> list[str]:
    return [str(one.label) for one in measures]


def units(measures: list[Measure]) -> list[str]:
    """The same for a spreadsheet, whose cells do not say so themselves."""
    return [_("%(what)s, yuan") % {"what": one.label} if one.kind == "money" else str(one.label) for one in measures]


def point(measure: Measure, numbers: Any) -> str:
    """Of a curve; money in 元, shares in percent."""
    value: Any = None if numbers is None else measure.of(numbers)
    if value is None:
        return "-"
    scale = {"money": 0.01, "share": 100}.get(measure.kind, 1)
    return f"{value * scale:.10g}"


def excel_rows(chart: Chart, asked: Asked) -> tuple[list[Any], Iterator[list[Any]]]:
    """The title, what it is of, and the table: numbers as numbers, each followed by that of the days compared with."""
    period, against = asked.period, asked.against

    def wide(line: Line) -> Iterator[Any]:
        yield line.name
        for cell in line.cells:
            yield cell.value
            if chart.compared:
                yield cell.before
        if notes := " · ".join(words for _class, words in line.notes):
            yield notes

    def rows() -> Iterator[list[Any]]:
        yield [_("Period"), str(period)]
        if chart.compared:
            yield [_("Compared with"), str(against)]
        yield from ([one.label, one.said] for one in asked.filters if one.value)
        yield []
        heading: list[Any] = [chart.name]
        for words in chart.units or chart.headers:
            heading += [words, _("%(what)s, before") % {"what": words}] if chart.compared else [words]
        yield heading
        yield from (list(wide(line)) for line in chart.lines)
        if chart.total is not None:
            yield list(wide(chart.total))

    return [chart.title], rows()
