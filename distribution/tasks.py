from celery import shared_task

from distribution import messages


@shared_task
def send_messages() -> int:
    """What is due in the outbox; how many messages were taken in hand."""
    return messages.send_due()
