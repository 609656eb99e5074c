"""When coupons are used: weekday by hour, as a table whose cells are the darker the more there is."""

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from coupons.conditions.moment import WEEKDAYS
from stats.dashboard.figures import count
from stats.queries.numbers import Numbers

HOURS = range(24)
#: The darkest cell, as a share of the colour; the words on it must stay readable.
DARKEST = 60


@dataclass(frozen=True)
class Cell:
    """``shade``: 0 to DARKEST, of the largest cell."""

    text: str
    shade: int
    title: str


@dataclass(frozen=True)
class Heat:
    hours: list[str]
    rows: list[tuple[str, list[Cell], str]]
    totals: list[str]
    total: str
    #: The busiest cell in words; empty where nothing was used.
    busiest: str


def heat_map(found: dict[tuple[Any, ...], Numbers]) -> Heat:
    """From numbers by ``(weekday, hour)``."""
    uses = {key: numbers.redeemed_count for key, numbers in found.items() if numbers.redeemed_count}
    most = max(uses.values(), default=0)
    rows = []
    for weekday, name in WEEKDAYS.items():
        cells = []
        for hour in HOURS:
            number = uses.get((weekday, hour), 0)
            shade = round(number * DARKEST / most) if most else 0
            title = _("%(weekday)s, %(hour)s:00: %(number)s") % {
                "weekday": name,
                "hour": f"{hour:02}",
                "number": count(number),
            }
            cells.append(Cell(count(number) if number else "", shade, title))
        rows.append((str(name), cells, count(sum(n for (day, _hour), n in uses.items() if day == weekday))))
    totals = [count(sum(n for (_day, at), n in uses.items() if at == hour)) for hour in HOURS]
    busiest = ""
    if uses:
        (weekday, hour), number = max(uses.items(), key=lambda pair: (pair[1], pair[0]))
        busiest = _("Most are used on %(weekday)s from %(hour)s:00: %(number)s.") % {
            "weekday": WEEKDAYS[weekday],
            "hour": f"{hour:02}",
            "number": count(number),
        }
    return Heat([f"{hour:02}" for hour in HOURS], rows, totals, count(sum(uses.values())), busiest)
