"""出示: what the customer's screen shows to the counter. It changes every minute, so that a picture of it is no coupon.

The code of a coupon never changes and is for reading out; this is for scanning. It names the coupon and the minute,
signed with the house's own key: nothing is stored, and any process can read what any other wrote.
"""

import base64
import hmac
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from coupons.refused import Refused

#: Capital letters and digits alone make the smallest QR code.
PREFIX = "Q1"
_ID, _MARK = 26, 16  # characters of base32: 16 bytes without padding, 10 bytes
LENGTH = len(PREFIX) + _ID + _MARK


class Showing(NamedTuple):
    """``token`` is read until ``valid_until``; a new one is there when the next minute begins."""

    token: str
    valid_until: datetime


def show(coupon: UUID, now: datetime) -> Showing:
    """What to put into the QR code now. It is accepted in this minute and in the next."""
    minute = now.replace(second=0, microsecond=0)
    return Showing(_token(coupon, minute), minute + timedelta(minutes=2))


def is_shown(text: str) -> bool:
    """Whether somebody scanned this kind of thing, rather than typed a code."""
    return len(text) == LENGTH and text.upper().startswith(PREFIX)


def read(text: str, now: datetime) -> UUID:
    """The coupon that a screen shows now, or showed a minute ago.

    :raises Refused: "showing_stale": an older picture, or none of ours.
    """
    text = text.upper()
    minute = now.replace(second=0, microsecond=0)
    try:
        coupon = UUID(bytes=base64.b32decode(text[len(PREFIX) : -_MARK] + "======"))
    except ValueError:
        raise Refused("showing_stale") from None
    known = [_token(coupon, minute - timedelta(minutes=back)) for back in (0, 1)]
    if not any(hmac.compare_digest(token, text) for token in known):
        raise Refused("showing_stale")
    return coupon


def _token(coupon: UUID, minute: datetime) -> str:
    told = coupon.bytes + int(minute.timestamp() // 60).to_bytes(5)
    key = blake2b(settings.SECRET_KEY.encode(), person=b"coupons.showing", digest_size=32).digest()
    mark = blake2b(told, key=key, digest_size=10).digest()
    return PREFIX + base64.b32encode(coupon.bytes).decode().rstrip("=") + base64.b32encode(mark).decode()
