from typing import Any

from django.core.management.base import BaseCommand

from stats import folding


class Command(BaseCommand):
    help = "Counts all rollups anew from the ledger. Needed after TIME_ZONE has changed."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{folding.rebuild()} cells")
