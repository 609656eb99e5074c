"""What risk control has against a customer, device or address: blocks, velocity, the age of the account."""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from coupons.queries.catalogue import Book
from coupons.queries.direct import row, rows
from distribution.models import Block, RiskRule
from distribution.models.risk import networks_of

#: Bits of an IPv6 address of which whoever has one line may take any: all of them count as one address.
HOME = 64

_ASK = """
SELECT distribution_risk(%s::text, %s::text, %s::text[], %s::timestamptz, %s::integer, %s::boolean)
"""


class Whence(Protocol):
    @property
    def device(self) -> str | None: ...
    @property
    def ip(self) -> str | None: ...


def is_on(book: Book) -> bool:
    """Whether there is anything to ask the database."""
    return book.keep("risk", lambda: Block.objects.exists() or RiskRule.objects.filter(is_on=True).exists())


def found(customer: str, now: datetime, whence: Whence, *, counts: bool) -> str | None:
    """What stands against it, for the record. ``counts``: counts it as well, if the caller's transaction is kept."""
    networks = networks_of(whence.ip) if whence.ip else []
    if len(networks) > HOME:  # the first is what is counted
        networks.insert(0, networks[HOME])
    offset = now.utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    said = row(_ASK, (customer, whence.device, networks, now, seconds, counts))
    return said[0] if said else None


_AMONG = """
SELECT c.id FROM coupons_customer AS c
 WHERE c.id = ANY(%(customers)s::bigint[])
   AND (EXISTS (SELECT FROM distribution_block AS b
                 WHERE (b.until IS NULL OR b.until > %(now)s::timestamptz)
                   AND (b.kind, b.value) IN (('customer', c.key), ('phone', c.phone)))
        OR EXISTS (SELECT FROM distribution_riskrule AS r
                    WHERE r.is_on AND r.kind = 'account_age'
                      AND (c.registered_at > %(now)s::timestamptz - r.minutes * interval '1 minute'
                           OR c.registered_at IS NULL)))
"""


def among(customers: Iterable[int], now: datetime, book: Book) -> set[int]:
    """Of many customers, by id, those who get nothing when the company gives: there is no device, and no hurry."""
    ids = sorted(customers)
    return {id for (id,) in rows(_AMONG, {"customers": ids, "now": now})} if ids and is_on(book) else set()
