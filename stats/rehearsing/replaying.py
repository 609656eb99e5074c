"""Each order of the past with its customer as they were then: could they have claimed, and would it have fitted?"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from coupons.queries.surroundings import situate
from coupons.rules import Condition, Profile, Verdict
from redemption.pricing import Why
from stats.queries.past import Told, beginnings, orders, with_order
from stats.rehearsing.planning import Failed, Plan


class Chance(NamedTuple):
    """One order. ``takes_fen``: what the coupon takes off it, of which the merchants pay ``merchant_fen``; 0: it does
    not fit. ``discounted``: something was taken off it already.
    """

    at: datetime
    customer: int
    claims: bool
    takes_fen: int
    merchant_fen: int
    full_fen: int
    discounted: bool


@dataclass(slots=True)
class Answers:
    """How many orders each rule kept from a claim (``claim``) and from a use (``use``); and of how many orders nobody
    knows what a condition asks.
    """

    orders: int = 0
    customers: int = 0
    claim: Counter[str] = field(default_factory=Counter)
    use: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)

    def note(self, counter: Counter[str], failed: Failed) -> None:
        self.unknown.update(codes(failed.unknown))
        if not failed.passes:
            counter.update(codes(failed.no or failed.unknown))


def codes(verdicts: Iterable[tuple[Condition, Verdict]]) -> set[str]:
    return {condition.code for condition, _verdict in verdicts}


def replay(plan: Plan, ids: list[int], first: datetime, until: datetime, answers: Answers) -> Iterator[Chance]:
    """The chances of these customers; ``answers`` is added to."""
    told = orders(ids, first, until)
    for customer in beginnings(ids, told, plan.needs, first, plan.days_back):
        assert customer.id is not None
        answers.customers += 1
        yield from _of_one(plan, customer, told.get(customer.id, []), answers)


def _of_one(plan: Plan, customer: Profile, told: list[Told], answers: Answers) -> Iterator[Chance]:
    finished = sorted(told, key=lambda order: order.finished_at)
    counted = 0
    for order in told:
        if not order.tried:
            continue
        while counted < len(finished) and finished[counted].finished_at < order.placed_at:
            customer = with_order(customer, finished[counted], with_days="days" in plan.needs)
            counted += 1
        answers.orders += 1
        chance = _try(plan, customer, order, answers)
        if chance is not None:
            yield chance


def _try(plan: Plan, customer: Profile, order: Told, answers: Answers) -> Chance | None:
    assert customer.id is not None
    situation = situate(
        order.placed_at,
        client=order.client,
        city=order.city,
        business_mode=order.business_mode,
        business_line=order.business_line,
        book=plan.book,
    )
    closed = plan.closed(order.placed_at)
    if closed:
        answers.claim[closed] += 1
        claims = False
    else:
        asked = plan.may_claim(customer, situation)
        answers.note(answers.claim, asked)
        claims = asked.passes
    takes = merchant = 0
    may_use = plan.may_use(customer, situation)
    answers.note(answers.use, may_use)
    if may_use.passes:
        priced = plan.price(order.lines, order.shipping_fen)
        if isinstance(priced, Why):
            answers.use[priced.code] += 1
        else:
            takes, merchant = priced.total_fen, priced.merchant_fen if plan.shared else 0
    if not claims and not takes:
        return None
    return Chance(order.placed_at, customer.id, claims, takes, merchant, order.full_fen, order.deducted_fen > 0)
