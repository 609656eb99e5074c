"""Which orders a customer must have had, before the claim and between claim and use, for the rules about them to hold.

Numbers of orders up to certain days are unknowns that never fall; each rule bounds the difference of two of them. Such
a system has a solution unless its bounds go round in a circle that gains: then the rules contradict each other.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise, product
from typing import Any, NamedTuple

from coupons.rules import Condition, Past, Profile, Situation
from coupons.rules.situation import DayFacts, LineFacts

#: Node names: before everything, at the claim, at the use; whole numbers are the midnights before days, 0 the claim's.
Node = int | str
EVER, CLAIM, USE = "ever", "claim", "use"

PRICE_FEN = 10_000
#: Orders between claim and use may be so much dearer that they outweigh what was before.
DEARER = 10**6


class PastOrder(NamedTuple):
    """``number`` finished orders alike, each at this price; ``between``: after the claim."""

    at: datetime
    line: str | None
    gross_fen: int
    deducted_fen: int
    between: bool
    number: int = 1


class Unproven(Exception):
    """Neither such orders were found nor a contradiction: sums of money may have no solution that is tried here."""


def history(
    claim: Sequence[Condition], use: Sequence[Condition], claim_at: datetime, use_at: datetime
) -> list[PastOrder] | None:
    """Orders with which all of these hold, few of them; None: there are no such orders.  :raises Unproven:"""
    gap = (use_at.date() - claim_at.date()).days
    rated = [condition for condition in (*claim, *use) if _ends(condition)]
    drawable = False
    ways = product(*(list(condition.pasts()) for condition in (*claim, *use)))
    for pasts, more in product(ways, (0, 1) if rated else (0,)):
        before, after = pasts[: len(claim)], pasts[len(claim) :]
        drawn = _draw(before, after, gap, more)
        if drawn is None:
            continue
        drawable = True
        counts, lines = drawn
        for priced in _priced(counts, lines, [*claim, *use], claim_at):
            if holds(claim, [order for order in priced if not order.between], claim_at) and holds(use, priced, use_at):
                return priced
    if drawable and not any(_rates_contradict(conditions) for conditions in (claim, use)):
        raise Unproven
    return None


def longest_window(conditions: Iterable[Condition]) -> int:
    """In days; what lies farther back is asked about as a whole."""
    pasts = (past for condition in conditions for past in condition.pasts())
    return max((days or 0 for past in pasts for days, _low, _high in past.counts), default=0)


def possible(claim: Sequence[Condition], use: Sequence[Condition], claim_at: datetime, use_at: datetime) -> bool:
    """Whether such orders exist, or might."""
    try:
        return history(claim, use, claim_at, use_at) is not None
    except Unproven:
        return True


def holds(conditions: Iterable[Condition], orders: Sequence[PastOrder], at: datetime) -> bool:
    """Asked of the rules themselves."""
    profile = Profile(None, "", **facts(orders))
    return all(condition.check(profile, Situation(now=at)).holds is True for condition in conditions)


def facts(orders: Sequence[PastOrder]) -> dict[str, Any]:
    """What would be known of a customer with these orders, as columns of a profile."""
    days: dict[date, DayFacts] = {}
    lines: dict[str, LineFacts] = {}
    for order in orders:
        day = order.at.date()
        had = days.get(day, DayFacts(0, 0, 0))
        days[day] = DayFacts(
            had.order_count + order.number,
            had.gross_fen + order.gross_fen * order.number,
            had.deducted_fen + order.deducted_fen * order.number,
        )
        if order.line:
            lines[order.line] = LineFacts(lines[order.line].order_count + 1 if order.line in lines else 1, order.at)
    return {
        "order_count": sum(order.number for order in orders),
        "last_order_at": max((order.at for order in orders), default=None),
        "gross_fen": sum(order.gross_fen * order.number for order in orders),
        "deducted_fen": sum(order.deducted_fen * order.number for order in orders),
        "lines": lines,
        "days": days,
    }


class _Drawn(NamedTuple):
    #: How many orders up to each node, in the order of time.
    counts: list[tuple[Node, int]]
    #: Lines with an order before the claim, and lines with their first one after it.
    lines: tuple[list[str], list[str]]


def _draw(before: Sequence[Past], after: Sequence[Past], gap: int, more: int) -> _Drawn | None:
    lines = _lines(before, after)
    if lines is None:
        return None
    old, new = lines
    windows = [(0, CLAIM, past) for past in before] + [(gap, USE, past) for past in after]
    midnights = sorted({day + 1 - days for day, _end, past in windows for days, _l, _h in past.counts if days})
    nodes: list[Node] = [EVER, *(m for m in midnights if m <= 0), CLAIM, *(m for m in midnights if m > 0), USE]
    bounds: list[tuple[Node, Node, int]] = [(one, later, 0) for one, later in pairwise(nodes)]
    bounds += [(EVER, CLAIM, len(old)), (EVER, USE, len(old) + len(new)), (CLAIM, USE, max(len(new), more))]
    for day, end, past in windows:
        for days, low, high in past.counts:
            start = EVER if days is None else day + 1 - days
            bounds.append((start, end, low))
            if high is not None:
                bounds.append((end, start, -high))
    least = dict.fromkeys(nodes, 0)
    for _round in range(len(nodes) + 1):
        grown = False
        for one, other, distance in bounds:
            if least[one] + distance > least[other]:
                least[other], grown = least[one] + distance, True
        if not grown:
            return _Drawn([(node, least[node]) for node in nodes], (old, new)) if least[EVER] == 0 else None
    return None


def _lines(before: Sequence[Past], after: Sequence[Past]) -> tuple[list[str], list[str]] | None:
    """Business lines ordered in before the claim, and those that only the use asks for; None: they contradict."""
    said: list[dict[str, bool]] = [{}, {}]
    for moment, pasts in zip(said, (before, after), strict=True):
        for past in pasts:
            for line, ordered in past.lines.items():
                if moment.setdefault(line, ordered) is not ordered:
                    return None
    at_claim, at_use = said
    if any(ordered and at_use.get(line) is False for line, ordered in at_claim.items()):
        return None
    old = [line for line, ordered in at_claim.items() if ordered]
    return old, [line for line, ordered in at_use.items() if ordered and line not in old]


def _priced(
    counts: list[tuple[Node, int]], lines: tuple[list[str], list[str]], asked: Sequence[Condition], claim_at: datetime
) -> Iterator[list[PastOrder]]:
    """The orders with their days, at several prices: what was deducted, before and between, as rules may want it."""
    midnight = claim_at.replace(hour=0, minute=0, second=0, microsecond=0)
    placed: list[tuple[datetime, str | None, bool, int]] = []
    named = [iter(lines[0]), iter(lines[1])]
    for (one, so_many), (other, more) in pairwise(counts):
        between = one == CLAIM or (isinstance(one, int) and one > 0)
        if one == CLAIM:
            at = claim_at
        elif isinstance(one, int):
            at = midnight + timedelta(days=one)
        else:
            at = midnight + timedelta(days=(other if isinstance(other, int) else 0) - 1)
        left = more - so_many
        while left and (line := next(named[between], None)) is not None:
            placed.append((at, line, between, 1))
            left -= 1
        if left:
            placed.append((at, None, between, left))
    rates = sorted({float(end) for rule in asked for end in _ends(rule)} | {0.0})
    for first, then in product(rates, rates):
        for dearer in (1, DEARER) if first != then else (1,):
            orders = []
            for at, line, between, count in placed:
                gross = PRICE_FEN * (dearer if between else 1)
                off = round(gross * (then if between else first))
                orders.append(PastOrder(at, line, gross, off, between, count))
            yield orders


def _rates_contradict(conditions: Sequence[Condition]) -> bool:
    """Two shares of the same days at the same moment that have no number in common."""
    rated = [condition.answers for condition in conditions if _ends(condition)]
    return any(
        one.get("within_days") == other.get("within_days") and one.get("min", 0) > other.get("max", 1)
        for one, other in product(rated, rated)
    )


def _ends(rule: Condition) -> list[float]:
    """The ends of a share of money, which whole fen of this price can hit."""
    if getattr(rule, "low_parts", None) is None and getattr(rule, "high_parts", None) is None:
        return []
    return [rule.answers[name] for name in ("min", "max") if name in rule.answers]
