"""Customers told: other systems say who they are and what is known about them.

A fact that is told replaces what was known; told as None it is unknown again; not told, it stays. Each keeps when it
was told and by whom; what was known at one moment never gives way to what was known before it.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

import orjson
from django.db import connection, transaction
from django.utils.translation import gettext as _

from coupons.models import City
from coupons.rules.identity import identity

MOST_TAGS = 500
PHONE_SIGNS = str.maketrans("", "", " -–().\u00a0")

#: What can be told of a customer as it is, and its column.
PLAIN = {
    "city": "city_id",
    "registered_at": "registered_at",
    "sensitivity": "sensitivity",
    "churn_probability": "churn_probability",
    "rival_app": "rival_app",
}
#: Facts that keep when they were told and by whom.
DATED = ("sensitivity", "churn_probability", "rival_app")
FACTS = frozenset({*DATED, "business_lines"})


class ToldLine(TypedDict):
    """All orders ever in one business line; what was counted for it before is replaced."""

    orders: int
    first_order_at: NotRequired[datetime | None]
    last_order_at: NotRequired[datetime | None]


class Told(TypedDict):
    """One customer; keys that are missing were not told. A business line told as None is forgotten."""

    key: str
    phone: NotRequired[str | None]
    wechat_id: NotRequired[str | None]
    nickname: NotRequired[str | None]
    city: NotRequired[str | None]
    registered_at: NotRequired[datetime | None]
    sensitivity: NotRequired[Decimal | None]
    churn_probability: NotRequired[Decimal | None]
    rival_app: NotRequired[bool | None]
    business_lines: NotRequired[Mapping[str, ToldLine | None]]
    tags_added: NotRequired[Sequence[str]]
    tags_removed: NotRequired[Sequence[str]]


class Heard(NamedTuple):
    """What became of one row; fields of ``errors`` as they stand in the row of the door's body."""

    key: str
    status: Literal["created", "updated", "unchanged", "error"]
    errors: list[dict[str, str]]


class Line(NamedTuple):
    orders: int
    first: datetime | None
    last: datetime | None


Lines = dict[str, Line]


@transaction.atomic
def tell(told: Sequence[Told], *, now: datetime, by: str, known_at: datetime | None = None) -> list[Heard]:
    """Create or update customers, each key once. A row that makes no sense is left out and the others count.

    ``by``: who says so, as ``key:5``. ``known_at``: the moment for which it is said, if it is not now; then what was
    told later stays.

    A handful of statements however many rows; customers are locked in the order of their ids.
    """
    cities = set(City.objects.filter(pk__in={row.get("city") for row in told} - {None}).values_list("pk", flat=True))
    faults = {row["key"]: _faults(row, cities) for row in told}
    good = {row["key"]: row for row in told if not faults[row["key"]]}
    created = _create(sorted(good), now)
    outcome: dict[str, Literal["created", "updated", "unchanged", "error"]] = {}
    to_write, lines_to_write, lines_to_forget = [], [], []
    customers = _lock(sorted(good))
    lines = _lines(customers)
    for key, before in customers.items():
        row, old = good[key], lines.get(before["id"], {})
        new = _told_lines(row, old)
        after = {**before, **_told_columns(row, before, known_at), **(_totals(before, old, new) if new != old else {})}
        dated = [fact for fact in DATED if fact in row and _is_news(before, fact, known_at)]
        if ("tags_added" in row or "tags_removed" in row) and _is_news(before, "tags", known_at):
            dated.append("tags")
            after["tags"] = _told_tags(row, before["tags"])
            if len(after["tags"]) > MOST_TAGS:
                faults[key] = [_fault("tags", "too_many", _("At most %(limit)s of them.") % {"limit": MOST_TAGS})]
                continue
        outcome[key] = "created" if key in created else "unchanged" if (after, new) == (before, old) else "updated"
        for fact in dated:
            after |= {f"{fact}_at": known_at or now, f"{fact}_source": by}
        if dated or "business_lines" in row:
            after["facts_at"] = max(filter(None, (known_at or now, before["facts_at"])))
        if after != before:
            to_write.append(after)
        for name in old.keys() | new.keys():
            if name not in new:
                lines_to_forget.append({"customer_id": before["id"], "business_line": name})
            elif new[name] != old.get(name):
                lines_to_write.append({"customer_id": before["id"], "business_line": name, **new[name]._asdict()})
    _write(to_write, lines_to_write, lines_to_forget)
    return [Heard(row["key"], outcome.get(row["key"], "error"), faults[row["key"]]) for row in told]


