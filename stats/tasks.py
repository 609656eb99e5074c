from celery import shared_task

from stats import folding


@shared_task
def fold_events() -> int:
    return folding.fold_all()
