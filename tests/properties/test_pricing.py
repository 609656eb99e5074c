"""The laws of the Arithmetic, over generated bills and terms."""

from datetime import UTC, datetime, timedelta
from itertools import combinations
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from redemption.pricing import (
    Bill,
    Candidate,
    Line,
    PricedSet,
    Terms,
    Why,
    amount_one,
    best_set,
    choose,
    price_one,
    price_set,
    rollback_parts,
    spread,
)

DAY = datetime(2026, 6, 1, tzinfo=UTC)
GROUPS = ["merchant", "order", "shipping", "alpha", "beta", "exclusive"]

prices = st.one_of(st.integers(0, 12), st.integers(0, 20_000), st.integers(10**9, 10**12))
keys = st.sampled_from([None, "a", "b", "c"])
scopes = st.frozensets(st.sampled_from(["a", "b", "c", "elsewhere"]), max_size=2)


@st.composite
def bills(draw: st.DrawFn, most_lines: int = 6, price: st.SearchStrategy[int] = prices) -> Bill:
    count = draw(st.integers(1, most_lines))
    lines = [
        Line(f"l{i}", draw(keys), draw(keys), draw(keys), draw(price), draw(st.integers(1, 4))) for i in range(count)
    ]
    return Bill(lines, draw(st.one_of(st.just(0), st.integers(1, 2_000))))


@st.composite
def some_terms(draw: st.DrawFn, fen: st.SearchStrategy[int] | None = None) -> Terms:
    if fen is None:
        fen = st.one_of(st.integers(1, 12), st.integers(1, 30_000), st.integers(10**9, 10**12))
    kind = draw(st.sampled_from(["amount_off", "percent_off", "no_threshold"]))
    given: dict[str, object] = {"type": kind, "stack_group": draw(st.sampled_from([*GROUPS, None]))}
    if kind == "percent_off":
        given["percent_off"] = draw(st.one_of(st.integers(1, 9_999), st.sampled_from([1, 1_000, 3_333, 5_000, 9_999])))
        given["cap_fen"] = draw(st.one_of(st.none(), fen))
    else:
        given["amount_fen"] = draw(fen)
    if kind != "no_threshold":
        given["threshold_fen"] = draw(st.one_of(st.none(), st.integers(1, 20)))
    if draw(st.integers(0, 5)) == 0:
        given["shipping"] = True
    else:
        given |= {name: draw(st.one_of(st.just(frozenset()), scopes)) for name in ("categories", "merchants", "skus")}
    share = draw(st.sampled_from(["", "merchant_percent", "merchant_fen"]))
    if share:
        given[share] = draw(st.integers(0, 10_000))
    given["merchant"] = draw(st.one_of(st.none(), st.just("m")))
    return Terms(**given)  # type: ignore[arg-type]


@st.composite
def wallets(draw: st.DrawFn, most: int = 8, terms: st.SearchStrategy[Terms] | None = None) -> list[Candidate]:
    if terms is None:
        terms = some_terms()
    count = draw(st.integers(0, most))
    ids = draw(st.permutations(range(1, count + 1)))
    return [Candidate(i, draw(terms), DAY + timedelta(days=draw(st.integers(0, 3)))) for i in ids]


tight_bills = bills(5, st.integers(0, 9))
tight_wallets = wallets(8, some_terms(st.integers(1, 12)))


def eligible_fens(terms: Terms, bill: Bill) -> list[int]:
    """Full prices of the lines in scope, 0 elsewhere, written out naively; the shipping fee last."""
    fens = []
    for line in bill.lines:
        inside = not terms.shipping
        for scope, key in ((terms.categories, line.category), (terms.merchants, line.merchant), (terms.skus, line.sku)):
            inside = inside and (not scope or key in scope)
        fens.append(line.unit_price_fen * line.quantity if inside else 0)
    return [*fens, bill.shipping_fen if terms.shipping else 0]


def legal_sets(wallet: list[Candidate], bill: Bill) -> list[PricedSet]:
    """Every set that may be used, by trying them all."""
    sets = []
    for size in range(len(wallet) + 1):
        for chosen in combinations(wallet, size):
            priced = price_set(chosen, bill)
            if isinstance(priced, PricedSet):
                sets.append(priced)
    return sets


def rank(priced: PricedSet) -> tuple[object, ...]:
    coupons = [candidate for candidate, _ in priced.coupons]
    return (
        -priced.total_fen,
        len(coupons),
        sorted(candidate.valid_until for candidate in coupons),
        sorted(candidate.coupon for candidate in coupons),
    )


