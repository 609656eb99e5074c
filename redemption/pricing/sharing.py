"""Who pays: platform and merchant, per line, adding up to the discount."""

from collections.abc import Sequence
from typing import NamedTuple

from .bill import WHOLE, Bill, Terms
from .spreading import spread


class Part(NamedTuple):
    """What one coupon takes off one line, or off the shipping fee (``line`` is ``None``).

    ``merchant_fen`` of it is charged to ``merchant``, the rest is the platform's; without a merchant all of it is.
    """

    line: str | None
    discount_fen: int
    merchant_fen: int
    merchant: str | None


def merchant_share(terms: Terms, discount_fen: int) -> int:
    """The merchant's side of a discount: half up by percentage, or a fixed sum that is never above the discount."""
    if terms.merchant_percent is not None:
        return (discount_fen * terms.merchant_percent + WHOLE // 2) // WHOLE
    return min(terms.merchant_fen or 0, discount_fen)


def share(terms: Terms, bill: Bill, where: Sequence[int], fens: Sequence[int]) -> tuple[Part, ...]:
    """Splits a discount that stands as ``fens`` on the lines ``where``; lines on which nothing is taken are left out.

    The merchant's share is split once, of the whole, and then spread: rounding line by line would not add up. What
    falls on a line that has nobody to charge stays with the platform.
    """
    shares = spread(merchant_share(terms, sum(fens)), fens)
    lines = bill.lines
    parts = []
    for i, fen, merchant_fen in zip(where, fens, shares, strict=True):
        if fen:
            line = lines[i] if i < len(lines) else None
            merchant = terms.merchant or (line[2] if line else None)
            charged = merchant if merchant_fen else None
            parts.append(Part(line[0] if line else None, fen, merchant_fen if charged else 0, charged))
    return tuple(parts)
