"""What is not worth a commit of its own is gathered in the process and written down together.

Every so many seconds, and when the process ends. One that is killed loses what it gathered since, and nothing else: for
what has no effect alone.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.util import Finalize
from threading import Lock, Thread
from time import sleep
from typing import Any, Generic, TypeVar

import psycopg
from django.conf import settings
from django.db import Error

from coupons.refused import Refused

log = logging.getLogger(__name__)

Kept = TypeVar("Kept", bound=object)
_all: "list[Gathering[Any]]" = []  # of this process


class Gathering(Generic[Kept]):
    """``empty`` makes what is gathered into; ``write`` writes one such thing down, or raises and has written nothing;
    ``join`` puts a second into a first. ``seconds``: the setting that says how often; at 0 only when it is asked for.
    """

    def __init__(
        self,
        name: str,
        seconds: str,
        empty: Callable[[], Kept],
        write: Callable[[Kept], object],
        join: Callable[[Kept, Kept], object],
    ) -> None:
        self.name = name
        self._seconds = seconds
        self._empty, self._write, self._join = empty, write, join
        self._kept = empty()
        self._lock = Lock()
        self._runs = False
        _all.append(self)

    @contextmanager
    def open(self) -> Iterator[Kept]:
        """To put something in."""
        with self._lock:
            yield self._kept
            starts = not self._runs and getattr(settings, self._seconds) > 0
            self._runs = self._runs or starts
        if starts:
            Thread(target=self._write_regularly, name=self.name, daemon=True).start()
            Finalize(None, self._try, exitpriority=0)  # children of a server end without atexit, but not without this

    def flush(self) -> None:
        """Writes what was gathered so far; what cannot be written stays gathered."""
        with self._lock:
            taken, self._kept = self._kept, self._empty()
        if not taken:
            return
        try:
            self._write(taken)
        except BaseException:
            with self._lock:
                self._join(self._kept, taken)
            raise

    def forget(self) -> None:
        """Nothing was gathered; for tests, and for a process that was just born of one that gathers."""
        self._kept = self._empty()
        self._lock = Lock()
        self._runs = False

    def _write_regularly(self) -> None:
        while True:
            sleep(getattr(settings, self._seconds))
            self._try()

    def _try(self) -> None:
        try:
            self.flush()
        except (psycopg.Error, Error, Refused) as problem:  # it stays gathered, and is tried again
            log.warning("%s could not be written: %s", self.name, problem)


def forget() -> None:
    for gathering in _all:
        gathering.forget()


os.register_at_fork(after_in_child=forget)
