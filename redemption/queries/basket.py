"""An order as it is asked about: plain data, before anything is known of it."""

from datetime import datetime
from typing import Any, NamedTuple

from redemption.pricing import Line

#: By this name the shipping fee is rolled back; no line of an order may have it.
SHIPPING = "shipping"


class Basket(NamedTuple):
    """``key`` and ``customer`` are the company's names for them. ``position``: (lat, lng) in WGS-84."""

    key: str
    customer: str
    placed_at: datetime
    client: str
    business_mode: str | None
    business_line: str | None
    city: str | None
    position: tuple[float, float] | None
    lines: tuple[Line, ...]
    shipping_fen: int

    @property
    def goods_fen(self) -> int:
        return sum(line.unit_price_fen * line.quantity for line in self.lines)

    def snapshot(self) -> list[dict[str, Any]]:
        """The lines as they are kept."""
        return [line._asdict() for line in self.lines]
