"""I8: a file about customers whose worker is killed is taken to its end, and every row is told once."""

import io
import os
import signal
import subprocess
import sys
import time

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from coupons import importing, jobs
from coupons.models import Customer
from tests import database

pytestmark = pytest.mark.django_db(transaction=True)

ROWS, CHUNK = 60, 10
WORKER = """
import os, time
import django
from django.conf import settings
settings.MEDIA_ROOT = os.environ["MEDIA"]
django.setup()
from coupons import importing, jobs
importing.CHUNK = 10
tell = importing.tell
pieces = []
def slowly(rows, **more):
    heard = tell(rows, **more)
    pieces.append(rows)
    if len(pieces) == 4:
        print("half", flush=True)
        time.sleep(600)
    return heard
importing.tell = slowly
jobs.run(int(os.environ["JOB"]))
"""


def test_an_import_whose_process_was_killed_goes_on_where_it_stopped(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setattr(importing, "CHUNK", CHUNK)
    lines = [f"C{number},{'0.5' if number % 7 else 'x'},vip" for number in range(ROWS)]
    file = io.BytesIO("\n".join(["key,sensitivity,tags", *lines]).encode())
    job = importing.receive(file, "facts.csv", by=User.objects.create_user("xiaolin"))
    job = importing.begin(job, {"0": "key", "1": "sensitivity", "2": "tags_added"}, timezone.now())
    environment = {
        **os.environ,
        "JOB": str(job.pk),
        "MEDIA": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database.address(),
    }
    worker = subprocess.Popen([sys.executable, "-c", WORKER], env=environment, stdout=subprocess.PIPE)
    assert worker.stdout.readline() == b"half\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    job.refresh_from_db()
    taken = Customer.objects.count()
    assert (job.state, job.done_count, taken) == ("running", 30, 25), "the fourth piece was in hand, and is undone"

    told = []
    tell = importing.tell
    monkeypatch.setattr(importing, "tell", lambda rows, **more: told.extend(rows) or tell(rows, **more))
    deadline = time.monotonic() + 60
    while jobs.run(job.pk) == "busy":
        assert time.monotonic() < deadline, "the dead worker's lock is still there"
        time.sleep(0.1)
    job.refresh_from_db()
    assert [row["key"] for row in told] == [f"C{number}" for number in range(30, ROWS) if number % 7]
    assert (job.state, job.done_count, job.outcome) == (
        "done", ROWS, {"created": 51, "updated": 0, "unchanged": 0, "error": 9},
    )  # fmt: skip
    assert Customer.objects.count() == 51
    assert len(job.result.read().decode().splitlines()) == 1 + 9
