"""Quiet hours: nobody is woken for a coupon."""

from datetime import datetime, time, timedelta
from functools import lru_cache

from django.conf import settings
from django.utils import timezone


@lru_cache(maxsize=8)
def _hours(told: str) -> tuple[time, time] | None:
    if not told:
        return None
    start, end = (time.fromisoformat(hour.strip()) for hour in told.split("-"))
    return start, end


def until(moment: datetime) -> datetime:
    """The end of the quiet hours that ``moment`` lies in, or ``moment`` itself."""
    hours = _hours(settings.QUIET_HOURS)
    if hours is None:
        return moment
    start, end = hours
    local = timezone.localtime(moment)
    clock = local.time()
    over_midnight = start > end
    if not (clock >= start or clock < end if over_midnight else start <= clock < end):
        return moment
    day = local.date() + timedelta(days=over_midnight and clock >= start)
    return timezone.make_aware(datetime.combine(day, end))
