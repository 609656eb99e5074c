"""对照组: who of a campaign's customers gets nothing, so that what its coupons bring can be measured.

A draw by keyed hash of campaign and customer: the same at every door and every time, not to be reckoned by anybody
without the campaign's secret, independent between campaigns. A larger share keeps whoever was in, a smaller one keeps
whoever was out. ``distribution_in_control_group`` in the database says the same, for whole populations.
"""

from decimal import Decimal
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID


class Draw(NamedTuple):
    """``share``: in thousandths."""

    secret: bytes
    share: int

    @classmethod
    def of(cls, secret: UUID, percent: Decimal) -> "Draw | None":
        """None: nobody is in."""
        return cls(secret.bytes, int(percent * 10)) if percent else None

    def holds(self, customer: str) -> bool:
        """Whether the customer, by key, is in the control group."""
        drawn = sha256(self.secret + customer.encode()).digest()
        return int.from_bytes(drawn[:4]) * 1000 < self.share << 32
