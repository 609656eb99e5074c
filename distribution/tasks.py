"""What goes on in the background of 投放."""

from datetime import timedelta

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from coupons import observing
from distribution import binding, handing, messages, minting, risking, trying
from distribution.models import InboundEvent, Rest
from distribution.queries import attempts, weather

# Kinds of work register themselves when they are imported.
__all__ = [
    "binding",
    "forget_old_velocity",
    "forget_wrong_codes",
    "handing",
    "minting",
    "observe_weather",
    "send_messages",
    "tidy_events",
    "trying",
]


@shared_task
def send_messages() -> int:
    """What is due in the outbox; how many messages were taken in hand."""
    return messages.send_due()


@shared_task
def tidy_events() -> int:
    """Events older than ``EVENT_DAYS`` and rests that are over go; how many events."""
    now = timezone.now()
    Rest.objects.filter(until__lte=now).delete()
    gone, _each = InboundEvent.objects.filter(received_at__lt=now - timedelta(days=settings.EVENT_DAYS)).delete()
    return gone


@shared_task
def forget_wrong_codes() -> None:
    """Attempts that hold nobody back any more."""
    attempts.forget_old(timezone.now())


@shared_task
def forget_old_velocity() -> int:
    """Counts of windows that are over go; how many."""
    return risking.forget_old(timezone.now())


@shared_task
def observe_weather() -> int:
    """The weather of the cities that live rules name; how many of them are known."""
    return len(observing.observe(weather.watched_cities(), timezone.now()))
