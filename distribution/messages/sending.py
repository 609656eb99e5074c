"""Sending what is due: each row is leased and committed first, handed to the provider, and closed.

A process that dies in between leaves a lease that runs out: whether the provider took the message nobody knows, so it
is ``unclear`` and stays so. Only what was surely not taken is tried again.
"""

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from time import monotonic

from cryptography.fernet import InvalidToken
from django.conf import settings
from django.db import connections
from django.db.models import Q
from django.utils import timezone

from coupons.calling import Unreachable
from coupons.queries.direct import row
from distribution.messages import quiet
from distribution.messages.gateways import Declined, Letter, gateway_of
from distribution.messages.outbox import unseal, wording
from distribution.models import Message, MessageTemplate

Status = Message.Status
log = logging.getLogger(__name__)

#: Longer than any provider is waited for.
LEASE = timedelta(minutes=2)
#: How long after each attempt that surely failed the next one is made.
BACKOFF = (timedelta(seconds=20), timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
#: A run of the timetable ends after so many seconds; the next one goes on.
SECONDS = 20.0

_LEASE = """
UPDATE distribution_message SET status = 'sending', leased_until = %s::timestamptz, attempt_count = attempt_count + 1
 WHERE id = (
    SELECT id FROM distribution_message
     WHERE status = 'waiting' AND due_at <= %s::timestamptz AND (is_urgent OR NOT %s::boolean)
       AND (%s::bigint IS NULL OR id = %s::bigint)
     ORDER BY due_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id
"""


def send(pk: int) -> None:
    """This one, now, if it is due: somebody is waiting for it. What goes wrong is tried again by the timetable."""
    _one(pk)


def send_due(threads: int | None = None) -> int:
    """All that is due, for a while; how many were taken in hand."""
    _tidy(timezone.now())
    threads = threads or settings.MESSAGE_THREADS
    end = monotonic() + SECONDS
    if threads == 1:
        return _until(end)
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(_closing(_until), [end] * threads))


def _until(end: float) -> int:
    done = 0
    while monotonic() < end and _one():
        done += 1
    return done


def _closing(act: Callable[[float], int]) -> Callable[[float], int]:
    def run(end: float) -> int:
        try:
            return act(end)
        finally:
            connections.close_all()

    return run


def _one(pk: int | None = None) -> bool:
    """Whether there was one."""
    now = timezone.now()
    leased = row(_LEASE, (now + LEASE, now, quiet.until(now) > now, pk, pk))
    if leased is None:
        return False
    message = Message.objects.select_related("template").get(pk=leased[0])
    if message.expires_at and message.expires_at <= now:
        _close(message, Status.LATE, why="too_late", cost_fen=0, sealed=None)
        return True
    gateway = gateway_of(message.channel)
    try:
        receipt = gateway.send(_letter(message))
    except InvalidToken:
        _close(message, Status.FAILED, why="sealed_under_another_key", cost_fen=0, sealed=None)
    except Declined as no:
        _not_taken(message, gateway.name, f"{no.code} {no}", again=no.again)
    except Unreachable as silence:
        if silence.sent and silence.status != 429:
            _close(message, Status.UNCLEAR, gateway=gateway.name, why=str(silence)[:200], sealed=None)
        else:
            _not_taken(message, gateway.name, str(silence), again=True)
    except Exception:  # whatever it was: the provider may have it
        log.exception("message_unclear", extra={"message": message.pk})
        _close(message, Status.UNCLEAR, gateway=gateway.name, why="error", sealed=None)
    else:
        _close(message, Status.SENT, gateway=gateway.name, receipt=receipt[:128], sent_at=timezone.now(), sealed=None)
    return True


def _letter(message: Message) -> Letter:
    hidden = unseal(message.sealed)
    variables = [(name, {**message.variables, **hidden}.get(name, "")) for name in _order(message)]
    title, text = wording(message, variables)
    return Letter(
        message.channel, message.to, title, text, message.template.provider_template, variables, f"m{message.pk}"
    )


def _order(message: Message) -> list[str]:
    """The variables as the template names them, if it still does."""
    known = [name for name in message.template.variables if name in message.variables or name in MessageTemplate.SECRET]
    return [*known, *(name for name in message.variables if name not in known)]


def _not_taken(message: Message, gateway: str, why: str, *, again: bool) -> None:
    number = message.attempt_count - 1
    if again and number < len(BACKOFF):
        due_at = timezone.now() + BACKOFF[number]
        _close(message, Status.WAITING, gateway=gateway, why=why[:200], due_at=due_at)
    else:
        _close(message, Status.FAILED, gateway=gateway, why=why[:200], cost_fen=0, sealed=None)


def _close(message: Message, status: str, **more: object) -> None:
    """Unless somebody has it in hand once more. A lease that ran out meanwhile says "unclear"; we know better."""
    Message.objects.filter(
        pk=message.pk, attempt_count=message.attempt_count, status__in=(Status.SENDING, Status.UNCLEAR)
    ).update(status=status, leased_until=None, **more)


def _tidy(now: datetime) -> None:
    """Whose sender died, and who waits for an hour that comes too late."""
    Message.objects.filter(status=Status.SENDING, leased_until__lte=now).update(
        status=Status.UNCLEAR, leased_until=None, why="interrupted", sealed=None
    )
    Message.objects.filter(Q(status=Status.WAITING), expires_at__lte=now).update(
        status=Status.LATE, why="too_late", cost_fen=0, sealed=None
    )
