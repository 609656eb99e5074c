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


def new_codes(count: int, length: int = CODE_LENGTH) -> bytes:
    """So many codes of this length, one behind the other: a million in half a second.

    Column by column: all that a code's n-th characters add to Luhn's sum is one big number, a byte for each code.
    """
    block = os.urandom(count * (length - 1)).translate(_FROM_BYTE)
    codes, total = bytearray(count * length), 0
    for place in range(length - 1):
        column = block[place :: length - 1]
        codes[place::length] = column
        total += int.from_bytes(column.translate(_ADDS[(length - place) % 2]))
        total = int.from_bytes(total.to_bytes(count).translate(_LAST_FIVE))  # so that no byte flows over
    codes[length - 1 :: length] = total.to_bytes(count).translate(_CHECKS)
    return bytes(codes)


def new_id(now: datetime) -> uuid.UUID:
    """A UUID of version 7: neighbours in time are neighbours in the index."""
    milliseconds = int(now.timestamp() * 1000)
    tail = int.from_bytes(os.urandom(10))
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | (tail >> 68) << 64 | 2 << 62 | tail & (1 << 62) - 1)


#: The digit of a UUID that says how it is laid out, from any digit.
_VARIANT = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}


def new_ids(now: datetime, count: int) -> list[str]:
    """So many of them, of one moment, as 32 digits and in ascending order."""
    head = f"{int(now.timestamp() * 1000):012x}7"
    luck = os.urandom(10 * count).hex()
    return sorted(
        f"{head}{luck[at : at + 3]}{_VARIANT[luck[at + 3]]}{luck[at + 4 : at + 19]}" for at in range(0, len(luck), 20)
    )
