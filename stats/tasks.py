from celery import shared_task

from stats import effect, folding, rehearsing  # noqa: F401  tasks run rehearsals and readings


@shared_task
def fold_events() -> int:
    return folding.fold_all()
