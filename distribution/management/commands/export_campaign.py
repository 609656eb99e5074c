"""`export_campaign KEY`: prints the document that would make the campaign again."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from distribution.drafting import document_of
from distribution.models import Campaign


class Command(BaseCommand):
    help = "Prints a campaign as the document that import_campaign reads."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("key", metavar="KEY")

    def handle(self, *args: Any, key: str, **options: Any) -> None:
        campaign = Campaign.objects.select_related("budget").filter(key=key).first()
        if campaign is None:
            raise CommandError(f"There is no campaign {key}.")
        self.stdout.write(json.dumps(document_of(campaign), ensure_ascii=False, indent=2))
