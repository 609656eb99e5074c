"""What a day is in a city: by the almanac, by notice, and by what operators know of local customs."""

from collections import defaultdict
from datetime import date, datetime, timedelta

from coupons.calendar import FIXED_BY_LAW, festivals, known_years
from coupons.conditions.moment import CUSTOM
from coupons.models import CustomDay, ToldDay
from coupons.queries.catalogue import Book

#: From this month on the next year's notice may be expected.
NOTICE_MONTH = 10


class _Told:
    """Days told by operators: what each is, and which customs are kept, with their city or None for all."""

    def __init__(self) -> None:
        self.days = dict(ToldDay.objects.values_list("day", "code"))
        self.customs: dict[date, list[tuple[str, str | None]]] = defaultdict(list)
        for custom, first, last, city in CustomDay.objects.values_list("custom", "first_date", "last_date", "city"):
            for number in range((last - first).days + 1):
                self.customs[first + timedelta(days=number)].append((CUSTOM + custom, city))


def festivals_in(city: str | None, day: date, book: Book) -> frozenset[str]:
    """All that the day is; without a city, what it is everywhere."""
    told = book.keep("days", _Told)
    kept = told.customs.get(day)
    codes = festivals(day, told.days.get(day))
    return codes if kept is None else codes | {code for code, where in kept if where is None or where == city}


def festivals_anywhere(day: date, book: Book) -> frozenset[str]:
    """All that the day is in some city."""
    told = book.keep("days", _Told)
    return festivals(day, told.days.get(day)) | {code for code, _where in told.customs.get(day, ())}


def announced_years(book: Book) -> frozenset[int]:
    """Years whose days off are in the table, or of which operators have told every public holiday."""
    told: dict[int, set[str]] = defaultdict(set)
    for day, code in book.keep("days", _Told).days.items():
        told[day.year].add(code)
    return known_years() | {year for year, codes in told.items() if codes >= FIXED_BY_LAW.keys()}


def missing_year(now: datetime, book: Book) -> int | None:
    """The year of which nobody has told the days off although it is here or its notice may be expected."""
    years = announced_years(book)
    if now.year not in years:
        return now.year
    return now.year + 1 if now.month >= NOTICE_MONTH and now.year + 1 not in years else None
