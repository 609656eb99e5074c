"""The same Arithmetic in examples that can be checked at the till."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from redemption.pricing import (
    Bill,
    Candidate,
    Line,
    Part,
    Priced,
    PricedSet,
    Terms,
    Why,
    amount_one,
    best_set,
    choose,
    hundredths,
    price_one,
    price_set,
    rollback_parts,
)

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def line(id: str, fen: int, quantity: int = 1, category: str | None = None, merchant: str | None = None) -> Line:
    return Line(id, category, merchant, None, fen, quantity)


def priced(terms: Terms, bill: Bill) -> Priced:
    answer = price_one(terms, bill)
    assert isinstance(answer, Priced)
    return answer


def together(bill: Bill, *terms: Terms) -> PricedSet:
    answer = price_set([Candidate(i, one, JUNE) for i, one in enumerate(terms)], bill)
    assert isinstance(answer, PricedSet)
    return answer


def off(amount: int, threshold: int = 1, **more: object) -> Terms:
    return Terms(type="amount_off", amount_fen=amount, threshold_fen=threshold, **more)  # type: ignore[arg-type]


def percent(hundredths: int, **more: object) -> Terms:
    return Terms(type="percent_off", percent_off=hundredths, **more)  # type: ignore[arg-type]


def test_20_off_from_100_takes_20_off_exactly_100() -> None:
    assert amount_one(off(2000, 10000), Bill([line("a", 5000, 2)])) == 2000


def test_one_fen_less_is_short_by_one_fen() -> None:
    assert price_one(off(2000, 10000), Bill([line("a", 9999)], 500)) == Why("below_threshold", 1)


def test_shipping_does_not_help_to_reach_the_threshold_and_is_not_touched() -> None:
    assert price_one(off(2000, 10000), Bill([line("a", 9000)], 1000)) == ("below_threshold", 1000)
    assert amount_one(Terms(type="no_threshold", amount_fen=5000), Bill([line("a", 300)], 1000)) == 300


def test_only_lines_in_scope_count() -> None:
    bill = Bill([line("a", 6000, category="food"), line("b", 6000, category="toys")])
    food = frozenset({"food"})
    assert price_one(off(2000, 10000, categories=food), bill) == ("below_threshold", 4000)
    assert priced(off(2000, 5000, categories=food), bill).line_fens == [2000, 0]
    assert price_one(off(2000, 5000, categories=frozenset({"books"})), bill) == ("nothing_in_scope", None)


def test_scopes_of_two_sorts_must_both_hold() -> None:
    bill = Bill([line("a", 100, category="food", merchant="m"), line("b", 100, category="food", merchant="n")])
    terms = percent(5000, categories=frozenset({"food"}), merchants=frozenset({"n"}))
    assert priced(terms, bill).line_fens == [0, 50]


def test_eight_zhe_of_99_99_is_20_00_off() -> None:
    assert amount_one(percent(2000), Bill([line("a", 9999)])) == 2000  # 19.998


def test_half_a_fen_goes_up_to_the_customer() -> None:
    assert amount_one(percent(5000), Bill([line("a", 1)])) == 1
    assert amount_one(percent(4999), Bill([line("a", 1)])) == 0
    assert amount_one(percent(1250), Bill([line("a", 100)])) == 13  # 12.5


def test_a_percentage_is_taken_of_the_sum_and_not_line_by_line() -> None:
    three = priced(percent(5000), Bill([line("a", 1), line("b", 1), line("c", 1)]))
    assert three.line_fens == [1, 1, 0]  # 1.5 of 3, not 0.5 three times


def test_a_cap_holds() -> None:
    assert amount_one(percent(5000, cap_fen=3000), Bill([line("a", 10000)])) == 3000


def test_two_fen_off_four_lines_of_one_fen_is_one_fen_on_the_first_two() -> None:
    bill = Bill([line(id, 1) for id in "abcd"])
    assert priced(off(2), bill).line_fens == [1, 1, 0, 0]


def test_10_off_three_equal_lines() -> None:
    bill = Bill([line(id, 1000) for id in "abc"])
    assert priced(off(1000), bill).line_fens == [334, 333, 333]


def test_a_shipping_coupon_takes_off_the_fee_alone_and_stands_apart() -> None:
    free = Terms(type="no_threshold", amount_fen=1000, shipping=True)
    one = priced(free, Bill([line("a", 5000)], 800))
    assert (one.discount_fen, one.shipping_discount_fen, one.line_fens) == (0, 800, [0])
    assert one.parts == (Part(None, 800, 0, None),)
    assert price_one(free, Bill([line("a", 5000)])) == ("nothing_in_scope", None)


def test_thirty_percent_is_the_merchants_half_up_and_charged_to_each_lines_own() -> None:
    """C9: the platform, and the merchant by a share …"""
    bill = Bill([line("a", 1000, merchant="m"), line("b", 1000, merchant="n")])
    one = priced(off(5, merchant_percent=3000), bill)
    assert one.parts == (Part("a", 3, 1, "m"), Part("b", 2, 1, "n"))  # 1.5 of 5 is 2
    assert (one.merchant_fen, one.platform_fen) == (2, 3)


def test_the_templates_merchant_is_charged_first() -> None:
    bill = Bill([line("a", 1000, merchant="m"), line("b", 1000)])
    one = priced(off(500, merchant_fen=200, merchant="boss"), bill)
    assert one.parts == (Part("a", 250, 100, "boss"), Part("b", 250, 100, "boss"))


def test_a_line_without_a_merchant_is_the_platforms() -> None:
    bill = Bill([line("a", 1000, merchant="m"), line("b", 1000)])
    one = priced(off(500, merchant_percent=10000), bill)
    assert one.parts == (Part("a", 250, 250, "m"), Part("b", 250, 0, None))
    assert one.platform_fen == 250


def test_a_fixed_share_is_never_above_the_discount() -> None:
    """C9: … or by an amount."""
    one = priced(off(500, merchant_fen=900, merchant="m"), Bill([line("a", 1000)]))
    assert (one.merchant_fen, one.platform_fen) == (500, 0)


def test_the_merchants_coupon_first_then_others_by_name_then_the_orders() -> None:
    bill = Bill([line("a", 10000)], 600)
    half = together(
        bill,
        Terms(type="no_threshold", amount_fen=1000, shipping=True),
        percent(1000),
        percent(5000, stack_group="member"),
        off(2000, 10000, stack_group="merchant"),
    )
    # 100 − 20 = 80, half of it 40, ten percent of the rest 4; thresholds look at the full 100
    assert [one.total_fen for _, one in half.coupons] == [2000, 4000, 400, 600]
    assert [candidate.coupon for candidate, _ in half.coupons] == [3, 2, 1, 0]
    assert (half.discount_fen, half.shipping_discount_fen, half.payable_fen) == (6400, 600, 3600)


def test_the_threshold_looks_at_full_prices() -> None:
    assert together(Bill([line("a", 10000)]), off(5000, stack_group="merchant"), off(2000, 10000)).discount_fen == 7000


def test_an_amount_stops_at_what_is_left() -> None:
    both = together(Bill([line("a", 1000)]), off(800, stack_group="merchant"), off(500))
    assert [one.total_fen for _, one in both.coupons] == [800, 200]


def test_two_of_one_group_cannot_stack() -> None:
    bill = Bill([line("a", 1000)])
    cannot = Why("cannot_stack")
    wallet = [Candidate(1, off(1), JUNE), Candidate(2, percent(100), JUNE), Candidate(3, off(1, stack_group="x"), JUNE)]
    assert price_set(wallet, bill) == {1: cannot, 2: cannot}


def test_an_exclusive_coupon_goes_alone() -> None:
    bill = Bill([line("a", 1000)])
    alone = Candidate(1, off(100, stack_group="exclusive"), JUNE)
    assert price_set([alone, Candidate(2, off(1), JUNE)], bill) == {1: Why("cannot_stack")}
    assert isinstance(price_set([alone], bill), PricedSet)


def test_the_best_is_an_exclusive_one_only_if_it_beats_the_rest_together() -> None:
    bill = Bill([line("a", 10000)])
    rest = [Candidate(1, off(1000), JUNE), Candidate(2, off(1000, stack_group="merchant"), JUNE)]
    assert choose([*rest, Candidate(3, off(1999, stack_group="exclusive"), JUNE)], bill)[0] == 2000
    lone = Candidate(4, off(2000, stack_group="exclusive"), JULY)
    assert choose([*rest, lone], bill) == (2000, (lone,))  # as much, with fewer coupons


def test_of_two_alike_the_one_that_expires_first_is_used() -> None:
    soon, later = Candidate(9, off(500), JUNE), Candidate(1, off(500), JULY)
    assert choose([later, soon], Bill([line("a", 1000)])) == (500, (soon,))


def test_of_two_that_expire_together_the_lower_id_is_used() -> None:
    wallet = [Candidate(9, off(500), JUNE), Candidate(1, off(500), JUNE)]
    assert choose(wallet, Bill([line("a", 1000)]))[1][0].coupon == 1


def test_a_coupon_that_adds_nothing_stays_in_the_wallet() -> None:
    bill = Bill([line("a", 500)])
    best = best_set([Candidate(1, off(500), JUNE), Candidate(2, off(500, stack_group="merchant"), JULY)], bill)
    assert [candidate.coupon for candidate, _ in best.coupons] == [1]


def test_with_nothing_that_fits_the_best_set_is_empty() -> None:
    best = best_set([Candidate(1, off(500, 2000), JUNE)], Bill([line("a", 1000)]))
    assert (best.coupons, best.total_fen, best.payable_fen) == ((), 0, 1000)


def test_a_third_of_ten_fen_comes_back_piece_by_piece() -> None:
    assert [rollback_parts(10, 3, 3, i, 1) for i in range(3)] == [(2, 1), (2, 1), (3, 1)]
    assert rollback_parts(10, 3, 3, 0, 3) == (7, 3)


def test_no_more_comes_back_than_was_bought() -> None:
    with pytest.raises(ValueError, match="more comes back"):
        rollback_parts(10, 3, 3, 2, 2)


def test_percentages_have_two_decimals_at_most() -> None:
    assert [hundredths(Decimal(text)) for text in ("20", "12.5", "0.01", "12.50")] == [2000, 1250, 1, 1250]
    with pytest.raises(ValueError, match="two decimals"):
        hundredths(Decimal("0.001"))


@pytest.mark.parametrize(
    "wrong",
    [{"type": "amount_off"}, {"type": "percent_off"}, {"type": "percent_off", "percent_off": 10001}],
)
def test_terms_that_take_nothing_or_more_than_all_are_no_terms(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="takes something off"):
        Terms(**wrong)  # type: ignore[arg-type]
