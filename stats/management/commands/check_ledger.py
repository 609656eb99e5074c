"""Recounts every counter and sum from the rows."""

import sys
from itertools import chain
from typing import Any

from django.core.management.base import BaseCommand
from django.db import connection, transaction

from coupons.queries import ledger as coupons
from distribution.queries import ledger as distribution
from redemption.queries import ledger as redemption
from stats.queries import ledger as stats


class Command(BaseCommand):
    help = "Recount every counter and sum from the rows; print each difference; exit 1 if there is any."

    def handle(self, *args: Any, **options: Any) -> None:
        alone = not connection.in_atomic_block
        found = 0
        with transaction.atomic(), connection.cursor() as cursor:
            if alone:  # one moment for all proofs, whatever goes on meanwhile
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            cursor.execute("SET LOCAL work_mem = '256MB'")
            for difference in chain(*(of.differences() for of in (coupons, distribution, redemption, stats))):
                self.stdout.write(str(difference))
                found += 1
        if found:
            self.stderr.write(f"{found} differences.")
            sys.exit(1)
        self.stdout.write("The ledger is clean.")
