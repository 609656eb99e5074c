"""What is known about customers, read in one round trip as conditions want it."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

import orjson

from coupons.queries.direct import row, rows
from coupons.rules import Condition, Profile
from coupons.rules.situation import DayFacts, LineFacts

CHUNK = 2000
NOTHING: frozenset[str] = frozenset()
_TOLD = ("sensitivity", "churn_probability", "rival_app", "tags")

_LINES = """(SELECT json_agg(json_build_array(business_line, order_count, last_order_at))::text
    FROM coupons_customerline WHERE customer_id = c.id)"""
_DAYS = """(SELECT json_agg(json_build_array(day, order_count, gross_fen, deducted_fen))::text
    FROM coupons_customerday WHERE customer_id = c.id AND day >= coalesce(%(since)s::date, '-infinity'))"""


def profile(customer_key: str, needs: frozenset[str] = NOTHING, *, since: date | None = None) -> Profile:
    """One customer's facts; somebody never heard of has a profile without ``id`` in which nothing is known.

    ``needs``: what the conditions read beyond the customer's row (see :func:`needs_of`); ``since``: the first day that
    they look back to, None for all days.
    """
    found = row(_sql(needs, "c.key = %(key)s"), {"key": customer_key, "since": since})
    return Profile(id=None, key=customer_key) if found is None else _profile(found)


def profiles(ids: Iterable[int], needs: frozenset[str] = NOTHING, *, since: date | None = None) -> Iterator[Profile]:
    """Many customers' facts, by id, in ascending order within each chunk; ids that do not exist are left out."""
    sql, left = _sql(needs, "c.id = ANY(%(ids)s) ORDER BY c.id"), iter(ids)
    while chunk := list(islice(left, CHUNK)):
        yield from map(_profile, rows(sql, {"ids": chunk, "since": since}))


def needs_of(conditions: Iterable[Condition]) -> tuple[frozenset[str], int]:
    """What these conditions read beyond the customer's row, and how many days, today among them, they look back."""
    conditions = list(conditions)
    needs = frozenset().union(*(condition.needs for condition in conditions))
    return needs, max((condition.days_back for condition in conditions), default=0)


def _sql(needs: frozenset[str], where: str) -> str:
    lines = _LINES if "lines" in needs else "NULL"
    days = _DAYS if "days" in needs else "NULL"
    return f"""SELECT c.id, c.key, c.city_id, c.registered_at, c.sensitivity, c.churn_probability, c.rival_app, c.tags,
    c.order_count, c.last_order_at, c.gross_fen, c.deducted_fen, {lines}, {days},
    c.sensitivity_at, c.churn_probability_at, c.rival_app_at, c.tags_at
    FROM coupons_customer c WHERE {where}"""  # noqa: S608  our own words, no input


def _profile(found: tuple[Any, ...]) -> Profile:
    lines, days, *told_at = found[12:]
    facts = [
        *found[:7],
        frozenset(found[7]),
        *found[8:12],
        {line: LineFacts(count, _moment(last)) for line, count, last in orjson.loads(lines)} if lines else {},
        {date.fromisoformat(day): DayFacts(*numbers) for day, *numbers in orjson.loads(days)} if days else {},
        dict(zip(_TOLD, told_at, strict=True)),
    ]
    return Profile(*facts)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
