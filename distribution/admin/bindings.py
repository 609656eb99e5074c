"""绑券: coupons put into named accounts; looked over, confirmed, called back, done again for those who got nothing."""

from itertools import chain
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
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
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.desk import Desk, RefusedMixin
from coupons.admin.jobs import watched
from coupons.admin.money import yuan
from coupons.admin.moving import Move
from coupons.admin.saying import bar
from coupons.models import Audience, CouponTemplate, Job
from coupons.tasks import run_job
from distribution.admin.rights import APPROVES
from distribution.binding import moving
from distribution.binding.telling import words_of
from distribution.models import Binding, Placement

CHIPS = {
    "counting": "info",
    "counted": "warning",
    "awaiting": "warning",
    "scheduled": "info",
    "done": "success",
    "called_back": "",
}
#: Which question each way of saying to whom answers.
NEEDS = {"list": ["named_by", "accounts"], "file": ["named_by", "column", "file"], "audience": ["audience"]}
_BINDS = ("distribution.add_binding",)
#: Accounts that are typed or pasted; more come as a file.
MOST_PASTED = 20_000


class BindingForm(RefusedMixin, forms.ModelForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("To whom"),
        choices=[
            ("list", gettext_lazy("a pasted list")),
            ("file", gettext_lazy("a file, CSV or Excel")),
            ("audience", gettext_lazy("an audience")),
        ],
        initial="list",
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    named_by = forms.ChoiceField(
        label=gettext_lazy("Accounts are named by"),
        choices=Binding.Named.choices,
        initial=Binding.Named.KEY,
        required=False,
        widget=widgets.UnfoldAdminRadioSelectWidget(),
        help_text=gettext_lazy("A phone number stands for the newest member who has it."),
    )
    accounts = forms.CharField(
        label=gettext_lazy("Accounts"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 8}),
        help_text=gettext_lazy("One a line, at most 20,000; more as a file."),
    )
    column = forms.IntegerField(
        label=gettext_lazy("Column of the accounts"),
        required=False,
        initial=1,
        min_value=1,
        max_value=100,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.xlsx", "class": "desk-file"}),
        help_text=gettext_lazy("CSV or Excel, a heading above; up to 1,000,000 rows."),
    )
    audience = forms.ModelChoiceField(
        Audience.objects.order_by("name"),
        label=gettext_lazy("Audience"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Whoever belongs to it at the moment of the dry run."),
    )

    class Meta:
        model = Binding
        fields = ("placement", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = Placement.objects.filter(form=Placement.Form.BIND).exclude(status=Placement.Status.ENDED)
        self.fields["placement"].queryset = open_ones.select_related("campaign")  # type: ignore[attr-defined]
        self.fields["placement"].help_text = _("A placement of the form “binding”.")

    def clean_accounts(self) -> list[str]:
        accounts = [line.strip() for line in self.cleaned_data["accounts"].splitlines() if line.strip()]
        if len(accounts) > MOST_PASTED:
            raise ValidationError(
                _("More than %(most)s accounts: bring them as a file.") % {"most": f"{MOST_PASTED:,}"}
            )
        return accounts

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        for name in NEEDS.get(said.get("kind", ""), ())[-1:]:
            if not said.get(name) and name not in self.errors:
                self.add_error(name, ValidationError(_("This field is required."), "required"))
        return said

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.named_by = self.cleaned_data.get("named_by") or Binding.Named.KEY
        if self.cleaned_data.get("kind") == "audience":
            self.instance.audience = self.cleaned_data.get("audience")
        self.say_refused()


def _move(name: str) -> Any:
    def act(binding: Binding, request: HttpRequest, answers: dict[str, Any]) -> Binding:
        moved = moving.move(binding, name, by=request.user)  # type: ignore[arg-type]
        if name == "call_back" and moved.job and moved.job.state == Job.State.WAITING:
            run_job.delay_on_commit(moved.job.pk)
        return moved

    return act


def _again(binding: Binding, request: HttpRequest, answers: dict[str, Any]) -> Binding:
    made = moving.again(binding, by=request.user)  # type: ignore[arg-type]
    if made.job_id:
        run_job.delay_on_commit(made.job_id)
    return made


def _says(binding: Binding) -> list[str]:
    """What it comes to."""
    looked = binding.looked
    said = [
        _("%(places)s coupons go to %(accounts)s listed accounts.")
        % {"places": f"{looked['places']:,}", "accounts": f"{looked['accounts']:,}"},
        _("%(cost)s of the budget is committed at most.") % {"cost": yuan(looked["cost_fen"])},
    ]
    if sum(looked["no"].values()):
        said.append(_("%(count)s accounts get nothing.") % {"count": f"{sum(looked['no'].values()):,}"})
    return said


def _begins() -> str:
    minutes = {"minutes": f"{settings.BIND_MINUTES:g}"}
    return _("It begins in %(minutes)s minutes; until then nobody has anything, and it can be called back.") % minutes


def _confirming_says(binding: Binding) -> list[str]:
    said = _says(binding)
    if moving.needs_second(binding):
        said.append(_("It costs so much that a second person has to agree before it begins."))
    else:
        said.append(_begins())
    said.append(_("Limits and rules are asked anew when it is done: they may have changed by then."))
    return said


MOVES = (
    Move(
        "confirm",
        gettext_lazy("Confirm"),
        gettext_lazy("Give these coupons out?"),
        _BINDS,
        lambda binding: moving.possible(binding, "confirm"),
        _confirming_says,
        _move("confirm"),
        gettext_lazy("Confirmed."),
        icon="check",
        main=True,
    ),
    Move(
        "approve",
        gettext_lazy("Agree as second person"),
        gettext_lazy("Agree that these coupons are given out?"),
        (APPROVES,),
        lambda binding: moving.possible(binding, "approve"),
        lambda binding: [*_says(binding), _begins()],
        _move("approve"),
        gettext_lazy("Agreed."),
        icon="check",
        main=True,
    ),
    Move(
        "call_back",
        gettext_lazy("Call back"),
        gettext_lazy("Call this back?"),
        (*_BINDS, APPROVES),
        lambda binding: moving.possible(binding, "call_back"),
        lambda binding: [
            _("Nothing more is given out. What has been given already stays with its customers.")
            if binding.starts_at and binding.starts_at <= timezone.now()
            else _("Nobody has been given anything yet.")
        ],
        _move("call_back"),
        gettext_lazy("Called back."),
        icon="undo",
        danger=True,
    ),
    Move(
        "again",
        gettext_lazy("Again for those who got nothing"),
        gettext_lazy("Try again for those who got nothing?"),
        _BINDS,
        lambda binding: moving.possible(binding, "again"),
        lambda binding: [_("They are looked over anew; you confirm it as another binding.")],
        _again,
        gettext_lazy("It is being looked over."),
        icon="replay",
    ),
)


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
        return super().get_queryset(request).select_related("placement", "job", "audience")

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
            column=said["column"] or 1,
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
