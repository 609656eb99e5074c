"""绑券: coupons put into named accounts; looked over, confirmed, called back, done again for those who got nothing."""

from itertools import chain
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    JsonResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk
from coupons.admin.jobs import watched
from coupons.admin.money import yuan
from coupons.admin.moving import Move
from coupons.admin.saying import bar
from coupons.models import CouponTemplate, Job
from coupons.tasks import run_job
from distribution.admin.binding_form import NEEDS, BindingForm
from distribution.admin.binding_moves import MOVES
from distribution.admin.states import waits_for
from distribution.binding import moving
from distribution.binding.telling import words_of
from distribution.models import Binding

CHIPS = {
    "counting": "info",
    "counted": "warning",
    "awaiting": "warning",
    "scheduled": "info",
    "done": "success",
    "called_back": "",
}


@admin.register(Binding)
class BindingAdmin(Desk):
    form = BindingForm
    moves = MOVES
    change_form_before_template = "distribution/admin/batch_progress.html"
    empty_words = gettext_lazy(
        "No bindings yet. A binding puts the coupons of a placement into the accounts of a list, a file or an audience."
    )
    list_display = ("named", "state_chip", "progress", "made_by", "created_at")
    list_filter = (("state", ChoicesDropdownFilter), ("placement", RelatedDropdownFilter))
    search_fields = ("name", "placement__key", "placement__title")
    list_select_related = ("placement", "made_by")
    _READ = (
        "placement",
        "audience",
        "named_how",
        "again_for",
        "who_made_by",
        "who_confirmed_by",
        "who_approved_by",
        "created_at",
        "starts_at",
        "ended_at",
    )

    class Media:
        css = {"all": ("distribution/desk.css",)}
        js = ("distribution/desk.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Binding]:
        return super().get_queryset(request).select_related("placement__campaign", "job", "audience")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return [(None, {"fields": ("placement", "name", "kind", *dict.fromkeys(chain(*NEEDS.values())))})]
        names = [
            name
            for name in self._READ
            if (obj.audience is None if name == "named_how" else getattr(obj, name.removeprefix("who_")) is not None)
        ]
        return [(None, {"fields": names})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self._READ if obj else ()

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None and super().has_change_permission(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is not None:
            kwargs["form"] = forms.ModelForm
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        said = form.cleaned_data
        moving.begin(
            obj,
            by=request.user,  # type: ignore[arg-type]
            accounts=said["accounts"] if said["kind"] == "list" else None,
            file=said["file"] if said["kind"] == "file" else None,
            column=said.get("column") or 1,
        )
        run_job.delay_on_commit(obj.job_id)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:distribution_binding_change", args=[obj.pk]))

    def moves_for(self, request: HttpRequest, obj: Any) -> list[Move]:
        own = request.user.pk in (obj.made_by_id, obj.confirmed_by_id)
        return [move for move in super().moves_for(request, obj) if not (move.name == "approve" and own)]

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        looked, did = obj.looked, obj.did
        facts, groups, notes = [], [], []
        if looked:
            facts = [
                (_("Accounts"), f"{looked['accounts']:,}"),
                (_("Coupons by the dry run"), f"{looked['places']:,}"),
                (_("Cost at most"), yuan(looked["cost_fen"])),
            ]
            names = dict(CouponTemplate.objects.filter(key__in=looked["would"]).values_list("key", "internal_name"))
            groups.append(
                (_("Would be given"), [f"{names.get(key, key)}: {n:,}" for key, n in looked["would"].items()])
            )
            groups.append((_("Would get nothing"), _noes(looked["no"])))
        if did:
            facts.append((_("Given"), f"{did['coupons']:,}"))
            groups = [(_("Got nothing"), _noes(did["no"]))]
        if obj.state == "scheduled" and obj.starts_at:
            at = f"{timezone.localtime(obj.starts_at):%Y-%m-%d %H:%M}"
            notes.append(_("It begins at %(at)s; until then it can be called back.") % {"at": at})
        if obj.state == "counted" and not looked.get("places"):
            notes.append(_("Nobody of them would get anything, so there is nothing to confirm."))
        if obj.state in ("counted", "awaiting", "scheduled"):
            notes += waits_for(obj.placement)
        if obj.state == "scheduled" and obj.job and obj.job.state == Job.State.CANCELLED:
            notes.append(_("Its job was cancelled. Call it back to see what was done, and to do the rest."))
        if obj.state == "awaiting":
            notes.append(_("Somebody else with the right to approve has to agree."))
        links = [(_("Placement"), reverse("admin:distribution_placement_change", args=[obj.placement_id]))]
        if obj.job and obj.job.result:
            links.append(
                (_("Result, a line for each account"), reverse("admin:distribution_binding_result", args=[obj.pk]))
            )
        return {
            "chip": (obj.get_state_display(), CHIPS[obj.state]),
            "title": obj.name,
            "facts": facts,
            "groups": groups,
            "notes": notes,
            "links": links,
        }

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        context = {**(extra_context or {}), "needs": NEEDS}
        context |= {"show_save_and_continue": False, "show_save_and_add_another": False}  # the way leads on to it
        found = self.get_object(request, object_id) if object_id else None
        job = found.job if found and self.has_view_permission(request, found) else None
        if found and job and (job.state in ("running", "paused", "failed") or found.state == "counting"):
            address = reverse("admin:distribution_binding_progress", args=[found.pk])
            context |= {**watched(job), "progress_url": address}
        return super().changeform_view(request, object_id, form_url, context)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("<int:pk>/progress/", wrap(self.progress_view), name="distribution_binding_progress"),
            path("<int:pk>/result/", wrap(self.result_view), name="distribution_binding_result"),
            *super().get_urls(),
        ]

    def _job(self, request: HttpRequest, pk: int) -> Job:
        found = self.get_object(request, str(pk))
        if found is None or found.job is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found.job

    def progress_view(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(self._job(request, pk).as_dict())

    def result_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        job = self._job(request, pk)
        if not job.result:
            raise Http404
        return FileResponse(job.result.open("rb"), as_attachment=True, filename=f"binding-{pk}.xlsx")

    # --- to read: accounts are no links, for whoever may not open them ---------------------------------------------

    @display(description=gettext_lazy("Accounts are named by"))
    def named_how(self, obj: Any) -> str:
        return obj.get_named_by_display()

    @display(description=gettext_lazy("Made by"))
    def who_made_by(self, obj: Any) -> str:
        return str(obj.made_by)

    @display(description=gettext_lazy("Confirmed by"))
    def who_confirmed_by(self, obj: Any) -> str:
        return str(obj.confirmed_by)

    @display(description=gettext_lazy("Second person"))
    def who_approved_by(self, obj: Any) -> str:
        return str(obj.approved_by)

    # --- columns --------------------------------------------------------------------------------------------------

    @display(description=gettext_lazy("Binding"), header=True, ordering="name")
    def named(self, obj: Any) -> list[str]:
        return [obj.name, str(obj.placement)]

    @display(description=gettext_lazy("State"), label=CHIPS, ordering="state")
    def state_chip(self, obj: Any) -> tuple[str, str]:
        return obj.state, str(obj.get_state_display())

    @display(description=gettext_lazy("Given"))
    def progress(self, obj: Any) -> Any:
        accounts = obj.looked.get("accounts", 0)
        given = obj.did.get("given", 0)
        return bar(given, accounts, f"{given:,} / {accounts:,}")


def _noes(no: dict[str, int]) -> list[str]:
    most_first = sorted(no.items(), key=lambda one: -one[1])
    return [f"{words_of(code)} {count:,}" for code, count in most_first]
