"""What is to be expected: claims, uses, money and limits, order by order through the days.

A customer stands for the part of them that claims: everything is counted in parts of a customer (``WHOLE``) and
rounded once, at the end. Limits are held against these sums, as they will be against single coupons.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from heapq import heappop, heappush
from itertools import count
from typing import Any

from coupons.rules import reversal
from stats.rehearsing.assumptions import WHOLE, Assumptions, part, whole
from stats.rehearsing.planning import Plan
from stats.rehearsing.replaying import Chance

#: What a day adds up, each in parts of one.
SUMS = ("claims", "uses", "extra", "refused", "discount_fen", "merchant_fen", "gmv_fen")
#: Limits of all coupons together; those of a day among them begin anew each day.
SHARED = ("total_count", "total_fen", "daily_count", "daily_fen", "budget_fen")


@dataclass(slots=True)
class Held:
    """A coupon in the hands of a part of a customer. ``weight`` of them are not used yet."""

    valid_from: datetime
    valid_until: datetime
    weight: int
    committed_fen: int


@dataclass(slots=True)
class Claimer:
    """``claimed`` ever and on ``day``, in parts of a customer."""

    claimed: int = 0
    day: date | None = None
    day_claimed: int = 0
    coupons: list[Held] = field(default_factory=list)


@dataclass(slots=True)
class Reached:
    """``days``: on how many; ``first``: the first of them; ``refused``: claims that were one too many."""

    first: date
    days: set[date]
    customers: set[int]
    refused: int = 0


class Expecting:
    """``limits`` as :func:`stats.rehearsing.planning.limits_left`."""

    def __init__(self, plan: Plan, assumptions: Assumptions, limits: Mapping[str, int | None], until: datetime) -> None:
        self.plan, self.assumptions, self.until = plan, assumptions, until
        self.worth_fen = plan.template.worth_fen
        self.limits = limits
        self.one = assumptions.claimers * (1000 - plan.control_permille) // 1000  # the part of a customer that claims
        #: What is left of the shared limits, in parts of a coupon or of a fen.
        self.left = {name: limit * WHOLE for name in SHARED if (limit := limits[name]) is not None}
        self.each, self.each_day = self._each("customer"), self._each("customer_daily")
        self.alone = plan.template.newcomer or plan.template.exclusive_group is not None
        row = plan.template.row
        cases = reversal.CASES.keys() - {"expired"}
        #: Then what it took off less than its worth stays committed; see the decision on the purse.
        self.may_come_back = any(
            reversal.outcome(row.reversal, row.returns_on_rollback, case) != "stays" for case in cases
        )
        self.by_day: dict[date, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SUMS, 0))
        self.reached: dict[str, Reached] = {}
        self.claimers: dict[int, Claimer] = defaultdict(Claimer)
        self.out: list[tuple[datetime, int, Held]] = []
        self.number = count()
        self.today: date | None = None
        #: Of all orders that the coupon fits: how many, what it takes off, of it the merchants', at full price.
        self.fitting = (0, 0, 0, 0)

    def _each(self, kind: str) -> tuple[int | None, str]:
        """How many coupons one customer may have, and by which limit."""
        most, by = self.limits[f"{kind}_count"], f"{kind}_count"
        fen = self.limits[f"{kind}_fen"]
        if fen is not None and self.worth_fen and (most is None or fen // self.worth_fen < most):
            most, by = fen // self.worth_fen, f"{kind}_fen"
        return most, by

    def run(self, chances: Sequence[Chance], days: Sequence[date], quiet: Mapping[date, int]) -> None:
        """``chances`` sorted by moment; ``quiet``: of customers without orders, how many see it and claim, by day, in
        parts.
        """
        fits = [chance for chance in chances if self._fits(chance)]
        self.fitting = (
            len(fits),
            sum(chance.takes_fen for chance in fits),
            sum(chance.merchant_fen for chance in fits),
            sum(chance.full_fen for chance in fits),
        )
        place = 0
        for day in days:
            if quiet.get(day):
                self._begin(day)
                noon = datetime.combine(day, time(12), self.plan.opens_at.tzinfo)
                self._give(noon, quiet[day], None)
            while place < len(chances) and chances[place].at.date() == day:
                chance = chances[place]
                place += 1
                self._begin(day)
                if chance.claims:
                    self._claim(chance)
                if self._fits(chance):
                    self._use(chance)

    def _fits(self, chance: Chance) -> bool:
        return chance.takes_fen > 0 and (self.assumptions.discounted_fit or not chance.discounted)

    def _begin(self, day: date) -> None:
        if self.today != day:
            self.today = day
            for name in ("daily_count", "daily_fen"):
                limit = self.limits[name]
                if limit is not None:
                    self.left[name] = limit * WHOLE

    # --- a claim -------------------------------------------------------------------------------------------------

    def _claim(self, chance: Chance) -> None:
        claimer, one, day = self.claimers[chance.customer], self.one, chance.at.date()
        if claimer.day != day:
            claimer.day, claimer.day_claimed = day, 0
        wanted = one
        if self.alone:
            wanted -= min(one, sum(held.weight for held in claimer.coupons if held.valid_until > chance.at))
        for (most, name), had in ((self.each, claimer.claimed), (self.each_day, claimer.day_claimed)):
            if most is not None and had + wanted > most * one:
                wanted = max(0, most * one - had)
                self._note(name, day, 0, chance.customer)
        given = self._give(chance.at, wanted, claimer)
        claimer.claimed += given
        claimer.day_claimed += given

    def _give(self, at: datetime, wanted: int, claimer: Claimer | None) -> int:
        """As many as the shared limits have left."""
        day = at.date()
        while self.out and self.out[0][0] <= at:
            _until, _number, held = heappop(self.out)
            if "budget_fen" in self.left:
                self.left["budget_fen"] += held.committed_fen
            held.committed_fen = 0
        given, by = wanted, ""
        for name, left in self.left.items():
            worth = 1 if name.endswith("_count") else self.worth_fen
            if worth and left // worth < given:
                given, by = left // worth, name
        if by:
            self._note(by, day, wanted - given)
            self.by_day[day]["refused"] += wanted - given
        if not given:
            return 0
        for name in self.left:
            self.left[name] -= given * (1 if name.endswith("_count") else self.worth_fen)
        self.by_day[day]["claims"] += given
        start, end = self.plan.validity(at)
        held = Held(start, end, given, given * self.worth_fen)
        heappush(self.out, (end, next(self.number), held))
        self._bring(held, max(start, at).date())
        if claimer is not None:
            claimer.coupons = [kept for kept in claimer.coupons if kept.weight and kept.valid_until > at]
            claimer.coupons.append(held)
            claimer.coupons.sort(key=lambda kept: kept.valid_until)
        return given

    def _note(self, name: str, day: date, refused: int, customer: int | None = None) -> None:
        reached = self.reached.setdefault(name, Reached(day, set(), set()))
        reached.days.add(day)
        reached.refused += refused
        if customer is not None:
            reached.customers.add(customer)

    # --- a use ---------------------------------------------------------------------------------------------------

    def _use(self, chance: Chance) -> None:
        claimer = self.claimers.get(chance.customer)
        if claimer is None:
            return
        usable = [held for held in claimer.coupons if held.weight and held.valid_from <= chance.at < held.valid_until]
        holding = min(self.one, sum(held.weight for held in usable))
        wanted = part(holding, self.assumptions.use_percent)
        for held in usable:
            used = min(wanted, held.weight)
            wanted -= used
            self._take(held, used, chance.at.date(), chance.takes_fen, chance.merchant_fen, chance.full_fen)

    def _bring(self, held: Held, day: date) -> None:
        """Orders that the coupon itself brings: like the average of those that it fits."""
        number, takes, merchant, full = self.fitting
        brought = part(held.weight, self.assumptions.extra_percent)
        if brought and number and day <= self.until.date():
            self._take(held, brought, day, takes, merchant, full, of=number)
            self.by_day[day]["extra"] += brought

    def _take(self, held: Held, used: int, day: date, takes: int, merchant: int, full: int, of: int = 1) -> None:
        """``used`` parts of the coupon; ``of`` orders, from which it takes so many fen."""
        if not used:
            return
        held.weight -= used
        discount = used * takes // of
        moved = discount if self.may_come_back else used * self.worth_fen
        if "budget_fen" in self.left and held.committed_fen:
            self.left["budget_fen"] += moved - discount
        held.committed_fen = max(0, held.committed_fen - moved)
        sums = self.by_day[day]
        sums["uses"] += used
        sums["discount_fen"] += discount
        sums["merchant_fen"] += used * merchant // of
        sums["gmv_fen"] += used * full // of

    # --- what came of it -----------------------------------------------------------------------------------------

    def told(self, days: Iterable[date]) -> dict[str, Any]:
        """Numbers as JSON; the days add up to the sums."""
        running, shown = dict.fromkeys(SUMS, 0), dict.fromkeys(SUMS, 0)
        lines = []
        for day in days:
            line: dict[str, Any] = {"day": day.isoformat()}
            for name in SUMS:
                running[name] += self.by_day[day][name]
                line[name] = whole(running[name]) - shown[name]
                shown[name] += line[name]
            lines.append(line)
        still_out = sum(held.weight for valid_until, _number, held in self.out if valid_until > self.until)
        return {
            **shown,
            "still_out": whole(still_out),
            "fitting_orders": self.fitting[0],
            "days": lines,
            "limits": {
                name: {
                    "first": reached.first.isoformat(),
                    "days": len(reached.days),
                    "customers": len(reached.customers),
                    "refused": whole(reached.refused),
                }
                for name, reached in self.reached.items()
            },
        }
