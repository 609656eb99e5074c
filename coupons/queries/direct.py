"""One prepared statement, one round trip, plain tuples: what the hot doors are made of.

Goes past Django's cursor (which binds on the client and cannot prepare) on the same connection, so transactions,
tests and ``assertNumQueries`` see it all the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection
from psycopg.errors import DeadlockDetected, SerializationFailure

from coupons.refused import Refused

Parameters = Sequence[Any] | Mapping[str, Any]

#: A neighbour's lock was in the way and the database gave up on us: nothing was done, so it may be tried again.
_AGAIN = (DeadlockDetected, SerializationFailure)


def rows(sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """All rows.  :raises Refused: "busy" when the database cannot be reached or stays locked."""
    for _attempt in range(3):
        try:
            connection.ensure_connection()
            with psycopg.Cursor(connection.connection) as cursor:
                if connection.queries_logged:
                    connection.queries_log.append({"sql": sql, "time": "0"})
                return cursor.execute(sql, parameters, prepare=True).fetchall()
        except _AGAIN:
            if connection.in_atomic_block:
                raise
        except psycopg.OperationalError as lost:
            if connection.in_atomic_block:
                raise
            connection.close()  # what was asked may have been done: only its caller knows whether to ask again
            raise Refused("busy") from lost
    raise Refused("busy")


def row(sql: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """The first row, if any."""
    found = rows(sql, parameters)
    return found[0] if found else None
