"""Recounts every counter and sum from the rows."""

import sys
from typing import Any

from django.core.management.base import BaseCommand

from stats import proving


class Command(BaseCommand):
    help = "Recount every counter and sum from the rows; print each difference; exit 1 if there is any."

    def handle(self, *args: Any, **options: Any) -> None:
        found = 0
        for difference in proving.differences():
            self.stdout.write(str(difference))
            found += 1
        if found:
            self.stderr.write(f"{found} differences.")
            sys.exit(1)
        self.stdout.write("The ledger is clean.")
