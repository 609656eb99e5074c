"""Several coupons on one bill."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from .bill import Bill, Candidate, Terms, Why
from .spreading import spread
from .taking import Priced, look, take

EXCLUSIVE = "exclusive"
CANNOT_STACK = Why("cannot_stack")

_TURNS = {"merchant": 0, "order": 2, "shipping": 3}


def turn(terms: Terms) -> tuple[int, str]:
    """When a stack group is applied: merchant, any others by name, order, shipping."""
    return _TURNS.get(terms.group, 1), terms.group


class PricedSet(NamedTuple):
    """What a set of coupons takes off, each coupon in the order in which it was applied."""

    bill: Bill
    coupons: tuple[tuple[Candidate, Priced], ...]
    discount_fen: int
    shipping_discount_fen: int

    @property
    def total_fen(self) -> int:
        """Off goods and shipping together; platform's and merchants' shares add up to it."""
        return self.discount_fen + self.shipping_discount_fen

    @property
    def payable_fen(self) -> int:
        return self.bill.goods_fen + self.bill.shipping_fen - self.total_fen

    @property
    def merchant_fen(self) -> int:
        return sum(priced.merchant_fen for _, priced in self.coupons)

    @property
    def platform_fen(self) -> int:
        return self.total_fen - self.merchant_fen

    @property
    def line_fens(self) -> list[int]:
        """Off each line by all coupons, in the bill's order, 0 where nothing is taken; adds up to ``discount_fen``."""
        fens = [0] * len(self.bill.lines)
        for _, priced in self.coupons:
            fens = [sum(pair) for pair in zip(fens, priced.line_fens, strict=True)]
        return fens


def clashes(candidates: Sequence[Candidate]) -> dict[int, Why]:
    """Which coupons stand in each other's way: two of one stack group, or an exclusive one in company."""
    groups = Counter(candidate.terms.group for candidate in candidates)
    alone = len(candidates) > 1 and EXCLUSIVE in groups
    return {
        candidate.coupon: CANNOT_STACK
        for candidate in candidates
        if groups[candidate.terms.group] > 1 or (alone and candidate.terms.group == EXCLUSIVE)
    }


def price_set(candidates: Sequence[Candidate], bill: Bill) -> PricedSet | dict[int, Why]:
    """All of these coupons together, or none: then why, by coupon. No coupon at all is a set that takes nothing.

    Thresholds look at full prices; percentages, amounts and the spread over lines at what earlier groups have left.
    A coupon that finds nothing left takes 0 and is no reason to refuse.
    """
    looks = [(candidate, *look(candidate.terms, bill)) for candidate in candidates]
    refused = {candidate.coupon: answer for candidate, _, answer in looks if isinstance(answer, Why)}
    refused = refused or clashes(candidates)
    if refused:
        return refused
    looks.sort(key=lambda found: turn(found[0].terms))
    left = bill.full_fens[:]
    coupons = []
    shipping = 0
    for candidate, mask, _ in looks:
        terms = candidate.terms
        where = bill.places(mask)[0]
        weights = [left[i] for i in where]
        fen = take(terms, sum(weights))
        fens = spread(fen, weights)
        for i, part in zip(where, fens, strict=True):
            left[i] -= part
        if terms.shipping:
            shipping += fen
        coupons.append((candidate, Priced(terms, bill, fen, where, weights, fens)))
    return PricedSet(bill, tuple(coupons), sum(bill.full_fens) - sum(left) - shipping, shipping)
