"""投放对比: placements, or channels and forms, side by side, each rate with its 95 % interval.

Shares by Wilson. Cost per use and per new customer are quotients of sums over customers; their intervals by the delta
method on the logarithm, a customer being one observation however many coupons they used. Where there is too little to
say anything there is no interval and it is said.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

from stats.queries.measures import DIMENSION
from stats.queries.numbers import Numbers, numbers
from stats.queries.spread import Spread, spread

Z = 1.959964  #: 95 % of a normal lie within so many standard errors.
#: So many customers who used something, and new ones among them, before a cost per head is given an interval.
LEAST_CUSTOMERS, LEAST_NEW = 30, 10

BY: dict[str, tuple[str, ...]] = {
    "placement": ("placement",),
    "channel": ("channel",),
    "form": ("form",),
    "both": ("channel", "form"),
}


@dataclass(frozen=True)
class Interval:
    low: float
    high: float


def share(part: int, whole: int) -> Interval | None:
    """Wilson's interval of a share; None: there is no whole, or the part is not of it."""
    if whole <= 0 or not 0 <= part <= whole:
        return None
    p, z2 = part / whole, Z * Z
    middle = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    reach = Z * sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole)) / (1 + z2 / whole)
    # At the ends the share is its own bound: rounding must not leave it outside.
    return Interval(min(max(middle - reach, 0.0), p), max(min(middle + reach, 1.0), p))


def quotient(n: int, over: float, under: float, over_sq: float, under_sq: float, product: float) -> Interval | None:
    """Of ``over`` ÷ ``under``, sums over ``n`` customers, from the sums of their squares and products."""
    if n < 2 or over <= 0 or under <= 0:
        return None
    ratio = over / under
    residual = max(over_sq - 2 * ratio * product + ratio * ratio * under_sq, 0.0) * n / (n - 1)
    reach = exp(Z * sqrt(residual) / under / ratio)
    return Interval(ratio / reach, ratio * reach)


@dataclass(frozen=True)
class Side:
    """One placement, channel or form. Costs in fen; ``key``: its values, by which it is found elsewhere."""

    key: tuple[Any, ...]
    name: str
    numbers: Numbers
    spread: Spread

    @property
    def use_rate_interval(self) -> Interval | None:
        return share(self.numbers.used_count, self.numbers.issued_count)

    @property
    def cost_per_use(self) -> float | None:
        return self.numbers.spent_fen / self.numbers.used_count if self.numbers.used_count > 0 else None

    @property
    def cost_per_use_interval(self) -> Interval | None:
        s = self.spread
        if s.customers < LEAST_CUSTOMERS:
            return None
        return quotient(s.customers, s.cost, s.uses, s.cost_cost, s.uses_uses, s.cost_uses)

    @property
    def cost_per_new(self) -> float | None:
        return self.numbers.spent_fen / self.spread.new if self.spread.new else None

    @property
    def cost_per_new_interval(self) -> Interval | None:
        s = self.spread
        if s.customers < LEAST_CUSTOMERS or s.new < LEAST_NEW:
            return None
        return quotient(s.customers, s.cost, s.new, s.cost_cost, s.new, s.cost_new)


SORTS: dict[str, Callable[[Side], float | str | None]] = {
    "name": lambda side: side.name,
    "issued": lambda side: side.numbers.issued_count,
    "seen": lambda side: side.numbers.seen_count,
    "used": lambda side: side.numbers.used_count,
    "use_rate": lambda side: side.numbers.use_rate,
    "new": lambda side: side.spread.new,
    "gmv": lambda side: side.numbers.gmv_fen,
    "cost": lambda side: side.numbers.spent_fen,
    "cost_per_use": lambda side: side.cost_per_use,
    "cost_per_new": lambda side: side.cost_per_new,
}


def compare(
    by: str, *, first: dt.date | None, last: dt.date | None, campaign: int | None = None
) -> tuple[list[Side], Side]:
    """The sides, most used first, and all together: who is new in two of them is new once."""
    names = BY[by]
    only = {} if campaign is None else {"campaign": campaign}
    found, whole = numbers(names, (), first=first, last=last, only=only)
    spreads = spread(names, first=first, last=last, campaign=campaign)
    called = [DIMENSION[name].called({key[place] for key in found}) for place, name in enumerate(names)]
    sides = [
        Side(
            key,
            " · ".join(dict.fromkeys(called[place][value] for place, value in enumerate(key))),
            line,
            spreads.get(key, Spread()),
        )
        for key, line in found.items()
        if line != Numbers()
    ]
    sides.sort(key=lambda side: (-side.numbers.used_count, -side.numbers.issued_count, side.name))
    return sides, Side((), "", whole.get((), Numbers()), spreads.get((), Spread()))


def in_order(sides: list[Side], by: str, *, descending: bool) -> list[Side]:
    """What has no value stands last, either way."""
    known = [side for side in sides if SORTS[by](side) is not None]
    known.sort(key=SORTS[by], reverse=descending)  # type: ignore[arg-type]
    return [*known, *(side for side in sides if SORTS[by](side) is None)]
