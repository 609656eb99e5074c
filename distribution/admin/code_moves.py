"""What people do with a batch of codes and with one code: paused, resumed, put into a file, closed; made void."""

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.admin.moving import Move
from coupons.models import Job
from coupons.tasks import run_job
from distribution import handing, minting
from distribution.admin.rights import DOWNLOADS_CODES
from distribution.models import CodeBatch, RedemptionCode

_MAKES = ("distribution.add_codebatch",)


def _move(name: str) -> Any:
    def act(batch: CodeBatch, request: HttpRequest, answers: dict[str, Any]) -> CodeBatch:
        batch = minting.move(batch, name)
        if name == "resume" and batch.job_id:
            run_job.delay_on_commit(batch.job_id)
        return batch

    return act


def _prepare(batch: CodeBatch, request: HttpRequest, answers: dict[str, Any]) -> CodeBatch:
    run_job.delay_on_commit(handing.prepare(batch, by=request.user).pk)  # type: ignore[arg-type]
    return batch


def _closing_says(batch: CodeBatch) -> list[str]:
    unused = batch.code_count * batch.use_limit - batch.exchanges.count()
    return [
        _("%(unused)s uses that are left are void at once, and this cannot be undone.") % {"unused": f"{unused:,}"},
        _("Coupons that were given out stay with their customers and can be used."),
        _("Codes that nobody has taken away can no longer be read."),
    ]


MOVES = (
    Move(
        "pause",
        gettext_lazy("Pause"),
        gettext_lazy("Pause the making of these codes?"),
        _MAKES,
        lambda batch: minting.possible(batch, "pause"),
        lambda batch: [_("What is made so far stays; none of them can be used until all are made.")],
        _move("pause"),
        gettext_lazy("Paused."),
        icon="pause",
    ),
    Move(
        "resume",
        gettext_lazy("Resume"),
        gettext_lazy("Go on making these codes?"),
        _MAKES,
        lambda batch: minting.possible(batch, "resume"),
        lambda batch: [_("It goes on where it stopped; nothing is done twice.")],
        _move("resume"),
        gettext_lazy("It goes on."),
        icon="play_arrow",
        main=True,
    ),
    Move(
        "file",
        gettext_lazy("Make the Excel file"),
        gettext_lazy("Make the Excel file of this batch?"),
        (DOWNLOADS_CODES,),
        lambda batch: (
            batch.state in ("ready", "closed")
            and not (batch.file and handing.shows_whole(batch))
            and (batch.file_job is None or batch.file_job.state not in Job.OPEN)
        ),
        lambda batch: [
            _("It has the whole codes and is written in the background. Taken away once, they are never shown again.")
            if handing.shows_whole(batch)
            else _("It lists who exchanged which code, and when; codes are masked.")
        ],
        _prepare,
        gettext_lazy("The file is being written."),
        icon="table_view",
        main=True,
    ),
    Move(
        "close",
        gettext_lazy("Close the batch"),
        gettext_lazy("Close this batch for good?"),
        _MAKES,
        lambda batch: minting.possible(batch, "close"),
        _closing_says,
        _move("close"),
        gettext_lazy("Closed; what was unused is void."),
        icon="block",
        danger=True,
    ),
)
#: The page before the file: the same look as any other question.
DOWNLOAD = Move(
    "download",
    gettext_lazy("Download"),
    gettext_lazy("Take these codes away?"),
    (DOWNLOADS_CODES,),
    lambda batch: bool(batch.file),
    lambda batch: [],
    lambda batch, request, answers: batch,
    "",
    icon="download",
)


def _void(code: RedemptionCode, request: HttpRequest, answers: dict[str, Any]) -> RedemptionCode:
    voided = minting.void(code)
    LogEntry.objects.log_actions(request.user.pk or 0, [voided], CHANGE, change_message="void")
    return voided


VOID = Move(
    "void",
    gettext_lazy("Void this code"),
    gettext_lazy("Void this code for good?"),
    _MAKES,
    minting.may_void,
    lambda code: [
        _("%(unused)s uses that are left are void at once, and this cannot be undone.")
        % {"unused": f"{code.use_limit - code.used_count:,}"},
        _("Coupons that were given out stay with their customers and can be used."),
    ],
    _void,
    gettext_lazy("Void; nobody can use this code any more."),
    icon="block",
    danger=True,
)
