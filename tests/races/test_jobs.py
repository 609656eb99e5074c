"""Long work in the background: done once, whoever runs it and whatever becomes of them."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from coupons import jobs
from coupons.models import Category, Job
from coupons.refused import Refused
from coupons.tasks import go_on_with_jobs, run_job
from tests import database

TEN = 10


@pytest.fixture
def make_ten():
    """A kind of work: ten categories, one a step."""

    def run(job):
        for number in range(job.cursor or 0, TEN):
            during(job, number)
            Category.objects.create(key=f"made-{number}", name=str(number))
            yield jobs.Step(done=number + 1, cursor=number + 1, total=TEN)

    steps = []

    def during(job, number):
        for step in steps:
            step(job, number)

    jobs._works["make_ten"] = run
    yield steps
    del jobs._works["make_ten"]


def elsewhere(act):
    """Somebody else does it, on a connection of their own."""

    def alone():
        act()
        connection.close()

    other = threading.Thread(target=alone)
    other.start()
    other.join()


def made() -> int:
    return Category.objects.filter(key__startswith="made-").count()


@pytest.fixture
def job(db):
    return jobs.start("make_ten", title="十个品类", by=None)


pytestmark = pytest.mark.django_db(transaction=True)


def test_work_is_done_and_says_how_far_it_is(make_ten, job):
    assert run_job(job.pk) == "done"
    job.refresh_from_db()
    assert (job.done_count, job.total_count, job.percent, made()) == (10, 10, 100, 10)
    assert run_job(job.pk) == "not_due"


def test_a_job_whose_time_has_not_come_waits(make_ten):
    later = jobs.start("make_ten", title="later", by=None, not_before=timezone.now() + timedelta(minutes=10))
    assert run_job(later.pk) == "not_due"
    assert jobs.waiting(timezone.now()) == []
    assert jobs.run(later.pk, later.not_before) == "done"


def test_cancelling_undoes_the_piece_in_hand_and_keeps_what_was_done(make_ten, job):
    def cancel(running, number):
        if number == 4:
            elsewhere(lambda: jobs.move(Job.objects.get(pk=running.pk), "cancel"))

    make_ten.append(cancel)
    assert run_job(job.pk) == "cancelled"
    assert made() == 4
    with pytest.raises(Refused):
        jobs.move(job, "resume")


def test_a_paused_job_goes_on_where_it_stopped(make_ten, job):
    def pause(running, number):
        if number == 6 and not make_ten[1:]:
            make_ten.append(lambda *_: None)
            elsewhere(lambda: jobs.move(Job.objects.get(pk=running.pk), "pause"))

    make_ten.append(pause)
    assert run_job(job.pk) == "paused"
    assert made() == 6
    jobs.move(job, "resume")
    assert run_job(job.pk) == "done"
    assert made() == 10


def test_a_failure_is_said_and_can_be_tried_again(make_ten, job):
    def break_once(running, number):
        if number == 3:
            make_ten.clear()
            raise RuntimeError("a bad day")

    make_ten.append(break_once)
    with pytest.raises(RuntimeError):
        run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, made()) == ("failed", 3)
    assert "bad day" not in job.error
    jobs.move(job, "resume")
    assert run_job(job.pk) == "done"
    assert made() == 10


def test_a_refusal_stops_it_with_its_own_words(make_ten, job):
    def refuse(running, number):
        raise Refused("budget_spent")

    make_ten.append(refuse)
    assert run_job(job.pk) == "failed"
    job.refresh_from_db()
    assert job.error == str(Refused("budget_spent").detail)


def test_eight_workers_do_it_once(make_ten, job, race):
    make_ten.append(lambda *_: time.sleep(0.005))
    assert sorted(race(8, lambda n: jobs.run(job.pk))).count("done") >= 1
    assert made() == 10


KILLED = """
import os
import django
django.setup()
from coupons import jobs
from coupons.models import Category
def run(job):
    for number in range(job.cursor or 0, 10):
        Category.objects.create(key=f"made-{number}", name=str(number))
        if number == 5:
            print("half", flush=True)
            import time; time.sleep(600)
        yield jobs.Step(done=number + 1, cursor=number + 1)
jobs._works["make_ten"] = run
jobs.run(int(os.environ["JOB"]))
"""


def test_what_a_killed_worker_left_is_taken_up(make_ten, job):
    environment = {
        **os.environ,
        "JOB": str(job.pk),
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": database.address(),
    }
    worker = subprocess.Popen([sys.executable, "-c", KILLED], env=environment, stdout=subprocess.PIPE)
    assert worker.stdout.readline() == b"half\n"
    assert jobs.run(job.pk) == "busy"
    worker.send_signal(signal.SIGKILL)
    worker.wait()
    assert made() == 5
    deadline = time.monotonic() + 60
    while jobs.run(job.pk) == "busy":
        assert time.monotonic() < deadline, "the dead worker's lock is still there"
        time.sleep(0.1)
    assert made() == 10


def test_the_timetable_hands_on_what_nobody_runs(make_ten, job, monkeypatch):
    assert go_on_with_jobs() == 1
    job.refresh_from_db()
    assert (job.state, made()) == ("done", 10)


def test_each_sees_their_own_jobs(client, make_ten):
    from django.contrib.auth.models import Group

    people = [User.objects.create_user(name, is_staff=True) for name in ("one", "other")]
    for person in people:
        person.groups.add(Group.objects.get(name="运营"))
    job = jobs.start("make_ten", title="mine", by=people[0])
    client.force_login(people[1])
    assert client.get(f"/admin/coupons/job/{job.pk}/progress/").status_code == 404
    client.force_login(people[0])
    assert client.get(f"/admin/coupons/job/{job.pk}/progress/").json()["state"] == "waiting"
    client.post(f"/admin/coupons/job/{job.pk}/move/cancel/")
    job.refresh_from_db()
    assert job.state == "cancelled"
