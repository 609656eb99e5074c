"""登录: a customer of an H5 page proves a phone number by a code that was sent to it, or comes by WeChat.

A code holds for ten minutes, one use and five tries. How many may be asked for is decided by the number's own row,
locked; what all of them cost in a day by one conditional update. A number belongs to the customer that the member
centre told with it (the newest), else to one of our own, made at the first sign-in.
"""

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import blake2b
from ipaddress import ip_address
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from coupons.models import Customer
from coupons.queries.direct import row
from coupons.refused import Invalid, Refused
from coupons.telling import phone_of
from distribution import messages
from distribution.messages.outbox import cost_of, fill
from distribution.models import AddressHour, Message, PhoneProof, SmsDay, WechatAccount

TEMPLATE = "sign-in-code"
DIGITS = 6
MINUTES, TRIES = 10, 5
#: How many codes one number may be sent within how long.
LIMITS = ((1, timedelta(minutes=1)), (5, timedelta(hours=1)), (10, timedelta(days=1)))
#: Keys of customers that nobody but we know of.
OWN = "h5:"

_SPEND = """
INSERT INTO distribution_smsday AS d (day, spent_fen)
SELECT %s::date, %s::bigint WHERE %s::bigint <= %s::bigint
ON CONFLICT (day) DO UPDATE SET spent_fen = d.spent_fen + excluded.spent_fen
 WHERE d.spent_fen + excluded.spent_fen <= %s::bigint
RETURNING 1
"""
_COUNT = """
INSERT INTO distribution_addresshour AS a (address, hour, count) VALUES (%s, %s::timestamptz, 1)
ON CONFLICT (address, hour) DO UPDATE SET count = a.count + 1 WHERE a.count < %s::integer
RETURNING 1
"""
_TRY = """
UPDATE distribution_phoneproof SET tries_left = tries_left - 1
 WHERE phone = %s AND tries_left > 0 AND expires_at > %s::timestamptz AND digest IS NOT NULL
RETURNING digest
"""
_USE_UP = """
UPDATE distribution_phoneproof SET digest = NULL, tries_left = 0 WHERE phone = %s AND digest = %s::bytea RETURNING 1
"""


class Proved(NamedTuple):
    """``customer``: the key that claims."""

    phone: str
    customer: str


class Stranger(NamedTuple):
    """A WeChat account that no phone number is bound to yet."""

    openid: str
    unionid: str
    nickname: str


def number_of(text: str) -> str:
    """:raises Invalid: this is no mobile phone number that codes are sent to."""
    phone = phone_of(text)
    if phone is None or not phone.startswith(tuple(settings.H5_PHONE_PREFIXES)):
        raise Invalid.of("phone", "invalid_phone", _("This is not a phone number."))
    return phone


@transaction.atomic
def ask_for_code(phone: str, *, now: datetime, address: str = "") -> Message:
    """A code is on its way to the number; the message, for the door to send at once. ``address``: of whoever asks; one
    within our own network is a proxy's, and everybody's.

    :raises Refused: ``code_too_soon`` (with ``wait_seconds``), ``codes_spent``.
    """
    template = messages.template_of(TEMPLATE)
    proof, _new = PhoneProof.objects.select_for_update().get_or_create(pk=phone)
    asked = [moment for moment in proof.asked_at if moment > now - LIMITS[-1][1]]
    for most, within in LIMITS:
        recent = [moment for moment in asked if moment > now - within]
        if len(recent) >= most:
            wait = recent[-most] + within - now
            raise Refused("code_too_soon", wait_seconds=max(1, int(wait.total_seconds())))
    code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
    words = {"code": code, "minutes": str(MINUTES)}
    cost = cost_of(template.channel, fill(template.text, words))
    proof.digest = _digest(phone, code)
    proof.expires_at = now + timedelta(minutes=MINUTES)
    proof.tries_left = TRIES
    proof.asked_at = [*asked, now]
    proof.save()
    message = messages.put(
        f"sign-in:{phone}:{now:%Y%m%d%H%M%S}", template, phone, words, now=now, by="system:h5", until=proof.expires_at
    )
    hour = now.replace(minute=0, second=0, microsecond=0)
    if _is_somebodys(address) and not row(_COUNT, (address, hour, settings.H5_CODES_PER_ADDRESS)):
        raise Refused("code_too_soon", wait_seconds=int((hour + timedelta(hours=1) - now).total_seconds()))
    cap = settings.H5_SMS_DAILY_FEN
    if not row(_SPEND, (now.date(), cost, cost, cap, cap)):  # the most shared row, last
        raise Refused("codes_spent")
    return message


def prove(phone: str, code: str, *, now: datetime, stranger: Stranger | None = None) -> Proved:
    """Whose number it is. A WeChat account that came along is bound to them.

    :raises Refused: ``code_wrong``: another code, too old, used, or tried too often; each try counts.
    """
    tried = row(_TRY, (phone, now))
    code = "".join(code.split())
    if tried is None or not hmac.compare_digest(bytes(tried[0]), _digest(phone, code)):
        raise Refused("code_wrong")
    with transaction.atomic():
        if not row(_USE_UP, (phone, bytes(tried[0]))):
            raise Refused("code_wrong")
        customer = _customer(phone)
        if stranger:
            _bind(stranger, customer, phone, now)
    return Proved(phone, customer.key)


def by_wechat(stranger: Stranger) -> Proved | None:
    """Whose WeChat account it is; None: it has proved no phone number yet."""
    bound = WechatAccount.objects.filter(pk=stranger.openid).first()
    return None if bound is None else Proved(bound.phone, _customer(bound.phone).key)


def accounts(phone: str) -> list[str]:
    """Keys of all customers with this number: the one that claims first."""
    found = Customer.objects.filter(phone=phone).order_by("-id").values_list("key", flat=True)
    return sorted(found, key=lambda key: key.startswith(OWN))


def _customer(phone: str) -> Customer:
    known = Customer.objects.filter(phone=phone).order_by("-id")
    member = known.exclude(key__startswith=OWN).first() or known.first()
    if member:
        return member
    key = f"{OWN}{_keyed(b'customer', phone).hex()[:24]}"
    return Customer.objects.get_or_create(key=key, defaults={"phone": phone})[0]


def _is_somebodys(address: str) -> bool:
    try:
        return ip_address(address).is_global
    except ValueError:
        return False


def tidy(now: datetime) -> None:
    """What no limit asks for any more."""
    day = now - timedelta(days=1)
    AddressHour.objects.filter(hour__lt=day).delete()
    PhoneProof.objects.filter(expires_at__lt=day).delete()  # it has been asked for nothing since
    SmsDay.objects.filter(day__lt=(now - timedelta(days=90)).date()).delete()


def _bind(stranger: Stranger, customer: Customer, phone: str, now: datetime) -> None:
    WechatAccount.objects.update_or_create(
        openid=stranger.openid,
        defaults={
            "unionid": stranger.unionid,
            "customer": customer,
            "phone": phone,
            "nickname": stranger.nickname,
            "bound_at": now,
        },
    )
    if stranger.nickname and not customer.nickname:
        Customer.objects.filter(pk=customer.pk, nickname="").update(nickname=stranger.nickname)


def _digest(phone: str, code: str) -> bytes:
    """A million codes are soon tried, so the digest is keyed with what no table holds."""
    return _keyed(b"code", f"{phone}:{code}")


def _keyed(what: bytes, text: str) -> bytes:
    key = blake2b(settings.SECRET_KEY.encode(), person=b"h5:" + what, digest_size=32).digest()
    return blake2b(text.encode(), key=key, digest_size=32).digest()
