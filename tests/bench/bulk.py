"""A million at once: codes made and stored, coupons bound to accounts, codes written to Excel; each by its real job.

Floors: the same codes' rows by one unsorted COPY; the coupons' rows alone by one INSERT … SELECT into a table with the
same indexes; an idle process. Ratios are of time, so less is better.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

from django.db import connection

from coupons import jobs
from coupons.models import Customer
from distribution import codes, handing, minting
from distribution.binding import moving, telling
from distribution.models import Binding, CodeBatch
from tests import making

MILLION = 1_000_000
MOST_MIB = 200


class Measured(NamedTuple):
    name: str
    found: float
    unit: str
    most: float
    seconds: float


def measure(rounds: int) -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        from django.conf import settings

        settings.MEDIA_ROOT = folder
        return [_codes(rounds), _excel(folder), _binding()]


def _codes(rounds: int) -> Measured:
    """Medians over rounds that alternate."""
    placement = making.placement(making.template(), form="code")
    made, raw = [], []
    for _round in range(rounds):
        batch = minting.begin(CodeBatch(placement=placement, name="bench", code_count=MILLION), by=None)
        made.append(_timed(lambda job=batch.job_id: jobs.run(job)))
        drawn = codes.make("latin", 14, MILLION)
        rows = [b"\0\6\0\0\0\x10%b%b" % (digest, _tail(batch.pk)) for digest in codes.digests(drawn)]
        data = minting._BEGIN + b"".join(rows) + minting._END
        raw.append(_timed(lambda data=data: _copy(data)))
    ratio = sorted(made)[rounds // 2] / sorted(raw)[rounds // 2]
    return Measured("a million codes ÷ raw unsorted COPY", ratio, "×", 1.0, sorted(made)[rounds // 2])


def _tail(batch: int) -> bytes:
    return minting._field(batch.to_bytes(8)) + b"\0\0\0\2AB\xff\xff\xff\xff" + minting._whole(1) + minting._whole(0)


def _copy(data: bytes) -> None:
    with connection.cursor() as cursor, cursor.copy(minting.COPY) as copy:
        copy.write(data)


def _excel(folder: str) -> Measured:
    """The worker's peak above what it holds when it is idle, in a process of its own."""
    batch = CodeBatch.objects.order_by("pk").last()
    assert batch is not None
    job = handing.prepare(batch, by=None)
    connection.close()
    from tests.database import address

    told = {**os.environ, "DATABASE_URL": address(), "JOB": str(job.pk), "MEDIA": folder}
    began = perf_counter()
    said = subprocess.run([sys.executable, "-c", WORKER], env=told, capture_output=True, text=True, check=True)
    return Measured("Excel of a million codes, above idle", float(said.stdout), "MiB", MOST_MIB, perf_counter() - began)


WORKER = """
import os, django
django.setup()
from django.conf import settings
settings.MEDIA_ROOT = os.environ["MEDIA"]
import distribution.tasks
from coupons import jobs
from coupons.models import Job
Job.objects.count()
def now(name):  # of this program alone: what getrusage says is its parent's as well
    with open("/proc/self/status") as said:
        return next(int(line.split()[1]) for line in said if line.startswith(name)) / 1024
idle = now("VmRSS")
assert jobs.run(int(os.environ["JOB"])) == "done"
print(now("VmHWM") - idle)
"""


def _binding() -> Measured:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO coupons_customer (key, phone, nickname, created_at, tags, order_count, gross_fen,"
            " deducted_fen)"
            " SELECT 'bound-' || n, '', '', now(), '{bound}', 0, 0, 0 FROM generate_series(1, %s) AS n",
            (MILLION,),
        )
        cursor.execute("ANALYZE coupons_customer")
    campaign = making.campaign(budget_fen=10**12)
    limits = {"total_count": 10**9, "total_fen": 10**12, "daily_count": 10**9, "daily_fen": 10**12}
    limits |= {"customer_count": 2, "customer_fen": 10**6, "customer_daily_count": 2, "customer_daily_fen": 10**6}
    placement = making.placement(making.template(campaign, limits=limits), of=campaign, form="bind")
    audience = making.audience({"tags": {"any_of": ["bound"]}})
    bound = moving.begin(Binding(placement=placement, name="bench", audience=audience), by=None)
    assert jobs.run(bound.job_id) == "done"
    bound.refresh_from_db()
    assert bound.looked["places"] == MILLION == Customer.objects.filter(tags__contains=["bound"]).count()
    raw = _timed(_raw)
    job = jobs.start("bind", title="bench", by=None, answers={"binding": bound.pk, "by": "bench"}, total=MILLION)
    told = telling._told
    telling._told = lambda of: iter(())  # the file of results is no part of the statement's ratio
    try:
        seconds = _timed(lambda: jobs.run(job.pk))
    finally:
        telling._told = told
    bound.refresh_from_db()
    assert bound.did["given"] == MILLION
    return Measured("a million accounts bound ÷ raw INSERT … SELECT", seconds / raw, "×", 2.7, seconds)


def _raw() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE raw_bound (LIKE coupons_coupon INCLUDING ALL)")
        cursor.execute(
            "INSERT INTO raw_bound (id, code, template_id, customer_id, placement, status, issued_at, valid_from,"
            " valid_until, committed_fen, newcomer) SELECT (lpad(to_hex(n), 12, '0') || '7000' || '8000' ||"
            " lpad(to_hex(n), 12, '0'))::uuid, upper(substr(md5(random()::text), 1, 12)), 1, id, 'p', 'available',"
            " now(), now(), now() + interval '7 days', 2000, false"
            " FROM (SELECT id, row_number() OVER (ORDER BY id) AS n FROM coupons_customer WHERE tags @> '{bound}') c"
        )


def _timed(act: Callable[[], object]) -> float:
    began = perf_counter()
    act()
    return perf_counter() - began