def phone_of(text: str) -> str | None:
    """A phone number as ``+8613800138000``; None if it is none. Without a country it is one of mainland China."""
    number = unicodedata.normalize("NFKC", text).translate(PHONE_SIGNS)
    if number.startswith("00"):
        number = f"+{number[2:]}"
    if re.fullmatch(r"(86)?1[3-9][0-9]{9}", number):
        number = f"+86{number[-11:]}"
    if number.startswith("+86"):
        return number if re.fullmatch(r"\+861[3-9][0-9]{9}", number) else None
    return number if re.fullmatch(r"\+[1-9][0-9]{6,14}", number) else None


# --- what a row says -----------------------------------------------------------------------------------------------


def _fault(field: str, code: str, detail: str) -> dict[str, str]:
    return {"field": field, "code": code, "detail": detail}


def _faults(row: Told, cities: set[str]) -> list[dict[str, str]]:
    faults = []
    if row.get("phone") and phone_of(row["phone"] or "") is None:
        faults.append(_fault("phone", "invalid_phone", _("This is not a phone number.")))
    if row.get("city") is not None and row["city"] not in cities:
        faults.append(_fault("city", "unknown_key", _("Unknown: %(keys)s.") % {"keys": row["city"]}))
    for name, line in (row.get("business_lines") or {}).items():
        first, last = (line.get("first_order_at"), line.get("last_order_at")) if line else (None, None)
        if first is not None and last is not None and first > last:
            path = f"facts.business_lines.{name}.last_order_at"
            faults.append(_fault(path, "ends_before_start", _("The last order is before the first.")))
    both = sorted(set(row.get("tags_added") or ()) & set(row.get("tags_removed") or ()))
    if both:
        sentence = _("To be added and removed at once: %(tags)s.") % {"tags": ", ".join(both)}
        faults.append(_fault("tags", "contradiction", sentence))
    return faults


def _is_news(before: Mapping[str, Any], fact: str, known_at: datetime | None) -> bool:
    told_at = before[f"{fact}_at"]
    return told_at is None or known_at is None or told_at < known_at


def _told_columns(row: Mapping[str, Any], before: Mapping[str, Any], known_at: datetime | None) -> dict[str, Any]:
    columns = {
        column: row[name]
        for name, column in PLAIN.items()
        if name in row and (name not in DATED or _is_news(before, name, known_at))
    }
    if "phone" in row:
        columns["phone"] = phone_of(row["phone"]) if row["phone"] else ""
    if "wechat_id" in row:
        columns["wechat"] = identity("wechat", row["wechat_id"]) if row["wechat_id"] else None
    if "nickname" in row:
        columns["nickname"] = row["nickname"] or ""
    return columns


def _told_tags(row: Told, tags: Sequence[str]) -> list[str]:
    removed = set(row.get("tags_removed") or ())
    return list(dict.fromkeys([*(tag for tag in tags if tag not in removed), *(row.get("tags_added") or ())]))


def _told_lines(row: Told, old: Lines) -> Lines:
    new = dict(old)
    for name, line in (row.get("business_lines") or {}).items():
        if line is None:
            new.pop(name, None)
            continue
        known = old.get(name, Line(0, None, None)) if line["orders"] else Line(0, None, None)
        first, last = line.get("first_order_at", known.first), line.get("last_order_at", known.last)
        new[name] = Line(line["orders"], first, last)
    return new


