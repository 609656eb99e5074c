"""A file about customers: sent, its columns named with a look at the first rows, then taken in the background."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.decorators import action

from coupons import importing
from coupons.admin.desk import Desk
from coupons.models import Job
from coupons.refused import Refused
from coupons.tasks import run_job


class FileForm(forms.Form):
    file = forms.FileField(
        label=gettext_lazy("File"),
        help_text=gettext_lazy("CSV (UTF-8 or GB18030) or Excel (.xlsx), with a heading, up to 1,000,000 rows."),
        widget=forms.FileInput({"accept": ".csv,.txt,.xlsx", "class": "desk-file"}),
    )


class ColumnsForm(forms.Form):
    """A choice for each column of the file."""

    def __init__(self, heading: list[str], data: Any, guessed: dict[str, str]) -> None:
        super().__init__(data, initial={f"column-{place}": name for place, name in guessed.items()})
        choices = [("", _("leave out")), *((name, label) for name, (label, _known) in importing.COLUMNS.items())]
        for place, words in enumerate(heading):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                choices=choices,
                required=False,
                label=words or _("column %(number)d") % {"number": place + 1},
                widget=widgets.UnfoldAdminSelectWidget(),
            )

    def columns(self) -> dict[str, str]:
        return {name.removeprefix("column-"): said for name, said in self.cleaned_data.items() if said}

    def clean(self) -> None:
        for fault in importing.column_faults(self.columns()):
            self.add_error(None, ValidationError(fault, "invalid"))


class WithImport(Desk):
    """For the page of customers."""

    actions_list = ["import_file"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.columns_view)
        return [path("import/<int:pk>/", view, name="coupons_customer_columns"), *super().get_urls()]

    def has_import_file_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("coupons.import_customer")

    @action(
        description=gettext_lazy("Import a file"), url_path="import", permissions=["import_file"], icon="upload_file"
    )
    def import_file(self, request: HttpRequest) -> HttpResponse:
        form = FileForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            try:
                job = importing.receive(file, file.name, by=request.user)  # type: ignore[arg-type]
            except Refused as refused:
                form.add_error("file", str(refused.detail))
            else:
                return HttpResponseRedirect(reverse("admin:coupons_customer_columns", args=[job.pk]))
        return self._page(request, "coupons/admin/import_file.html", _("Import customers from a file"), form=form)

    def columns_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Only whoever sent the file names its columns."""
        if not self.has_import_file_permission(request):
            raise PermissionDenied
        job = Job.objects.filter(pk=pk, kind=importing.KIND, made_by=request.user.pk).first()
        if job is None:
            raise Http404
        if not importing.wants_columns(job):
            return HttpResponseRedirect(reverse("admin:coupons_job_change", args=[pk]))
        heading, _rows = importing.preview(job, {})
        columns = importing.guess(heading)
        posted = request.POST if request.method == "POST" else None
        form = ColumnsForm(heading, posted, columns)
        if posted is not None:
            if form.is_valid() and "begin" in posted:
                try:
                    importing.begin(job, form.columns(), timezone.now())
                except Refused as refused:
                    messages.error(request, str(refused.detail))
                else:
                    run_job.delay_on_commit(job.pk)
                return HttpResponseRedirect(reverse("admin:coupons_job_change", args=[pk]))
            columns = form.columns()
        heading, rows = importing.preview(job, columns)
        width = len(heading)
        return self._page(
            request,
            "coupons/admin/import_columns.html",
            str(job),
            form=form,
            heading=heading,
            rows=[(row.number, (row.cells + [""] * width)[:width], faults) for row, faults in rows],
            cancel=reverse("admin:coupons_job_move", args=[pk, "cancel"]),
        )

    def _page(self, request: HttpRequest, template: str, title: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "back": reverse("admin:coupons_customer_changelist"),
            **more,
        }
        return TemplateResponse(request, template, context)
