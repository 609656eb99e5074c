"""`make demo`: starts all of it, ends all of it, and says in a sentence what is in the way."""

import os
import random
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from couponsite import embedded
from tests.house.test_settings import ROOT

# The company's sixty days have tests of their own; here its life is one customer long.
START = """
import sys, django
django.setup()
from django.core.management import CommandError, call_command
from coupons.models import Customer
from couponsite.demo import company
def fill(now, say):
    Customer.objects.create(key="only")
    print("filled", flush=True)
company.fill, company.accounts = fill, list
try:
    call_command("demo", *sys.argv[1:])
except CommandError as said:
    sys.exit(str(said))
"""


def free_port() -> int:
    """Not one of those that the system gives to whoever asks for any: it is free for a while yet."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def demo(var: Path, port: int, *words: str) -> subprocess.Popen[str]:
    clean = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.Popen(
        [sys.executable, "-c", START, "--port", str(port), *words],
        cwd=ROOT,
        env={
            **clean,
            "VAR_DIR": str(var),
            "DJANGO_SETTINGS_MODULE": "couponsite.settings",
            "SECRET_KEY": "k" * 60,
            "PYTHONPATH": str(ROOT),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def told(process: subprocess.Popen[str], until: str) -> str:
    said = ""
    for line in process.stdout or ():
        said += line
        if until in line:
            return said
    pytest.fail(f"ended before it said {until!r}:\n{said}")


@pytest.mark.timeout(900)
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_it_starts_everything_ends_everything_and_keeps_its_data(tmp_path, how):
    port = free_port()
    first = demo(tmp_path, port)
    assert "filled" in told(first, "Ctrl-C ends the demo")
    children = psutil.Process(first.pid).children(recursive=True)
    assert len(children) >= 3  # web server, its workers, the task worker
    links = {child.environ().get("PUBLIC_URL") for child in psutil.Process(first.pid).children()}
    assert links == {f"http://127.0.0.1:{port}"}, "in links that customers are sent"
    first.send_signal(how)
    assert "Traceback" not in (first.stdout.read() if first.stdout else "")
    assert first.wait(240) == 0
    psutil.wait_procs(children, timeout=60)
    assert [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE] == []
    assert not embedded.Server(tmp_path / "postgres").runs()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0

    again = demo(tmp_path, port, "--fill-only")
    assert "filled" not in (again.stdout.read() if again.stdout else "")
    assert again.wait(240) == 0
    anew = demo(tmp_path, port, "--fill-only", "--reset")
    assert "filled" in (anew.stdout.read() if anew.stdout else "")
    assert anew.wait(240) == 0


def test_a_taken_port_is_said_in_one_sentence_before_anything_starts(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = demo(tmp_path, port)
        said = process.stdout.read() if process.stdout else ""
        assert process.wait(240) == 1
    assert said == f"Port {port} is taken. Choose another: make demo PORT={port + 1}\n"
    assert not (tmp_path / "postgres").exists()


@pytest.mark.timeout(600)
def test_data_that_no_demo_made_are_left_alone(tmp_path):
    server = embedded.Server(tmp_path / "postgres")
    server.use()
    import psycopg

    where = {"host": str(server.sockets), "user": "postgres", "dbname": "coupons"}
    with psycopg.connect(**where) as db:
        db.execute("CREATE TABLE somebodys (n int)")
    for words in ([], ["--reset"]):
        process = demo(tmp_path, free_port(), "--fill-only", *words)
        said = process.stdout.read() if process.stdout else ""
        assert process.wait(240) == 1
        assert said.startswith("This database holds data that no demo made")
    with psycopg.connect(**where) as db:
        db.execute("TABLE somebodys")
    server.leave()


@pytest.mark.timeout(600)
def test_a_demo_that_was_cut_short_begins_anew(tmp_path):
    server = embedded.Server(tmp_path / "postgres")
    server.use()
    import psycopg

    with psycopg.connect(host=str(server.sockets), user="postgres", dbname="coupons") as db:
        db.execute("CREATE TABLE half (n int)")
        db.execute("COMMENT ON SCHEMA public IS 'demo: filling'")
    process = demo(tmp_path, free_port(), "--fill-only")
    said = process.stdout.read() if process.stdout else ""
    assert process.wait(240) == 0, said
    assert "beginning anew" in said
    assert "filled" in said
    server.leave()


def test_one_demo_at_a_time(tmp_path):
    import fcntl

    with (tmp_path / "demo.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        process = demo(tmp_path, free_port())
        said = process.stdout.read() if process.stdout else ""
        assert process.wait(240) == 1
    assert said == f"A demo is running already with {tmp_path}.\n"
