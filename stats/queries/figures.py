"""Numbers with what is counted elsewhere: customers, each once, and refusals."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from stats.queries import refusals
from stats.queries.holders import holders
from stats.queries.numbers import Group, Numbers, numbers


@dataclass(frozen=True, slots=True)
class Figures(Numbers):
    """What was not asked for, or is not known by these dimensions, is None."""

    customer_count: int | None = None
    refused_claim_count: int | None = None
    refused_use_count: int | None = None

    @property
    def coupons_per_customer(self) -> float | None:
        return self.issued_count / self.customer_count if self.customer_count else None

    @property
    def claim_failure_rate(self) -> float | None:
        return _share(self.refused_claim_count, self.issued_count)

    @property
    def use_failure_rate(self) -> float | None:
        """Of all attempts at the counter: what was redeemed succeeded, also if it came back later."""
        return _share(self.refused_use_count, self.redeemed_count)


def _share(refused: int | None, done: int) -> float | None:
    return refused / (refused + done) if refused is not None and refused + done else None


CUSTOMERS = frozenset({"customer_count", "coupons_per_customer"})
REFUSED = {
    "claim": frozenset({"refused_claim_count", "claim_failure_rate"}),
    "use": frozenset({"refused_use_count", "use_failure_rate"}),
}


def figures(
    *groupings: tuple[str, ...],
    first: dt.date | None = None,
    last: dt.date | None = None,
    only: Mapping[str, Any] | None = None,
    measures: Collection[str] = (),
) -> list[dict[Group, Figures]]:
    """As :func:`numbers`; what is counted elsewhere is added if one of the measures wants it."""
    only = only or {}
    found = []
    for grouping, known in zip(groupings, numbers(*groupings, first=first, last=last, only=only), strict=True):
        named = {*grouping, *only}
        more: dict[str, Mapping[Group, int]] = {}
        if CUSTOMERS & {*measures}:
            more["customer_count"] = holders(*grouping, first=first, last=last, only=only)
        for deed, wanting in REFUSED.items():
            if wanting & {*measures} and named <= {*refusals.DIMENSIONS}:
                of_deed = {**only, "deed": deed}
                more[f"refused_{deed}_count"] = refusals.refusals(*grouping, first=first, last=last, only=of_deed)
        keys = dict.fromkeys([*known, *(key for counted in more.values() for key in counted)])
        found.append(
            {
                key: Figures(
                    **asdict(known.get(key, Numbers())), **{name: counted.get(key, 0) for name, counted in more.items()}
                )
                for key in keys
            }
        )
    return found
