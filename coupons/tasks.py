"""What tidies up after the clock. Nothing waits for these: expired and held are read from the clock."""

from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from coupons.lifecycle import ending

#: A run ends after so many chunks; the next one goes on.
MOST_CHUNKS = 200


@shared_task
def expire_coupons() -> int:
    """Coupons past their date become expired, and free what is committed for them."""
    return _in_chunks(ending.expire)


@shared_task
def lapse_holds() -> int:
    """Coupons whose hold ran out stand as available."""
    return _in_chunks(ending.lapse)


def _in_chunks(tidy: Callable[[datetime], int]) -> int:
    now = timezone.now()
    done = 0
    for _chunk in range(MOST_CHUNKS):
        moved = tidy(now)
        done += moved
        if moved < ending.CHUNK:
            break
    return done
