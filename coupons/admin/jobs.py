"""后台任务: long work to watch, pause, take up again and cancel; what came of it is taken away here."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.decorators import display

from coupons import importing, jobs
from coupons.admin.desk import ReadDesk
from coupons.admin.moving import Move
from coupons.models import Job
from coupons.tasks import run_job

CHIPS = {
    "waiting": "primary",
    "running": "info",
    "paused": "warning",
    "done": "success",
    "failed": "danger",
    "cancelled": "",
}

#: Numbers of rows that came of a file, by their names in ``Job.outcome``.
OUTCOMES = {
    "created": gettext_lazy("made"),
    "updated": gettext_lazy("changed"),
    "unchanged": gettext_lazy("unchanged"),
    "error": gettext_lazy("at fault"),
}

_SAME = gettext_lazy("The same file was taken on %(at)s. Facts that were told since then stay as they are.")


def _run_again(job: Job, request: HttpRequest, answers: dict[str, Any]) -> Job:
    job = jobs.move(job, "resume")
    run_job.delay_on_commit(job.pk)
    return job


def _done_so_far(job: Job) -> str:
    return _("What is done so far stays done.") if job.done_count else _("Nothing has been done yet.")


def watched(job: Job) -> dict[str, Any]:
    """What ``coupons/admin/progress.html`` shows of a job, as ``job`` and ``progress_url``."""
    return {"job": job, "progress_url": reverse("admin:coupons_job_progress", args=[job.pk])}


@admin.register(Job)
class JobAdmin(ReadDesk):
    """Whoever started a job sees it; whoever may change accounts sees everybody's."""

    list_display = ("title", "state_chip", "progress", "made_by", "created_at", "ended_at")
    list_filter = (("state", ChoicesDropdownFilter), "kind")
    search_fields = ("title",)
    list_select_related = ("made_by",)
    change_form_before_template = "coupons/admin/progress.html"
    empty_words = gettext_lazy("No long work yet. Imports, exports and batches are watched here.")
    fields = ("title", "made_by", "created_at", "started_at", "ended_at")
    moves = (
        Move(
            "pause",
            gettext_lazy("Pause"),
            gettext_lazy("Pause this job?"),
            ("coupons.view_job",),
            lambda job: jobs.possible(job, "pause"),
            lambda job: [_done_so_far(job), _("It can be resumed where it stopped.")],
            lambda job, request, answers: jobs.move(job, "pause"),
            gettext_lazy("Paused."),
            icon="pause",
        ),
        Move(
            "resume",
            gettext_lazy("Resume"),
            gettext_lazy("Go on with this job?"),
            ("coupons.view_job",),
            lambda job: jobs.possible(job, "resume") and not importing.wants_columns(job),
            lambda job: [_("It goes on where it stopped; nothing is done twice.")],
            _run_again,
            gettext_lazy("It goes on."),
            icon="play_arrow",
            main=True,
        ),
        Move(
            "cancel",
            gettext_lazy("Cancel"),
            gettext_lazy("Cancel this job for good?"),
            ("coupons.view_job",),
            lambda job: jobs.possible(job, "cancel"),
            lambda job: [_done_so_far(job), _("It cannot be resumed.")],
            lambda job, request, answers: jobs.move(job, "cancel"),
            gettext_lazy("Cancelled."),
            icon="stop",
            danger=True,
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        found = super().get_queryset(request)
        return found if request.user.has_perm("auth.change_user") else found.filter(made_by=request.user)

    def get_urls(self) -> list[URLPattern]:
        return [
            path("<int:pk>/progress/", self.admin_site.admin_view(self.progress_view), name="coupons_job_progress"),
            path("<int:pk>/result/", self.admin_site.admin_view(self.result_view), name="coupons_job_result"),
            *super().get_urls(),
        ]

    def _one(self, request: HttpRequest, pk: int) -> Job:
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = self.get_queryset(request).filter(pk=pk).first()
        if job is None:
            raise Http404
        return job

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(self._one(request, pk).as_dict())

    def result_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        job = self._one(request, pk)
        if not job.result:
            raise Http404
        return FileResponse(job.result.open("rb"), as_attachment=True, filename=str(job.result.name).rsplit("/", 1)[-1])

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        job = self.get_object(request, object_id) if object_id else None
        context = {**(extra_context or {}), **(watched(job) if job else {})}
        return super().changeform_view(request, object_id, form_url, context)

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        facts = [(words, f"{obj.outcome[name]:,}") for name, words in OUTCOMES.items() if name in obj.outcome]
        links = [(_("Download the result"), reverse("admin:coupons_job_result", args=[obj.pk]))] if obj.result else []
        if importing.wants_columns(obj):
            links.append((_("Say what each column is"), reverse("admin:coupons_customer_columns", args=[obj.pk])))
        before = importing.taken_before(obj)
        notes = [_SAME % {"at": f"{timezone.localtime(before):%Y-%m-%d %H:%M}"}] if before else []
        return {
            "chip": (obj.get_state_display(), CHIPS[obj.state]),
            "title": obj.title,
            "facts": facts,
            "links": links,
            "notes": notes,
        }

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="state")
    def state_chip(self, obj: Any) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display())

    @display(description=gettext_lazy("Progress"))
    def progress(self, obj: Any) -> str:
        if obj.total_count is None:
            return f"{obj.done_count:,}"
        return f"{obj.done_count:,} / {obj.total_count:,} ({obj.percent} %)"
