"""Webhooks: other systems are told of coupons' moves: signed, at least once, of one coupon in order, for a day.

Nothing that moves a coupon waits for a receiver: events stand in a queue, from which one task at a time makes
deliveries; each system has its own task, so that a slow one keeps only itself waiting. A receiver knows an event by its
id, and whatever came twice by that.

The signature is that of the Standard Webhooks: HMAC-SHA256 over ``id.timestamp.body``.
"""

import base64
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import NamedTuple
from urllib.parse import urlsplit

import orjson
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import calling
from coupons.models import Delivery, DeliveryAttempt, Subscription
from coupons.models.webhooks import KINDS
from coupons.queries.direct import row, rows
from coupons.refused import Invalid

#: Waits after the first, the second … attempt that failed; the last one again and again.
WAITS = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600, 1800, 3600, 7200, 14400))
GIVE_UP = timedelta(hours=24)
#: So long the secret before signs beside a new one.
BOTH = timedelta(hours=24)
KEPT = timedelta(days=30)
#: Coupons that one system is told of side by side.
ABREAST = 8
#: "hook" in ASCII: the first half of the advisory locks' names.
_LOCKS = 0x686F6F6B

_TAKE = """
WITH taken AS (
    DELETE FROM coupons_untoldevent WHERE event_id IN (
        SELECT event_id FROM coupons_untoldevent ORDER BY event_id LIMIT %s FOR UPDATE SKIP LOCKED)
    RETURNING event_id
)
SELECT e.id, e.kind, e.at, e.coupon_id, c.code, t.key, u.key, e.placement, c.valid_from, c.valid_until,
       e.city_id, e.client, e.redemption_id, e.spent_fen, e.merchant_fen
  FROM taken JOIN coupons_couponevent e ON e.id = taken.event_id
  JOIN coupons_coupon c ON c.id = e.coupon_id
  JOIN coupons_coupontemplate t ON t.id = e.template_id
  JOIN coupons_customer u ON u.id = e.customer_id
 WHERE e.kind = ANY(%s) ORDER BY e.id
"""
_COUPON = ("id", "code", "template", "customer", "placement", "valid_from", "valid_until")
_REST = ("city", "client", "redemption", "discount_fen", "merchant_fen")
#: Of each coupon the first that waits, if its time has come.
_DUE = """
SELECT id FROM coupons_delivery d
 WHERE subscription_id = %s AND state = 'pending' AND next_at <= %s::timestamptz
   AND NOT EXISTS (SELECT FROM coupons_delivery o WHERE o.subscription_id = d.subscription_id AND o.state = 'pending'
                      AND o.coupon_id = d.coupon_id AND o.event_id < d.event_id)
 ORDER BY next_at, event_id LIMIT %s
"""


