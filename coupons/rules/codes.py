"""Names of coupons: ids that sort by time, and codes that people read out and counters scan."""

import os
import uuid
from datetime import datetime

#: No 0/O, 1/I: 32 characters, so that a random byte's low five bits choose one evenly.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_FROM_BYTE = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))
#: What a character adds to Luhn's sum, by its byte: at the places that count double, at the others.
_ADDS = tuple(
    bytes(times * _VALUE.get(chr(byte), 0) // 32 + times * _VALUE.get(chr(byte), 0) % 32 for byte in range(256))
    for times in (2, 1)
)
_LAST_FIVE = bytes(byte & 31 for byte in range(256))
#: The check character for each sum.
_CHECKS = bytes(ord(ALPHABET[-byte % 32]) for byte in range(256))
#: 55 random bits and a check character.
CODE_LENGTH = 12


def check_character(body: str) -> str:
    """Luhn modulo 32: finds every single wrong character and nearly every swapped pair."""
    total = 0
    for place, character in enumerate(reversed(body)):
        value = _VALUE[character] * (2 if place % 2 == 0 else 1)
        total += value // 32 + value % 32
    return ALPHABET[-total % 32]


def new_code() -> str:
    body = os.urandom(CODE_LENGTH - 1).translate(_FROM_BYTE).decode()
    return body + check_character(body)


def new_codes(count: int, length: int = CODE_LENGTH, after: bytes = b"") -> bytes:
    """So many codes of this length, one behind the other, ``after`` each of them one byte or none: a million in half a
    second.

    Column by column: all that a code's n-th characters add to Luhn's sum is one big number, a byte for each code.
    """
    block = os.urandom(count * (length - 1)).translate(_FROM_BYTE)
    width = length + len(after)
    codes, total = bytearray((bytes(length) + after) * count), 0
    for place in range(length - 1):
        column = block[place :: length - 1]
        codes[place::width] = column
        total += int.from_bytes(column.translate(_ADDS[(length - place) % 2]))
        total = int.from_bytes(total.to_bytes(count).translate(_LAST_FIVE))  # so that no byte flows over
    codes[length - 1 :: width] = total.to_bytes(count).translate(_CHECKS)
    return bytes(codes)


def new_id(now: datetime) -> uuid.UUID:
    """A UUID of version 7: neighbours in time are neighbours in the index."""
    milliseconds = int(now.timestamp() * 1000)
    tail = int.from_bytes(os.urandom(10))
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | (tail >> 68) << 64 | 2 << 62 | tail & (1 << 62) - 1)


_DIGIT = bytes(b"0123456789abcdef"[byte & 15] for byte in range(256))


def new_ids(now: datetime, count: int) -> bytes:
    """So many of them, of one moment, as 32 digits and a comma each, in ascending order: after the moment they count
    (24 bits, around the variant), and 48 bits of luck come last. Column by column, as the codes.
    """
    luck = os.urandom(12 * count)
    ids = bytearray(b"%012x7___8" % int(now.timestamp() * 1000) + bytes(15) + b",") * count
    counted = b"".join([b"%06x" % number for number in range(count)])
    for digit, place in enumerate((13, 14, 15, 17, 18, 19)):
        ids[place::33] = counted[digit::6]
    for place in range(12):
        ids[20 + place :: 33] = luck[place::12].translate(_DIGIT)
    return bytes(ids)
