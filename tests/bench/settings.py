"""The production settings, with the empty view beside the doors."""

import os

os.environ.setdefault("SECRET_KEY", "for measuring alone, and long enough for every check that looks at it: 0123456789")
os.environ.setdefault("HTTPS", "false")

from couponsite.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.urls"

TEMPLATES[0]["DIRS"] = [BASE_DIR / "tests" / "bench" / "templates"]  # noqa: F405
