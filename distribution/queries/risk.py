"""What risk control has against a customer, device or address: blocks, velocity, the age of the account."""

from datetime import datetime
from typing import Protocol

from coupons.queries.catalogue import Book
from coupons.queries.direct import row
from distribution.models import Block, RiskRule
from distribution.models.risk import networks_of

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
    offset = now.utcoffset()
    seconds = int(offset.total_seconds()) if offset else 0
    said = row(_ASK, (customer, whence.device, networks, now, seconds, counts))
    return said[0] if said else None
