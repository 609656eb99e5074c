"""Days off are checked against chinesecalendar, for the years that both know."""

from datetime import date, timedelta
from itertools import pairwise

import chinese_calendar
import pytest
from chinese_calendar.constants import holidays, workdays
from hypothesis import given
from hypothesis import strategies as st

from coupons.calendar import FESTIVALS, PUBLIC_HOLIDAYS, SOLAR_TERMS, festivals, known_years

NAMES = {
    "New Year's Day": "new_year",
    "Spring Festival": "spring_festival",
    "Tomb-sweeping Day": "qingming",
    "Labour Day": "labour_day",
    "Dragon Boat Festival": "dragon_boat",
    "Mid-autumn Festival": "mid_autumn",
    "National Day": "national_day",
}

any_day = st.dates(date(1950, 1, 1), date(2090, 12, 31))


def days_of(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=number) for number in range((date(year + 1, 1, 1) - first).days)]


def when(code: str, year: int) -> list[date]:
    return [day for day in days_of(year) if code in festivals(day)]


def test_the_years_that_were_announced_are_known():
    assert known_years() == {2024, 2025, 2026}


@pytest.mark.parametrize("year", sorted(known_years()))
def test_days_off_and_of_work_agree_with_another_table(year):
    assert any(day.year == year for day in holidays), "the other table does not know this year"
    for day in days_of(year):
        codes = festivals(day)
        assert ("holiday" in codes) == (day in holidays), day
        assert ("workday_makeup" in codes) == (day in workdays), day
        assert ("workday" in codes) == chinese_calendar.is_workday(day), day
        if day in holidays:
            assert NAMES[holidays[day]] in codes, day


def test_a_day_off_belongs_to_each_of_two_joined_holidays():
    assert {"national_day", "mid_autumn", "holiday"} <= festivals(date(2025, 10, 6))
    assert "mid_autumn" not in festivals(date(2025, 10, 7))


def test_a_make_up_saturday_is_a_workday_and_no_weekend():
    assert festivals(date(2026, 10, 10)) == {"workday", "workday_makeup"}


def test_a_weekday_off_is_a_holiday_and_a_saturday_within_is_both():
    assert festivals(date(2026, 1, 2)) == {"new_year", "holiday"}
    assert festivals(date(2026, 1, 3)) == {"new_year", "holiday", "weekend"}


def test_an_ordinary_day_is_a_workday_and_nothing_else():
    assert festivals(date(2026, 11, 23)) == {"workday"}


def test_before_a_year_is_announced_what_the_law_fixes_is_a_day_off():
    assert 2031 not in known_years()
    off = [day for day in days_of(2031) if "holiday" in festivals(day)]
    assert [(day.month, day.day) for day in off] == [
        (1, 1),
        (1, 22),  # Spring Festival's Eve
        (1, 23),
        (1, 24),
        (1, 25),
        (4, 5),
        (5, 1),
        (5, 2),
        (6, 24),
        (10, 1),  # National Day and, this year, Mid-Autumn
        (10, 2),
        (10, 3),
    ]
    assert {"national_day", "mid_autumn"} <= festivals(date(2031, 10, 1))
    assert not when("workday_makeup", 2031)


def test_what_an_operator_says_goes_before_the_table():
    assert festivals(date(2026, 11, 23), "national_day") == {"national_day", "holiday"}
    assert festivals(date(2026, 11, 28), "workday_makeup") == {"workday_makeup", "workday"}
    assert festivals(date(2026, 10, 2), "workday_makeup") == {"workday_makeup", "workday"}


@pytest.mark.parametrize(
    ("code", "day"),
    [
        ("laba", date(2026, 1, 26)),
        ("spring_festival_eve", date(2026, 2, 16)),
        ("god_of_wealth", date(2026, 2, 21)),
        ("lantern", date(2026, 3, 3)),
        ("dragon_head", date(2026, 3, 20)),
        ("shangsi", date(2026, 4, 19)),
        ("qixi", date(2026, 8, 19)),
        ("double_ninth", date(2026, 10, 18)),
        ("womens_day", date(2026, 3, 8)),
        ("mothers_day", date(2026, 5, 10)),
        ("fathers_day", date(2026, 6, 21)),
        ("618", date(2026, 6, 18)),
        ("teachers_day", date(2026, 9, 10)),
        ("double_11", date(2026, 11, 11)),
        ("thanksgiving", date(2026, 11, 26)),
        ("black_friday", date(2026, 11, 27)),
        ("christmas", date(2026, 12, 25)),
        ("solar_term_winter_solstice", date(2026, 12, 22)),
        ("solar_term_pure_brightness", date(2026, 4, 5)),
        ("solar_term_start_of_spring", date(2026, 2, 4)),
    ],
)
def test_each_festival_comes_once_a_year_on_its_day(code, day):
    assert when(code, day.year) == [day]


def test_little_new_year_has_a_day_in_the_north_and_one_in_the_south():
    assert when("little_new_year", 2026) == [date(2026, 2, 10), date(2026, 2, 11)]


def test_a_leap_month_has_no_festivals_of_its_own():
    # 2028 has the fifth month twice, from 24 May and from 23 June.
    assert when("dragon_boat", 2028) == [date(2028, 5, 28)]


def test_the_eve_is_the_last_day_of_a_short_twelfth_month_too():
    assert when("spring_festival_eve", 2025) == [date(2025, 1, 28)]
    assert "spring_festival" in festivals(date(2025, 1, 29))


@pytest.mark.parametrize("year", [1999, 2024, 2025, 2026, 2027, 2050])
def test_a_year_has_each_solar_term_once_about_a_fortnight_apart(year):
    days = [when(code, year) for code, _ in SOLAR_TERMS.values()]
    assert all(len(found) == 1 for found in days)
    assert all(13 <= (later - sooner).days <= 17 for (sooner,), (later,) in pairwise(days))


def test_every_code_has_its_day_and_every_label_its_code():
    seen = {code for year in known_years() for day in days_of(year) for code in festivals(day)}
    assert seen == set(FESTIVALS)
    assert all(str(label) for label in FESTIVALS.values())


@pytest.mark.parametrize("day", [date.min, date.max])
def test_a_day_beyond_the_almanac_is_still_a_day(day):
    assert festivals(day) == ({"weekend"} if day.weekday() >= 5 else {"workday"})


@given(any_day, st.sampled_from([None, "workday_makeup", *PUBLIC_HOLIDAYS]))
def test_each_day_is_of_work_or_free_and_never_both(day, told):
    codes = festivals(day, told)
    assert codes <= FESTIVALS.keys()
    assert ("workday" in codes) != bool(codes & {"holiday", "weekend"})
    assert not {"holiday", "workday_makeup"} <= codes
    assert "holiday" not in codes or codes & PUBLIC_HOLIDAYS.keys()
