"""A packet is cut into faces that are on offer and add up to the sum, or cannot be."""

from itertools import product
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from distribution.queries.cutting import Impossible, cut, even

faces = st.dictionaries(st.integers(1, 12).map(lambda yuan: yuan * 100), st.integers(1, 9), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(faces, st.integers(1, 5), st.integers(1, 40), st.randoms(use_true_random=False))
def test_what_is_cut_adds_up_and_what_cannot_be_is_said(offered, slots, pot, luck):
    """P11: sum fixed, amounts within those on offer; checked against trying all."""
    possible = any(sum(one) == pot * 100 for one in product(offered, repeat=slots))
    if not possible:
        with pytest.raises(Impossible):
            cut(offered, slots, pot * 100, luck)
        return
    found = cut(offered, slots, pot * 100, luck)
    assert len(found) == slots
    assert sum(found) == pot * 100
    assert set(found) <= set(offered)


def test_luck_follows_the_weights():
    """Of two slots that make 4 out of 1, 2 and 3: (2, 2) against (1, 3) and (3, 1), by weights 1·1 against 2·(3·1)."""
    luck = Random(5)
    drawn = [tuple(cut({100: 3, 200: 1, 300: 1}, 2, 400, luck)) for _ in range(7000)]
    shares = {one: drawn.count(one) / 7000 for one in set(drawn)}
    assert shares.keys() == {(200, 200), (100, 300), (300, 100)}
    assert abs(shares[200, 200] - 1 / 7) < 0.02
    assert abs(shares[100, 300] - 3 / 7) < 0.03


def test_evenly_wants_the_very_face():
    assert even({500: 1, 300: 1}, 4, 2000) == [500] * 4
    for pot in (2001, 1600):
        with pytest.raises(Impossible):
            even({500: 1, 300: 1}, 4, pot)


def test_too_fine_a_cut_is_refused_at_once():
    with pytest.raises(Impossible):
        cut({1: 1, 99_999: 1}, 50, 2_000_000, Random(1))
