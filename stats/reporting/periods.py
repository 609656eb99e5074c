"""The days that a report speaks of: fixed, or reckoned anew from the day on which it is read."""

import datetime as dt

from django.db import models
from django.utils.translation import gettext_lazy as _


class Period(models.TextChoices):
    TODAY = "today", _("today so far")
    YESTERDAY = "yesterday", _("yesterday")
    LAST_7 = "last_7", _("last 7 days, with today")
    LAST_30 = "last_30", _("last 30 days, with today")
    LAST_90 = "last_90", _("last 90 days, with today")
    THIS_WEEK = "this_week", _("this week")
    LAST_WEEK = "last_week", _("last week")
    THIS_MONTH = "this_month", _("this month")
    LAST_MONTH = "last_month", _("last month")
    ALL = "all", _("since the beginning")
    FIXED = "fixed", _("fixed days")


Days = tuple[dt.date | None, dt.date | None]


def days_of(period: str, today: dt.date, first: dt.date | None = None, last: dt.date | None = None) -> Days:
    """First and last day, both included; None: no bound. ``first`` and ``last`` are those of a fixed period.

    :raises ValueError: there is no such period.
    """
    day = dt.timedelta(days=1)
    monday, month = today - today.weekday() * day, today.replace(day=1)
    match Period(period):
        case Period.TODAY:
            return today, today
        case Period.YESTERDAY:
            return today - day, today - day
        case Period.LAST_7:
            return today - 6 * day, today
        case Period.LAST_30:
            return today - 29 * day, today
        case Period.LAST_90:
            return today - 89 * day, today
        case Period.THIS_WEEK:
            return monday, today
        case Period.LAST_WEEK:
            return monday - 7 * day, monday - day
        case Period.THIS_MONTH:
            return month, today
        case Period.LAST_MONTH:
            return (month - day).replace(day=1), month - day
        case Period.ALL:
            return None, None
        case _:
            return first, last
