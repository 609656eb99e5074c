"""The proof that every counter and sum is that of the rows, all at one moment; asked by hand and every night."""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from django.db import connection, transaction

from coupons.queries import ledger as coupons
from distribution.queries import ledger as distribution
from redemption.queries import ledger as redemption
from stats.queries import ledger as stats


def differences() -> Iterator[Any]:
    """Whatever is not as it should be, each in a line of words (``str``). Reads only."""
    alone = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if alone:  # one moment for all proofs, whatever goes on meanwhile
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        yield from chain(*(of.differences() for of in (coupons, distribution, redemption, stats)))
