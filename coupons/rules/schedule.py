"""发放时间: when a coupon is given out. Stored as ``{"starts_at", "ends_at", "weekdays", "month_days", "hours"}``.

Moments are RFC 3339 with an offset; weekdays 1–7, Monday first; month days 1–31, and -1 for the last; hours are
half-open windows of "HH:MM" in the business time zone and may cross midnight. What is left out does not restrict.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from coupons.rules.engine import InvalidRules

Window = tuple[int, int]
DAY = 24 * 60  # minutes
_CLOCK = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)\Z|^24:00\Z", re.ASCII)


def clean_windows(value: Any) -> list[list[str]]:
    """Windows of hours as stored.  :raises ValueError: with a sentence."""
    if not isinstance(value, list) or len(value) > 24:
        raise ValueError(_("A list of windows, each [from, until]."))
    for window in value:
        if not isinstance(window, list | tuple) or len(window) != 2:
            raise ValueError(_("A window has a beginning and an end."))
        for clock in window:
            if not isinstance(clock, str) or not _CLOCK.match(clock):
                raise ValueError(_("Write hours as HH:MM."))
        if window[0] == window[1] or window[0] == "24:00":
            raise ValueError(_("A window must not be empty."))
    return [list(window) for window in value]


def minutes(clock: str) -> int:
    return int(clock[:2]) * 60 + int(clock[3:])


def windows_of(hours: Sequence[Sequence[str]]) -> tuple[Window, ...]:
    """As minutes of the day; one that crosses midnight becomes two."""
    result: list[Window] = []
    for start, end in hours:
        a, b = minutes(start), minutes(end)
        result += [(a, b)] if a < b else [(a, 24 * 60), (0, b)] if b else [(a, 24 * 60)]
    return tuple(result)


def within(windows: Sequence[Window], moment: datetime | time) -> bool:
    minute = moment.hour * 60 + moment.minute
    return any(a <= minute < b for a, b in windows)


def clean(release: Any) -> dict[str, Any]:
    """The schedule as it is stored.  :raises InvalidRules: naming each field that is wrong."""
    errors: list[tuple[str, str, str]] = []
    if not isinstance(release, Mapping):
        raise InvalidRules([("", "wrong_type", _("An object."))])
    cleaned: dict[str, Any] = {}
    moments: dict[str, datetime] = {}
    for name, value in release.items():
        if value is None or value == []:
            continue
        if name in ("starts_at", "ends_at"):
            try:
                moment = value if isinstance(value, datetime) else parse_datetime(value)
            except (TypeError, ValueError):
                moment = None
            if moment is None or moment.tzinfo is None:
                errors.append((name, "invalid_format", _("A date and time with an offset.")))
            else:
                moments[name] = moment
                cleaned[name] = moment.isoformat()
        elif name in ("weekdays", "month_days"):
            allowed = range(1, 8) if name == "weekdays" else (*range(1, 32), -1)
            if not isinstance(value, list) or not all(type(day) is int and day in allowed for day in value):
                errors.append((name, "invalid_choice", _("A list of days.")))
            else:
                cleaned[name] = sorted(set(value))
        elif name == "hours":
            try:
                cleaned[name] = clean_windows(value)
            except ValueError as problem:
                errors.append((name, "invalid_format", str(problem)))
        else:
            errors.append((str(name)[:64], "unknown_field", _("There is no such field.")))
    if len(moments) == 2 and moments["starts_at"] >= moments["ends_at"]:
        errors.append(("ends_at", "ends_before_start", _("The end must be after the start.")))
    if errors:
        raise InvalidRules(errors)
    return cleaned


@dataclass(slots=True, frozen=True)
class Schedule:
    """A release schedule ready to be asked."""

    starts_at: datetime | None
    ends_at: datetime | None
    weekdays: frozenset[int]
    month_days: frozenset[int]
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, release: Mapping[str, Any]) -> "Schedule":
        def moment(name: str) -> datetime | None:
            return datetime.fromisoformat(release[name]) if release.get(name) else None

        return cls(
            moment("starts_at"),
            moment("ends_at"),
            frozenset(release.get("weekdays") or ()),
            frozenset(release.get("month_days") or ()),
            windows_of(release.get("hours") or ()),
        )

    def refusal(self, now: datetime) -> str | None:
        """The code of the refusal at this moment (business time zone), or None when it is open."""
        if self.starts_at and now < self.starts_at:
            return "not_started"
        if self.ends_at and now >= self.ends_at:
            return "ended"
        if self.weekdays and now.isoweekday() not in self.weekdays:
            return "outside_release"
        is_last = (now + timedelta(days=1)).day == 1
        if self.month_days and now.day not in self.month_days and not (is_last and -1 in self.month_days):
            return "outside_release"
        if self.windows and not within(self.windows, now):
            return "outside_release"
        return None


def open_days(
    schedule: Schedule,
    start: datetime,
    count: int,
    within_period: tuple[datetime | None, datetime | None] = (None, None),
) -> list[tuple[date, list[Window]]]:
    """For each of ``count`` days from the day of ``start`` (business time zone): the minutes at which it is given out.

    ``within_period`` narrows it further, half-open: a campaign's beginning and end. Windows are in order and apart.
    """
    begins = max((moment for moment in (schedule.starts_at, within_period[0]) if moment), default=None)
    ends = min((moment for moment in (schedule.ends_at, within_period[1]) if moment), default=None)
    midnight = start.replace(hour=0, minute=0, second=0, microsecond=0)
    days = []
    for number in range(count):
        day = midnight + timedelta(days=number)
        days.append((day.date(), list(_open_on(schedule, day, begins, ends))))
    return days


def _open_on(schedule: Schedule, day: datetime, begins: datetime | None, ends: datetime | None) -> Iterator[Window]:
    if schedule.weekdays and day.isoweekday() not in schedule.weekdays:
        return
    is_last = (day + timedelta(days=1)).day == 1
    if schedule.month_days and day.day not in schedule.month_days and not (is_last and -1 in schedule.month_days):
        return
    first = 0 if begins is None else _minute_of(day, begins)
    last = DAY if ends is None else _minute_of(day, ends)
    joined: list[Window] = []
    for a, b in sorted(schedule.windows or ((0, DAY),)):
        a, b = max(a, first), min(b, last)
        if a >= b:
            continue
        if joined and a <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    yield from joined


def _minute_of(day: datetime, moment: datetime) -> int:
    """Of that day, from 0 to 1440; the minute that has begun already counts as gone."""
    gone = (moment.astimezone(day.tzinfo) - day).total_seconds() / 60
    return min(DAY, max(0, math.ceil(gone)))
