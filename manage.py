#!/usr/bin/env python
"""Commands typed by hand. They need no SECRET_KEY of their own; the servers do."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "couponsite.settings")
    from couponsite import secret

    secret.keep_one()
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
