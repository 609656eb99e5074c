"""What tidies up after the clock. Nothing waits for these: expired and held are read from the clock."""

from collections.abc import Callable
from datetime import datetime

from celery import shared_task
from django.utils import timezone

from coupons import importing, jobs, webhooks
from coupons.lifecycle import ending

__all__ = [
    "expire_coupons",
    "go_on_with_jobs",
    "importing",
    "lapse_holds",
    "run_job",
]  # kinds of work register themselves

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


@shared_task
def tell_webhooks() -> int:
    """New events become deliveries; every system that has something to be told gets a task of its own."""
    now = timezone.now()
    taken = webhooks.fan_out(now)
    for subscription in webhooks.due(now):
        send_webhooks.delay(subscription)
    return taken


@shared_task
def send_webhooks(subscription: int) -> int:
    """Tells one system. Told twice, the second does nothing."""
    return webhooks.send(subscription)


@shared_task
def tidy_webhooks() -> int:
    """Deliveries settled long ago are forgotten."""
    return webhooks.tidy(timezone.now())


@shared_task
def run_job(pk: int) -> str:
    """Runs a job to its end. Told twice, or told of a job that another worker has, it does nothing."""
    return jobs.run(pk)


@shared_task
def go_on_with_jobs() -> int:
    """Jobs whose time has come, whose message was lost or whose worker died; how many were handed on."""
    waiting = jobs.waiting(timezone.now())
    for pk in waiting:
        run_job.delay(pk)
    return len(waiting)


def _in_chunks(tidy: Callable[[datetime], int]) -> int:
    now = timezone.now()
    done = 0
    for _chunk in range(MOST_CHUNKS):
        moved = tidy(now)
        done += moved
        if moved < ending.CHUNK:
            break
    return done
