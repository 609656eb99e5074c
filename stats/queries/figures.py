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
#: What can be told by the reason of a refusal.
REFUSED_COUNTS = frozenset({"refused_claim_count", "refused_use_count"})


def figures(
    *groupings: tuple[str, ...],
    first: dt.date | None = None,
    last: dt.date | None = None,
    only: Mapping[str, Any] | None = None,
    measures: Collection[str] = (),
) -> list[dict[Group, Figures]]:
    """As :func:`numbers`; what is counted elsewhere is added if one of the measures wants it. By the reason of a
    refusal nothing but refusals is counted.
    """
    only = only or {}
    others = [grouping for grouping in groupings if refusals.REASON not in {*grouping, *only}]
    counted = dict(zip(others, numbers(*others, first=first, last=last, only=only) if others else [], strict=True))
    found = []
    for grouping in groupings:
        named, known = {*grouping, *only}, counted.get(grouping, {})
        more: dict[str, Mapping[Group, int]] = {}
        if CUSTOMERS & {*measures} and refusals.REASON not in named:
            more["customer_count"] = holders(*grouping, first=first, last=last, only=only)
        for deed, wanting in REFUSED.items():
            if wanting & {*measures} and named <= {*refusals.DIMENSIONS}:
                of_deed = {**only, "deed": deed}
                more[f"refused_{deed}_count"] = refusals.refusals(*grouping, first=first, last=last, only=of_deed)
        keys = dict.fromkeys([*known, *(key for one in more.values() for key in one)])
        found.append(
            {
                key: Figures(
                    **asdict(known.get(key, Numbers())), **{name: one.get(key, 0) for name, one in more.items()}
                )
                for key in keys
            }
        )
    return found
