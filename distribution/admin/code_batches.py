"""兑换码: batches of codes, made and watched, taken away once, closed."""

from itertools import chain
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.forms import ModelForm
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadInline
from coupons.admin.exporting import EXCEL
from coupons.admin.jobs import watched
from coupons.admin.saying import bar
from coupons.models import Job
from coupons.refused import Invalid, Refused
from coupons.tasks import run_job
from distribution import codes, handing, importing, minting
from distribution.admin import qr
from distribution.admin.code_form import NEEDS, CodeBatchForm
from distribution.admin.code_moves import DOWNLOAD, MOVES
from distribution.admin.rights import DOWNLOADS_CODES
from distribution.admin.states import waits_for
from distribution.admin.tools import reached, typed_at
from distribution.models import CodeBatch, CodeDownload

CHIPS = {"new": "primary", "running": "info", "ready": "success", "closed": ""}


class DownloadInline(ReadInline):
    model = CodeDownload
    fields = ("at", "taken_by", "what", "completed_at")
    readonly_fields = fields
    verbose_name_plural = gettext_lazy("Downloads on record")
    ordering = ("-id",)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("distribution.view_codebatch")

    @display(description=gettext_lazy("Taken by"))
    def taken_by(self, obj: Any) -> str:
        return str(obj.by)

    @display(description=gettext_lazy("Codes"))
    def what(self, obj: Any) -> str:
        return _("whole") if obj.whole else _("masked")


