"""A whole back office to look at: database, a believable company's data, web server and worker."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError, CommandParser, call_command
from django.db import connection
from django.utils import timezone

from couponsite import secret, serving

FILLING, FILLED = "demo: filling", "demo: filled"  # written on the schema, so that it goes when the data go
#: So that there is something for two, the coupon of the new year; and the documents that newcomers send need only one.
SECOND_APPROVAL_ABOVE_FEN = 10_000_000


class Command(BaseCommand):
    help = "Starts a demo: database, a company's data, web server and worker. Ctrl-C ends all of it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--reset", action="store_true", help="throw away the demo's data and begin anew")
        parser.add_argument("--fill-only", action="store_true", help="prepare the data and end")

    def handle(self, *args: Any, port: int, reset: bool, fill_only: bool, **options: Any) -> None:
        for name in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(name, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt), one_demo():
            if not fill_only:
                must_be_free(port)
            if "PUBLIC_URL" not in os.environ:
                settings.PUBLIC_URL = f"http://127.0.0.1:{port}"
            self.prepare(reset)
            if not fill_only:
                self.run_servers(port)

    def prepare(self, reset: bool) -> None:
        found = mark()
        if reset and (found or not has_tables()):
            self.say("Throwing away the demo's data …")
            begin_anew()
        elif reset:
            raise CommandError("This database holds data that no demo made; --reset leaves it alone.")
        elif found == FILLING:
            self.say("The data were not finished last time; beginning anew …")
            begin_anew()
        elif not found and has_tables():
            raise CommandError("This database holds data that no demo made. Give the demo a database of its own.")
        filled = found == FILLED and not reset
        if not filled:
            set_mark(FILLING)  # before the first table: who is cut off from here on is known again
        self.say("Preparing the database …")
        call_command("migrate", verbosity=0)
        if filled:
            return
        from couponsite.demo import company

        began = time.monotonic()
        company.fill(timezone.now(), self.say)
        set_mark(FILLED)
        self.say(f"The company's data are ready ({time.monotonic() - began:.0f} s).")

    def run_servers(self, port: int) -> None:
        crm_listens_at(f"http://127.0.0.1:{port}")
        connection.close()
        environment = {
            **os.environ,
            "SECRET_KEY": secret.keep_one(),
            "HTTPS": "false",
            "PUBLIC_URL": settings.PUBLIC_URL,
            "SECOND_APPROVAL_ABOVE_FEN": os.environ.get("SECOND_APPROVAL_ABOVE_FEN", str(SECOND_APPROVAL_ABOVE_FEN)),
            "CUSTOMER_JWT_KEY": settings.CUSTOMER_JWT_KEY or secret.kept("customer_jwt_key"),
            **stand_ins(f"http://127.0.0.1:{port}"),
            "PROMETHEUS_MULTIPROC_DIR": serving.metrics_folder(settings.VAR_DIR),
        }
        web = serving.command(os.environ.get("HOST") or "127.0.0.1", port, workers=2)
        worker = [
            *(sys.executable, "-m", "celery", "-q", "-A", "couponsite"),
            *("worker", "-B", "--concurrency", "1", "-l", "INFO"),
        ]
        worker_says = (settings.VAR_DIR / "worker.log").open("w")
        children: dict[str, subprocess.Popen[bytes]] = {}
        try:
            for name, command, says in (("web server", web, None), ("worker", worker, worker_says)):
                # In sessions of their own, so that Ctrl-C reaches us alone and we end them in order.
                children[name] = subprocess.Popen(
                    command,
                    stdout=says,
                    stderr=says,
                    env=environment,
                    cwd=settings.BASE_DIR,
                    start_new_session=True,
                )
            address = f"http://127.0.0.1:{port}"
            self.wait_for(f"{address}/api/v1/health/", children)
            self.welcome(address)
            while True:
                time.sleep(0.5)
                self.all_alive(children)
        finally:
            for wish in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(wish, signal.SIG_IGN)  # who asks again in these seconds must not leave them half done
            self.say("\nStopping …")
            end(list(children.values()))
            worker_says.close()

    def wait_for(self, address: str, children: dict[str, subprocess.Popen[bytes]]) -> None:
        for _attempt in range(240):
            self.all_alive(children)
            with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
                urllib.request.urlopen(address, timeout=5)  # noqa: S310
                return
            time.sleep(0.25)
        raise CommandError("The web server does not answer.")

    def all_alive(self, children: dict[str, subprocess.Popen[bytes]]) -> None:
        for name, child in children.items():
            if child.poll() is not None:
                raise CommandError(f"The {name} ended by itself (exit code {child.returncode}).")

    def welcome(self, address: str) -> None:
        from couponsite.demo import company

        self.say(f"\n  {address}/admin/              the back office\n  {address}/api/v1/schema/ui/   the API")
        self.say(f"  {address}/h5/eat-well/        an H5 page, as customers see it")
        if "STAND_INS" not in os.environ:
            self.say(f"  {address}/stand-in/phone/     the demo's phone: codes and messages arrive here")
        self.say("")
        for line in company.accounts():
            self.say(f"  {line}")
        self.say("\nCtrl-C ends the demo; its data are kept.")

    def say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()


def stand_ins(address: str) -> dict[str, str]:
    """A phone, a WeChat and a CRM of our own, unless the environment names real ones."""
    if "STAND_INS" in os.environ:
        return {}
    usual = {
        "STAND_INS": "true",
        "SMS_SIGN_NAME": "风行",
        "WECHAT_APP_ID": "demo",
        "WECHAT_SECRET": "demo",
        "WECHAT_OPEN_URL": f"{address}/stand-in/wechat",
        "WECHAT_API_URL": f"{address}/stand-in/wechat",
        "WEBHOOK_PRIVATE_HOSTS": address.removeprefix("http://"),
    }
    return {name: os.environ.get(name, value) for name, value in usual.items()}


def crm_listens_at(address: str) -> None:
    """The demo's own webhook; what an operator pointed elsewhere stays there."""
    from coupons.models import Subscription
    from couponsite.demo.stand_ins import CRM, CRM_PATH

    ours = Subscription.objects.filter(name=CRM, url__startswith="http://127.0.0.1:", url__endswith=CRM_PATH)
    ours.update(url=f"{address}{CRM_PATH}")


