"""Said twice, done once: the answer of every call that had an effect is kept beside the effect.

A refusal had no effect and is not kept: the same key may try again. Before a call with a key is refused, its stored
answer is looked for, because the rules may have changed since the first time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from hashlib import blake2b
from typing import NamedTuple

from django.db import OperationalError, connection, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from coupons.queries.direct import row
from coupons.refused import Refused

#: The database gave up on us because somebody's lock was in the way: nothing was done.
_AGAIN = (DeadlockDetected, SerializationFailure)


#: The first half of the advisory locks' names: "once" in ASCII.
_LOCKS = 0x6F6E6365


class Once(NamedTuple):
    """An idempotency key in one caller's hands, and a digest of what was asked under it."""

    caller: str
    key: str
    fingerprint: bytes


class Reply(NamedTuple):
    """``body`` is JSON as it goes over the wire."""

    status: int
    body: bytes
    replayed: bool = False


def fingerprint(method: str, path: str, body: bytes) -> bytes:
    return blake2b(b"\0".join((method.encode(), path.encode(), body)), digest_size=16).digest()


def find(once: Once | None) -> Reply | None:
    """The first answer.  :raises Refused: "idempotency_key_reused" when it answered another request."""
    if once is None:
        return None
    found = row(
        "SELECT fingerprint, status, body FROM coupons_answer WHERE caller = %s AND key = %s", (once.caller, once.key)
    )
    if found is None:
        return None
    if bytes(found[0]) != once.fingerprint:
        raise Refused("idempotency_key_reused")
    return Reply(found[1], bytes(found[2]), replayed=True)


@contextmanager
def alone(once: Once | None) -> Iterator[None]:
    """Calls with one key come in one after the other: whoever waited finds the first one's answer."""
    if once is None:
        yield
        return
    name = (_LOCKS, f"{once.caller} {once.key}")
    row("SELECT pg_advisory_lock(%s, hashtext(%s))::text", name)
    try:
        yield
    finally:
        row("SELECT pg_advisory_unlock(%s, hashtext(%s))", name)


def do_once(once: Once | None, now: datetime, act: Callable[[], Reply]) -> Reply:
    """``act`` and its stored answer in one transaction; a second call waits for the first and gets its answer.

    Calls that wait for each other in a circle (one key at two doors at once) are undone and tried again.

    :raises Refused: "busy" when that does not help.
    """
    if connection.in_atomic_block:
        return _do_once(once, now, act)
    for _attempt in range(3):
        try:
            return _do_once(once, now, act)
        except _AGAIN:
            continue
        except OperationalError as gave_up:
            if not isinstance(gave_up.__cause__, _AGAIN):
                raise
    raise Refused("busy")


def _do_once(once: Once | None, now: datetime, act: Callable[[], Reply]) -> Reply:
    with transaction.atomic():
        if once is not None:
            kept = row(
                "INSERT INTO coupons_answer (caller, key, fingerprint, status, body, created_at)"
                " VALUES (%s, %s, %s, 0, '', %s) ON CONFLICT DO NOTHING RETURNING 1",
                (*once, now),
            )
            if kept is None:
                found = find(once)
                assert found is not None
                return found
        reply = act()
        if once is not None:
            row(
                "UPDATE coupons_answer SET status = %s, body = %s WHERE caller = %s AND key = %s RETURNING 1",
                (reply.status, reply.body, once.caller, once.key),
            )
        return reply
