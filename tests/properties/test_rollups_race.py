"""Folds, rebuilds, readers and claims at the same time, by real threads on PostgreSQL."""

import datetime as dt
import random
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction

from coupons.models import UncountedEvent
from stats import folding
from stats.queries import ledger
from stats.queries.numbers import numbers
from tests.properties.test_rollups import assert_rollups_alone_are_the_ledgers, happened

pytestmark = pytest.mark.django_db(transaction=True)
AT = dt.datetime(2026, 6, 3, 4, tzinfo=dt.UTC)


def moves(count: int, seed: int = 0) -> list[dict[str, Any]]:
    """Pairs of events that move as much into the purse as out of it, in cells of every order."""
    luck = random.Random(seed)
    return [
        {
            "kind": kind,
            "at": AT + dt.timedelta(hours=luck.randrange(48)),
            "template_id": luck.randrange(1, 6),
            "customer_id": luck.randrange(1, 20),
            "placement": luck.choice([None, "a", "b"]),
            "city_id": luck.choice([None, "310000", "110000"]),
            "committed_fen": sign * 100,
        }
        for _ in range(count)
        for kind, sign in (("issued", 1), ("expired", -1))
    ]


def test_many_folds_at_once_take_each_event_once_and_never_wait_in_a_ring(race: Callable[..., list[Any]]) -> None:
    for seed in range(4):
        happened(*moves(200, seed))
        came = race(8, lambda _: folding.fold_all(limit=23))
        assert all(isinstance(taken, int) for taken in came), came
        assert sum(came) == 400
        assert_rollups_alone_are_the_ledgers()
        assert list(ledger.differences()) == [], "a customer's days are one chain, whoever folded them"


def test_readers_see_exact_numbers_while_events_come_in_are_folded_and_counted_anew(
    race: Callable[..., list[Any]],
) -> None:
    """What is put in sums up to nothing in every transaction, so any other sum was read halfway."""
    stop = threading.Event()
    done: list[int] = []

    def write(seed: int) -> int:
        for round_ in range(30):
            with transaction.atomic():
                happened(*moves(4, seed * 100 + round_))
        done.append(seed)
        if len(done) == 2:
            stop.set()
        return 240

    def read(_: int) -> list[str]:
        wrong, last = [], 0
        while not stop.is_set():
            (total,) = numbers(())
            if total[()].committed_fen or total[()].issued_count < last:
                wrong.append(str(total[()]))
            last = total[()].issued_count
            wrong += [str(difference) for difference in ledger.differences()]
        return wrong

    def fold(_: int) -> int:
        taken = 0
        while not stop.is_set():
            taken += folding.fold(17)
        return taken

    def recount(_: int) -> int:
        while not stop.is_set():
            folding.rebuild()
            time.sleep(0.02)
        return 0

    came = race(7, lambda n: [write, write, read, read, fold, fold, recount][n](n))
    assert not [exception for exception in came if isinstance(exception, Exception)]
    assert (came[2], came[3]) == ([], [])
    folding.fold_all()
    assert numbers(())[0][()].issued_count == 240
    assert_rollups_alone_are_the_ledgers()


def test_a_folder_that_is_killed_leaves_its_batch_to_the_next_one() -> None:
    happened(*moves(20))
    folded, go_on, died = threading.Event(), threading.Event(), []

    def folder() -> None:
        try:
            with transaction.atomic():
                folding.fold(10)
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_backend_pid()")
                    died.append(cursor.fetchone()[0])
                folded.set()
                go_on.wait(30)
        except OperationalError as error:
            died.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=folder)
    thread.start()
    assert folded.wait(30)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [died[0]])
    go_on.set()
    thread.join()
    assert isinstance(died[1], OperationalError)
    assert UncountedEvent.objects.count() == 40
    assert folding.fold_all() == 40
    assert_rollups_alone_are_the_ledgers()


def test_a_rebuild_waits_for_a_fold_that_has_begun_and_a_fold_for_a_rebuild() -> None:
    happened(*moves(20))
    came = []

    def other(work: Callable[[], int]) -> threading.Thread:
        def run() -> None:
            try:
                came.append(work())
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        thread.join(0.3)
        assert thread.is_alive(), "it does not wait"
        return thread

    with transaction.atomic():
        folding.fold(10)
        waiting = other(folding.rebuild)
    waiting.join()
    assert_rollups_alone_are_the_ledgers()
    happened(*moves(5, 1))
    with transaction.atomic():
        folding.rebuild()
        happened(*moves(5, 2))
        waiting = other(folding.fold_all)
    waiting.join()
    assert came[1] == 10, "only what the rebuild has not counted"
    assert_rollups_alone_are_the_ledgers()
