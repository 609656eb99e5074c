"""Pages of what a job works out: asked for on one page, watched and read on the other, taken away as Excel."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin.desk import Desk, ReadDesk
from coupons.admin.jobs import CHIPS


class WorkedDesk(ReadDesk):
    """Rows with a ``job``, ``first_day`` and ``last_day``; ``found`` is None until the job is done."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return Desk.has_add_permission(self, request)

    def get_urls(self) -> list[URLPattern]:
        view, name = self.admin_site.admin_view, f"{self.opts.app_label}_{self.opts.model_name}"
        return [
            path("<int:pk>/progress/", view(self.progress_view), name=f"{name}_progress"),
            path("<int:pk>/excel/", view(self.excel_view), name=f"{name}_excel"),
            *super().get_urls(),
        ]

    def address(self, name: str, *args: Any) -> str:
        """Of one of these pages: ``add``, ``change``, ``progress``, ``excel``."""
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{name}", args=args)

    def one(self, request: HttpRequest, pk: Any) -> Any:
        """:raises PermissionDenied, Http404:"""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = self.get_queryset(request).filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        if object_id is not None:
            return self.result_view(request, object_id)
        if not self.has_add_permission(request):
            raise PermissionDenied
        return self.ask_view(request)

    def ask_view(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError

    def result_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        raise NotImplementedError

    def shown(self, request: HttpRequest, worked: Any) -> dict[str, Any]:
        """What every result page says, whatever was worked out."""
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": worked,
            "job": None if worked.found else worked.job,
            "chip": (worked.job.get_state_display(), CHIPS[worked.job.state]),
            "progress_url": self.address("progress", worked.pk),
        }

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(self.one(request, pk).job.as_dict())

    def excel_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        worked = self.one(request, pk)
        if not worked.found:
            raise Http404
        return self.excel(worked)

    def excel(self, worked: Any) -> HttpResponseBase:
        raise NotImplementedError

    @display(description=gettext_lazy("Days"))
    def days(self, obj: Any) -> str:
        return f"{obj.first_day} – {obj.last_day}"

    @display(description=gettext_lazy("State"), label=CHIPS)
    def state(self, obj: Any) -> tuple[str, str]:
        return obj.job.state, str(obj.job.get_state_display())
