"""Batches of codes: made or read in by a job in the background, closed, and what they are worth as a secret."""

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from itertools import islice
from operator import add
from typing import Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from coupons import jobs
from coupons.models import Job
from coupons.refused import Invalid, Refused
from distribution import codes
from distribution.models import CodeBatch, Placement, RedemptionCode
from distribution.models.codes import MOST_CODES

Kind, State = CodeBatch.Kind, CodeBatch.State
#: Codes made in one transaction: what is lost when a worker is killed, and made anew.
CHUNK = 100_000
#: A shared code is meant to be known; it only must not be hit by a slip of the finger.
SHORTEST_SHARED = 4
COPY = (
    "COPY distribution_redemptioncode (digest, batch_id, hint, customer, use_limit, used_count)"
    " FROM STDIN (FORMAT binary)"
)
_BEGIN, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"


@transaction.atomic
def begin(batch: CodeBatch, *, customers: list[str] | None = None, by: User | None) -> CodeBatch:
    """Writes the batch down and, unless its one code is made at once, the job that makes the others: the door runs it.

    ``customers``: keys; each gets one code that works for them alone. ``batch.length`` None: as short as is safe.

    :raises Invalid: by the names of the batch's fields.
    :raises Refused: ``state_forbids``: the placement is of another form, or has ended.
    """
    placement = batch.placement
    if placement.form != Placement.Form.CODE or placement.status == Placement.Status.ENDED:
        raise Refused("state_forbids", detail=_("Codes belong to a placement of that form that has not ended."))
    batch.made_by, batch.state = by, State.NEW
    if batch.kind == Kind.SHARED:
        return _share(batch)
    batch.shared_code, batch.use_limit = "", 1
    if customers is not None:
        batch.code_count, batch.named = len(customers), True
    if not 1 <= batch.code_count <= MOST_CODES:
        raise Invalid.of("code_count", "too_many", _("From 1 to %(most)s codes.") % {"most": f"{MOST_CODES:,}"})
    safe = codes.shortest(batch.kind, batch.code_count)
    batch.length = batch.length or safe
    most = codes.LONGEST if batch.kind == Kind.LATIN else codes.MOST_WORDS
    if batch.length > most:
        raise Invalid.of("length", "too_large", _("At most %(limit)s.") % {"limit": most})
    if batch.length < safe:
        raise Invalid.of(
            "length",
            "too_easy_to_guess",
            _("Too easy to guess: so many codes need a length of at least %(least)s.") % {"least": safe},
        )
    batch.bits = codes.bits(batch.kind, batch.length, batch.code_count)
    batch.save(force_insert=True)
    batch.job = jobs.start(
        "make_codes",
        title=_("Codes: %(name)s") % {"name": batch.name},
        by=by,
        answers={"batch": batch.pk},
        total=batch.code_count,
        source=BytesIO("".join(f"{key}\n" for key in customers).encode()) if customers is not None else None,
        name="customers.txt",
    )
    batch.save(update_fields=["job"])
    return batch


def _share(batch: CodeBatch) -> CodeBatch:
    code = codes.normal(batch.shared_code)
    if len(code) < SHORTEST_SHARED:
        raise Invalid.of("shared_code", "too_short", _("At least %(limit)s characters.") % {"limit": SHORTEST_SHARED})
    batch.code_count, batch.named, batch.state, batch.bits, batch.length = 1, False, State.READY, None, None
    batch.save(force_insert=True)
    try:
        with transaction.atomic():
            RedemptionCode.objects.create(
                digest=codes.digest(code), batch=batch, hint=codes.hint(code), use_limit=batch.use_limit, used_count=0
            )
    except IntegrityError:
        raise Invalid.of("shared_code", "taken", _("This code exists already.")) from None
    return batch


