"""The calendar on the template's page says what the schedule does, at every minute. C5, C7."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from coupons.rules.schedule import Schedule, minutes, open_days, windows_of

HERE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 1, 29, 15, 30, tzinfo=HERE)
clocks = st.integers(0, 1439).map(lambda minute: f"{minute // 60:02}:{minute % 60:02}")
windows = st.tuples(clocks, clocks).filter(lambda window: window[0] != window[1]).map(list)
moments = st.none() | st.integers(-60 * 24, 60 * 24 * 70).map(lambda minute: START + timedelta(minutes=minute))


@settings(max_examples=60, deadline=None)
@given(
    starts=moments,
    ends=moments,
    weekdays=st.frozensets(st.integers(1, 7), max_size=3),
    month_days=st.frozensets(st.sampled_from([-1, 1, 2, 15, 28, 29, 30, 31]), max_size=3),
    hours=st.lists(windows, max_size=3),
    asked=st.lists(st.integers(0, 60 * 24 * 60 - 1), min_size=20, max_size=20),
)
def test_the_calendar_and_the_schedule_agree(starts, ends, weekdays, month_days, hours, asked):
    schedule = Schedule(starts, ends, weekdays, month_days, windows_of(hours))
    days = open_days(schedule, START, 60)
    assert len(days) == 60
    first = START.replace(hour=0, minute=0)
    edges = [minutes(clock) for window in hours for clock in window]
    for minute in [*asked, *(edge % 1440 for edge in edges)]:
        moment = first + timedelta(minutes=minute)
        day, found = days[minute // 1440]
        assert day == moment.date()
        within = any(a <= minute % 1440 < b for a, b in found)
        assert within == (schedule.refusal(moment) is None)
