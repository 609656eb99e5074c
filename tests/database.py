"""The database in use: its address, for programs that a test or a measurement starts; who is at it at this moment."""

import time
from collections.abc import Callable
from urllib.parse import quote

from django.db import connection


def address() -> str:
    told = connection.settings_dict
    told = {**told, "HOST": told["HOST"] or told["OPTIONS"].get("host")}  # where an address's query puts it
    where = {name: str(told.get(name) or "") for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")}
    who = quote(where["USER"]) + (f":{quote(where['PASSWORD'])}" if where["PASSWORD"] else "")
    port = where["PORT"] or "5432"
    if where["HOST"].startswith("/"):  # a socket's folder goes in the query, where libpq looks for it
        return f"postgres://{who}@/{where['NAME']}?host={quote(where['HOST'], safe='')}&port={port}"
    return f"postgres://{who}@{where['HOST'] or '127.0.0.1'}:{port}/{where['NAME']}"


def until_waiting(number: int = 1) -> None:
    """Returns when so many connections wait for somebody's lock."""
    _until("wait_event_type = 'Lock'", lambda found: len(found) >= number)


def others() -> set[int]:
    """Who else is connected, by process id."""
    return _pids("true")


def until_gone(since: set[int]) -> None:
    """Returns when the database has ended what it had begun for those who came after ``since``."""
    _until("true", lambda found: found <= since)


def _pids(which: str) -> set[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction it would be remembered
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            f" AND backend_type = 'client backend' AND {which}"
        )
        return {pid for (pid,) in cursor.fetchall()}


def _until(which: str, enough: Callable[[set[int]], bool]) -> None:
    end = time.monotonic() + 60
    while not enough(found := _pids(which)):
        assert time.monotonic() < end, found
        time.sleep(0.02)
