"""Whatever lies in a wallet, a quote ends soon: with the best set, or beyond reason with a good one."""

import random
from datetime import UTC, datetime, timedelta
from time import process_time
from typing import Any

import pytest
from hypothesis import given

from redemption.pricing import Bill, Candidate, Line, PricedSet, Terms, best_set, choosing, price_one, price_set
from tests.properties.test_pricing import bills, wallets

START = datetime(2026, 6, 1, tzinfo=UTC)


def crossing(groups: int, coupons: int, lines: int, seed: int = 1) -> tuple[list[Candidate], Bill]:
    """So many stack groups of so many coupons, each about half of the goods, drawn by lot."""
    lot = random.Random(seed)
    bill = Bill([Line(f"l{i}", None, None, f"s{i}", lot.randrange(100, 20_000), 1) for i in range(lines)], 500)
    wallet = []
    for number in range(groups * coupons):
        more: dict[str, Any] = {
            "skus": frozenset(f"s{i}" for i in lot.sample(range(lines), lines // 2)),
            "stack_group": f"g{number % groups}",
        }
        terms = (
            Terms(type="percent_off", percent_off=lot.randrange(100, 5000), **more)
            if lot.random() < 0.5
            else Terms(type="no_threshold", amount_fen=lot.randrange(100, 9000), **more)
        )
        wallet.append(Candidate(number, terms, START + timedelta(hours=lot.randrange(500))))
    return wallet, bill


def alone(wallet: list[Candidate], bill: Bill) -> int:
    """The most that one coupon takes."""
    return max((getattr(price_one(one.terms, bill), "total_fen", 0) for one in wallet), default=0)


@pytest.mark.parametrize(("groups", "coupons", "lines"), [(6, 80, 40), (12, 41, 500), (500, 1, 500), (1, 500, 500)])
def test_a_wallet_of_500_is_quoted_soon(groups, coupons, lines):
    """Without an end, ten groups of twenty took half a minute."""
    wallet, bill = crossing(groups, coupons, lines)
    begun = process_time()
    best = best_set(wallet, bill)
    assert process_time() - begun < 1.5
    assert best.total_fen >= alone(wallet, bill)


def test_wallets_within_reason_are_searched_to_the_end(monkeypatch):
    wallet, bill = crossing(6, 10, 20)
    found = choosing.choose(wallet, bill)
    monkeypatch.setattr(choosing, "MOST_WORK", 10**12)
    assert choosing.choose(wallet, bill) == found


def test_two_hundred_coupons_in_four_groups_are_searched_to_the_end(monkeypatch):
    """U8: exact, where a search that may be cut short would end too soon."""
    wallet, bill = crossing(4, 50, 40, seed=3)
    monkeypatch.setattr(choosing, "MOST_WORK", 0)
    found = choosing.choose(wallet, bill)
    monkeypatch.setattr(choosing, "EXACT_COUPONS", 0)
    assert choosing.choose(wallet, Bill(bill.lines, 500))[0] < found[0]
    monkeypatch.setattr(choosing, "MOST_WORK", 10**12)
    assert choosing.choose(wallet, Bill(bill.lines, 500)) == found


def test_beyond_it_the_answer_does_not_depend_on_the_order_of_the_wallet():
    wallet, bill = crossing(6, 40, 30)
    one = [candidate.coupon for candidate, _ in best_set(wallet, bill).coupons]
    assert one == [candidate.coupon for candidate, _ in best_set(wallet[::-1], Bill(bill.lines, 500)).coupons]


@given(wallets(12), bills())
def test_cut_short_it_is_still_a_legal_set_and_no_worse_than_a_coupon_alone(wallet: list[Candidate], bill: Bill):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(choosing, "MOST_WORK", 0)
        fen, coupons = choosing.choose(wallet, bill)
    priced = price_set(coupons, bill)
    assert isinstance(priced, PricedSet)
    assert priced.total_fen == fen >= alone(wallet, bill)
