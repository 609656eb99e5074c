"""One coupon on a bill."""

from collections.abc import Sequence

from .bill import WHOLE, Bill, Terms, Why
from .sharing import Part, share
from .spreading import spread

HALF = WHOLE // 2
NOTHING_IN_SCOPE = Why("nothing_in_scope")


class Priced:
    """What one coupon takes off. The sum is there at once; lines and shares are worked out when first asked for."""

    __slots__ = ("_fens", "_parts", "_weights", "_where", "bill", "terms", "total_fen")

    def __init__(
        self,
        terms: Terms,
        bill: Bill,
        total_fen: int,
        where: Sequence[int],
        weights: Sequence[int],
        fens: list[int] | None = None,
    ) -> None:
        self.terms = terms
        self.bill = bill
        self.total_fen = total_fen
        self._where = where
        self._weights = weights
        self._fens = fens
        self._parts: tuple[Part, ...] | None = None

    def __repr__(self) -> str:
        return f"Priced({self.total_fen})"

    @property
    def discount_fen(self) -> int:
        """Off the goods; a shipping coupon's discount stands apart."""
        return 0 if self.terms.shipping else self.total_fen

    @property
    def shipping_discount_fen(self) -> int:
        return self.total_fen if self.terms.shipping else 0

    @property
    def line_fens(self) -> list[int]:
        """Off each line, in the bill's order, 0 where nothing is taken; goods only. Adds up to ``discount_fen``."""
        count = len(self.bill.lines)
        if self.terms.shipping:
            return [0] * count
        fens = self._spread()
        if len(fens) == count:
            return fens[:]
        every = [0] * count
        for i, fen in zip(self._where, fens, strict=True):
            every[i] = fen
        return every

    @property
    def parts(self) -> tuple[Part, ...]:
        """Off each line with who pays; only where something is taken. A shipping coupon has one part, of no line."""
        if self._parts is None:
            self._parts = share(self.terms, self.bill, self._where, self._spread())
        return self._parts

    @property
    def merchant_fen(self) -> int:
        return sum(part.merchant_fen for part in self.parts)

    @property
    def platform_fen(self) -> int:
        return self.total_fen - self.merchant_fen

    def _spread(self) -> list[int]:
        if self._fens is None:
            self._fens = spread(self.total_fen, self._weights)
        return self._fens


def take(terms: Terms, left_fen: int) -> int:
    """What the terms take off eligible lines of which ``left_fen`` is left: once, half up, capped, at most all of it.

    Never falls when more is left, and never grows faster than what is left does: ``choosing`` rests on both.
    """
    fen = (left_fen * terms.rate + HALF) // WHOLE
    return fen if fen < terms.most_fen else terms.most_fen


def look(terms: Terms, bill: Bill) -> tuple[int, int | Why]:
    """The mask of the eligible lines and what the terms alone take off, or why nothing; remembered in the bill."""
    found = bill.looks.get(terms)
    if found is None:
        mask = bill.in_scope(terms)
        eligible = bill.sum_fen(mask)
        answer: int | Why
        if not mask or (terms.shipping and not eligible):
            answer = NOTHING_IN_SCOPE
        elif eligible < terms.least_fen:
            answer = Why("below_threshold", terms.least_fen - eligible)
        elif not eligible:
            answer = NOTHING_IN_SCOPE
        else:
            answer = take(terms, eligible)
        found = bill.looks[terms] = (mask, answer)
    return found


def amount_one(terms: Terms, bill: Bill) -> int | Why:
    """The fen that the terms alone take off, goods or shipping, without the lines; or why nothing."""
    return look(terms, bill)[1]


def price_one(terms: Terms, bill: Bill) -> Priced | Why:
    """The terms alone on the bill; or why they take nothing."""
    mask, answer = look(terms, bill)
    if isinstance(answer, Why):
        return answer
    return Priced(terms, bill, answer, *bill.places(mask))
