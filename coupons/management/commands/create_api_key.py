"""`create_api_key NAME --scopes …`: prints the key and nothing else, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coupons.models import ApiKey


class Command(BaseCommand):
    help = "Makes an API key for another system and prints it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")
        parser.add_argument("--scopes", required=True, help=f"Some of {','.join(ApiKey.Scope.values)}, with commas.")

    def handle(self, *args: Any, name: str, scopes: str, **options: Any) -> None:
        if not name.strip() or not name.isprintable() or len(name) > 100:
            raise CommandError("The name of a key has 1 to 100 printable characters.")
        wanted = list(dict.fromkeys(scope.strip() for scope in scopes.split(",") if scope.strip()))
        unknown = [scope for scope in wanted if scope not in ApiKey.Scope.values]
        if unknown:
            raise CommandError(f"Unknown: {', '.join(unknown)}. Scopes are {', '.join(ApiKey.Scope.values)}.")
        if not wanted:
            raise CommandError(f"Name at least one scope of {', '.join(ApiKey.Scope.values)}.")
        self.stdout.write(ApiKey.make(name.strip(), wanted)[1])
