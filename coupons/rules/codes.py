"""Names of coupons: ids that sort by time, and codes that people read out and counters scan."""

import os
import uuid
from datetime import datetime

#: No 0/O, 1/I: 32 characters, so that a random byte's low five bits choose one evenly.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_VALUE = {character: value for value, character in enumerate(ALPHABET)}
_FROM_BYTE = bytes(ord(ALPHABET[byte & 31]) for byte in range(256))
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


def new_id(now: datetime) -> uuid.UUID:
    """A UUID of version 7: neighbours in time are neighbours in the index."""
    milliseconds = int(now.timestamp() * 1000)
    tail = int.from_bytes(os.urandom(10))
    return uuid.UUID(int=milliseconds << 80 | 7 << 76 | (tail >> 68) << 64 | 2 << 62 | tail & (1 << 62) - 1)
