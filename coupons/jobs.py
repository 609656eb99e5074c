"""Long work in the background: started, watched, paused, cancelled, and taken up again where a killed worker left it.

A kind of work is a generator. What it does between two ``yield``s and the progress it yields are one transaction, so
that nothing is done twice and nothing is lost::

    @work("make_codes")
    def make_codes(job: Job) -> Iterator[Step]:
        for start in range(job.cursor or 0, job.answers["count"], CHUNK):
            ...
            yield Step(done=start + CHUNK, cursor=start + CHUNK)

Pausing and cancelling win over the piece in hand, which is undone. Who runs a job holds an advisory lock on its
connection: a worker that dies lets go of it, and the timetable gives the job to the next one.
"""

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import IO, Any, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.core.files import File
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons.models import Job
from coupons.queries.direct import row
from coupons.refused import Invalid, Refused

State = Job.State
log = logging.getLogger(__name__)
#: The first half of the advisory locks' names: "jobs" in ASCII.
_LOCKS = 0x6A6F6273


class Step(NamedTuple):
    """``done`` of ``total`` pieces (None: as before); ``cursor``: what the work needs to go on from here, as JSON.

    ``outcome``: numbers by name, added to what the job says of itself.
    """

    done: int
    cursor: Any = None
    total: int | None = None
    outcome: dict[str, Any] | None = None


Piece = TypeVar("Piece")
Work = Callable[[Job], Iterator[Step]]
_works: dict[str, Work] = {}


def work(kind: str) -> Callable[[Work], Work]:
    """Registers a kind of work; its module must be imported where tasks run (``tasks.py`` of its app does)."""

    def keep(run: Work) -> Work:
        if kind in _works:
            raise ValueError(f"two kinds of work are called {kind}")
        _works[kind] = run
        return run

    return keep


def ahead(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """The same, each made in a thread while the one before is being used. What makes them asks no database."""
    with ThreadPoolExecutor(1) as thread:
        following = thread.submit(next, pieces, None)
        while (piece := following.result()) is not None:
            following = thread.submit(next, pieces, None)
            yield piece


class Stopped(Exception):
    """Somebody paused or cancelled the job; the piece in hand is undone."""


def start(
    kind: str,
    *,
    title: str,
    by: User | None,
    answers: dict[str, Any] | None = None,
    total: int | None = None,
    source: IO[bytes] | None = None,
    name: str = "",
    not_before: datetime | None = None,
) -> Job:
    """A job waiting to be run: the door starts ``coupons.tasks.run_job``. ``source``: a file called ``name``."""
    job = Job(kind=kind, title=title[:200], made_by=by, answers=answers or {}, total_count=total, not_before=not_before)
    job.save(force_insert=True)
    if source is not None:
        job.source.save(name or "source", File(source))
    return job


def attach(job: Job, name: str, file: IO[bytes]) -> None:
    """The file that came of it, in place of an earlier one."""
    if job.result:
        job.result.delete(save=False)
    job.result.save(name, File(file), save=False)
    job.save(update_fields=["result"])


# --- by hand -----------------------------------------------------------------------------------------------------


def possible(job: Job, move: str) -> bool:
    return job.state in _MOVES[move][0]


_MOVES: dict[str, tuple[tuple[str, ...], str]] = {
    "pause": ((State.WAITING, State.RUNNING), State.PAUSED),
    "resume": ((State.PAUSED, State.FAILED), State.WAITING),
    "cancel": ((State.WAITING, State.RUNNING, State.PAUSED, State.FAILED), State.CANCELLED),
}


def move(job: Job, name: str) -> Job:
    """Pause, resume (also what failed, from where it stopped) or cancel.  :raises Refused: ``state_forbids``."""
    sources, target = _MOVES[name]
    ended_at = timezone.now() if name == "cancel" else None
    moved = Job.objects.filter(pk=job.pk, state__in=sources).update(state=target, ended_at=ended_at, error="")
    job.refresh_from_db()
    if not moved:
        raise Refused("state_forbids", state=job.state)
    return job


# --- by workers --------------------------------------------------------------------------------------------------


def waiting(now: datetime) -> list[int]:
    """Jobs that want somebody to run them, or that lost who did; those in good hands among them are left alone by
    :func:`run`.
    """
    due = Q(not_before__isnull=True) | Q(not_before__lte=now)
    return list(
        Job.objects.filter(due, state__in=(State.WAITING, State.RUNNING)).order_by("id").values_list("pk", flat=True)
    )


def run(pk: int, now: datetime | None = None) -> str:
    """Runs the job to its end, or from where it stopped; the state in which it is then. Nothing is done if another
    worker has it, it is not its time yet, or nobody wants it any more.
    """
    with _alone(pk) as alone:
        if not alone:
            return "busy"
        now = now or timezone.now()
        due = Q(not_before__isnull=True) | Q(not_before__lte=now)
        if not Job.objects.filter(due, pk=pk, state__in=(State.WAITING, State.RUNNING)).update(state=State.RUNNING):
            return "not_due"
        Job.objects.filter(pk=pk, started_at__isnull=True).update(started_at=now)
        job = Job.objects.get(pk=pk)
        try:
            _go_on(job)
        except Stopped:
            pass
        except (Refused, Invalid) as no:
            detail = no.errors[0]["detail"] if isinstance(no, Invalid) else no.detail
            _fail(pk, str(detail))
        except Exception:
            log.exception("job_failed", extra={"job": pk, "kind": job.kind})
            _fail(pk, _("Something went wrong. It can be tried again; it goes on where it stopped."))
            raise
        return str(Job.objects.values_list("state", flat=True).get(pk=pk))


def _go_on(job: Job) -> None:
    steps = _works[job.kind](job)
    while True:
        with transaction.atomic():
            step = next(steps, None)
            if step is None:
                outcome = {"state": State.DONE, "ended_at": timezone.now()}
            else:
                job.done_count, job.cursor = step.done, step.cursor
                job.total_count = job.total_count if step.total is None else step.total
                job.outcome = {**job.outcome, **(step.outcome or {})}
                outcome = {name: getattr(job, name) for name in ("done_count", "cursor", "total_count", "outcome")}
            if not Job.objects.filter(pk=job.pk, state=State.RUNNING).update(**outcome):
                raise Stopped
        if step is None:
            return


def _fail(pk: int, error: str) -> None:
    Job.objects.filter(pk=pk, state=State.RUNNING).update(state=State.FAILED, error=error, ended_at=timezone.now())


@contextmanager
def _alone(pk: int) -> Iterator[bool]:
    """Whether nobody else runs this job, and nobody will while the context lasts."""
    found = row("SELECT pg_try_advisory_lock(%s, %s)", (_LOCKS, pk))
    alone = bool(found and found[0])
    try:
        yield alone
    finally:
        if alone and not connection.needs_rollback and connection.connection and not connection.connection.closed:
            row("SELECT pg_advisory_unlock(%s, %s)", (_LOCKS, pk))
