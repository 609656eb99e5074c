"""Every "no" to a claim or a use is counted, without a row for each: a flash sale refuses thousands in a second.

A process adds up and writes its sums every ``REFUSALS_SECONDS`` and when it ends. One that is killed loses what it
refused since it last wrote, and nothing else.
"""

import logging
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from multiprocessing.util import Finalize
from threading import Lock, Thread
from time import sleep
from typing import NamedTuple

import psycopg
from django.conf import settings
from django.db import Error

from coupons.models import RefusalCount
from coupons.queries.direct import rows
from coupons.refused import Refused

Deed = RefusalCount.Deed
log = logging.getLogger(__name__)

_WRITE = """
INSERT INTO coupons_refusalcount AS o (hour, deed, placement, template_id, code, reason, count)
SELECT * FROM unnest(%s::timestamptz[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::text[], %s::bigint[])
ON CONFLICT (hour, deed, placement, template_id, code, reason) DO UPDATE SET count = o.count + excluded.count
RETURNING 1
"""


class Refusal(NamedTuple):
    hour: datetime
    deed: str
    placement: str
    template_id: int
    code: str
    reason: str


_counts: Counter[Refusal] = Counter()
_lock = Lock()
_writes = False


@contextmanager
def counted(deed: str, now: datetime, placement: str = "") -> Iterator[None]:
    """What is refused within by the rules is counted, with the template and the cause that the refusal is about."""
    try:
        yield
    except Refused as no:
        if no.status == 409 and no.noted is None:
            hour = now.replace(minute=0, second=0, microsecond=0)
            no.noted = Refusal(hour, deed, placement, no.template_id, no.code, no.cause)
            _add(no.noted, 1)
        raise


def take_back(no: Refused) -> None:
    """It was none: the call had been answered before, and gets that answer again."""
    if no.noted is not None:
        _add(no.noted, -1)


def flush() -> int:
    """Writes what was counted so far; how many rows it concerned."""
    global _counts
    with _lock:
        sums, _counts = _counts, Counter()
    found = sorted((refusal, count) for refusal, count in sums.items() if count)  # processes write in one order
    if not found:
        return 0
    try:
        rows(_WRITE, [*map(list, zip(*(refusal for refusal, _ in found), strict=True)), [count for _, count in found]])
    except BaseException:
        with _lock:
            _counts.update(dict(found))
        raise
    return len(found)


def forget() -> None:
    """Nothing was counted; for tests, and for a process that was just born of one that counts."""
    global _counts, _lock, _writes
    _counts, _lock, _writes = Counter(), Lock(), False


def _add(refusal: Refusal, count: int) -> None:
    global _writes
    with _lock:
        _counts[refusal] += count
        starts = not _writes and settings.REFUSALS_SECONDS > 0
        _writes = _writes or starts
    if starts:
        Thread(target=_write_regularly, name="refusals", daemon=True).start()
        Finalize(None, _write, exitpriority=0)  # children of a server end without atexit, but not without this


def _write_regularly() -> None:
    while True:
        sleep(settings.REFUSALS_SECONDS)
        _write()


def _write() -> None:
    try:
        flush()
    except (psycopg.Error, Error, Refused) as problem:  # it stays counted, and is tried again
        log.warning("refusals could not be written: %s", problem)


os.register_at_fork(after_in_child=forget)
