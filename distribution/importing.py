"""Codes that were made elsewhere: read in by a job, each row told what became of it; the file is gone afterwards."""

import re
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import IO, Any, NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons import jobs, sheets
from coupons.models import Job
from coupons.models.keys import KEY_PATTERN
from coupons.refused import Refused
from distribution import codes
from distribution.models import CodeBatch, Placement, RedemptionCode
from distribution.models.codes import MOST_CODES

State = CodeBatch.State
CHUNK = 10_000
LONGEST = 64
LIMITS = sheets.Limits(rows=MOST_CODES)
TAKE = """
INSERT INTO distribution_redemptioncode (digest, batch_id, hint, customer, use_limit, used_count)
SELECT t.digest, %s, t.hint, t.customer, 1, 0
  FROM unnest(%s::uuid[], %s::text[], %s::text[]) AS t(digest, hint, customer) ON CONFLICT DO NOTHING
"""
SAID = {
    "taken": gettext_lazy("read in"),
    "empty": gettext_lazy("No code."),
    "too_long": gettext_lazy("The code is too long."),
    "too_easy": gettext_lazy("Too easy to guess."),
    "no_customer": gettext_lazy("This is no customer's key."),
    "exists": gettext_lazy("The code exists already, here or in another batch."),
}
_KEY = re.compile(KEY_PATTERN)


class Told(NamedTuple):
    """A row of the file. ``why``: what speaks against it before the database is asked; empty if nothing."""

    number: int
    digest: UUID
    hint: str
    customer: str | None
    bits: float
    why: str


@transaction.atomic
def begin(batch: CodeBatch, file: IO[bytes], *, by: User | None) -> CodeBatch:
    """``file``: CSV or Excel, below a heading: codes in the first column, in the second whom each is for, if any.

    :raises Refused: ``state_forbids``: the placement is of another form or has ended; ``file_unreadable``.
    """
    placement = batch.placement
    if placement.form != Placement.Form.CODE or placement.status == Placement.Status.ENDED:
        raise Refused("state_forbids", detail=_("Codes belong to a placement of that form that has not ended."))
    sheets.table(file, LIMITS)
    file.seek(0)
    batch.kind, batch.made_by, batch.state = CodeBatch.Kind.IMPORTED, by, State.NEW
    batch.shared_code, batch.use_limit, batch.length, batch.bits, batch.code_count = "", 1, None, None, 1
    batch.save(force_insert=True)
    title = _("Codes, read in: %(name)s") % {"name": batch.name}
    batch.job = jobs.start("import_codes", title=title, by=by, answers={"batch": batch.pk}, source=file, name="codes")
    batch.save(update_fields=["job"])
    return batch


@jobs.work("import_codes")
def import_codes(job: Job) -> Iterator[jobs.Step]:
    """Each chunk's rows and the progress are one transaction; what came of each row is asked of the rows at the end."""
    batch = CodeBatch.objects.get(pk=job.answers["batch"])
    with job.source.open("rb") as file:
        total = sum(1 for _row in sheets.table(file, LIMITS).rows)
    done: int = job.cursor or 0
    rows = islice(_rows(job, total), done, None)
    while chunk := list(islice(rows, CHUNK)):
        good = [row for row in chunk if not row.why]
        with connection.cursor() as cursor:
            columns = [row.digest for row in good], [row.hint for row in good], [row.customer for row in good]
            cursor.execute(TAKE, (batch.pk, *columns))
        done += len(chunk)
        if not CodeBatch.objects.filter(pk=batch.pk).exclude(state=State.CLOSED).update(state=State.RUNNING):
            raise Refused("state_forbids")
        yield jobs.Step(done=done, cursor=done, total=total)

    found: dict[str, Any] = {"taken": 0, "bits": None, "named": False}
    heading = [_("Row"), _("Redemption code"), _("Outcome"), _("In words")]
    with sheets.excel_file(heading, _outcomes(batch, _rows(job, total), found)) as file:
        jobs.attach(job, "codes.xlsx", file)
    state = State.READY if found["taken"] else State.CLOSED
    CodeBatch.objects.filter(pk=batch.pk).exclude(state=State.CLOSED).update(
        state=state, code_count=max(1, found["taken"]), bits=found["bits"], named=found["named"]
    )
    transaction.on_commit(partial(job.source.storage.delete, str(job.source.name)))  # whole codes lie in it
    yield jobs.Step(done=total, total=total, cursor=done, outcome={"taken": found["taken"], "rows": total})


def _rows(job: Job, total: int) -> Iterator[Told]:
    with job.source.open("rb") as file:
        for row in sheets.table(file, LIMITS).rows:
            code = codes.normal(row.cells[0]) if row.cells else ""
            customer = (row.cells[1].strip() if len(row.cells) > 1 else "") or None
            bits = codes.foreign_bits(code, total) if code else 0.0
            if not code:
                why = "empty"
            elif len(code) > LONGEST:
                why = "too_long"
            elif bits < codes.LEAST_BITS:
                why = "too_easy"
            elif customer is not None and not _KEY.match(customer):
                why = "no_customer"
            else:
                why = ""
            yield Told(row.number, codes.digest(code), codes.hint(code), customer, bits, why)


def _outcomes(batch: CodeBatch, rows: Iterator[Told], found: dict[str, Any]) -> Iterator[list[Any]]:
    """A line for each row, its code masked; ``found`` is counted on the way."""
    seen: set[UUID] = set()
    while chunk := list(islice(rows, CHUNK)):
        digests = [row.digest for row in chunk if not row.why]
        mine = RedemptionCode.objects.filter(batch=batch, digest__in=digests)
        there = set(mine.values_list("digest", flat=True))
        for row in chunk:
            outcome = row.why or ("taken" if row.digest in there and row.digest not in seen else "exists")
            if outcome == "taken":
                seen.add(row.digest)
                found["taken"] += 1
                found["named"] = found["named"] or row.customer is not None
                found["bits"] = row.bits if found["bits"] is None else min(found["bits"], row.bits)
            yield [row.number, f"{codes.MASK}{row.hint}", outcome, str(SAID[outcome])]