@admin.register(CodeBatch)
class CodeBatchAdmin(Desk):
    form = CodeBatchForm
    inlines = (DownloadInline,)
    moves = MOVES
    change_form_outer_before_template = "distribution/admin/page_top.html"
    change_form_before_template = "distribution/admin/batch_progress.html"
    empty_words = gettext_lazy(
        "No codes yet. A batch belongs to a placement of the form “redemption codes”, which says what a code becomes."
    )
    list_display = ("called", "placement_name", "kind_name", "state_chip", "progress", "created_at")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("placement", RelatedDropdownFilter),
    )
    search_fields = ("name", "placement__key", "placement__title")
    search_help_text = gettext_lazy("Name, placement, or a whole code as a customer typed it")
    list_select_related = ("placement",)

    class Media:
        css = {"all": ("distribution/desk.css",)}
        js = ("distribution/desk.js",)

    # --- what is asked, what is shown -----------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[CodeBatch]:
        found = super().get_queryset(request).select_related("placement__campaign", "job", "file_job", "made_by")
        return found.annotate(exchange_count=Count("exchanges"))

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        if search_term and (code := minting.find(search_term)):
            return queryset.filter(pk=code.batch_id), False
        return super().get_search_results(request, queryset, search_term)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            fields: tuple[str, ...] = ("placement", "name", "kind", *dict.fromkeys(chain(*NEEDS.values())))
        else:
            fields = ("placement", "kind_name", "count_words", "guess_words", "maker", "created_at", "closed_at")
        return [(None, {"fields": fields})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ()
        return ("placement", "kind_name", "count_words", "guess_words", "maker", "created_at", "closed_at")

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return self.inlines if obj is not None else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = ModelForm
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.cleaned_data
        try:
            if said["kind"] == CodeBatch.Kind.IMPORTED:
                importing.begin(obj, said["upload"], by=request.user)  # type: ignore[arg-type]
            else:
                named = said.get("customers") or said.get("customers_file") or None
                minting.begin(obj, customers=named, by=request.user)  # type: ignore[arg-type]
        except Invalid as invalid:
            raise Refused("invalid", invalid.errors) from None
        if obj.job_id:
            run_job.delay_on_commit(obj.job_id)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:distribution_codebatch_change", args=[obj.pk]))

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        used, uses = obj.exchange_count, obj.code_count * obj.use_limit
        notes = [] if obj.state == CodeBatch.State.CLOSED else waits_for(obj.placement)
        if obj.shared_code:
            notes.append(_("The code is %(code)s.") % {"code": obj.shared_code})
        elif obj.job and obj.job.state == Job.State.CANCELLED and obj.state != CodeBatch.State.CLOSED:
            notes.append(_("Its making was cancelled, so none of its codes can be used: close it and make another."))
        elif obj.handed_at:
            at = f"{timezone.localtime(obj.handed_at):%Y-%m-%d %H:%M}"
            notes.append(_("The whole codes were taken away on %(at)s; since then nobody can see them.") % {"at": at})
        elif handing.shows_whole(obj):
            notes.append(_("The whole codes can be taken away once. They are kept sealed until then."))
        links = [(_("Placement"), reverse("admin:distribution_placement_change", args=[obj.placement_id]))]
        links.append(
            (_("Its codes"), f"{reverse('admin:distribution_redemptioncode_changelist')}?batch__id__exact={obj.pk}")
        )
        if obj.kind == CodeBatch.Kind.IMPORTED and obj.job and obj.job.result:
            links.append((_("What became of each row"), reverse("admin:distribution_codebatch_rows", args=[obj.pk])))
        if obj.file and request.user.has_perm(DOWNLOADS_CODES):
            links.append((_("Download the Excel file"), reverse("admin:distribution_codebatch_file", args=[obj.pk])))
        return {
            "chip": (obj.get_state_display(), CHIPS[obj.state]),
            "title": obj.name,
            "facts": [(_("Used"), f"{used:,} / {uses:,}")],
            "links": links,
            "notes": notes,
            **(reached(request, obj) if obj.kind == CodeBatch.Kind.SHARED and obj.state == "ready" else {}),
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = dict(extra_context or {})
        if batch := self.get_object(request, object_id) if object_id else None:
            jobs = [job for job in (batch.job, batch.file_job) if job is not None]
            shown = next((job for job in reversed(jobs) if job.state in (*Job.OPEN, "failed")), None)
            if shown is not None and self.has_view_permission(request, batch):
                context |= {
                    **watched(shown),
                    "progress_url": reverse("admin:distribution_codebatch_progress", args=[batch.pk]),
                }
        # However it is saved, the way leads on to the batch.
        context |= {"needs": NEEDS, "show_save_and_continue": False, "show_save_and_add_another": False}
        return super().changeform_view(request, object_id, form_url, context)

    # --- the file ---------------------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="distribution_codebatch_progress"),
            path("<int:pk>/rows/", wrap(self.rows_view), name="distribution_codebatch_rows"),
            path("<int:pk>/qr.<slug:kind>", wrap(self.qr_view), name="distribution_codebatch_qr"),
            path("<int:pk>/file/", wrap(self.file_view), name="distribution_codebatch_file"),
            *super().get_urls(),
        ]

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        batch = self.get_object(request, str(pk))
        if batch is None or not self.has_view_permission(request, batch):
            raise PermissionDenied
        jobs = [job for job in (batch.job, batch.file_job) if job is not None]
        if not jobs:  # a shared code is there at once
            raise Http404
        shown = next((job for job in reversed(jobs) if job.state in Job.OPEN), jobs[-1])
        return JsonResponse(shown.as_dict())

    def rows_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        batch = self.get_object(request, str(pk))
        if batch is None or not self.has_view_permission(request, batch):
            raise PermissionDenied
        if batch.kind != CodeBatch.Kind.IMPORTED or batch.job is None or not batch.job.result:
            raise Http404
        return FileResponse(batch.job.result.open("rb"), as_attachment=True, filename=f"rows-{pk}.xlsx")

    def qr_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponse:
        """A shared code, as whoever scans it finds it typed in already."""
        batch = self.get_object(request, str(pk))
        if batch is None or not self.has_view_permission(request, batch):
            raise PermissionDenied
        if kind not in qr.TYPES or batch.kind != CodeBatch.Kind.SHARED:
            raise Http404
        return qr.picture(typed_at(request, batch), f"code-{batch.pk}", kind)

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Asked once more where it shows whole codes; the answer itself is the file."""
        batch = self.get_object(request, str(pk))
        if batch is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, str(pk))
        if not request.user.has_perm(DOWNLOADS_CODES) or not self.has_view_permission(request, batch):
            raise PermissionDenied
        back = reverse("admin:distribution_codebatch_change", args=[pk])
        if request.method == "POST":
            try:
                out = handing.hand(batch, by=request.user)  # type: ignore[arg-type]
            except Refused as refused:
                self.message_user(request, str(refused.detail), 40)
                return HttpResponseRedirect(back)
            response = StreamingHttpResponse(out, content_type=EXCEL)
            response["Content-Length"] = str(out.size)
            name = slugify(batch.placement.key) or "codes"
            response["Content-Disposition"] = f'attachment; filename="codes-{name}-{batch.pk}.xlsx"'
            response["Cache-Control"] = "no-store"
            return response
        whole = bool(batch.file_job and batch.file_job.outcome.get("whole"))
        says = [_("The download is put on record under your name.")]
        if whole:
            says = [
                _("This is the only time: once the file has arrived whole, nobody can read these codes here again."),
                _("Keep the file where only those who need it can open it: each code is worth a coupon."),
                *says,
            ]
        context = {
            **self.admin_site.each_context(request),
            "title": DOWNLOAD.label,
            "opts": self.opts,
            "original": batch,
            "move": DOWNLOAD,
            "consequences": says,
            "form": None,
            "back": back,
        }
        return TemplateResponse(request, "coupons/admin/move.html", context)

    # --- columns --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Batch"), header=True, ordering="name")
    def called(self, obj: Any) -> list[str]:
        return [obj.name, obj.placement.key]

    @display(description=gettext_lazy("Placement"), ordering="placement__title")
    def placement_name(self, obj: Any) -> str:
        return str(obj.placement)

    @display(description=gettext_lazy("Kind"), ordering="kind")
    def kind_name(self, obj: Any) -> str:
        return obj.get_kind_display()

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="state")
    def state_chip(self, obj: Any) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display())

    @display(description=gettext_lazy("Used"))
    def progress(self, obj: Any) -> Any:
        uses = obj.code_count * obj.use_limit
        return bar(obj.exchange_count, uses, f"{obj.exchange_count:,} / {uses:,}")

    @display(description=gettext_lazy("Made by"))
    def maker(self, obj: Any) -> str:
        return str(obj.made_by or "–")

    @display(description=gettext_lazy("Codes"))
    def count_words(self, obj: Any) -> str:
        words = f"{obj.code_count:,}"
        if obj.named:
            words = _("%(count)s, each for one named customer") % {"count": words}
        elif obj.use_limit > 1:
            words = _("%(count)s, for %(uses)s uses") % {"count": words, "uses": f"{obj.use_limit:,}"}
        return words

    @display(description=gettext_lazy("Hard to guess"))
    def guess_words(self, obj: Any) -> str:
        if obj.bits is None:
            return _("A shared code is meant to be known.")
        return _("%(bits)s bits: one of 2^%(bits)s guesses would hit a code. At least %(least)s are asked for.") % {
            "bits": f"{obj.bits:.0f}",
            "least": codes.LEAST_BITS,
        }
