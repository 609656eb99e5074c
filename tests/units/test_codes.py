"""Codes as text: what is forgiven, what is told apart, and how hard they are to guess."""

import re
from collections import Counter
from datetime import UTC, datetime
from math import log2
from uuid import RFC_4122, UUID

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from coupons.rules.codes import ALPHABET, check_character, new_codes, new_ids
from distribution import codes


def test_latin_codes_have_no_look_alikes_and_a_check_character():
    assert not set("01IO") & set(ALPHABET)
    for length in (8, 12, 13):
        made = codes.make("latin", length, 500)
        assert len(set(made)) == 500
        assert all(codes.is_well_formed(code.decode()) and len(code) == length for code in made)


@given(st.text(ALPHABET, min_size=9, max_size=15), st.data())
@settings(max_examples=60)
def test_the_check_character_finds_every_single_slip(body, data):
    code = body + check_character(body)
    place = data.draw(st.integers(0, len(code) - 1))
    other = data.draw(st.sampled_from(sorted(set(ALPHABET) - {code[place]})))
    assert not codes.is_well_formed(code[:place] + other + code[place + 1 :])


def test_many_ids_are_of_version_7_each_once_and_in_ascending_order():
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    ids = [UUID(one) for one in new_ids(moment, 5000).decode().removesuffix(",").split(",")]
    assert ids == sorted(set(ids))
    assert {(one.version, one.variant) for one in ids} == {(7, RFC_4122)}
    assert {one.int >> 80 for one in ids} == {int(moment.timestamp() * 1000)}
    assert len({one.int & (1 << 48) - 1 for one in ids}) == 5000


def test_every_character_is_as_likely_as_the_others():
    counted = Counter(new_codes(20_000, 9)[0::9].decode())
    assert len(counted) == 32
    assert all(480 < number < 780 for number in counted.values())


#: Sounds that are taken for each other in a noisy shop, or in a dialect.
SLURRED = [(r"\b([zcs])h", r"\1"), (r"\bn", "l"), (r"\br", "l"), (r"ng\b", "n"), ("v", "u")]


def test_no_two_chinese_words_sound_alike_tones_left_out():
    import csv

    with codes._WORDS.open(encoding="utf-8", newline="") as file:
        table = {row["word"]: row["pinyin"] for row in csv.DictReader(file)}
    assert tuple(table) == codes.words()
    assert len(table) > 900
    sounds: dict[str, str] = {}
    for word, pinyin in table.items():
        assert re.fullmatch(r"[\u4e00-\u9fff]{2}", word)
        assert re.fullmatch(r"[a-z]+ [a-z]+", pinyin)
        for pattern, heard in SLURRED:
            pinyin = re.sub(pattern, heard, pinyin)
        assert pinyin not in sounds, (word, sounds[pinyin])
        sounds[pinyin] = word
        assert word[::-1] == word or word[::-1] not in table


@given(st.sampled_from(["latin", "chinese"]), st.integers(1, 1_000_000))
@settings(max_examples=60)
def test_the_shortest_length_is_just_hard_enough(kind, count):
    length = codes.shortest(kind, count)
    assert codes.bits(kind, length, count) >= codes.LEAST_BITS
    if length > (codes.SHORTEST if kind == "latin" else codes.FEWEST_WORDS):
        assert codes.bits(kind, length - 1, count) < codes.LEAST_BITS


def test_bits_count_the_codes_that_work():
    assert codes.bits("latin", 13, 2**20) == pytest.approx(40)
    assert codes.bits("chinese", 5, 1) == pytest.approx(5 * log2(len(codes.words())))


@given(st.text(ALPHABET, min_size=4, max_size=20), st.integers(1, 4))
@settings(max_examples=60)
def test_a_code_is_the_same_however_it_is_written(code, step):
    written = "－ ".join(code[start : start + step] for start in range(0, len(code), step)).lower()
    wide = "".join(chr(ord(sign) + 0xFEE0) if sign.isascii() and sign.isalnum() else sign for sign in written)
    assert codes.normal(written) == codes.normal(wide) == codes.normal(codes.grouped(code)) == code


def test_what_is_sealed_belongs_to_its_batch_and_its_key(settings):
    sealed = codes.seal(7, 0, [b"ABCDEFGH2", b"WXYZ\talice"])
    assert codes.unseal(7, 0, sealed) == [("ABCD-EFGH-2", ""), ("WXYZ", "alice")]
    assert b"ABCD" not in sealed
    for batch, number in ((8, 0), (7, 1)):
        with pytest.raises(InvalidTag):
            codes.unseal(batch, number, sealed)
    known = codes.digest("ABCD")
    settings.CODES_KEY = "another"
    assert codes.digest("ABCD") != known
