"""兑换码 as text: how it is made, forgiven, told apart without being kept, sealed until it is taken away, and masked.

What is stored of a code is a keyed digest. The key (``CODES_KEY``) is not in the database, so a copy of the database
tells nobody a code, and no page can show one again.
"""

import csv
import os
import unicodedata
from array import array
from collections.abc import Iterator
from functools import lru_cache
from hashlib import blake2b
from math import log2
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from coupons.rules.codes import ALPHABET, check_character, new_codes

#: Below this a code could be found by trying: bits are log2(possible codes / codes that work).
LEAST_BITS = 40
SHORTEST, LONGEST = 8, 24  # characters of a Latin code, its check character among them
FEWEST_WORDS, MOST_WORDS = 3, 8
MASK = "••••"
_GROUP = 4
_WORDS = Path(__file__).parent / "data" / "words.csv"
#: Characters of a foreign code that belong together, and how many there are of them.
_POOLS = ((str.isdigit, 10), (lambda sign: "A" <= sign <= "Z", 26), (lambda sign: True, 1000))


@lru_cache(maxsize=1)
def words() -> tuple[str, ...]:
    """Two characters each; no two sound alike, even carelessly spoken (the pinyin stands beside them in the file)."""
    with _WORDS.open(encoding="utf-8", newline="") as file:
        return tuple(row["word"] for row in csv.DictReader(file))


# --- how hard to guess -------------------------------------------------------------------------------------------


def bits(kind: str, length: int, count: int) -> float:
    """Of one of ``count`` random codes; ``length`` in characters (latin) or words (chinese)."""
    space = (length - 1) * log2(len(ALPHABET)) if kind == "latin" else length * log2(len(words()))
    return space - log2(count)


def shortest(kind: str, count: int) -> int:
    """The least length that is hard enough to guess."""
    lengths = range(SHORTEST, LONGEST + 1) if kind == "latin" else range(FEWEST_WORDS, MOST_WORDS + 1)
    return next(length for length in lengths if bits(kind, length, count) >= LEAST_BITS)


def foreign_bits(code: str, count: int) -> float:
    """Of a code that somebody else made, at best: were it random over the signs that it is made of."""
    pools = {next(size for belongs, size in _POOLS if belongs(sign)) for sign in code}
    return len(code) * log2(sum(pools)) - log2(max(count, 1))


# --- making ------------------------------------------------------------------------------------------------------


def make(kind: str, length: int, count: int) -> list[bytes]:
    """Random codes in UTF-8, as they are compared: without hyphens."""
    if kind == "latin":
        block = new_codes(count, length)
        return [block[start : start + length] for start in range(0, len(block), length)]
    known = [word.encode() for word in words()]
    picked = _evenly(len(known), count * length)
    chosen = [known[number] for number in picked]
    return [b"".join(chosen[start : start + length]) for start in range(0, len(chosen), length)]


def _evenly(below: int, count: int) -> Iterator[int]:
    """Random numbers below a bound, each as likely as the others: what would favour the low ones is thrown away."""
    fair, found = 65536 // below * below, 0
    while found < count:
        for number in array("H", os.urandom(2 * (count - found))):
            if number < fair:
                found += 1
                yield number % below


# --- reading -----------------------------------------------------------------------------------------------------


def normal(text: str) -> str:
    """What was typed, as it is compared: full width, case, spaces, hyphens and invisible signs do not matter."""
    return "".join(
        sign
        for sign in unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).upper())
        if unicodedata.category(sign) not in ("Pd", "Zs", "Zl", "Zp", "Cc", "Cf") and sign not in "_·•."
    )


def grouped(code: str) -> str:
    """As it is printed."""
    size = _GROUP if code.isascii() else 2
    return "-".join(code[start : start + size] for start in range(0, len(code), size))


def hint(code: str) -> str:
    """All that stays to be seen."""
    return code[-2:]


def is_well_formed(code: str) -> bool:
    """For Latin codes of ours: whether the check character fits."""
    return len(code) > 1 and all(sign in ALPHABET for sign in code) and check_character(code[:-1]) == code[-1]


# --- keeping without keeping -------------------------------------------------------------------------------------


@lru_cache(maxsize=8)
def _key(secret: str, purpose: str) -> bytes:
    return blake2b(secret.encode(), digest_size=32, person=purpose.encode()).digest()


def digest(code: str | bytes) -> UUID:
    """What is stored of a normal code; a UUID because PostgreSQL compares nothing of 16 bytes faster."""
    return UUID(bytes=digests([code if isinstance(code, bytes) else code.encode()])[0])


def digests(codes: list[bytes]) -> list[bytes]:
    key = _key(settings.CODES_KEY, "code digest")
    return [blake2b(code, digest_size=16, key=key).digest() for code in codes]


def seal(batch: int, number: int, lines: list[bytes]) -> bytes:
    """One sheet of a batch, unreadable for whoever has the database alone."""
    nonce = os.urandom(12)
    box = AESGCM(_key(settings.CODES_KEY, "code sheets"))
    return nonce + box.encrypt(nonce, b"\n".join(lines), f"{batch}:{number}".encode())


def unseal(batch: int, number: int, sealed: bytes) -> list[tuple[str, str]]:
    """Codes as they are printed, each with the key of whom it is for ("": anybody)."""
    box = AESGCM(_key(settings.CODES_KEY, "code sheets"))
    lines = box.decrypt(sealed[:12], sealed[12:], f"{batch}:{number}".encode()).decode().split("\n")
    return [(grouped(code), customer) for code, _tab, customer in (line.partition("\t") for line in lines)]
