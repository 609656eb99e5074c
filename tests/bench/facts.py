"""A file about many customers, and the reach of an audience among them. Limits are those of a million, in scale."""

import resource
import tempfile
import time
from datetime import timedelta
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from coupons import importing, jobs
from coupons.models import Audience
from coupons.queries import reach
from coupons.rules import Situation, compile_rules

MILLION = 1_000_000
CUSTOMERS = 100_000
FILE_SECONDS, REACH_SECONDS = 180.0, 2.0  # for a million

CONDITIONS = {
    "standing": {"any_of": ["returning"], "business_line": "ride"},
    "order_count": {"min": 2, "within_days": 30},
    "sensitivity": {"min": 0.2},
    "rival_app": {"is": False},
    "audiences": {"none_of": ["leaving"]},
}

_ORDERS = """
UPDATE coupons_customer SET order_count = id % 9, gross_fen = 10000 * (id % 9), last_order_at = now()
 WHERE id % 9 > 0;
INSERT INTO coupons_customerline (customer_id, business_line, order_count)
SELECT id, CASE id % 3 WHEN 0 THEN 'food' ELSE 'ride' END, id % 9 FROM coupons_customer WHERE id % 9 > 0;
INSERT INTO coupons_customerday (customer_id, day, order_count, gross_fen, deducted_fen)
SELECT id, current_date - ((id * n * 7) % 60)::int, 1, 3000, 300 FROM coupons_customer, generate_series(1, 3) n
 WHERE id % 9 > 2 ON CONFLICT DO NOTHING;
"""


class Measured(NamedTuple):
    name: str
    seconds: float
    limit: float


def measure(customers: int = CUSTOMERS) -> list[Measured]:
    """A file that makes them, the same customers told otherwise, and a reach with five conditions."""
    person = User.objects.create(username="bench")
    scale = customers / MILLION
    first, _peak = _import(person, customers, 0)
    again, peak = _import(person, customers, 1)
    with connection.cursor() as cursor:
        cursor.execute(_ORDERS)
        cursor.execute("VACUUM ANALYZE")
    Audience.objects.create(key="leaving", name="流失", conditions={"churn_probability": {"min": 0.9}})
    situation = Situation(timezone.localtime())
    conditions = compile_rules(CONDITIONS, "claim")
    reach.reach(conditions, situation)
    began = time.perf_counter()
    found = reach.reach(conditions, situation)
    seconds = time.perf_counter() - began
    assert found.customers >= customers
    assert 0 < found.number == reach.chosen(conditions, situation).count()
    return [
        Measured(f"a file of {customers:,} new customers", first, FILE_SECONDS * scale),
        Measured(f"a file that tells {customers:,} otherwise, {peak} MB", again, FILE_SECONDS * scale),
        Measured("reach of five conditions", seconds, REACH_SECONDS * scale),
    ]


def _import(person: User, customers: int, number: int) -> tuple[float, int]:
    """Seconds, and the most memory in MB that the process has had."""
    with tempfile.TemporaryFile() as file:
        file.write(b"key,sensitivity,churn_probability,rival_app,tags\n")
        for n in range(customers):
            share = (n * 7919 + number * 13) % 10_000
            row = f"C{n:07},0.{share:04},0.{9999 - share:04},{'true' if n % 3 else 'false'},t{n % 7 + number}\n"
            file.write(row.encode())
        job = importing.receive(file, "bench.csv", by=person)
    columns = {"0": "key", "1": "sensitivity", "2": "churn_probability", "3": "rival_app", "4": "tags_added"}
    importing.begin(job, columns, timezone.now() + timedelta(seconds=number))
    began = time.perf_counter()
    assert jobs.run(job.pk) == "done"
    seconds = time.perf_counter() - began
    job.refresh_from_db()
    assert job.outcome["error"] == 0, job.outcome
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
