"""Codes at the same moment, by real threads; and a worker that is killed while it makes them."""

import os
import signal
import subprocess
import sys
import time

import pytest
from django.db import connection

from coupons import jobs
from coupons.models import Coupon
from distribution import codes, minting
from distribution.models import CodeAttempts, CodeBatch, RedemptionCode
from tests import coding, database, making
from tests.coding import whole

pytestmark = pytest.mark.django_db(transaction=True)


def by_threads(race, caller, calls, threads=20):
    """Statuses and codes of these bodies, posted by threads that take turns."""

    def some(thread):
        return [caller.post("exchanges/", body, once=key) for body, key in calls[thread::threads]]

    return [answer for answers in race(threads, some) for answer in answers]


def test_one_code_and_many_customers_is_one_coupon(system, race, ledger):
    """P5"""
    code = whole(coding.batch())[0]
    answers = by_threads(race, system("issue"), [({"code": code, "customer": f"c{n}"}, "") for n in range(60)])
    assert sorted(answer.status for answer in answers) == [201] + [409] * 59
    assert Coupon.objects.count() == 1
    ledger()


def test_one_call_many_times_is_one_exchange_and_one_answer(system, race, ledger):
    """P5: more of them at once than wrong codes are allowed, and none is taken for a wrong one."""
    code = whole(coding.batch())[0]
    answers = by_threads(race, system("issue"), [({"code": code, "customer": "alice"}, "same")] * 60)
    assert {(answer.status, answer.content) for answer in answers} == {(201, answers[0].content)}
    assert not CodeAttempts.objects.exists()
    ledger()


def test_a_shared_code_never_exceeds_its_limit(system, race, ledger):
    """P5"""
    coding.batch(kind="shared", shared_code="SUMMER", use_limit=7)
    calls = [({"code": "summer", "customer": f"c{n % 30}"}, "") for n in range(60)]
    answers = by_threads(race, system("issue"), calls)
    assert [answer.status for answer in answers].count(201) == 7
    assert RedemptionCode.objects.get().used_count == Coupon.objects.count() == 7
    ledger()


def test_a_stock_of_five_gives_five_and_leaves_the_other_codes_unused(system, race, ledger):
    """C10"""
    batch = coding.batch(coding.placement(making.template(limits={"total_count": 5})), code_count=20)
    calls = [({"code": code, "customer": f"c{n}"}, "") for n, code in enumerate(whole(batch))]
    answers = by_threads(race, system("issue"), calls)
    assert [answer.status for answer in answers].count(201) == 5
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}
    assert RedemptionCode.objects.filter(used_count=1).count() == 5
    ledger()


def test_of_200_wrong_codes_at_once_ten_are_answered(customer, race):
    """P5: counted before the answer is known, so the right one among them is no luckier."""
    [right] = whole(coding.batch(code_count=1))
    guesses = [({"code": f"WRONG-{n}"}, "") for n in range(199)]
    answers = by_threads(race, customer("mallory"), [*guesses, ({"code": right}, "")])
    statuses = [answer.status for answer in answers]
    assert statuses.count(409) == 10
    assert statuses.count(429) + statuses.count(201) == 190
    assert statuses.count(201) <= 1
    assert all(0 < int(answer.headers["retry-after"]) <= 600 for answer in answers if answer.status == 429)


def test_closing_wins_over_whoever_comes_after(system, race, ledger):
    batch = coding.batch(code_count=30)
    lines, caller = whole(batch), system("issue")

    def one(n):
        if n == 15:
            return minting.move(batch, "close")
        return caller.post("exchanges/", {"code": lines[n], "customer": f"c{n}"}).status

    statuses = [answer for answer in race(30, one) if isinstance(answer, int)]
    assert set(statuses) <= {201, 409}
    assert caller.post("exchanges/", {"code": lines[15], "customer": "late"}).code == "code_invalid"
    ledger()


KILLED = """
import os
import django
django.setup()
from coupons import jobs
from distribution import minting
minting.CHUNK = 10
store = minting.store
count = 0
def slow(*told):
    global count
    store(*told)
    count += 1
    if count == 3:
        print("half", flush=True)
        import time; time.sleep(600)
minting.store = slow
jobs.run(int(os.environ["JOB"]))
"""


def test_a_batch_whose_worker_is_killed_is_finished_with_nothing_twice_and_nothing_lost(monkeypatch, ledger):
    """P5"""
    monkeypatch.setattr(minting, "CHUNK", 10)
    batch = minting.begin(CodeBatch(placement=coding.placement(), name="b", code_count=55), by=None)
    told = {"JOB": str(batch.job_id), "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database.address()}
    worker = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ, **told}, stdout=subprocess.PIPE)
    assert worker.stdout.readline() == b"half\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    batch.refresh_from_db()
    assert (batch.state, batch.codes.count()) == ("running", 20)
    deadline = time.monotonic() + 60
    while jobs.run(batch.job_id) == "busy":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    batch.refresh_from_db()
    lines = whole(batch)
    assert (batch.state, len(lines), len(set(lines))) == ("ready", 55, 55)
    stored = set(batch.codes.values_list("digest", flat=True))
    assert stored == {codes.digest(codes.normal(line)) for line in lines}
    connection.close()
    ledger()
