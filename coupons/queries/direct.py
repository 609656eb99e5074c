"""One prepared statement, one round trip, plain tuples: what the hot doors are made of.

Goes past Django's cursor (which binds on the client and cannot prepare) and past psycopg's (whose every call costs more
than the statement) on the same connection: values go over as text, so every parameter whose type the statement does not
tell is cast there. Inside a transaction psycopg's cursor is used: it begins the transaction that Django has announced.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from itertools import count
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.adapt import Transformer
from psycopg.errors import DeadlockDetected, SerializationFailure, error_from_result
from psycopg.pq import ConnStatus, ExecStatus

from coupons.refused import Refused

Parameters = Sequence[Any] | Mapping[str, Any]

#: A neighbour's lock was in the way and the database gave up on us: nothing was done, so it may be tried again.
_AGAIN = (DeadlockDetected, SerializationFailure)


class _Statement(NamedTuple):
    """``names``: which parameter each place takes, where they have names."""

    sql: bytes
    names: tuple[str, ...]


#: What each connection has prepared, with the loader of its rows.
_prepared: WeakKeyDictionary[psycopg.Connection[Any], dict[str, tuple[bytes, Any]]] = WeakKeyDictionary()


def rows(sql: str, parameters: Parameters = ()) -> list[tuple[Any, ...]]:
    """All rows.  :raises Refused: "busy" when the database cannot be reached or stays locked."""
    database = connections[DEFAULT_DB_ALIAS]
    for _attempt in range(3):
        try:
            if database.connection is None:
                database.ensure_connection()
            if database.queries_logged:
                database.queries_log.append({"sql": sql, "time": "0"})
            if database.in_atomic_block:
                return _inside(database.connection, sql, parameters)
            return _outside(database.connection, sql, parameters)
        except _AGAIN:
            if database.in_atomic_block:
                raise
        except psycopg.OperationalError as lost:
            if database.in_atomic_block:
                raise
            database.close()  # what was asked may have been done: only its caller knows whether to ask again
            raise Refused("busy") from lost
    raise Refused("busy")


def row(sql: str, parameters: Parameters = ()) -> tuple[Any, ...] | None:
    """The first row, if any."""
    found = rows(sql, parameters)
    return found[0] if found else None


def _inside(to: psycopg.Connection[Any], sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    if isinstance(parameters, Mapping):
        told: Any = {name: text(value) for name, value in parameters.items()}
    else:
        told = [text(value) for value in parameters]
    with psycopg.Cursor(to) as cursor:
        return cursor.execute(sql, told, prepare=True).fetchall()


def _outside(to: psycopg.Connection[Any], sql: str, parameters: Parameters) -> list[tuple[Any, ...]]:
    known = _prepared.get(to)
    if known is None:
        known = _prepared[to] = {}
    statement = _statement(sql)
    ready = known.get(sql)
    if ready is None:
        name = b"direct_%d" % len(known)
        _checked(to.pgconn.prepare(name, statement.sql), to)
        ready = known[sql] = name, Transformer(to)
    if isinstance(parameters, Mapping):
        parameters = [parameters[name] for name in statement.names]
    told = [text(value) for value in parameters]
    values = [None if value is None else value.encode() for value in told]
    if any(b"\0" in value for value in values if value is not None):
        raise psycopg.DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")
    result = _checked(to.pgconn.exec_prepared(ready[0], values), to)  # type: ignore[arg-type]  # NULL is None
    loader = ready[1]
    loader.set_pgresult(result)
    return loader.load_rows(0, result.ntuples, tuple)


def _checked(result: Any, to: psycopg.Connection[Any]) -> Any:
    if result.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        if to.pgconn.status != ConnStatus.OK:  # such a result has no code that would say it
            raise psycopg.OperationalError("the connection was lost")
        raise error_from_result(result)
    return result


@lru_cache(maxsize=1000)
def _statement(sql: str) -> _Statement:
    """With the server's numbers for psycopg's places; a name that comes again keeps its number."""
    names: list[str] = []
    places = count(1)

    def number(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        name = found[1]
        if name is None:
            return f"${next(places)}"
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _Statement(re.sub(r"%(?:%|s|\((\w+)\)s)", number, sql).encode(), tuple(names))


def text(value: Any) -> str | None:
    """A value as PostgreSQL reads it from text."""
    kind = type(value)
    if kind is str:
        return value
    if value is None:
        return None
    if kind is bool:
        return "t" if value else "f"
    if kind is list or kind is tuple:
        return "{" + ",".join([_element(one) for one in value]) + "}"
    if kind is bytes:
        return "\\x" + value.hex()
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value)


def _element(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    told = text(value) or ""
    return '"' + told.replace("\\", "\\\\").replace('"', '\\"') + '"'
