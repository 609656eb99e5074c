"""The answer: lines by the rows' dimensions, columns by the one across, each with its total, all of one snapshot."""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from django.utils.translation import gettext as _

from stats.queries.figures import Figures, figures
from stats.queries.measures import DIMENSION, MEASURES, Measure
from stats.reporting.asked import Question

#: Values across; the others stand in one column together.
MOST_ACROSS = 24
#: A curve has a point for each of so many days, also for those on which nothing happened.
MOST_DAYS = 400


@dataclass(frozen=True)
class Line:
    """``parts``: numbers by column; the last is the line's total where something stands across. ``of``: the rows'
    dimensions with their values.
    """

    names: list[str]
    parts: list[Figures]
    of: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """``columns``: names of what stands across; one without a name if nothing does. ``across``: what each is of, None
    being several values together.
    """

    question: Question
    columns: list[str]
    across: list[Mapping[str, Any] | None]
    lines: list[Line]
    total: Line

    @property
    def is_empty(self) -> bool:
        return not any(MEASURES[code].of(part) for code in self.question.measures for part in self.total.parts)


def added(several: list[Figures]) -> Figures:
    """Customers are not: who is in two of them is one."""
    sums: dict[str, Any] = {}
    for f in fields(Figures):
        values = [getattr(one, f.name) for one in several]
        sums[f.name] = None if None in values else sum(values)
    return Figures(**{**sums, "customer_count": None})


def table(question: Question) -> Table:
    rows, across = question.rows, question.across
    columns_of: list[Mapping[str, Any] | None]
    groupings = [rows, ()] + ([(*rows, across), (across,)] if across else [])
    groupings = list(dict.fromkeys(groupings))
    asked = figures(
        *groupings, first=question.first, last=question.last, only=question.only, measures=question.measures
    )
    found = dict(zip(groupings, asked, strict=True))
    sort = _order(question)
    if across:
        whole = found[(across,)]
        values = sorted(whole, key=lambda key: sort(across, key[0], whole[key]))
        values = [key for key in values if whole[key] != Figures()]
        kept, others = values[:MOST_ACROSS], values[MOST_ACROSS:]
        called = DIMENSION[across].called([key[0] for key in kept])
        columns = [called[key[0]] for key in kept] + [_("Others")] * bool(others) + [_("Total")]
        columns_of = [*({across: key[0]} for key in kept), *[None] * bool(others), {}]

        def parts(key: tuple[Any, ...]) -> list[Figures]:
            cells = found[(*rows, across)]
            split = [cells.get((*key, *value), Figures()) for value in kept]
            rest = [added([cells.get((*key, *value), Figures()) for value in others])] if others else []
            return [*split, *rest, found[rows].get(key, Figures())]
    else:
        columns, columns_of = [""], [{}]

        def parts(key: tuple[Any, ...]) -> list[Figures]:
            return [found[rows].get(key, Figures())]

    lines = []
    if rows:
        keys = [key for key, line in found[rows].items() if any(MEASURES[code].of(line) for code in question.measures)]
        keys = _every_day(question, keys) if rows == ("day",) else keys
        keys.sort(key=lambda key: sort(rows[0], key[0], found[rows].get(key, Figures()), key))
        names = [DIMENSION[name].called({key[place] for key in keys}) for place, name in enumerate(rows)]
        lines = [
            Line(
                [names[place][value] for place, value in enumerate(key)], parts(key), dict(zip(rows, key, strict=True))
            )
            for key in keys
        ]
    if across and rows:
        whole = found[(across,)]
        split = [whole[value] for value in kept]
        rest = [added([whole[value] for value in others])] if others else []
        bottom = [*split, *rest, found[()].get((), Figures())]
    elif across:
        bottom = parts(())
    else:
        bottom = [found[()].get((), Figures())]
    return Table(question, columns, columns_of, lines, Line([_("Total")], bottom))


def _order(question: Question) -> Any:
    """In time: as it went; else the strongest first."""
    first = MEASURES[question.measures[0]]

    def key(name: str, value: Any, line: Figures, whole: Any = ()) -> tuple[Any, ...]:
        size = -(first.of(line) or 0)
        rest = str(whole)
        if DIMENSION[name].in_time:
            return (value is None or value == "", value if value not in (None, "") else 0, size, rest)
        return (False, size, str(value), rest)

    return key


def _every_day(question: Question, keys: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Also the days between on which nothing happened."""
    first, last = question.first, question.last
    if first is None or last is None or (last - first).days >= MOST_DAYS or not keys:
        return keys
    return [(first + dt.timedelta(days=number),) for number in range((last - first).days + 1)]


def excel_rows(answer: Table, measures: list[Measure]) -> tuple[list[Any], Iterator[list[Any]]]:
    """Heading and rows of a spreadsheet: numbers as numbers, money in 元, the total last."""
    units = [_("%(what)s, yuan") % {"what": m.label} if m.kind == "money" else str(m.label) for m in measures]
    heading = [str(DIMENSION[name].label) for name in answer.question.rows] or [""]
    heading += [f"{column} · {unit}" if column else unit for column in answer.columns for unit in units]

    def rows() -> Iterator[list[Any]]:
        for line in answer.lines:
            yield [*line.names, *_cells(line, measures)]
        blank = [""] * (len(answer.question.rows) - 1)
        yield [*answer.total.names, *blank, *_cells(answer.total, measures)]

    return heading, rows()


def _cells(line: Line, measures: list[Measure]) -> list[Any]:
    return [measure.cell(part) for part in line.parts for measure in measures]
