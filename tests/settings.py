"""The real settings, with what a test run needs to be given."""

import os

os.environ.setdefault("SECRET_KEY", "for tests alone, and long enough for every check that looks at it: 0123456789")
os.environ.setdefault("CUSTOMER_JWT_KEY", "for tests alone, a shared secret of the member centre, long enough too")
os.environ.setdefault("CUSTOMER_JWT_ISSUER", "https://members.example")
os.environ.setdefault("HTTPS", "false")

from couponsite.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CATALOGUE_SECONDS = 0
REFUSALS_SECONDS = SIGHTS_SECONDS = 0  # written when a test says so
EVENTS_SECONDS = 0  # at once
CELERY_TASK_ALWAYS_EAGER = True
MESSAGE_THREADS = 1
