"""`check_ledger` over a million coupons with what became of them, against its limit in seconds."""

import io
from contextlib import suppress
from time import perf_counter

from django.core.management import call_command
from django.db import connection

from tests.bench import history

COUPONS = 1_000_000
#: Of a million; fewer in proportion.
LIMIT_SECONDS = 60.0


def measure(made: int = COUPONS) -> tuple[int, int, float, str]:
    """How many coupons and events there were, the seconds it took, and what it said."""
    history.fill(made)
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM coupons_coupon), (SELECT count(*) FROM coupons_couponevent)")
        coupons, events = cursor.fetchone()
    said = io.StringIO()
    start = perf_counter()
    with suppress(SystemExit):
        call_command("check_ledger", stdout=said, stderr=said)
    return coupons, events, perf_counter() - start, said.getvalue().strip()
