"""`import_campaign FILE`: a campaign document becomes a campaign; all of it or nothing."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coupons.api.shapes import read
from coupons.refused import Invalid, Refused
from distribution.drafting import Document, save


class Command(BaseCommand):
    help = "Makes or changes a campaign as a document says. Importing it twice changes nothing."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        try:
            body = file.read_bytes()
        except OSError as problem:
            raise CommandError(f"{file}: {problem.strerror}") from None
        try:
            # Whoever may run commands on the server may approve.
            saved = save(read(Document, body), may_approve=True)
        except Invalid as invalid:
            lines = (f"{error['field'] or file}: {error['detail']}" for error in invalid.errors)
            raise CommandError("\n".join(lines)) from None
        except Refused as refused:
            lines = (" ".join(_words(reason)) for reason in refused.reasons)
            raise CommandError("\n".join((str(refused.detail), *lines))) from None
        self.stdout.write(f"{saved.campaign.key}: {saved.outcome}")


def _words(reason: Mapping[str, Any]) -> list[str]:
    """What a refusal is about, besides its sentence."""
    return [f"{name}={value}" for name, value in reason.items() if name != "detail"]
