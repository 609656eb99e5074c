from typing import Any

from django.core.management.base import BaseCommand

from redemption import ordering
from stats import folding


class Command(BaseCommand):
    help = "Counts all rollups and customers' days anew from the rows. Needed after TIME_ZONE has changed."

    def handle(self, *args: Any, **options: Any) -> None:
        days = ordering.count_days_anew()
        self.stdout.write(f"{folding.rebuild()} cells, {days} days of customers")
