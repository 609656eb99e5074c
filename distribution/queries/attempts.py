"""Who tried too many wrong codes: counted in the database before the answer is known, so that no storm slips past."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from math import ceil

import psycopg
from django.conf import settings
from django.db import connection, transaction

from coupons.queries.direct import row
from coupons.refused import Refused

_TOO_MANY = "CP429"


@contextmanager
def counted(customer: str, address: str | None, now: datetime) -> Iterator[None]:
    """An attempt at a code: it counts as wrong if what is done within refuses with ``code_invalid``, else not at all.

    ``address``: the customer's, as far as it is known.

    :raises Refused: ``too_many_attempts``, with ``Retry-After``.
    """
    scopes = {f"customer:{customer}": settings.CODE_FAILURES}
    if address is not None:
        scopes[f"address:{address}"] = settings.CODE_FAILURES
    scopes["all"] = settings.CODE_FAILURES_ALL
    window = timedelta(minutes=settings.CODE_FAILURE_MINUTES)
    _count(scopes, now, window)
    try:
        yield
    except Refused as no:
        if no.code != "code_invalid":
            _give_back(scopes, now)
        raise
    except BaseException:
        _give_back(scopes, now)
        raise
    _give_back(scopes, now)


def _count(scopes: dict[str, int], now: datetime, window: timedelta) -> None:
    parameters = (now, now - window, list(scopes), list(scopes.values()))
    call = "SELECT distribution_try_code(%s::timestamptz, %s::timestamptz, %s::text[], %s::integer[])"
    try:
        if connection.in_atomic_block:
            with transaction.atomic():
                row(call, parameters)
        else:
            row(call, parameters)
    except psycopg.Error as undone:
        if undone.sqlstate != _TOO_MANY:
            raise
        free_at = float(undone.diag.message_detail or 0) + window.total_seconds()
        seconds = ceil(free_at - now.timestamp())  # more than the window where others at this moment read a later clock
        seconds = min(max(1, seconds), ceil(window.total_seconds()))
        raise Refused("too_many_attempts", headers={"Retry-After": str(seconds)}) from None


def _give_back(scopes: dict[str, int], now: datetime) -> None:
    row("SELECT distribution_right_code(%s::timestamptz, %s::text[])", (now, list(scopes)))


def forget_old(now: datetime) -> None:
    """Rows that hold nobody back any more."""
    since = now - timedelta(minutes=settings.CODE_FAILURE_MINUTES)
    row(
        "WITH gone AS (DELETE FROM distribution_codeattempts"
        " WHERE NOT EXISTS (SELECT FROM unnest(failed_at) t WHERE t > %s::timestamptz) RETURNING 1)"
        " SELECT count(*) FROM gone",
        (since,),
    )
