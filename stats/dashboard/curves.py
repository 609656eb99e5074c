"""What happened hour by hour, day by day or week by week, with the days compared with drawn behind it.

Each point stands over the one as many days into the days compared with; a week's over the same days as its own.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils import formats
from django.utils.translation import gettext as _

from coupons.conditions.ranges import start_of
from stats.dashboard.charts import Chart, Line, View, heads, point, units
from stats.dashboard.figures import said
from stats.dashboard.period import Period
from stats.queries.numbers import Numbers, added

ByKey = Mapping[tuple[Any, ...], Numbers]

#: The first measure of each is what the curve shows.
CURVES = (
    ("issued", ("issued_count", "seen_count", "expired_count", "void_count")),
    ("used", ("used_count", "redeemed_count", "returned_count", "use_rate")),
    ("gmv", ("gmv_fen", "paid_fen", "order_count", "average_paid_fen")),
    ("discount", ("spent_fen", "platform_fen", "merchant_fen", "subsidy_rate")),
)


@dataclass(frozen=True)
class Step:
    """A point: these days, or one hour of a day."""

    name: str
    label: str
    days: tuple[dt.date, ...]
    hour: int | None = None

    @property
    def ends(self) -> tuple[dt.datetime, dt.datetime]:
        first = start_of(self.days[0])
        if self.hour is not None:
            first += dt.timedelta(hours=self.hour)
            return first, first + dt.timedelta(hours=1)
        return first, start_of(self.days[-1] + dt.timedelta(1))

    def moved(self, days: int) -> "Step":
        return Step("", "", tuple(day + dt.timedelta(days) for day in self.days), self.hour)

    def of(self, found: ByKey) -> Numbers:
        keys = [(day,) if self.hour is None else (day, self.hour) for day in self.days]
        return added(found[key] for key in keys if key in found)


def grouping(step: str) -> tuple[str, ...]:
    """By what numbers are asked for."""
    return ("day", "hour") if step == "hour" else ("day",)


def steps(period: Period, by: str) -> list[Step]:
    if by == "hour":
        several = period.count > 1
        return [
            Step(f"{_day(day)} {hour:02}:00", f"{day:%m-%d} {hour:02}" if several else f"{hour:02}", (day,), hour)
            for day in period.days
            for hour in range(24)
        ]
    if by != "week":
        return [Step(_day(day), f"{day:%m-%d}", (day,)) for day in period.days]
    weeks: dict[tuple[int, int], list[dt.date]] = {}
    for day in period.days:
        weeks.setdefault(day.isocalendar()[:2], []).append(day)
    return [
        Step(
            _("%(year)s week %(week)s") % {"year": year, "week": week} + f" · {Period(days[0], days[-1])}",
            f"{days[0]:%m-%d}",
            tuple(days),
        )
        for (year, week), days in weeks.items()
    ]


def _day(day: dt.date) -> str:
    return f"{day.isoformat()} {formats.date_format(day, 'D')}"


def curves(
    view: View, found: ByKey, before: ByKey, total: Numbers, total_before: Numbers | None, now: dt.datetime
) -> list[Chart]:
    """``found``: by day, or by day and hour. The newest stands first."""
    period, against = view.period, view.against
    away = (against.first - period.first).days if against else 0
    charts = []
    for key, codes in CURVES:
        measures = view.measures(*codes)
        if not measures or codes[0] != measures[0].code:
            continue
        first = measures[0]
        lines = []
        for step in reversed(steps(period, view.asked.step)):
            began, ended = step.ends
            here = step.of(found) if began <= now else None
            there = step.moved(away)
            then = there.of(before) if against and there.days[-1] <= against.last else None
            shown = [here, then] if against else [here]
            note = ""
            if then is not None:
                days = Period(there.days[0], there.days[-1])
                note = _("compared: %(days)s") % {"days": days}
            lines.append(
                Line(
                    step.name,
                    view.cells(measures, here, then, {}, began, ended),
                    notes=[("ov-sub", note)] if note else [],
                    label=step.label,
                    points=" ".join(point(first, numbers) for numbers in shown),
                    said="|".join(said(first, numbers) for numbers in shown),
                )
            )
        charts.append(
            Chart(
                f"curve-{key}",
                str(first.label),
                _("Hour") if view.asked.step == "hour" else _("Week") if view.asked.step == "week" else _("Day"),
                lines=lines,
                total=view.total(measures, total, total_before),
                unit=first.kind,
                draws="line",
                series=view.series,
                compared=against is not None,
                headers=heads(measures),
                units=units(measures),
            )
        )
    return charts
