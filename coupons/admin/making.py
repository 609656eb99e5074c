"""The page on which a template is made: steps one below the other, a preview beside them, nothing typed ever lost."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from coupons import approving, checking, editing, pictures
from coupons.admin import comparing, keeping, panels, verdict_panel, warnings_form
from coupons.admin.history import WithHistory
from coupons.admin.previewing import preview_of
from coupons.models import CouponTemplate, Supply, TemplateDraft
from coupons.refused import Refused

State = TemplateDraft.State


class Making(WithHistory):
    """For the admin of templates."""

    change_form_template = "coupons/admin/template_form.html"
    list_before_template = "coupons/admin/unfinished.html"

    def get_urls(self) -> list[URLPattern]:
        def address(way: str, view: Any, name: str) -> URLPattern:
            return path(way, self.admin_site.admin_view(view), name=f"coupons_coupontemplate_{name}")

        return [
            address("preview/", self.preview_view, "preview"),
            address("<int:object_id>/preview/", self.preview_view, "preview_of"),
            address("picture/", self.picture_view, "picture"),
            address("unfinished/<int:number>/discard/", self.discard_view, "discard"),
            address("proposal/<int:number>/", self.proposal_view, "proposal"),
            *super().get_urls(),
        ]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Read once for a page that is only shown."""
        if request.method != "GET" or from_field:
            return super().get_object(request, object_id, from_field)
        read = request.__dict__.setdefault("read_templates", {})
        if object_id not in read:
            read[object_id] = super().get_object(request, object_id)
        return read[object_id]

    # --- the form -------------------------------------------------------------------------------------------------

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        more = {
            "request": request,
            "kept": getattr(request, "kept", None),
            "proposing": request.method == "POST"
            and ("_propose" in request.POST or request.path.endswith("/preview/")),
        }
        return type(form.__name__, (form,), more)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        obj = self.get_object(request, object_id) if object_id else None
        allowed = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if allowed and (obj is not None or not object_id):
            request.kept = keeping.kept_for(request, obj)  # type: ignore[attr-defined]
            request.kept_meanwhile = keeping.is_kept_meanwhile(request)  # type: ignore[attr-defined]
            if request.method == "POST" and not {"_keep", "_propose"}.isdisjoint(request.POST):
                answer = self._keep_or_propose(request, obj)
                if answer is not None:
                    return answer
        return super().changeform_view(request, object_id, form_url, extra_context)

    def _keep_or_propose(self, request: HttpRequest, obj: Any) -> HttpResponse | None:
        """None: it makes sense and is a draft, so it is saved like any other; or another window kept something else."""
        if request.kept_meanwhile:  # type: ignore[attr-defined]
            return None
        form = self.get_form(request, obj, change=obj is not None)(request.POST, request.FILES, instance=obj)
        fine = form.is_valid()
        kept = request.kept  # type: ignore[attr-defined]
        if "_propose" in request.POST:
            return self._propose(request, obj, kept) if fine and obj is not None and form.to_propose else None
        if fine:
            return None
        kept = keeping.keep(request, obj, kept)
        wrong = len([name for name in form.errors if name != "__all__"])
        self.message_user(
            request,
            ngettext(
                "Kept as it is, unfinished: %(count)d field is still missing or wrong. Only you see it.",
                "Kept as it is, unfinished: %(count)d fields are still missing or wrong. Only you see it.",
                wrong,
            )
            % {"count": wrong},
            messages.WARNING,
        )
        return HttpResponseRedirect(self._address(obj) if obj else f"{self._add_address()}?draft={kept.pk}")

    def _propose(self, request: HttpRequest, obj: Any, kept: TemplateDraft | None) -> HttpResponse:
        if TemplateDraft.objects.filter(template=obj, state=State.PROPOSED).exists():
            self.message_user(request, _("Another change is proposed already; it is decided first."), messages.ERROR)
            keeping.keep(request, obj, kept)
            return HttpResponseRedirect(self._address(obj))
        with transaction.atomic():
            proposal = keeping.keep(request, obj, kept)
            proposal.state = State.PROPOSED
            proposal.save(update_fields=["state"])
        self.message_user(
            request, _("Proposed. It stays as it is until somebody who may approve takes the change over.")
        )
        return HttpResponseRedirect(self._address(obj))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        before = obj.status
        editing.save_template(obj, form.limits, by=request.user, version=form.cleaned_data.get("version"))  # type: ignore[arg-type]
        kept = getattr(request, "kept", None)
        if kept is not None:
            kept.delete()
        if change and before != obj.status:
            sentence = _("Its terms have changed, so it is a draft again and needs approving anew.")
            self.message_user(request, sentence, messages.WARNING)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return self._onwards(request, obj, _("Saved as a draft."))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        is_draft = obj.status == CouponTemplate.Status.DRAFT
        return self._onwards(request, obj, _("Saved as a draft.") if is_draft else _("Saved."))

    def _onwards(self, request: HttpRequest, obj: Any, said: str) -> HttpResponse:
        self.message_user(request, said, messages.SUCCESS)
        if "_submit" in request.POST and approving.possible(obj, "submit"):
            return HttpResponseRedirect(reverse("admin:coupons_coupontemplate_move", args=[obj.pk, "submit"]))
        return HttpResponseRedirect(self._address(obj))

    @staticmethod
    def _address(obj: Any) -> str:
        return reverse("admin:coupons_coupontemplate_change", args=[obj.pk])

    @staticmethod
    def _add_address() -> str:
        return reverse("admin:coupons_coupontemplate_add")

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Any = None,
    ) -> HttpResponse:
        form, kept = context["adminform"].form, getattr(request, "kept", None)
        edits = not self.reads_only(request, obj)
        name = "admin:coupons_coupontemplate_preview"
        context |= {
            "edits": edits,
            "wrong_fields": edits and any(form.errors.get(field.name) for field in form.visible_fields()),
            "kept": kept if request.method == "GET" else None,
            "kept_at": keeping.moment_of(kept),
            "preview": self._preview(form, obj, edits),
            "verdict": self._verdict(form, obj) if edits else "",
            "preview_address": reverse(f"{name}_of", args=[obj.pk]) if obj else reverse(name),
            "panels": panels.shown(request, obj, panels.FORM) if obj else [],
            "is_draft": obj is None or obj.status == CouponTemplate.Status.DRAFT,
            "may_submit": request.user.has_perm(approving.CHANGE),
            "proposal": obj and TemplateDraft.objects.filter(template=obj, state=State.PROPOSED).first(),
        }
        return super().render_change_form(request, context, add, change, form_url, obj)

    # --- the preview ----------------------------------------------------------------------------------------------

    @staticmethod
    def _preview(form: Any, obj: Any, edits: bool) -> dict[str, Any]:
        if edits and form.is_bound:
            wrong = set(form.errors) - set(Supply.LIMITS)
            if form.has_error("cap_fen", "uncapped"):  # what it says is clear, only not allowed
                wrong.remove("cap_fen")
            return preview_of(form.instance, form.limits, wrong)
        limits = comparing.limits_of(obj.supply) if obj else {}
        template = obj or CouponTemplate(**_begun(form.initial))
        return preview_of(template, limits, set())

    def preview_view(self, request: HttpRequest, object_id: int | None = None) -> HttpResponse:
        """What stands in the form now, as it would be; nothing is saved."""
        obj = self.get_object(request, str(object_id)) if object_id else None
        allowed = self.has_change_permission(request, obj) if obj else self.has_add_permission(request)
        if request.method != "POST" or not allowed:
            raise PermissionDenied
        form = self.get_form(request, obj, change=obj is not None)(request.POST, None, instance=obj)
        form.is_valid()
        html = render_to_string("coupons/admin/preview.html", {"preview": self._preview(form, obj, True)}, request)
        steps = [
            sum(1 for name in _flat(options["fields"]) if name in form.errors)
            for _title, options in self.get_fieldsets(request, obj)
        ]
        return JsonResponse({"html": html, "steps": steps, "verdict": self._verdict(form, obj)})

    @staticmethod
    def _verdict(form: Any, obj: Any) -> str:
        """The checker's word, once all that is typed makes sense."""
        if form.is_bound and not form.errors:
            return verdict_panel.drawn(form.instance, form.limits, linked=True)
        if not form.is_bound and obj is not None and obj.status != CouponTemplate.Status.ENDED:
            return verdict_panel.drawn(obj, linked=True)
        return _("Once the fields above make sense, it says whether somebody can claim it and use it.")

    def picture_view(self, request: HttpRequest) -> HttpResponse:
        """An upload becomes the address that the form keeps."""
        upload = request.FILES.get("picture")
        may = self.has_add_permission(request) or self.has_change_permission(request)
        if request.method != "POST" or not may:
            raise PermissionDenied
        try:
            if upload is None:
                raise ValidationError(_("A picture as PNG, JPEG or WebP."))
            return JsonResponse({"picture": pictures.keep(upload)})
        except ValidationError as wrong:
            return JsonResponse({"error": " ".join(wrong.messages)}, status=400)

    # --- what is kept and proposed ----------------------------------------------------------------------------------

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        makes = self.has_add_permission(request) or self.has_change_permission(request)
        approves = request.user.has_perm(approving.APPROVE)
        proposed = TemplateDraft.objects.filter(state=State.PROPOSED).select_related("template", "made_by")
        more = {
            "unfinished": keeping.unfinished(request)[:20] if makes else [],
            "proposed": proposed.exclude(made_by=request.user.pk)[:20] if approves else [],
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    def discard_view(self, request: HttpRequest, number: int) -> HttpResponse:
        kept = keeping.unfinished(request).filter(pk=number).first()
        if request.method != "POST" or kept is None:
            raise PermissionDenied
        template = kept.template
        kept.delete()
        self.message_user(request, _("Discarded what was unfinished."))
        back = self._address(template) if template else reverse("admin:coupons_coupontemplate_changelist")
        return HttpResponseRedirect(back)

    def proposal_view(self, request: HttpRequest, number: int) -> HttpResponse:
        """A proposed change beside what is: taken over by somebody who may approve, declined, or taken back."""
        proposal = TemplateDraft.objects.select_related("template__supply", "made_by").filter(pk=number).first()
        if proposal is None or proposal.template is None or not self.has_view_permission(request, proposal.template):
            raise PermissionDenied
        back = HttpResponseRedirect(self._address(proposal.template))
        own = proposal.made_by_id == request.user.pk
        may_take, may_decline = request.user.has_perm(approving.APPROVE) and not own, False
        may_decline = own or request.user.has_perm(approving.APPROVE)
        if proposal.state != State.PROPOSED:
            self.message_user(request, _("This change was decided already."), messages.WARNING)
            return back
        form, takes = self._proposed(request, proposal, proposal.template), "_take" in request.POST
        verdict = checking.verdict(form.instance, limits=form.limits) if form.is_valid() else None
        left = warnings_form.left(verdict.warnings, proposal.template.accepted_warnings) if verdict else {}
        asked = warnings_form.form_of(left) if may_take else None
        warned = asked(request.POST if takes else None) if asked else None
        if request.method == "POST" and not (may_take if takes else may_decline):
            raise PermissionDenied
        if request.method == "POST" and not (takes and warned and not warned.is_valid()):
            try:
                self._decide(request, proposal, take=takes, accepted=warned.cleaned_data if takes and warned else {})
            except (Refused, ValidationError) as no:
                said = str(no.detail) if isinstance(no, Refused) else " ".join(no.messages)
                self.message_user(request, said, messages.ERROR)
            return back
        now = CouponTemplate.objects.select_related("supply", "budget").get(drafts=proposal)
        limits = {**comparing.limits_of(now.supply), **form.limits}
        after = comparing.values_of(form.instance, limits)
        context = {
            **self.admin_site.each_context(request),
            "title": _("A proposed change"),
            "opts": self.opts,
            "original": now,
            "proposal": proposal,
            "fine": verdict is not None,
            "verdict": verdict and verdict_panel.drawn(form.instance, form.limits, verdict),
            "impossible": verdict is not None and bool(verdict.errors),
            "warned": warned,
            "errors": [sentence for problems in form.errors.values() for sentence in problems],
            "differences": list(comparing.differences(comparing.values_of(now, now.supply), after)),
            "may_take": may_take,
            "may_decline": may_decline,
            "own": own,
            "out": now.supply.issued_count,
        }
        return TemplateResponse(request, "coupons/admin/proposal.html", context)

    def _proposed(self, request: HttpRequest, proposal: TemplateDraft, template: CouponTemplate) -> Any:
        form = super().get_form(request)  # all of its fields, whoever reads it
        form = type(form.__name__, (form,), {"request": request, "proposing": True})
        return form(keeping.posted(proposal), instance=template)

    @transaction.atomic
    def _decide(self, request: HttpRequest, proposal: TemplateDraft, *, take: bool, accepted: dict[str, str]) -> None:
        decided = approving.decide(proposal, take=take, by=request.user)  # type: ignore[arg-type]
        if take:
            template = CouponTemplate.objects.get(drafts=decided)
            form = self._proposed(request, decided, template)
            if not form.is_valid():
                sentence = _("It was changed meanwhile, and the proposal does not fit any more: decline it.")
                raise ValidationError(sentence)
            editing.save_template(
                form.instance,
                form.limits,
                by=decided.made_by,
                version=form.cleaned_data.get("version"),
                may_approve=True,
                why=f"{approving.TAKEN} {request.user.get_username()}"[:100],
            )
            approving.must_make_sense(form.instance, accepted=accepted, by=request.user)  # type: ignore[arg-type]
            self.message_user(request, _("Taken over."))
        else:
            self.message_user(request, _("Declined; nothing was changed."))


def _flat(fields: Any) -> list[str]:
    return [name for entry in fields for name in (entry if isinstance(entry, list | tuple) else [entry])]


def _begun(initial: dict[str, Any]) -> dict[str, Any]:
    """What a new template says before anything is typed."""
    budget = str(initial.get("budget") or "")
    return {"budget_id": int(budget) if budget.isdecimal() else None, "valid_days": 7}