@jobs.work("make_codes")
def make_codes(job: Job) -> Iterator[jobs.Step]:
    """In chunks; while the database takes one in, the next is drawn."""
    batch = CodeBatch.objects.get(pk=job.answers["batch"])
    for drawn in jobs.ahead(_draws(batch, job)):
        sealed = _store_new(batch, drawn).sealed
        if not batch.handed_at:
            batch.sheets.create(number=drawn.start // CHUNK, sealed=sealed)
        done = drawn.start + drawn.size
        state = State.READY if done == batch.code_count else State.RUNNING
        if not CodeBatch.objects.filter(pk=batch.pk).exclude(state=State.CLOSED).update(state=state):
            raise Refused("state_forbids")
        yield jobs.Step(done=done, cursor=done)


class Drawn(NamedTuple):
    """Codes that are not stored yet: the batch's, from the ``start``-th on. ``customers``: keys, one for each."""

    start: int
    size: int
    customers: list[str] | None
    rows: bytes
    sealed: bytes


def _draws(batch: CodeBatch, job: Job) -> Iterator[Drawn]:
    done = job.cursor or 0
    customers = _keys(job, done) if job.source else None
    for start in range(done, batch.code_count, CHUNK):
        count = min(CHUNK, batch.code_count - start)
        yield _draw(batch, start, count, list(islice(customers, count)) if customers is not None else None)


def _keys(job: Job, skipped: int) -> Iterator[str]:
    with job.source.open("rb") as file:
        for line in islice(file, skipped, None):
            yield line.decode().rstrip("\n")


def _draw(batch: CodeBatch, start: int, count: int, customers: list[str] | None) -> Drawn:
    """Rows are sorted as their index is, which spares it half its work."""
    drawn = codes.make(batch.kind, batch.length or 0, count)
    sign = 1 if drawn[0][-1] < 128 else 3  # bytes of one, in UTF-8
    head, tail = b"\0\6\0\0\0\x10", _whole(1) + _whole(0)
    middle = _field(batch.pk.to_bytes(8)) + (2 * sign).to_bytes(4)
    if customers is None:
        lines, tail, hint = drawn, b"\xff\xff\xff\xff" + tail, -2 * sign
        made = sorted(map(add, codes.digests(drawn), drawn))
        rows = [head + one[:16] + middle + one[hint:] + tail for one in made]
    else:
        lines = [b"%b\t%b" % (code, key.encode()) for code, key in zip(drawn, customers, strict=True)]
        rows = [
            head + digest + middle + code[-2 * sign :] + _field(key.encode()) + tail
            for digest, code, key in sorted(zip(codes.digests(drawn), drawn, customers, strict=True))
        ]
    return Drawn(start, count, customers, b"".join(rows), codes.seal(batch.pk, start // CHUNK, lines))


def _store_new(batch: CodeBatch, drawn: Drawn) -> Drawn:
    """What was stored: a draw in which a code came twice, or is there already, is thrown away whole."""
    for _attempt in range(5):
        try:
            with transaction.atomic():
                store(drawn.rows)
        except IntegrityError:
            drawn = _draw(batch, drawn.start, drawn.size, drawn.customers)
            continue
        return drawn
    raise Refused("busy")


def store(rows: bytes) -> None:
    """:raises IntegrityError: one is there already."""
    with connection.cursor() as cursor, cursor.copy(COPY) as copy:
        copy.write(_BEGIN + rows + _END)


def _field(value: bytes) -> bytes:
    return len(value).to_bytes(4) + value


def _whole(number: int) -> bytes:
    return _field(number.to_bytes(8))


# --- by hand -----------------------------------------------------------------------------------------------------


def possible(batch: CodeBatch, move: str) -> bool:
    if move == "close":
        return batch.state != State.CLOSED
    if batch.job is None or batch.state not in (State.NEW, State.RUNNING):
        return False
    return jobs.possible(batch.job, move)


@transaction.atomic
def move(batch: CodeBatch, name: str) -> CodeBatch:
    """``pause`` and ``resume`` its making; ``close``: what is unused is void for good.

    :raises Refused: ``state_forbids``.
    """
    batch = CodeBatch.objects.select_for_update(no_key=True, of=("self",)).select_related("job").get(pk=batch.pk)
    if not possible(batch, name):
        raise Refused("state_forbids", state=batch.state)
    if name != "close":
        assert batch.job is not None
        jobs.move(batch.job, name)
        return batch
    batch.state, batch.closed_at = State.CLOSED, timezone.now()
    batch.save(update_fields=["state", "closed_at"])
    forget_whole(batch)
    for job in (batch.job, batch.file_job):
        if job is not None and jobs.possible(job, "cancel"):
            jobs.move(job, "cancel")
    return batch


def forget_whole(batch: CodeBatch) -> None:
    """From now on nobody can read a whole code of this batch."""
    batch.sheets.all().delete()
    if batch.file:
        transaction.on_commit(partial(batch.file.storage.delete, str(batch.file.name)))
        batch.file = ""
    if batch.kind == Kind.IMPORTED and batch.job is not None and batch.job.source:  # its reading in came to no end
        transaction.on_commit(partial(batch.job.source.storage.delete, str(batch.job.source.name)))
    batch.save(update_fields=["file"])


def may_void(code: RedemptionCode) -> bool:
    return code.used_count < code.use_limit and code.batch.state != State.CLOSED


def void(code: RedemptionCode) -> RedemptionCode:
    """One code alone: what is unused of it is void for good.  :raises Refused: ``state_forbids``: nothing is."""
    found = RedemptionCode.objects.filter(pk=code.pk, used_count__lt=F("use_limit"))
    if not found.update(use_limit=F("used_count")):
        raise Refused("state_forbids")
    code.refresh_from_db()
    return code


def find(text: str) -> RedemptionCode | None:
    """What is kept of the code that somebody typed."""
    digest: UUID = codes.digest(codes.normal(text))
    return RedemptionCode.objects.select_related("batch__placement").filter(digest=digest).first()


def told(batch: CodeBatch) -> dict[str, Any]:
    """Numbers of a batch for its page."""
    used = batch.exchanges.count()
    return {"used": used, "uses": batch.code_count * batch.use_limit}
