"""The days that a page speaks of, today included, and as many before them to compare with."""

import datetime as dt
from dataclasses import dataclass

from django.utils import timezone

CHOICES = (14, 30, 90)
USUAL = 30


@dataclass(frozen=True)
class Period:
    first: dt.date
    last: dt.date

    @classmethod
    def asked(cls, days: str, now: dt.datetime) -> "Period":
        """The last so many days; 30 if it is none of the choices."""
        count = int(days) if days in map(str, CHOICES) else USUAL
        today = timezone.localdate(now, timezone.get_default_timezone())
        return cls(today - dt.timedelta(count - 1), today)

    @property
    def count(self) -> int:
        return (self.last - self.first).days + 1

    @property
    def days(self) -> list[dt.date]:
        return [self.first + dt.timedelta(n) for n in range(self.count)]

    @property
    def before(self) -> "Period":
        return Period(self.first - dt.timedelta(self.count), self.first - dt.timedelta(1))
