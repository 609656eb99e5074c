"""A sender is killed in the middle of its round: nothing goes out twice, and nothing is lost from the record."""

import os
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from coupons.models import Customer
from distribution import messages
from distribution.models import Message, MessageTemplate
from tests import database
from tests.stories.providers import KEY, SECRET, provider

pytestmark = pytest.mark.django_db(transaction=True)

MANY, THREADS = 60, 4
SENDS = f"""
import django
django.setup()
from distribution import messages
messages.send_due(threads={THREADS})
"""


@pytest.fixture
def at(settings):
    with provider() as standing_in:
        settings.SMS_GATEWAY = "aliyun"
        settings.SMS_KEY, settings.SMS_SECRET, settings.SMS_BASE_URL = KEY, SECRET, standing_in.address
        yield standing_in


def _outbox() -> list[Message]:
    template = MessageTemplate.objects.get(key="sign-in-code")  # goes out at any hour
    now = timezone.now()
    customers = [Customer.objects.create(key=f"c{n}", phone=f"+861380013{n:04}") for n in range(MANY)]
    drafts = [messages.Draft(f"m:{one.key}", template, one, {"code": "1", "minutes": "1"}, "test") for one in customers]
    assert messages.put_all(drafts, now=now) == MANY
    assert messages.put_all(drafts, now=now) == 0
    return list(Message.objects.all())


def test_a_killed_sender_sends_nothing_twice_and_loses_nothing(at):
    """S2, P8: what the provider may have is on record as unclear; the rest goes out."""
    _outbox()
    at.stops_after = MANY // 3
    before = database.others()
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database.address(),
        "SMS_GATEWAY": "aliyun",
        "SMS_KEY": KEY,
        "SMS_SECRET": SECRET,
        "SMS_BASE_URL": at.address,
    }
    process = subprocess.Popen([sys.executable, "-c", SENDS], env=env)
    try:
        end = time.monotonic() + 120
        while at.taken.total() <= MANY // 3 and time.monotonic() < end:
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    database.until_gone(before)
    assert MANY // 3 < at.taken.total() < MANY, "killed too early or too late to prove anything"
    in_hand = Message.objects.filter(status="sending").count()
    assert in_hand <= THREADS
    at.stops_after = None
    at.may_go_on.set()
    assert messages.send_due() > 0  # their lease lasts, so nobody touches those in hand
    assert Message.objects.filter(status="sending").count() == in_hand
    Message.objects.filter(status="sending").update(leased_until=timezone.now() - timedelta(seconds=1))
    assert messages.send_due() == 0
    outcome = {f"m{pk}": status for pk, status in Message.objects.values_list("pk", "status")}
    assert set(outcome.values()) <= {"sent", "unclear"}
    assert sum(status == "unclear" for status in outcome.values()) == in_hand
    assert set(at.taken.values()) == {1}
    assert {one for one, status in outcome.items() if status == "sent"} <= set(at.taken)


def test_senders_at_the_same_moment_share_what_is_due(at, race):
    _outbox()
    done = race(4, lambda n: messages.send_due())
    assert sum(done) == MANY
    assert sorted(at.taken.values()) == [1] * MANY
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}


def test_the_same_key_at_the_same_moment_is_one_message(at, race):
    alice = Customer.objects.create(key="alice", phone="+8613800138000")

    def put(n):
        said = {"code": "1", "minutes": "1"}
        return messages.put("once", "sign-in-code", alice, said, now=timezone.now(), by="test").pk

    assert len(set(race(8, put))) == 1
    assert Message.objects.count() == 1
