"""Workers are killed while they choose, write and send reminders, and their tasks come twice: every due coupon is
reminded of once under each rule, and the provider is handed each message once.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.utils import timezone

from coupons.models import Coupon, Customer
from distribution import messages
from distribution.models import Message, MessageTemplate, Reminder, ReminderDay, ReminderRule
from tests import database, making, using
from tests.stories.providers import KEY, SECRET, provider

pytestmark = pytest.mark.django_db(transaction=True)

CUSTOMERS, WITH_TWO, THREADS = 40, 10, 4
#: The timetable's two tasks, as a worker runs them; in small chunks, so that a kill falls between two.
CHOOSES = """
import django
django.setup()
from distribution import reminding, tasks
reminding.CHUNK = 7
print(tasks.remind(), flush=True)
"""
SENDS = """
import django
django.setup()
from distribution import tasks
print(tasks.send_messages(), flush=True)
"""


@pytest.fixture
def at(settings):
    settings.QUIET_HOURS = ""
    with provider() as standing_in:
        settings.SMS_GATEWAY = "aliyun"
        settings.SMS_KEY, settings.SMS_SECRET, settings.SMS_BASE_URL = KEY, SECRET, standing_in.address
        yield standing_in


def _worker(doing: str, address: str) -> "subprocess.Popen[str]":
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.bench.settings",  # production's, with several threads
        "DATABASE_URL": database.address(),
        "QUIET_HOURS": "",
        "MESSAGE_THREADS": str(THREADS),
        "SMS_GATEWAY": "aliyun",
        "SMS_KEY": KEY,
        "SMS_SECRET": SECRET,
        "SMS_BASE_URL": address,
    }
    return subprocess.Popen([sys.executable, "-c", doing], env=env, stdout=subprocess.PIPE, text=True)


def _until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < end, "it never came so far"
        time.sleep(0.02)


def _killed(process: "subprocess.Popen[str]") -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def _others(state: str) -> int:
    """Other sessions of this database that wait for a lock, or all."""
    asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")  # within a transaction, too, as they are now
        cursor.execute(asked + (" AND wait_event_type = 'Lock'" if state == "waiting" else ""))
        return cursor.fetchone()[0]


def _killed_while_waiting(address: str, get_in_the_way: Callable[[], object]) -> None:
    """A worker comes upon a row that somebody is just writing, waits for it in the middle of its own work, and dies."""
    with transaction.atomic():
        get_in_the_way()
        process = _worker(CHOOSES, address)
        try:
            _until(lambda: _others("waiting") > 0)
        finally:
            _killed(process)
        transaction.set_rollback(True)
    _until(lambda: _others("all") == 0)


def _due() -> list[ReminderRule]:
    """Two rules of the same coupons, due since an hour; ten customers have two."""
    now = timezone.now()
    message = MessageTemplate.objects.create(key="m", name="m", channel="sms", occasion="reminder", text="{coupon}")
    template = making.template(validity_type="days_after_claim", valid_days=10, limits={"customer_count": 2})
    for number in range(CUSTOMERS):
        Customer.objects.create(key=f"c{number}", phone=f"+86138{number:08}")
        for _coupon in range(1 + (number < WITH_TWO)):
            using.give(template, f"c{number}", at=now - timedelta(days=1, minutes=5))
    said = {"message": message, "holdout_percent": Decimal(0), "status": "live", "basis": "after_claim", "amount": 1}
    return [
        ReminderRule.objects.create(name=name, chosen_until=now - timedelta(hours=2), **said) for name in ("a", "b")
    ]


def test_killed_and_doubled_workers_remind_of_every_coupon_once(at):
    """S2: chosen once and written of once by the database's keys; handed over once, and what the provider may have when
    its worker died is on record as unclear. Should an operator have that sent again, it goes under the same number, so
    that a provider who looks at it takes it once.
    """
    rules = _due()
    now, coupons = timezone.now(), list(Coupon.objects.all())
    last = max(coupons, key=lambda coupon: str(coupon.pk))

    # In the middle of choosing: nothing is chosen under this rule, and its mark has not moved.
    _killed_while_waiting(
        at.address,
        lambda: Reminder.objects.create(
            rule=rules[0], coupon_id=last.pk, customer_id=last.customer_id, due_at=now, chosen_at=now
        ),
    )
    assert not Reminder.objects.filter(rule=rules[0]).exists()
    assert ReminderRule.objects.get(pk=rules[0].pk).chosen_until == rules[0].chosen_until

    # In the middle of writing, a few chunks being done: of the others neither a message nor a customer's day is left.
    twentieth = Customer.objects.order_by("id")[19]
    _killed_while_waiting(
        at.address, lambda: ReminderDay.objects.create(customer_id=twentieth.pk, day=timezone.localdate())
    )
    written = Message.objects.count()
    assert 0 < written < CUSTOMERS, "killed too early or too late to prove anything"
    assert ReminderDay.objects.count() == written
    assert Reminder.objects.count() == len(rules) * len(coupons)

    # The task comes twice, to two workers at once.
    twice = [_worker(CHOOSES, at.address) for _delivery in range(2)]
    done = [int(process.communicate(timeout=60)[0]) for process in twice]
    assert sum(done) == CUSTOMERS - written
    _each_once(rules, coupons)

    # In the middle of sending, and again twice at once.
    at.pause = 0.1
    process = _worker(SENDS, at.address)
    try:
        _until(lambda: sum(at.taken.values()) >= CUSTOMERS // 4)
    finally:
        _killed(process)
    _until(lambda: _others("all") == 0)
    at.pause = 0
    in_hand = Message.objects.filter(status="sending")
    assert 0 < in_hand.count() <= THREADS
    assert Message.objects.filter(status="waiting").exists(), "killed too late to prove anything"
    in_hand.update(leased_until=timezone.now() - timedelta(seconds=1))  # two minutes later
    twice = [_worker(SENDS, at.address) for _delivery in range(2)]
    for process in twice:
        process.communicate(timeout=60)
    assert set(at.taken.values()) == {1}, "handed over twice"
    numbers = {f"m{pk}": status for pk, status in Message.objects.values_list("pk", "status")}
    assert set(numbers.values()) == {"sent", "unclear"}
    assert {number for number, status in numbers.items() if status == "sent"} <= set(at.taken) <= set(numbers)

    # What is unclear, an operator has sent again.
    for message in Message.objects.filter(status="unclear"):
        messages.again(message, now=timezone.now())
    messages.send_due()
    assert set(at.taken) == set(numbers)
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}
    _each_once(rules, coupons)


def _each_once(rules: list[ReminderRule], coupons: list[Coupon]) -> None:
    """A reminder of each coupon under each rule, a message to each customer, and each reminder names its message."""
    kept = list(Reminder.objects.values_list("rule_id", "coupon_id"))
    assert sorted(kept, key=str) == sorted(((rule.pk, coupon.pk) for rule in rules for coupon in coupons), key=str)
    assert sorted(Message.objects.values_list("customer_id", flat=True)) == sorted({c.customer_id for c in coupons})
    assert Reminder.objects.filter(outcome="written").count() == CUSTOMERS
    assert set(Reminder.objects.values_list("outcome", flat=True)) == {"written", "merged"}
    named = set(Reminder.objects.values_list("message_key", "customer_id"))
    assert named == set(Message.objects.values_list("key", "customer_id"))