class Outcome(NamedTuple):
    """``status`` None: no answer, and ``why``."""

    status: int | None
    why: str
    milliseconds: int

    @property
    def ok(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


def new_secret() -> str:
    return f"whsec_{base64.b64encode(secrets.token_bytes(24)).decode()}"


def renew_secret(subscription: Subscription, now: datetime) -> None:
    """A new secret signs from now on; the one before signs beside it for a day."""
    with transaction.atomic():
        before = Subscription.objects.select_for_update(no_key=True).get(pk=subscription.pk)
        subscription.old_secret, subscription.old_until = before.secret, now + BOTH
        subscription.secret = new_secret()
        subscription.save(update_fields=["secret", "old_secret", "old_until"])


def signatures(subscription: Subscription, id: str, now: datetime, body: bytes) -> str:
    """By each secret that is good now, with a space between: a receiver is content with any that it knows."""
    known = [subscription.secret]
    if subscription.old_until is not None and now < subscription.old_until:
        known.append(subscription.old_secret)
    return " ".join(sign(secret, id, int(now.timestamp()), body) for secret in known)


def check_target(url: str) -> tuple[str, str]:
    """Host and the address to connect to.  :raises Invalid: not https, or within a private network."""
    if not url.startswith("https://") and not _may_be_private(url):
        raise Invalid.of("url", "invalid_url", _("An address that begins with https://."))
    return calling.public_address(url, field="url", allowed=settings.WEBHOOK_PRIVATE_HOSTS)


def sign(secret: str, id: str, timestamp: int, body: bytes) -> str:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mark = hmac.digest(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(mark).decode()}"


def fan_out(now: datetime, limit: int = 5000) -> int:
    """Events out of the queue become deliveries; how many were taken. One at a time, so that their order stays."""
    with transaction.atomic():
        locked = row("SELECT pg_try_advisory_xact_lock(%s, 0)", (_LOCKS,))
        if not (locked and locked[0]):
            return 0
        found = rows(_TAKE, (limit, list(KINDS)))
        subscriptions = list(Subscription.objects.filter(is_active=True))
        Delivery.objects.bulk_create(
            [
                Delivery(
                    subscription=subscription,
                    event_id=event[0],
                    coupon_id=event[3],
                    kind=event[1],
                    body=body,
                    since=now,
                    next_at=now,
                )
                for event in found
                if (body := _body(event))
                for subscription in subscriptions
                if event[1] in subscription.kinds
            ],
            ignore_conflicts=True,
        )
    return len(found)


def due(now: datetime) -> list[int]:
    """Subscriptions that have something to be told now."""
    waiting = Delivery.objects.filter(state=Delivery.State.PENDING, next_at__lte=now, subscription__is_active=True)
    return sorted(set(waiting.values_list("subscription_id", flat=True)))


def send(subscription_id: int, *, seconds: float = 20.0) -> int:
    """Tells one system what waits for it, for so long at most; how many went through. One task per system at a time."""
    locked = row("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, subscription_id))
    if not (locked and locked[0]):
        return 0
    try:
        return _send(subscription_id, monotonic() + seconds)
    finally:
        row("SELECT pg_advisory_unlock(%s, %s)", (_LOCKS, subscription_id))


def _send(subscription_id: int, until: float) -> int:
    delivered = 0
    with ThreadPoolExecutor(ABREAST) as pool:
        while monotonic() < until:
            subscription = Subscription.objects.filter(pk=subscription_id, is_active=True).first()
            ids = [found[0] for found in rows(_DUE, (subscription_id, timezone.now(), ABREAST))]
            if subscription is None or not ids:
                break
            batch = list(Delivery.objects.filter(pk__in=ids).order_by("event_id"))
            try:
                _name, address = check_target(subscription.url)  # each time: a name may lead elsewhere by now
                outcomes = list(pool.map(partial(_call, subscription, address), batch))
            except Invalid as no:
                outcomes = [Outcome(None, str(no.errors[0]["detail"]), 0)] * len(batch)
            for one, outcome in zip(batch, outcomes, strict=True):
                _record(one, outcome, timezone.now())
            passed = sum(outcome.ok for outcome in outcomes)
            delivered += passed
            if not passed:  # nobody there: the rest need not wait for as many time-outs
                break
    return delivered


def send_again(delivery: Delivery, now: datetime) -> None:
    """Once more, for another day, whatever came of it. Its receiver knows it by the event's id."""
    Delivery.objects.filter(pk=delivery.pk).update(
        state=Delivery.State.PENDING, since=now, next_at=now, attempt_count=0, ended_at=None
    )


def tidy(now: datetime) -> int:
    """What was settled long ago is forgotten; how many."""
    old = Delivery.objects.filter(ended_at__lt=now - KEPT).values_list("pk", flat=True)[:5000]
    return Delivery.objects.filter(pk__in=list(old)).delete()[0]


def _call(subscription: Subscription, address: str, delivery: Delivery) -> Outcome:
    """Knows no database: it runs in a thread of its own."""
    body, id, now = delivery.body.encode(), str(delivery.event_id), timezone.now()
    begun = monotonic()
    try:
        answer = calling.ask(
            "POST",
            subscription.url,
            transport=calling.Pinned(address),
            most_bytes=10_000,
            content=body,
            headers={
                "Content-Type": "application/json",
                "Webhook-Id": id,
                "Webhook-Timestamp": str(int(now.timestamp())),
                "Webhook-Signature": signatures(subscription, id, now, body),
            },
        )
        status, why = answer.status_code, ""
    except calling.Unreachable as no:
        status, why = no.status, str(no)  # type: ignore[assignment]
    return Outcome(status, why[:200], int((monotonic() - begun) * 1000))


def _record(delivery: Delivery, outcome: Outcome, now: datetime) -> None:
    with transaction.atomic():
        DeliveryAttempt.objects.create(
            delivery=delivery, at=now, status=outcome.status, why=outcome.why, milliseconds=outcome.milliseconds
        )
        delivery.attempt_count += 1
        wait = WAITS[min(delivery.attempt_count, len(WAITS)) - 1]
        if outcome.ok:
            delivery.state, delivery.ended_at = Delivery.State.DELIVERED, now
        elif now + wait > delivery.since + GIVE_UP:
            delivery.state, delivery.ended_at = Delivery.State.GIVEN_UP, now
        else:
            delivery.next_at = now + wait
        delivery.save(update_fields=["state", "attempt_count", "next_at", "ended_at"])


def _body(event: tuple[object, ...]) -> str:
    id, kind, at, *coupon = event
    said = {
        "id": str(id),
        "type": f"coupon.{kind}",
        "occurred_at": at,
        "coupon": dict(zip(_COUPON, coupon, strict=False)),
        **dict(zip(_REST, coupon[len(_COUPON) :], strict=True)),
    }
    return orjson.dumps(said).decode()


def _may_be_private(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "http" and bool({parts.hostname, parts.netloc} & set(settings.WEBHOOK_PRIVATE_HOSTS))
