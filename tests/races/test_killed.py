"""A process is killed in the middle of its calls: what each of them did is done once, whoever asks again."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from coupons.models import Answer, Coupon, CustomerCounter
from tests import database, making, using
from tests.using import line, order

pytestmark = pytest.mark.django_db(transaction=True)

KEYS = 12
ANSWERED = 6
CALLS = """
import itertools, json, os, signal, sys, threading
import django
django.setup()
from django.test import Client

told, headers, most = json.load(sys.stdin)
answered = itertools.count(1)

def part(number):
    while True:
        for path, body, key in told[number::4]:
            Client(SERVER_NAME="localhost").post(f"/api/v1/{path}", json.dumps(body), "application/json",
                          headers={**headers, "Idempotency-Key": key})
            if next(answered) == most:  # the others are in the middle of theirs
                os.kill(os.getpid(), signal.SIGKILL)

for number in range(4):
    threading.Thread(target=part, args=[number]).start()
"""


def test_calls_of_a_killed_process_are_repeated_without_harm(system, ledger):
    """U9: nothing twice, nothing lost."""
    caller = system("issue", "redeem")
    placement = making.placement(making.template(limits={"customer_count": 1, "total_count": KEYS}))
    mine = making.template(stack_group="mine")
    calls = []
    for number in range(KEYS):
        one = using.give(mine, f"u{number}")
        told = order(f"o{number}", f"u{number}", line("a", 6000, 3))
        calls += [
            (f"placements/{placement.key}/claims/", {"customer": f"c{number}"}, f"claim-{number}"),
            ("redemptions/", {"order": told, "coupons": [one]}, f"use-{number}"),
        ]
        held = {"order": order(f"h{number}", f"h{number}"), "coupons": [using.give(mine, f"h{number}")]}
        made = caller.post("redemptions/", held).body["id"]
        calls.append((f"redemptions/{made}/rollbacks/", {}, f"back-{number}"))
    _killed_among(calls, caller.headers)
    answered = Answer.objects.count()
    assert 0 < answered < len(calls), "killed too early or too late to prove anything"
    first = {path + key: caller.post(path, body, once=key) for path, body, key in calls}
    assert {answer.status for answer in first.values()} == {200, 201}
    assert sum("idempotent-replayed" in answer.headers for answer in first.values()) == answered
    for path, body, key in calls:
        assert caller.post(path, body, once=key).content == first[path + key].content
    assert Coupon.objects.filter(template__supply__total_count=KEYS).count() == KEYS
    assert not CustomerCounter.objects.filter(issued_count__gt=1).exists()
    assert Coupon.objects.filter(template=mine, status="redeemed").count() == KEYS
    ledger()


def _killed_among(calls: list[Any], headers: dict[str, str]) -> None:
    env = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database.address()}
    before = database.others()
    process = subprocess.run(
        [sys.executable, "-c", CALLS], input=json.dumps([calls, headers, ANSWERED]), env=env, text=True, check=False
    )
    assert process.returncode == -signal.SIGKILL
    database.until_gone(before)