@given(st.lists(st.integers(0, 10**6), min_size=1, max_size=8), st.data())
def test_parts_add_up_and_none_is_negative_or_above_its_line(weights: list[int], data: st.DataObject) -> None:
    fen = data.draw(st.integers(0, sum(weights)))
    parts = spread(fen, weights)
    assert sum(parts) == fen
    assert all(0 <= part <= weight for part, weight in zip(parts, weights, strict=True))
    if whole := sum(weights):
        assert all(abs(part * whole - fen * weight) < whole for part, weight in zip(parts, weights, strict=True))


@given(st.integers(1, 9), st.integers(1, 100), st.data())
def test_of_equal_lines_the_earlier_gets_the_odd_fen(count: int, price: int, data: st.DataObject) -> None:
    parts = spread(data.draw(st.integers(0, count * price)), [price] * count)
    assert parts == sorted(parts, reverse=True)
    assert parts[0] - parts[-1] <= 1


@given(some_terms(), bills())
def test_one_coupon_is_never_negative_or_above_what_is_eligible(terms: Terms, bill: Bill) -> None:
    priced = price_one(terms, bill)
    eligible = eligible_fens(terms, bill)
    if isinstance(priced, Why):
        if priced.code == "below_threshold":
            assert priced.short_by_fen == terms.least_fen - sum(eligible) > 0
        else:
            assert priced == ("nothing_in_scope", None)
            assert sum(eligible) == 0
        return
    assert terms.least_fen <= sum(eligible)
    assert 0 <= priced.total_fen <= sum(eligible)
    assert priced.total_fen <= terms.most_fen
    assert priced.total_fen == amount_one(terms, bill) == priced.discount_fen + priced.shipping_discount_fen
    assert sum(priced.line_fens) == priced.discount_fen
    assert all(0 <= fen <= most for fen, most in zip(priced.line_fens, eligible[:-1], strict=True))
    assert priced.shipping_discount_fen <= eligible[-1]


@given(st.integers(1, 9_999), bills())
def test_a_percentage_is_rounded_half_up_once(percent: int, bill: Bill) -> None:
    taken = amount_one(Terms(type="percent_off", percent_off=percent), bill)
    exact = bill.goods_fen * percent
    if isinstance(taken, Why):
        assert exact == 0
    else:
        assert -5_000 < taken * 10_000 - exact <= 5_000


@given(some_terms(), bills(), st.randoms(use_true_random=False))
def test_the_order_of_lines_does_not_change_the_total(terms: Terms, bill: Bill, random: Random) -> None:
    lines = list(bill.lines)
    random.shuffle(lines)
    assert amount_one(terms, bill) == amount_one(terms, Bill(lines, bill.shipping_fen))


@given(wallets(), bills(), st.randoms(use_true_random=False))
def test_nor_the_best_total_where_stacked_coupons_share_all_their_lines_or_none(
    wallet: list[Candidate], bill: Bill, random: Random
) -> None:
    """Where scopes cut across each other, who gets an odd fen does matter to the next coupon, by rule 3."""
    lines = list(bill.lines)
    random.shuffle(lines)
    masks = {bill.in_scope(candidate.terms) for candidate in wallet}
    if all(one == other or not one & other for one in masks for other in masks):
        assert choose(wallet, bill)[0] == choose(wallet, Bill(lines, bill.shipping_fen))[0]


@given(some_terms(), bills())
def test_platforms_and_merchants_shares_add_up_on_every_line(terms: Terms, bill: Bill) -> None:
    priced = price_one(terms, bill)
    if isinstance(priced, Why):
        return
    assert sum(part.discount_fen for part in priced.parts) == priced.total_fen
    assert sum(part.merchant_fen for part in priced.parts) == priced.merchant_fen
    assert priced.platform_fen + priced.merchant_fen == priced.total_fen
    own = {line.id: line.merchant for line in bill.lines} | {None: None}
    for part in priced.parts:
        assert 0 <= part.merchant_fen <= part.discount_fen
        assert part.merchant is None if not part.merchant_fen else part.merchant == (terms.merchant or own[part.line])
    whole = terms.merchant or all(own[part.line] for part in priced.parts)
    if terms.merchant_percent is not None:
        exact = priced.total_fen * terms.merchant_percent
        assert priced.merchant_fen * 10_000 <= exact + 5_000
        assert not whole or priced.merchant_fen * 10_000 > exact - 5_000
    elif whole:
        assert priced.merchant_fen == min(terms.merchant_fen or 0, priced.total_fen)


