from celery import shared_task

from stats import folding, rehearsing  # noqa: F401  tasks run rehearsals


@shared_task
def fold_events() -> int:
    return folding.fold_all()
