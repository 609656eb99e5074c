"""The days that a page speaks of, and those that they are held against."""

import calendar
import datetime as dt
from dataclasses import dataclass

from stats.reporting import Period as Preset

#: Days of a period, at most.
MOST_DAYS = 400
#: Days before it are no days of this company.
EARLIEST = dt.date(2000, 1, 1)


@dataclass(frozen=True)
class Period:
    """Both days are in it."""

    first: dt.date
    last: dt.date

    def __str__(self) -> str:
        return f"{self.first} – {self.last}" if self.first < self.last else str(self.first)

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(n) for n in range(self.count)]

    def before(self, preset: str = "") -> "Period":
        """As many days, directly before; of a month, the same days of the month before."""
        if preset not in (Preset.THIS_MONTH, Preset.LAST_MONTH):
            return Period(self.first - dt.timedelta(self.count), self.first - dt.timedelta(1))
        end = self.first - dt.timedelta(1)
        whole = preset == Preset.LAST_MONTH
        return Period(end.replace(day=1), end if whole else end.replace(day=min(self.last.day, end.day)))

    @property
    def year_earlier(self) -> "Period":
        """The same days of the year before; for 29 February, the 28th."""

        def earlier(day: dt.date) -> dt.date:
            most = calendar.monthrange(day.year - 1, day.month)[1]
            return day.replace(year=day.year - 1, day=min(day.day, most))

        return Period(earlier(self.first), earlier(self.last))
