"""Every "no" to a claim or a use is counted, without a row for each: a flash sale refuses thousands in a second.

A process adds up and writes its sums every ``REFUSALS_SECONDS``; how active those were who were refused is looked up
then, so that no refusal waits for it.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from django.utils import timezone

from coupons.gathering import Gathering
from coupons.models import RefusalCount
from coupons.queries.activity import LEVEL, orders
from coupons.queries.direct import rows
from coupons.refused import Refused

Deed = RefusalCount.Deed

#: So many different ones are gathered at most; of more, who was refused is not looked at.
MOST_GATHERED = 10_000

_CELL = "hour, deed, placement, template_id, city_id, business_line, activity, code, reason"
_WRITE = f"""
WITH told AS MATERIALIZED (
    SELECT t.*, CASE WHEN t.customer = '' THEN '' ELSE {LEVEL} END AS activity
      FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::text[],
                  %s::text[], %s::text[], %s::date[], %s::bigint[])
           AS t(hour, deed, placement, template_id, city_id, business_line, customer, code, reason, day, count)
      LEFT JOIN coupons_customer u ON u.key = t.customer{orders("u.id", "t.day")}
), days AS (
    INSERT INTO coupons_refusalday AS o (day, deed, code, count)
    SELECT day, deed, code, sum(count) FROM told GROUP BY day, deed, code ORDER BY day, deed, code
    ON CONFLICT (day, deed, code) DO UPDATE SET count = o.count + excluded.count
)
INSERT INTO coupons_refusalcount AS o ({_CELL}, count)
SELECT {_CELL}, sum(count) FROM told GROUP BY {_CELL} ORDER BY {_CELL}
ON CONFLICT ({_CELL}) DO UPDATE SET count = o.count + excluded.count
RETURNING 1
"""  # noqa: S608  names of our own columns


class Refusal(NamedTuple):
    hour: datetime
    deed: str
    placement: str
    template_id: int
    city: str
    business_line: str
    customer: str
    code: str
    reason: str


@contextmanager
def counted(
    deed: str,
    now: datetime,
    customer: str,
    placement: str = "",
    *,
    city: str | None = None,
    business_line: str | None = None,
) -> Iterator[None]:
    """What is refused within by the rules is counted, with the template and the cause that the refusal is about."""
    try:
        yield
    except Refused as no:
        if no.status == 409 and no.noted is None:
            hour = now.replace(minute=0, second=0, microsecond=0)
            place = city or "", business_line or ""
            no.noted = Refusal(hour, deed, placement, no.template_id, *place, customer, no.code, no.cause)
            _add(no.noted, 1)
        raise


def take_back(no: Refused) -> None:
    """It was none: the call had been answered before, and gets that answer again."""
    if no.noted is not None:
        _add(no.noted, -1)


def _add(refusal: Refusal, count: int) -> None:
    with _gathered.open() as counts:
        if len(counts) >= MOST_GATHERED and refusal not in counts:
            refusal = refusal._replace(customer="")
        counts[refusal] += count


def _write(counts: Counter[Refusal]) -> None:
    found = [(refusal, count) for refusal, count in counts.items() if count]
    if found:
        columns = map(list, zip(*(refusal for refusal, _ in found), strict=True))
        rows(
            _WRITE,
            [
                *columns,
                [timezone.localtime(refusal.hour).date() for refusal, _ in found],
                [count for _, count in found],
            ],
        )


_gathered: Gathering[Counter[Refusal]] = Gathering("refusals", "REFUSALS_SECONDS", Counter, _write, Counter.update)
flush = _gathered.flush
