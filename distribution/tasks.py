"""What goes on in the background of 投放."""

from datetime import timedelta
from time import monotonic

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from coupons import observing
from distribution import binding, handing, importing, messages, minting, reminding, risking, signing_in, trying
from distribution.models import InboundEvent, ReminderRule, Rest
from distribution.queries import attempts, weather

# Kinds of work register themselves when they are imported.
__all__ = [
    "binding",
    "forget_old_velocity",
    "forget_wrong_codes",
    "handing",
    "importing",
    "minting",
    "observe_weather",
    "remind",
    "send_messages",
    "tidy_events",
    "tidy_sign_ins",
    "trying",
]


#: A run writes for so long; the next one goes on.
WRITING_SECONDS = 45.0


@shared_task
def send_messages() -> int:
    """What is due in the outbox; how many messages were taken in hand."""
    return messages.send_due()


@shared_task
def remind() -> int:
    """Chooses coupons whose moment has come, and writes to their customers for a while; how many messages."""
    now = timezone.now()
    for pk in ReminderRule.objects.filter(status=ReminderRule.Status.LIVE).values_list("pk", flat=True):
        reminding.choose(pk, now)
    end, written, customer = monotonic() + WRITING_SECONDS, 0, 0
    while monotonic() < end:
        more, customer = reminding.write(now, customer)
        written += more
        if not customer:
            break
    reminding.tidy(now)
    return written


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


@shared_task
def tidy_sign_ins() -> None:
    """Codes and addresses that no limit asks for any more."""
    signing_in.tidy(timezone.localtime())
