"""What a day is: public holiday, festival, solar term, working day.

Days off follow the table in ``data/holidays.toml``. A year is in it once the State Council has announced it,
in the autumn before; until then (see :func:`known_years`) the holidays that the law fixes are days off,
and nobody knows which weekends will be worked. Lunar days and solar terms are reckoned.
"""

import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from lunar_python import Solar

DAY = timedelta(days=1)

#: Years for which the almanac is good; outside them a day is a weekend or a workday and nothing else.
RECKONED = range(1900, 2200)

#: Holidays with official days off. On these days, and on their own day by the calendar, the code holds.
PUBLIC_HOLIDAYS: Mapping[str, Promise] = MappingProxyType(
    {
        "new_year": _("New Year"),
        "spring_festival": _("Spring Festival"),
        "qingming": _("Qingming Festival"),
        "labour_day": _("Labour Day"),
        "dragon_boat": _("Dragon Boat Festival"),
        "mid_autumn": _("Mid-Autumn Festival"),
        "national_day": _("National Day"),
    }
)

#: By the name that the Chinese calendar gives them, in the order of the year.
SOLAR_TERMS: Mapping[str, tuple[str, Promise]] = MappingProxyType(
    {
        "小寒": ("solar_term_minor_cold", _("Minor Cold")),
        "大寒": ("solar_term_major_cold", _("Major Cold")),
        "立春": ("solar_term_start_of_spring", _("Start of Spring")),
        "雨水": ("solar_term_rain_water", _("Rain Water")),
        "惊蛰": ("solar_term_awakening_of_insects", _("Awakening of Insects")),
        "春分": ("solar_term_spring_equinox", _("Spring Equinox")),
        "清明": ("solar_term_pure_brightness", _("Pure Brightness")),
        "谷雨": ("solar_term_grain_rain", _("Grain Rain")),
        "立夏": ("solar_term_start_of_summer", _("Start of Summer")),
        "小满": ("solar_term_grain_buds", _("Grain Buds")),
        "芒种": ("solar_term_grain_in_ear", _("Grain in Ear")),
        "夏至": ("solar_term_summer_solstice", _("Summer Solstice")),
        "小暑": ("solar_term_minor_heat", _("Minor Heat")),
        "大暑": ("solar_term_major_heat", _("Major Heat")),
        "立秋": ("solar_term_start_of_autumn", _("Start of Autumn")),
        "处暑": ("solar_term_end_of_heat", _("End of Heat")),
        "白露": ("solar_term_white_dew", _("White Dew")),
        "秋分": ("solar_term_autumn_equinox", _("Autumn Equinox")),
        "寒露": ("solar_term_cold_dew", _("Cold Dew")),
        "霜降": ("solar_term_frosts_descent", _("Frost's Descent")),
        "立冬": ("solar_term_start_of_winter", _("Start of Winter")),
        "小雪": ("solar_term_minor_snow", _("Minor Snow")),
        "大雪": ("solar_term_major_snow", _("Major Snow")),
        "冬至": ("solar_term_winter_solstice", _("Winter Solstice")),
    }
)

#: Everything that :func:`festivals` may answer, in the order in which an operator chooses.
FESTIVALS: dict[str, Promise] = {
    "workday": _("working day"),
    "weekend": _("weekend"),
    "holiday": _("public holiday, any day off"),
    "workday_makeup": _("make-up working day"),
    **PUBLIC_HOLIDAYS,
    "laba": _("Laba Festival"),
    "little_new_year": _("Little New Year"),
    "spring_festival_eve": _("Spring Festival's Eve"),
    "god_of_wealth": _("Day of the God of Wealth"),
    "lantern": _("Lantern Festival"),
    "dragon_head": _("Day of the Raised Dragon Head"),
    "shangsi": _("Third of the Third Month"),
    "qixi": _("Qixi Festival"),
    "double_ninth": _("Double Ninth Festival"),
    "valentines": _("Valentine's Day"),
    "womens_day": _("Women's Day"),
    "white_day": _("White Day"),
    "youth_day": _("Youth Day"),
    "mothers_day": _("Mother's Day"),
    "520": _("20 May, I Love You"),
    "childrens_day": _("Children's Day"),
    "618": _("18 June sales"),
    "fathers_day": _("Father's Day"),
    "teachers_day": _("Teachers' Day"),
    "halloween": _("Halloween"),
    "double_11": _("11 November sales"),
    "thanksgiving": _("Thanksgiving"),
    "black_friday": _("Black Friday"),
    "double_12": _("12 December sales"),
    "christmas_eve": _("Christmas Eve"),
    "christmas": _("Christmas"),
    "new_years_eve": _("New Year's Eve"),
    **dict(SOLAR_TERMS.values()),
}

