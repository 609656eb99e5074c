"""How a report's answer is drawn: a table with its totals, and a chart of the first measure that says the same."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from coupons.conditions.ranges import start_of
from stats.dashboard.figures import said
from stats.dashboard.links import rows_of
from stats.queries.figures import Figures
from stats.queries.measures import DIMENSION, Measure
from stats.reporting import Question, Table
from stats.reporting.table import Line

#: Lines on the page; the Excel file has them all.
MOST_LINES = 300
#: Bars, and curves of one chart, beyond which nobody tells them apart.
MOST_BARS, MOST_SERIES = 24, 6


@dataclass(frozen=True)
class ShownLine:
    """``links``: where the rows stand of which each cell is the sum; empty where there are none, or none to be read."""

    names: list[str]
    cells: list[str]
    links: list[str]

    @property
    def linked(self) -> list[tuple[str, str]]:
        return list(zip(self.cells, self.links, strict=True))


@dataclass(frozen=True)
class Bar:
    """One place of the chart: ``points`` and what is said of them, with a bar between; ``-``: there is none."""

    label: str
    points: str
    said: str


@dataclass(frozen=True)
class Look:
    names: list[str]
    #: What stands across, with how many columns below it; empty where nothing does.
    groups: list[tuple[str, int]]
    #: Empty where one measure stands across: its name is the table's.
    headers: list[str]
    lines: list[ShownLine]
    total: ShownLine
    more: int
    is_empty: bool
    chart: str  # line, bar, or none
    title: str
    unit: str  # the kind of the measure that is drawn
    series: str
    bars: list[Bar]
    #: Whether it has to be said how an order is shared by its coupons.
    parts_orders: bool


def look(answer: Table, measures: list[Measure], chart: str, ledger: str = "") -> Look:
    """``ledger``: its address, for who may read it."""
    rows, across = answer.question.rows, answer.question.across
    spare = [""] * (max(len(rows), 1) - 1)

    def shown(line: Line, names: list[str]) -> ShownLine:
        cells, links = [], []
        for part, column in zip(line.parts, answer.across, strict=True):
            of = None if column is None else _cell(answer.question, {**line.of, **column})
            for measure in measures:
                cells.append(said(measure, part))
                links.append(rows_of(ledger, measure.code, *of) if of and measure.of(part) else "")
        return ShownLine(names, cells, links)

    first = measures[0]
    in_time = bool(rows) and DIMENSION[rows[0]].in_time
    kind = ("line" if in_time and len(rows) == 1 else "bar") if chart in ("auto", "") else chart
    lines = answer.lines if in_time else answer.lines[:MOST_BARS]
    parts = list(range(len(answer.columns) - 1))[:MOST_SERIES] if across else [0]
    return Look(
        names=[str(DIMENSION[name].label) for name in rows] or [""],
        groups=[(column, len(measures)) for column in answer.columns] if across else [],
        headers=[str(measure.label) for _column in answer.columns for measure in measures]
        if not across or len(measures) > 1
        else [],
        lines=[shown(line, line.names) for line in answer.lines[:MOST_LINES]],
        total=shown(answer.total, [*answer.total.names, *spare]),
        more=max(len(answer.lines) - MOST_LINES, 0),
        is_empty=answer.is_empty,
        chart=kind if len(lines) > 1 else "none",
        title=str(first.label),
        unit=first.kind,
        series="|".join(answer.columns[place].replace("|", "/") for place in parts) if across else "",
        bars=[
            Bar(
                " · ".join(line.names),
                " ".join(_point(first, line.parts[place]) for place in parts),
                "|".join(said(first, line.parts[place]) for place in parts),
            )
            for line in lines
        ],
        parts_orders=any(measure.code == "order_count" for measure in measures),
    )


def _cell(question: Question, of: Mapping[str, Any]) -> tuple[dt.datetime | None, dt.datetime | None, dict[str, Any]]:
    """From when until when, and of what: a value of a day, a week or a month is a part of the question's period."""
    first, last, cell = question.first, question.last, {**question.only, **of}
    for name in ("day", "week", "month"):
        if name in cell:
            begins, ends = _days(name, cell.pop(name))
            first, last = max(first or begins, begins), min(last or ends, ends)
    return start_of(first) if first else None, start_of(last + dt.timedelta(1)) if last else None, cell


def _days(name: str, first: dt.date) -> tuple[dt.date, dt.date]:
    if name == "month":
        return first, (first + dt.timedelta(31)).replace(day=1) - dt.timedelta(1)
    return first, first + dt.timedelta(6 if name == "week" else 0)


def _point(measure: Measure, numbers: Figures) -> str:
    value = measure.of(numbers)
    if value is None:
        return "-"
    scale = {"money": 0.01, "share": 100}.get(measure.kind, 1)
    return f"{value * scale:.6g}" if measure.kind != "count" else str(value)
