"""A batch's codes as an Excel file: whole until it has gone out once to its end, after that what became of them."""

import tempfile
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.files import File
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

from coupons import jobs
from coupons.models import Job
from coupons.queries.wording import wording
from coupons.refused import Refused
from distribution import codes
from distribution.minting import forget_whole
from distribution.models import CodeBatch, CodeDownload

#: Of a sheet, its heading among them.
MOST_ROWS = 1_048_576
#: How long one download may take before another may begin.
MINUTES = 5
CHUNK = 65_536
_PAGE = 5_000


def shows_whole(batch: CodeBatch) -> bool:
    """Whether whole codes can still be read: ours, ready, and nobody has taken them away."""
    return batch.state == CodeBatch.State.READY and batch.handed_at is None and batch.sheets.exists()


@transaction.atomic
def prepare(batch: CodeBatch, *, by: User | None) -> Job:
    """A job that writes the file.  :raises Refused: ``state_forbids``."""
    batch = CodeBatch.objects.select_for_update(no_key=True, of=("self",)).select_related("file_job").get(pk=batch.pk)
    if batch.state in (CodeBatch.State.NEW, CodeBatch.State.RUNNING):
        raise Refused("state_forbids", state=batch.state)
    if batch.file_job is not None and batch.file_job.state in Job.OPEN:
        return batch.file_job
    job = jobs.start(
        "codes_file", title=_("Excel file: %(name)s") % {"name": batch.name}, by=by, answers={"batch": batch.pk}
    )
    batch.file_job = job
    batch.save(update_fields=["file_job"])
    return job


@jobs.work("codes_file")
def codes_file(job: Job) -> Iterator[jobs.Step]:
    """Written row by row. A killed worker's half is thrown away: reading changes nothing."""
    batch = CodeBatch.objects.select_related("placement__campaign", "made_by").get(pk=job.answers["batch"])
    whole = shows_whole(batch)
    book = Workbook(write_only=True)
    _terms(book, batch)
    total = batch.code_count if whole else batch.exchanges.count()
    heading = (
        [_("Redemption code"), _("For")] if whole else [_("Redemption code"), _("Customer"), _("At"), _("Coupons")]
    )
    left, done = 0, 0
    sheet: Any = None
    for rows in _whole(batch) if whole else _exchanged(batch):
        for row in rows:
            if left == 0:
                sheet = book.create_sheet(str(done // (MOST_ROWS - 1) + 1))
                sheet.append(heading)
                left = MOST_ROWS - 1
            sheet.append(row)
            left -= 1
            done += 1
        yield jobs.Step(done=min(done, total), total=total)
    with tempfile.TemporaryFile() as file:
        book.save(file)
        file.seek(0)
        now = CodeBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if whole and not shows_whole(now):
            raise Refused("state_forbids", state=now.state)
        now.file.save("codes.xlsx", File(file), save=False)
        now.save(update_fields=["file"])
    yield jobs.Step(done=total, total=total, outcome={"whole": whole})


def _whole(batch: CodeBatch) -> Iterator[Iterator[list[str]]]:
    for number in batch.sheets.order_by("number").values_list("number", flat=True):
        sealed = batch.sheets.get(number=number).sealed
        yield ([*line] for line in codes.unseal(batch.pk, number, bytes(sealed)))


def _exchanged(batch: CodeBatch) -> Iterator[Iterator[list[Any]]]:
    last = 0
    while page := list(batch.exchanges.filter(pk__gt=last).select_related("code").order_by("pk")[:_PAGE]):
        last = page[-1].pk
        yield (
            [
                f"{codes.MASK}{one.code.hint}",
                one.customer,
                f"{timezone.localtime(one.at):%Y-%m-%d %H:%M:%S}",
                len(one.coupons),
            ]
            for one in page
        )


def _terms(book: Workbook, batch: CodeBatch) -> None:
    """The first sheet: what these codes are, for whoever opens the file without us."""
    sheet = book.create_sheet(_("Terms"))
    placement, campaign = batch.placement, batch.placement.campaign
    said: list[tuple[str, Any]] = [
        (_("Batch"), batch.name),
        (_("Placement"), f"{placement} ({placement.key})"),
        (_("Campaign"), campaign.name),
        (_("Campaign starts"), f"{timezone.localtime(campaign.starts_at):%Y-%m-%d %H:%M}"),
        (_("Campaign ends"), f"{timezone.localtime(campaign.ends_at):%Y-%m-%d %H:%M}"),
        (_("Codes"), batch.code_count),
        (_("Uses of each code"), batch.use_limit),
        (_("Used"), batch.exchanges.count()),
        (_("Hard to guess"), _("%(bits)s bits") % {"bits": f"{batch.bits:.0f}"} if batch.bits else "–"),
        (_("Made by"), str(batch.made_by or "–")),
        (_("Made at"), f"{timezone.localtime(batch.created_at):%Y-%m-%d %H:%M}"),
    ]
    for offer in placement.offers.select_related("template"):
        said += [(_("Coupon"), offer.template.name), *(("", rule) for rule in wording(offer.template)["rules"])]
    for label, value in said:
        sheet.append([_text(sheet, label), value if isinstance(value, int) else _text(sheet, value)])


def _text(sheet: Any, words: str) -> WriteOnlyCell:
    cell = WriteOnlyCell(sheet)
    cell.value, cell.data_type = words, "s"  # whatever it begins with, it is words
    return cell


# --- taking it away ----------------------------------------------------------------------------------------------


class Handing:
    """The file on its way out, on record; closed with its last piece, it was the one time that whole codes are seen."""

    def __init__(self, batch: CodeBatch, record: CodeDownload) -> None:
        self.batch, self.record = batch, record
        self.file = batch.file.open("rb")
        self.size = batch.file.size

    def __iter__(self) -> Iterator[bytes]:
        sent = 0
        while piece := self.file.read(CHUNK):
            sent += len(piece)
            if sent == self.size:
                self._arrived()  # before the last piece: whoever has it all has had it once
            yield piece

    def close(self) -> None:
        self.file.close()
        if self.record.whole and self.record.completed_at is None:
            CodeBatch.objects.filter(pk=self.batch.pk, handed_at__isnull=True).update(handing_at=None)

    def _arrived(self) -> None:
        now = timezone.now()
        with transaction.atomic():
            CodeDownload.objects.filter(pk=self.record.pk).update(completed_at=now)
            self.record.completed_at = now
            if self.record.whole:
                batch = CodeBatch.objects.select_for_update(no_key=True).get(pk=self.batch.pk)
                batch.handed_at = now
                batch.save(update_fields=["handed_at"])
                forget_whole(batch)


@transaction.atomic
def hand(batch: CodeBatch, *, by: User) -> Handing:
    """The file as it lies there.  :raises Refused: ``state_forbids``: none lies there, or somebody is at it."""
    batch = CodeBatch.objects.select_for_update(no_key=True, of=("self",)).select_related("file_job").get(pk=batch.pk)
    now = timezone.now()
    if not batch.file or batch.file_job is None:
        raise Refused("state_forbids", detail=_("The file has to be made first."))
    whole = bool(batch.file_job.outcome.get("whole"))
    if whole:
        if batch.handing_at is not None and (now - batch.handing_at).total_seconds() < MINUTES * 60:
            raise Refused("state_forbids", detail=_("Somebody is taking these codes away at this moment."))
        batch.handing_at = now
        batch.save(update_fields=["handing_at"])
    return Handing(batch, CodeDownload.objects.create(batch=batch, by=by, at=now, whole=whole))
