"""Money typed in 元 is kept in whole fen, exactly."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from coupons.admin.money import YuanField, fen_of, plain_yuan, yuan

amounts = st.integers(0, 10**12)


@given(amounts)
def test_what_is_shown_can_be_typed_back(fen):
    assert fen_of(plain_yuan(fen)) == fen
    assert fen_of(yuan(fen)) == fen
    assert YuanField().clean(plain_yuan(fen)) == fen
    assert not YuanField().has_changed(fen, plain_yuan(fen))


@given(amounts, st.sampled_from(["{}", " {} ", "¥{}", "￥{}", "{}元", "¥{} 元"]))
def test_signs_and_spaces_around_it_do_not_matter(fen, around):
    assert fen_of(around.format(plain_yuan(fen))) == fen


@given(st.integers(0, 10**9), st.integers(0, 9))
def test_one_decimal_is_tenths(whole, tenth):
    assert fen_of(f"{whole}.{tenth}") == whole * 100 + tenth * 10


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_an_error_and_never_a_float(text):
    try:
        cleaned = YuanField(required=False).clean(text)
    except ValidationError:
        return
    assert cleaned is None or type(cleaned) is int


@pytest.mark.parametrize(
    "text", ["1e3", "NaN", "Infinity", "0x10", "1_000", "1,00", ".5", "5.", "1.234", "--1", "-1", "٣", "1 000", "二十"]
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(ValidationError):
        YuanField().clean(text)


@given(st.integers(1, 10**12), st.integers(1, 10**6))
def test_bounds_are_kept(most, above):
    field = YuanField(least=1, most=most)
    assert field.clean(plain_yuan(most)) == most
    with pytest.raises(ValidationError):
        field.clean(plain_yuan(most + above))
    with pytest.raises(ValidationError):
        field.clean("0")


@given(amounts)
def test_a_field_that_is_shown_and_disabled_keeps_its_fen(fen):
    assert YuanField(disabled=True).clean(fen) == fen