def _totals(before: Mapping[str, Any], old: Lines, new: Lines) -> dict[str, Any]:
    """The customer's orders follow from the lines', and from orders that named no line."""
    in_lines = sum(line.orders for line in new.values())
    orders = before["order_count"] + in_lines - sum(line.orders for line in old.values())
    firsts = [line.first for line in new.values() if line.first is not None]
    lasts = [line.last for line in new.values() if line.last is not None]
    if orders > in_lines:
        firsts += [before["first_order_at"]] if before["first_order_at"] else []
        lasts += [before["last_order_at"]] if before["last_order_at"] else []
    return {
        "order_count": orders,
        "first_order_at": min(firsts, default=None) if orders else None,
        "last_order_at": max(lasts, default=None) if orders else None,
    }


# --- rows ------------------------------------------------------------------------------------------------------------

_COLUMNS = {
    "id": "bigint",
    "phone": "text",
    "wechat": "uuid",
    "nickname": "text",
    "city_id": "text",
    "registered_at": "timestamptz",
    "sensitivity": "numeric",
    "churn_probability": "numeric",
    "rival_app": "boolean",
    "tags": "text[]",
    "order_count": "integer",
    "first_order_at": "timestamptz",
    "last_order_at": "timestamptz",
    "facts_at": "timestamptz",
    **{f"{fact}_at": "timestamptz" for fact in (*DATED, "tags")},
    **{f"{fact}_source": "text" for fact in (*DATED, "tags")},
}
_CREATE = """
INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen, deducted_fen)
SELECT told, '', '', %s, '{}', 0, 0, 0 FROM unnest(%s::text[]) AS told
 WHERE NOT EXISTS (SELECT FROM coupons_customer WHERE key = told)
ON CONFLICT (key) DO NOTHING RETURNING key
"""
_LOCK = f"""
SELECT key, {", ".join(_COLUMNS)} FROM coupons_customer WHERE key = ANY(%s::text[]) ORDER BY id FOR NO KEY UPDATE
"""  # noqa: S608  our own words, no input
_WRITE = f"""
UPDATE coupons_customer AS c SET {", ".join(f"{column} = told.{column}" for column in _COLUMNS if column != "id")}
  FROM jsonb_to_recordset(%s::jsonb) AS told({", ".join(f"{column} {kind}" for column, kind in _COLUMNS.items())})
 WHERE c.id = told.id
"""  # noqa: S608  our own words, no input
_LINES = """
SELECT customer_id, business_line, order_count, first_order_at, last_order_at FROM coupons_customerline
 WHERE customer_id = ANY(%s::bigint[])
"""
_WRITE_LINES = """
INSERT INTO coupons_customerline (customer_id, business_line, order_count, first_order_at, last_order_at)
SELECT customer_id, business_line, orders, first, last FROM jsonb_to_recordset(%s::jsonb)
    AS told(customer_id bigint, business_line text, orders integer, first timestamptz, last timestamptz)
ON CONFLICT (customer_id, business_line) DO UPDATE
   SET order_count = excluded.order_count,
       first_order_at = excluded.first_order_at,
       last_order_at = excluded.last_order_at
"""
_FORGET_LINES = """
DELETE FROM coupons_customerline AS line
 USING jsonb_to_recordset(%s::jsonb) AS told(customer_id bigint, business_line text)
 WHERE line.customer_id = told.customer_id AND line.business_line = told.business_line
"""


def _create(keys: list[str], now: datetime) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(_CREATE, [now, keys])
        return {key for (key,) in cursor.fetchall()}


def _lock(keys: list[str]) -> dict[str, dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [keys])
        return {key: dict(zip(_COLUMNS, values, strict=True)) for key, *values in cursor.fetchall()}


def _lines(customers: Mapping[str, Mapping[str, Any]]) -> dict[int, Lines]:
    lines: dict[int, Lines] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LINES, [[customer["id"] for customer in customers.values()]])
        for customer, name, *facts in cursor.fetchall():
            lines.setdefault(customer, {})[name] = Line(*facts)
    return lines


def _write(customers: Iterable[Any], lines: Iterable[Any], forgotten: Iterable[Any]) -> None:
    with connection.cursor() as cursor:
        for statement, rows in ((_WRITE, customers), (_WRITE_LINES, lines), (_FORGET_LINES, forgotten)):
            if rows:
                cursor.execute(statement, [orjson.dumps(rows, default=str).decode()])
