"""When coupons are used: by weekday, by hour, and both crossed as a map that is the darker the more there is."""

import datetime as dt
from typing import Any

from django.utils.translation import gettext as _

from coupons.conditions.moment import WEEKDAYS
from coupons.conditions.ranges import start_of
from stats.dashboard.charts import Cell, Chart, Line, View, heads, units
from stats.dashboard.curves import ByKey
from stats.dashboard.figures import NOTHING, Change, change, count
from stats.dashboard.links import rows_of
from stats.dashboard.period import Period
from stats.queries.numbers import Numbers, added

HOURS = range(24)
#: The darkest cell, as a share of the colour; the words on it must stay readable.
DARKEST = 60


def patterns(view: View, found: ByKey, before: ByKey) -> list[Chart]:
    """From numbers by ``(weekday, hour)``."""
    return [_weekdays(view, found, before), _hours(view, found, before), heat_map(view, found)]


def _per_day(used: int, days: int) -> float | None:
    return used / days if days else None


def _said(average: float | None) -> str:
    return NOTHING if average is None else f"{average:,.1f}"


def _days(period: Period | None, weekday: int) -> int:
    return sum(day.isoweekday() == weekday for day in period.days) if period else 0


def _pattern(view: View, key: str, title: str, about: str, name: str, rows: list[Any]) -> Chart:
    """``rows``: name, label, cell, days and numbers of the period, days and numbers of the days compared with."""
    measures = view.measures("used_count", "issued_count", "use_rate")
    lines = []
    for words, label, cell, days, now, days_before, then in rows:
        average, average_before = _per_day(now.used_count, days), None
        if then is not None:
            average_before = _per_day(then.used_count, days_before)
        moved: Change | None = change(average, average_before, welcome=True)
        per_day = Cell(_said(average), average, moved, average_before)
        shown = [average, average_before] if view.against else [average]
        lines.append(
            Line(
                words,
                [per_day, *view.cells(measures, now, then, cell)],
                label=label,
                points=" ".join("-" if value is None else f"{value:.10g}" for value in shown),
                said="|".join(_said(value) for value in shown),
            )
        )
    per = _("Redeemed per day")
    return Chart(
        key,
        title,
        name,
        [per, *heads(measures)],
        lines,
        about=about,
        draws="bar",
        series=view.series,
        units=[per, *units(measures)],
        compared=view.against is not None,
    )


def _weekdays(view: View, found: ByKey, before: ByKey) -> Chart:
    def of(numbers: ByKey, weekday: int) -> Numbers:
        return added(n for (day, _hour), n in numbers.items() if day == weekday)

    return _pattern(
        view, "weekdays", _("By weekday"), _("Redeemed on an average day of each kind."), _("Weekday"),
        [
            (str(name), str(name), {"weekday": day}, _days(view.period, day), of(found, day),
             _days(view.against, day), of(before, day) if view.against else None)
            for day, name in WEEKDAYS.items()
        ],
    )  # fmt: skip


def _hours(view: View, found: ByKey, before: ByKey) -> Chart:
    def of(numbers: ByKey, wanted: int) -> Numbers:
        return added(n for (_day, hour), n in numbers.items() if hour == wanted)

    return _pattern(
        view, "hours", _("By hour of the day"), _("Redeemed in each hour of an average day."), _("Hour"),
        [
            (f"{hour:02}:00", f"{hour:02}", {"hour": hour}, view.period.count, of(found, hour),
             view.against.count if view.against else 0, of(before, hour) if view.against else None)
            for hour in HOURS
        ],
    )  # fmt: skip


def heat_map(view: View, found: ByKey) -> Chart:
    """Redeemed, also what came back later."""
    uses = {key: numbers.redeemed_count for key, numbers in found.items() if numbers.redeemed_count}
    most = max(uses.values(), default=0)
    first, end = start_of(view.period.first), start_of(view.period.last + dt.timedelta(1))

    def opened(**cell: int) -> str:
        return rows_of(view.ledger, "redeemed_count", first, end, {**cell, **view.asked.only})

    lines = []
    for weekday, name in WEEKDAYS.items():
        cells = []
        for hour in HOURS:
            number = uses.get((weekday, hour), 0)
            title = _("%(weekday)s, %(hour)s:00: %(number)s") % {
                "weekday": name,
                "hour": f"{hour:02}",
                "number": count(number),
            }
            cells.append(
                Cell(
                    count(number) if number else "",
                    number,
                    shade=round(number * DARKEST / most) if most else 0,
                    title=title,
                    link=opened(weekday=weekday, hour=hour) if number else "",
                )
            )
        lines.append(Line(str(name), [*cells, _sum(sum(n for (day, _hour), n in uses.items() if day == weekday))]))
    sums = [_sum(sum(n for (_day, at), n in uses.items() if at == hour)) for hour in HOURS]
    busiest = ""
    if uses:
        (weekday, hour), number = max(uses.items(), key=lambda pair: (pair[1], pair[0]))
        busiest = _("Most are used on %(weekday)s from %(hour)s:00: %(number)s.") % {
            "weekday": WEEKDAYS[weekday],
            "hour": f"{hour:02}",
            "number": count(number),
        }
    about = _("Redeemed in these days, by weekday and hour of the business's time zone.")
    return Chart(
        "heat",
        _("Weekday and hour"),
        _("Weekday"),
        [*(f"{hour:02}" for hour in HOURS), _("Total")],
        lines,
        Line(_("Total"), [*sums, _sum(sum(uses.values()))]),
        about=f"{about} {busiest}",
        look="ov-heat",
    )


def _sum(number: int) -> Cell:
    return Cell(count(number), number)