@given(wallets(4), bills())
def test_a_set_is_legal_or_says_why(wallet: list[Candidate], bill: Bill) -> None:
    priced = price_set(wallet, bill)
    alone = {candidate.coupon: amount_one(candidate.terms, bill) for candidate in wallet}
    refused = {coupon: why for coupon, why in alone.items() if isinstance(why, Why)}
    groups = [candidate.terms.group for candidate in wallet]
    stacks = len(set(groups)) == len(groups) and ("exclusive" not in groups or len(groups) == 1)
    if refused:
        assert priced == refused
    elif not stacks:
        assert isinstance(priced, dict)
        assert priced
        assert set(priced.values()) == {("cannot_stack", None)}
    else:
        assert isinstance(priced, PricedSet)


@given(wallets(5), bills())
def test_a_set_takes_no_more_than_there_is_and_adds_up(wallet: list[Candidate], bill: Bill) -> None:
    for priced in legal_sets(wallet, bill):
        assert priced.payable_fen >= 0
        assert sum(one.total_fen for _, one in priced.coupons) == priced.total_fen
        assert sum(priced.line_fens) == priced.discount_fen
        assert all(0 <= fen <= full for fen, full in zip(priced.line_fens, bill.full_fens, strict=False))
        assert 0 <= priced.shipping_discount_fen <= bill.shipping_fen
        assert priced.platform_fen + priced.merchant_fen == priced.total_fen
        assert priced.platform_fen >= 0
        for candidate, one in priced.coupons:
            alone = amount_one(candidate.terms, bill)
            assert isinstance(alone, int)
            assert 0 <= one.total_fen <= alone
            assert sum(one.line_fens) == one.discount_fen


@settings(max_examples=300)
@given(wallets(), bills())
def test_the_best_set_is_the_best_of_all_legal_sets(wallet: list[Candidate], bill: Bill) -> None:
    best = best_set(wallet, bill)
    assert rank(best) == min(map(rank, legal_sets(wallet, bill)))
    assert choose(wallet, bill) == (best.total_fen, tuple(candidate for candidate, _ in best.coupons))


@settings(max_examples=300)
@given(tight_wallets, tight_bills)
def test_also_where_every_fen_of_rounding_matters(wallet: list[Candidate], bill: Bill) -> None:
    assert rank(best_set(wallet, bill)) == min(map(rank, legal_sets(wallet, bill)))


@given(wallets(30), bills())
def test_the_best_set_is_never_worse_than_any_coupon_alone(wallet: list[Candidate], bill: Bill) -> None:
    best = choose(wallet, bill)[0]
    for candidate in wallet:
        alone = amount_one(candidate.terms, bill)
        assert isinstance(alone, Why) or alone <= best


@given(wallets(), bills(), st.randoms(use_true_random=False))
def test_the_best_set_does_not_depend_on_the_order_of_the_wallet(
    wallet: list[Candidate], bill: Bill, random: Random
) -> None:
    shuffled = wallet[:]
    random.shuffle(shuffled)
    assert choose(shuffled, bill) == choose(wallet, bill)


@given(st.integers(0, 10**12), st.integers(0, 10_000), st.lists(st.integers(1, 50), min_size=1, max_size=8))
def test_partial_rollbacks_in_any_steps_add_up_to_the_whole(discount: int, percent: int, steps: list[int]) -> None:
    merchant = discount * percent // 10_000
    quantity = sum(steps)
    back = []
    for i, step in enumerate(steps):
        back.append(rollback_parts(discount, merchant, quantity, sum(steps[:i]), step))
        assert sum(map(sum, back)) == discount * sum(steps[: i + 1]) // quantity
    assert all(platform >= 0 and charged >= 0 for platform, charged in back)
    assert sum(charged for _, charged in back) == merchant
    assert sum(platform for platform, _ in back) == discount - merchant


@given(st.integers(0, 60), st.data(), st.integers(1, 30))
def test_rollbacks_of_few_fen_over_many_pieces_are_never_negative(
    discount: int, data: st.DataObject, quantity: int
) -> None:
    merchant = data.draw(st.integers(0, discount))
    back = [rollback_parts(discount, merchant, quantity, i, 1) for i in range(quantity)]
    assert min(map(min, back)) >= 0
    assert [sum(side) for side in zip(*back, strict=True)] == [discount - merchant, merchant]