@contextlib.contextmanager
def one_demo() -> Iterator[None]:
    """:raises CommandError: if a demo runs on this VAR_DIR already"""
    settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
    with (settings.VAR_DIR / "demo.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CommandError(f"A demo is running already with {settings.VAR_DIR}.") from None
        yield


def must_be_free(port: int) -> None:
    """:raises CommandError: if somebody listens there"""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise CommandError(f"Port {port} is taken. Choose another: make demo PORT={port + 1}") from None


def end(children: list[subprocess.Popen[bytes]]) -> None:
    """Asks them to end; after ten seconds they are not asked any more."""
    for send in (signal.SIGTERM, signal.SIGKILL):
        for child in children:
            if child.poll() is None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, send) if send == signal.SIGKILL else child.send_signal(send)
        deadline = time.monotonic() + 10
        for child in children:
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(max(0.1, deadline - time.monotonic()))


def mark() -> str:
    with connection.cursor() as db:
        db.execute("SELECT coalesce(obj_description(current_schema()::regnamespace, 'pg_namespace'), '')")
        said = str(db.fetchone()[0])
    return said if said in (FILLING, FILLED) else ""


def set_mark(said: str) -> None:
    with connection.cursor() as db:
        db.execute(f"COMMENT ON SCHEMA {schema()} IS '{said}'")


def schema() -> str:
    with connection.cursor() as db:
        db.execute("SELECT quote_ident(current_schema())")
        return str(db.fetchone()[0])


def has_tables() -> bool:
    with connection.cursor() as db:
        return bool(connection.introspection.table_names(db))


def begin_anew() -> None:
    """Drops everything in the schema, which by its mark is the demo's, and the tasks that were waiting."""
    own = schema()
    with connection.cursor() as db:
        db.execute(f"DROP SCHEMA {own} CASCADE; CREATE SCHEMA {own}")
    connection.close()
    shutil.rmtree(settings.VAR_DIR / "queue", ignore_errors=True)
    for beat in settings.VAR_DIR.glob("beat*"):
        beat.unlink()
