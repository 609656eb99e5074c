"""What is known of how many customers, and how fresh it is."""

from datetime import datetime, timedelta
from typing import NamedTuple

from coupons.models import Fact
from coupons.queries.direct import row


class Coverage(NamedTuple):
    """``known``: customers of whom the fact is told and still believed; ``old``: told, but too long ago."""

    customers: int
    known: int
    old: int
    oldest_at: datetime | None
    newest_at: datetime | None


class Ordered(NamedTuple):
    """Of how many customers there are finished orders, and from when the newest is."""

    customers: int
    known: int
    newest_at: datetime | None


#: When a customer's row says something of a fact.
_TOLD = {fact: f"{fact} IS NOT NULL" for fact in Fact.Code.values} | {"tags": "tags_at IS NOT NULL"}


def coverage(now: datetime) -> dict[str, Coverage]:
    """By fact, in one pass over all customers."""
    columns, parameters = ["count(*)"], []
    facts = dict(Fact.objects.order_by("code").values_list("code", "most_days"))
    for fact, days in facts.items():
        told = _TOLD[fact]
        believed = "true" if days is None else f"{fact}_at >= %s::timestamptz"
        columns += [
            f"count(*) FILTER (WHERE {told} AND {believed})",
            f"count(*) FILTER (WHERE {told})",
            f"min({fact}_at) FILTER (WHERE {told})",
            f"max({fact}_at) FILTER (WHERE {told})",
        ]
        parameters += [] if days is None else [now - timedelta(days=days)]
    found = row(f"SELECT {', '.join(columns)} FROM coupons_customer", parameters)  # noqa: S608  our own words
    assert found is not None
    customers, *numbers = found
    by_fact = zip(facts, zip(*[iter(numbers)] * 4, strict=True), strict=True)
    return {
        fact: Coverage(customers, known, told - known, oldest, newest)
        for fact, (known, told, oldest, newest) in by_fact
    }


def ordered() -> Ordered:
    found = row(
        "SELECT count(*), count(*) FILTER (WHERE order_count > 0), max(last_order_at) FILTER (WHERE order_count > 0)"
        " FROM coupons_customer",
        [],
    )
    assert found is not None
    return Ordered(*found)
