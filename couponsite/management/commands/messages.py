"""Collects the words to translate from the sources into the catalogues, with as little noise as can be."""

from typing import Any

import polib
from django.core.management import BaseCommand, call_command

from couponsite import catalogues


class Command(BaseCommand):
    help = "Collects the words to translate into the catalogues and says how many still want their Chinese."

    def handle(self, *args: Any, **options: Any) -> None:
        call_command(
            "makemessages",
            locale=["zh_Hans"],
            no_obsolete=True,
            no_wrap=True,
            no_location=True,
            ignore_patterns=["tests", ".venv", "var", "parts_locale", "*/static/*"],
            verbosity=0,
        )
        for po in catalogues.sources():
            if "parts_locale" in po.parts:
                continue
            catalogue = polib.pofile(str(po), wrapwidth=0)
            catalogue.header = ""
            catalogue.metadata_is_fuzzy = False
            catalogue.metadata = {
                "Content-Type": "text/plain; charset=UTF-8",
                "Content-Transfer-Encoding": "8bit",
                "Language": "zh_Hans",
                "Plural-Forms": "nplurals=1; plural=0;",
            }
            catalogue.sort(key=lambda entry: (entry.msgid, entry.msgctxt or ""))
            catalogue.save()
            open_ones = len(catalogue.untranslated_entries()) + len(catalogue.fuzzy_entries())
            self.stdout.write(
                f"{po.relative_to(catalogues.ROOT)}: {len(catalogue)} entries, {open_ones} without their Chinese"
            )
