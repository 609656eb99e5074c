"""What goes in: the order's lines, the money part of a template, the coupons in question."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Literal, NamedTuple

Kind = Literal["amount_off", "percent_off", "no_threshold"]

WHOLE = 10_000
"""100 % in hundredths of a percent."""

UNLIMITED = 10**18


class Line(NamedTuple):
    """One line of an order; a tuple in this order serves as well. Quantity is at least 1, the price at least 0."""

    id: str
    category: str | None
    merchant: str | None
    sku: str | None
    unit_price_fen: int
    quantity: int


class Why(NamedTuple):
    """Why a coupon takes nothing: ``below_threshold``, ``nothing_in_scope`` or ``cannot_stack``."""

    code: str
    short_by_fen: int | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Terms:
    """The money part of a template. Made once per template and kept: a bill remembers it by identity.

    Percentages are whole hundredths of a percent: 20 % is 2000 (see :func:`hundredths`). Scopes of several sorts must
    all hold (this category *and* this merchant); an empty one does not restrict. At most one of ``merchant_percent``
    and ``merchant_fen`` is given; ``merchant`` is the template's own merchant, charged before the lines' merchants.

    :raises ValueError: terms that no template may have.
    """

    type: Kind
    amount_fen: int | None = None
    threshold_fen: int | None = None
    percent_off: int | None = None
    cap_fen: int | None = None
    categories: frozenset[str] = frozenset()
    merchants: frozenset[str] = frozenset()
    skus: frozenset[str] = frozenset()
    shipping: bool = False
    stack_group: str | None = None
    merchant_percent: int | None = None
    merchant_fen: int | None = None
    merchant: str | None = None

    group: str = field(init=False)
    least_fen: int = field(init=False)
    rate: int = field(init=False)
    most_fen: int = field(init=False)

    def __post_init__(self) -> None:
        # An amount is 100 % that is capped at the amount, so that one formula serves every type.
        if self.type == "percent_off":
            rate, most = self.percent_off, UNLIMITED if self.cap_fen is None else self.cap_fen
        else:
            rate, most = WHOLE, self.amount_fen or 0
        if rate is None or not 0 < rate <= WHOLE or most <= 0:
            raise ValueError("a template takes something off, and never more than everything")
        if self.merchant_percent is not None and self.merchant_fen is not None:
            raise ValueError("the merchant's share is a percentage or an amount, not both")
        if not 0 <= (self.merchant_percent or 0) <= WHOLE or (self.merchant_fen or 0) < 0:
            raise ValueError("the merchant's share lies between nothing and everything")
        least = 0 if self.type == "no_threshold" else self.threshold_fen or 0
        object.__setattr__(self, "group", self.stack_group or ("shipping" if self.shipping else "order"))
        object.__setattr__(self, "least_fen", least)
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "most_fen", most)


class Candidate(NamedTuple):
    """A coupon that might be used; ``valid_until`` decides between sets that take the same off."""

    coupon: int
    terms: Terms
    valid_until: datetime


def hundredths(percent: Decimal) -> int:
    """A percentage of up to two decimals as whole hundredths: 12.5 is 1250.

    :raises ValueError: more than two decimals.
    """
    whole = percent.scaleb(2)
    if whole != whole.to_integral_value():
        raise ValueError("a percentage has at most two decimals")
    return int(whole)


class Bill:
    """An order at full price. Never changed; sums by category, merchant and sku are made once, when first asked for.

    Sets of lines are bit masks, bit ``i`` for ``lines[i]``. The shipping fee is the bit after the last line: it is
    spread, stacked and capped like a line, and no coupon on goods can reach it.
    """

    __slots__ = (
        "_chosen",
        "_known",
        "_sums",
        "full_fens",
        "goods_fen",
        "lines",
        "looks",
        "shipping_bit",
        "shipping_fen",
    )

    def __init__(self, lines: Iterable[Line], shipping_fen: int = 0) -> None:
        self.lines = tuple(lines)
        self.shipping_fen = shipping_fen
        self.full_fens = [line[4] * line[5] for line in self.lines]
        self.goods_fen = sum(self.full_fens)
        self.full_fens.append(shipping_fen)
        self.shipping_bit = 1 << len(self.lines)
        self.looks: dict[Terms, tuple[int, int | Why]] = {}
        self._known: dict[int, dict[str | None, tuple[int, int]]] = {}
        self._sums: dict[int, int] = {self.shipping_bit: shipping_fen, self.shipping_bit - 1: self.goods_fen, 0: 0}
        self._chosen: dict[int, tuple[tuple[int, ...], list[int]]] = {}

    def in_scope(self, terms: Terms) -> int:
        """The lines that the terms are about, as a mask; 0 if there are none."""
        if terms.shipping:
            return self.shipping_bit
        mask = self.shipping_bit - 1
        if terms.categories:
            mask &= self._having(1, terms.categories)
        if terms.merchants:
            mask &= self._having(2, terms.merchants)
        if terms.skus:
            mask &= self._having(3, terms.skus)
        return mask

    def sum_fen(self, mask: int) -> int:
        """What these lines cost at full price."""
        fen = self._sums.get(mask)
        if fen is None:
            fen = self._sums[mask] = sum(self.places(mask)[1])
        return fen

    def places(self, mask: int) -> tuple[tuple[int, ...], list[int]]:
        """The indexes of these lines and their full prices; the index after the last line is the shipping fee."""
        found = self._chosen.get(mask)
        if found is None:
            full = self.full_fens
            where = tuple([i for i in range(len(full)) if mask >> i & 1])
            found = self._chosen[mask] = (where, [full[i] for i in where])
        return found

    def _having(self, column: int, keys: frozenset[str]) -> int:
        known = self._known.get(column)
        if known is None:
            known = self._known[column] = self._by_key(column)
        if len(keys) > len(known):
            found = [at for key, at in known.items() if key in keys]
        else:
            found = [known[key] for key in keys if key in known]
        mask = fen = 0
        for bits, part in found:
            mask |= bits
            fen += part
        self._sums[mask] = fen
        return mask

    def _by_key(self, column: int) -> dict[str | None, tuple[int, int]]:
        """The lines with each category, merchant or sku, and what they cost."""
        known: dict[str | None, tuple[int, int]] = {}
        bit = 1
        for line, fen in zip(self.lines, self.full_fens, strict=False):
            key: str | None = line[column]  # type: ignore[assignment]  # columns 1 to 3 are the keys
            if key in known:
                bits, sum_fen = known[key]
                known[key] = (bits | bit, sum_fen + fen)
            else:
                known[key] = (bit, fen)
            bit += bit
        return known
