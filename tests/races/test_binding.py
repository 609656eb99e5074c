"""A binding while others claim, a killed worker in the middle of one: no limit gives way, nobody has two."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from django.db import connection
from django.db.models import Count

from coupons import jobs
from coupons.lifecycle.issuing_many import Many
from coupons.models import Budget, Coupon, Customer, Job, Supply
from distribution.binding import lines, moving
from distribution.models import Binding, BindingLine
from tests import database, making

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def quick(settings, tmp_path, monkeypatch):
    settings.MEDIA_ROOT = tmp_path
    settings.BIND_MINUTES = 0
    monkeypatch.setattr(lines, "CHUNK", 10)


def confirmed(of, accounts):
    from django.contrib.auth.models import User

    somebody = User.objects.create_user("xiaolin")
    made = moving.begin(Binding(placement=of, name="b"), by=somebody, accounts=accounts)
    jobs.run(made.job_id)
    made.refresh_from_db()
    return moving.move(made, "confirm", by=somebody)


def test_claims_at_the_same_moment_and_a_binding_share_what_there_is(system, race, ledger):
    """C10, S6"""
    campaign = making.campaign(budget_fen=100_000)
    template = making.template(campaign, limits={"total_count": 45, "customer_count": 1})
    of = making.placement(template, of=campaign, form="bind")
    claimed = making.placement(template, of=campaign)
    keys = [f"c{n}" for n in range(60)]
    Customer.objects.bulk_create(Customer(key=key) for key in keys)
    binding = confirmed(of, keys)
    caller = system("issue")

    def act(thread):
        if thread == 0:
            return jobs.run(binding.job_id)
        return [
            caller.post(f"placements/{claimed.key}/claims/", {"customer": key}).status for key in keys[thread - 1 :: 7]
        ]

    assert race(8, act)[0] == "done"
    supply = Supply.objects.get(template=template)
    assert supply.issued_count == Coupon.objects.count() == 45
    assert Budget.objects.get(pk=campaign.budget_id).committed_fen == 90_000
    assert not Coupon.objects.values("customer").annotate(n=Count("id")).filter(n__gt=1)
    given = BindingLine.objects.filter(binding_id=binding.pk, coupons__gt=0).count()
    binding.refresh_from_db()
    assert binding.did["given"] == given
    ledger()


KILLED = """
import os
import django
django.setup()
from coupons import jobs
from coupons.lifecycle import issuing_many
from distribution.binding import lines
lines.CHUNK = 10
issue = issuing_many.Many.issue
count = 0
def slow(*told):
    global count
    poor = issue(*told)
    count += 1
    if count == 3:
        print("half", flush=True)
        import time; time.sleep(600)
    return poor
issuing_many.Many.issue = slow
jobs.run(int(os.environ["JOB"]))
"""


def test_a_binding_whose_worker_is_killed_gives_nobody_two_and_leaves_nobody_out(ledger):
    """P7"""
    keys = [f"c{n}" for n in range(55)]
    Customer.objects.bulk_create(Customer(key=key) for key in keys)
    binding = confirmed(making.placement(making.template(), form="bind"), keys)
    told = {"JOB": str(binding.job_id), "DJANGO_SETTINGS_MODULE": "tests.settings", "DATABASE_URL": database.address()}
    worker = subprocess.Popen([sys.executable, "-c", KILLED], env={**os.environ, **told}, stdout=subprocess.PIPE)
    assert worker.stdout.readline() == b"half\n"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert Coupon.objects.count() == 20
    deadline = time.monotonic() + 60
    while jobs.run(binding.job_id) == "busy":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    binding.refresh_from_db()
    assert (binding.state, binding.did["given"], Coupon.objects.count()) == ("done", 55, 55)
    assert Coupon.objects.values("customer").distinct().count() == 55
    connection.close()
    ledger()


def test_calling_it_back_in_the_middle_undoes_the_piece_in_hand_and_gives_no_more(monkeypatch, ledger):
    """P7"""
    keys = [f"c{n}" for n in range(30)]
    Customer.objects.bulk_create(Customer(key=key) for key in keys)
    binding = confirmed(making.placement(making.template(), form="bind"), keys)
    issue, count = Many.issue, []

    def call_back():
        moving.move(Binding.objects.get(pk=binding.pk), "call_back", by=binding.confirmed_by)
        connection.close()

    def watched(*told):
        poor = issue(*told)
        count.append(1)
        if len(count) == 2:
            other = threading.Thread(target=call_back)
            other.start()
            other.join()
        return poor

    monkeypatch.setattr(Many, "issue", watched)
    assert jobs.run(binding.job_id) == "cancelled"
    binding.refresh_from_db()
    assert (binding.state, Coupon.objects.count()) == ("called_back", 10)
    assert Job.objects.get(kind="bind").state == "cancelled"
    jobs.run(binding.job_id)
    binding.refresh_from_db()
    assert (binding.did["given"], binding.did["no"]) == (10, {"called_back": len(keys) - 10})
    ledger()
