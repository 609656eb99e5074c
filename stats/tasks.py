import structlog
from celery import shared_task
from django.utils import timezone

from coupons.tasks import run_job
from stats import effect, folding, proving, rehearsing, warning  # noqa: F401  tasks run rehearsals and readings
from stats.reporting import sending

log = structlog.get_logger(__name__)
#: The first of them say enough; check_ledger tells them all.
MOST_TOLD = 100


@shared_task
def fold_events() -> int:
    return folding.fold_all()


@shared_task
def prove_ledger() -> int:
    """Every night: how many differences there are; each stands in the log, where somebody is woken by it."""
    found = [str(difference) for difference in proving.differences()]
    for words in found[:MOST_TOLD]:
        log.error("ledger_differs", difference=words)
    log.info("ledger_proved", differences=len(found))
    return len(found)


@shared_task
def warn_of_budgets() -> int:
    """Owners of campaigns whose budgets run low; how many were told."""
    return warning.warn(timezone.now())


@shared_task
def send_reports() -> int:
    """Reports whose hour has come; how many."""
    started = sending.start_due(timezone.now())
    for pk in started:
        run_job.delay(pk)
    return len(started)
