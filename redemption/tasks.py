from celery import shared_task
from django.utils import timezone

from redemption import redeeming


@shared_task
def lapse_holds() -> int:
    """Redemptions whose hold ran out stand as released."""
    return redeeming.lapse(timezone.now())
