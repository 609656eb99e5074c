"""The server of demo and tests starts when it is needed and stops with the last process that needed it."""

import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from couponsite import embedded

ROOT = Path(__file__).resolve().parents[2]
USE = """
import sys
from pathlib import Path
from couponsite import embedded
import psycopg
server = embedded.server(Path(sys.argv[1]))
server.use()
with psycopg.connect(host=str(server.sockets), user="postgres", dbname="coupons") as db:
    print(db.execute("SELECT pg_postmaster_start_time()::text").fetchone()[0], flush=True)
sys.stdin.readline()  # until it may go
"""

CONNECT = "from django.db import connection; connection.ensure_connection(); print('here')"


def user(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USE, str(folder)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def goes(one: subprocess.Popen[str]) -> bool:
    """Whether it ends well, now that it may."""
    one.stdin.close()
    return one.wait(120) == 0


@pytest.fixture
def server(tmp_path):
    server = embedded.Server(tmp_path / "postgres")
    yield server
    server.use()
    server.leave()


def test_two_that_start_at_once_share_one_server_and_the_last_stops_it(server):
    one, other = user(server.folder), user(server.folder)
    assert one.stdout.readline() == other.stdout.readline() != ""
    assert goes(one)
    assert server.runs()
    assert goes(other)
    assert not server.runs()


def test_one_that_was_killed_counts_as_gone(server):
    killed = user(server.folder)
    started = killed.stdout.readline()
    killed.kill()
    killed.wait()
    assert server.runs()
    found = user(server.folder)
    assert found.stdout.readline() == started
    assert goes(found)
    assert not server.runs()


def test_data_survive_a_stop(server):
    where = {"host": str(server.sockets), "user": "postgres", "dbname": "coupons"}
    server.use()
    with psycopg.connect(**where) as db:
        assert int(db.execute("SHOW server_version_num").fetchone()[0]) >= 140000
        db.execute("CREATE TABLE kept (n int)")
    server.leave()
    assert not server.runs()
    server.use()
    with psycopg.connect(**where) as db:
        db.execute("TABLE kept")


def test_a_long_path_is_no_hindrance(tmp_path):
    server = embedded.Server(tmp_path / ("long" * 30) / "postgres")
    server.use()
    with psycopg.connect(host=str(server.sockets), user="postgres", dbname="coupons") as db:
        assert db.execute("SELECT 1").fetchone() == (1,)
    server.leave()


def test_it_listens_on_no_port(server):
    server.use()
    with psycopg.connect(host=str(server.sockets), user="postgres", dbname="coupons") as db:
        assert db.execute("SHOW listen_addresses").fetchone() == ("",)


def test_commands_start_it_by_themselves(tmp_path):
    clean = {
        name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "DJANGO_SETTINGS_MODULE")
    }
    said = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", CONNECT],
        cwd=ROOT, env={**clean, "VAR_DIR": str(tmp_path)}, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert said.stdout.strip() == "here", said.stderr
    assert not embedded.Server(tmp_path / "postgres").runs()