#: By (month, day).
SOLAR_DAYS = {
    (1, 1): "new_year",
    (2, 14): "valentines",
    (3, 8): "womens_day",
    (3, 14): "white_day",
    (5, 1): "labour_day",
    (5, 4): "youth_day",
    (5, 20): "520",
    (6, 1): "childrens_day",
    (6, 18): "618",
    (9, 10): "teachers_day",
    (10, 1): "national_day",
    (10, 31): "halloween",
    (11, 11): "double_11",
    (12, 12): "double_12",
    (12, 24): "christmas_eve",
    (12, 25): "christmas",
    (12, 31): "new_years_eve",
}

#: By lunar (month, day); a leap month has none. Little New Year is a day earlier in the north than in the south.
LUNAR_DAYS = {
    (1, 1): "spring_festival",
    (1, 5): "god_of_wealth",
    (1, 15): "lantern",
    (2, 2): "dragon_head",
    (3, 3): "shangsi",
    (5, 5): "dragon_boat",
    (7, 7): "qixi",
    (8, 15): "mid_autumn",
    (9, 9): "double_ninth",
    (12, 8): "laba",
    (12, 23): "little_new_year",
    (12, 24): "little_new_year",
}

#: By (month, which one, weekday counted from Monday as 0).
NTH_WEEKDAYS = {(5, 2, 6): "mothers_day", (6, 3, 6): "fathers_day", (11, 4, 3): "thanksgiving"}


#: Days off that the law itself fixes, as distances from the holiday's own day; true in any year, announced or not.
FIXED_BY_LAW = {
    "new_year": (0,),
    "spring_festival": (-1, 0, 1, 2),
    "qingming": (0,),
    "labour_day": (0, 1),
    "dragon_boat": (0,),
    "mid_autumn": (0,),
    "national_day": (0, 1, 2),
}


@lru_cache(maxsize=1024)
def festivals(day: date, told: str | None = None) -> frozenset[str]:
    """All that the day is, as codes of FESTIVALS; ``day`` is the date in China, not a moment.

    Each day is either a ``workday`` or not: a make-up Saturday is a workday and no weekend, a Tuesday off is
    a ``holiday``. A holiday's code holds on its own day and on the days off that belong to it.

    ``told`` goes before the table: the code of a public holiday makes it a day off, ``workday_makeup`` one of work.
    """
    official = frozenset({told}) if told else _official(day)
    codes = _own(day) | official
    if official & PUBLIC_HOLIDAYS.keys():
        codes |= {"holiday"}
    if day.weekday() >= 5 and "workday_makeup" not in official:
        codes |= {"weekend"}
    return codes if codes & {"holiday", "weekend"} else codes | {"workday"}


def known_years() -> frozenset[int]:
    """The years whose days off and make-up working days have been announced and are in the table."""
    return _announced()[0]


def _official(day: date) -> frozenset[str]:
    """The public holidays whose day off this is (two, where they are joined), or ``workday_makeup``."""
    years, days = _announced()
    if day.year in years or day.year not in RECKONED:
        return days.get(day, frozenset())
    return frozenset(
        code
        for code, distances in FIXED_BY_LAW.items()
        if any(code in _own(day - distance * DAY) for distance in distances)
    )


@lru_cache(maxsize=1)
def _announced() -> tuple[frozenset[int], Mapping[date, frozenset[str]]]:
    table = tomllib.loads((files("coupons.data") / "holidays.toml").read_text(encoding="utf-8"))
    days: dict[date, frozenset[str]] = {}
    for year in table.values():
        for code, (first, last) in year["off"].items():
            for number in range((last - first).days + 1):
                day = first + number * DAY
                days[day] = days.get(day, frozenset()) | {code}
        days |= dict.fromkeys(year["makeup"], frozenset({"workday_makeup"}))
    return frozenset(map(int, table)), days


@lru_cache(maxsize=1024)
def _own(day: date) -> frozenset[str]:
    """What the day is by sun and moon, whatever anybody announces."""
    return frozenset(_by_the_sun(day) | _by_the_moon(day)) if day.year in RECKONED else frozenset()


def _by_the_sun(day: date) -> set[str]:
    codes = {SOLAR_DAYS.get((day.month, day.day)), _nth_weekday(day)}
    if _nth_weekday(day - DAY) == "thanksgiving":
        codes.add("black_friday")
    return {code for code in codes if code}


def _nth_weekday(day: date) -> str | None:
    return NTH_WEEKDAYS.get((day.month, (day.day + 6) // 7, day.weekday()))


def _by_the_moon(day: date) -> set[str]:
    """Lunar festivals and the solar term, which the same almanac knows."""
    codes: set[str] = set()
    lunar = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    # A leap month's number is negative and finds nothing.
    if festival := LUNAR_DAYS.get((lunar.getMonth(), lunar.getDay())):
        codes.add(festival)
    # The twelfth month has 29 days or 30.
    if abs(lunar.getMonth()) == 12 and lunar.getDay() >= 29 and lunar.next(1).getMonth() == 1:
        codes.add("spring_festival_eve")
    # The day's own question: the year's table of terms holds last year's winter solstice.
    if term := lunar.getJieQi():
        codes.add(SOLAR_TERMS[term][0])
        if term == "清明":
            codes.add("qingming")
    return codes
