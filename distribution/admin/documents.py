"""A campaign as a document, out of its page and into the list."""

import json
from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action

from coupons.admin.desk import Desk
from coupons.api.shapes import read
from coupons.models.keys import KEY_LENGTH
from coupons.refused import Invalid, Refused
from distribution.admin.rights import APPROVES, IMPORTS, SEES_BUDGETS
from distribution.drafting import Document, document_of, save

#: Bytes of a document, with its pictures; the API, which holds bodies in memory, takes an eighth of it.
MOST_BYTES = 20_000_000


class DocumentForm(forms.Form):
    document = forms.FileField(
        label=gettext_lazy("Campaign document"),
        help_text=gettext_lazy("A JSON file, as a campaign's page or the API gives it."),
        widget=forms.FileInput({"accept": ".json,application/json", "class": "desk-file"}),
    )

    def clean_document(self) -> bytes:
        upload = self.cleaned_data["document"]
        if upload.size > MOST_BYTES:
            raise ValidationError(_("The file is too big for a campaign."), "too_long")
        return upload.read()


class WithDocuments(Desk):
    """For the page of campaigns."""

    actions_list = ["import_document"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.document_view)
        return [path("<path:object_id>/document/", view, name="distribution_campaign_document"), *super().get_urls()]

    def document_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The document that would make it again; its money needs the right to see budgets."""
        campaign = self.get_object(request, object_id)
        if campaign is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, campaign) or not request.user.has_perm(SEES_BUDGETS):
            raise PermissionDenied
        words = json.dumps(document_of(campaign), ensure_ascii=False, indent=2)
        response = HttpResponse(words, content_type="application/json")
        response["Content-Disposition"] = f'attachment; filename="{campaign.key}.json"'
        response["Cache-Control"] = "no-store"
        return response

    def has_import_document_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(IMPORTS)

    @action(
        description=gettext_lazy("Import a document"),
        url_path="import",
        permissions=["import_document"],
        icon="upload_file",
    )
    def import_document(self, request: HttpRequest) -> HttpResponse:
        """Made or changed as the file says, all of it or nothing; what is wrong is said field by field."""
        form = DocumentForm(request.POST or None, request.FILES or None)
        refusal, errors = "", []
        if request.method == "POST" and form.is_valid():
            try:
                document = read(Document, form.cleaned_data["document"])
                saved = save(document, may_approve=request.user.has_perm(APPROVES), by=request.user)  # type: ignore[arg-type]
            except Invalid as invalid:
                refusal = _("The document makes no sense in these places. Nothing was changed.")
                keys = _keys(form.cleaned_data["document"])
                errors = [(error["field"], _named(error, keys)) for error in invalid.errors]
            except Refused as refused:
                refusal = _("%(reason)s Nothing was changed.") % {"reason": refused.detail}
                errors = [_about(reason) for reason in refused.reasons]
            else:
                said = {
                    "created": _("The campaign was made."),
                    "changed": _("The campaign was changed as the document says."),
                    "unchanged": _("The campaign is already as the document says; nothing was changed."),
                }
                messages.success(request, said[saved.outcome])
                return HttpResponseRedirect(reverse("admin:distribution_campaign_change", args=[saved.campaign.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import a campaign"),
            "opts": self.opts,
            "form": form,
            "refusal": refusal,
            "errors": errors,
            "back": reverse("admin:distribution_campaign_changelist"),
            "may_approve": request.user.has_perm(APPROVES),
        }
        return TemplateResponse(request, "distribution/admin/import.html", context, status=422 if refusal else 200)


def _keys(document: bytes) -> dict[str, str]:
    """By place in the document, as ``templates.0``: the key of what stands there."""
    try:
        said = json.loads(document)
    except (ValueError, RecursionError):
        return {}
    lists = said.items() if isinstance(said, dict) else ()
    return {
        f"{name}.{place}": str(one["key"])[:KEY_LENGTH]
        for name, several in lists
        if isinstance(several, list)
        for place, one in enumerate(several)
        if isinstance(one, dict) and "key" in one
    }


def _named(error: Mapping[str, Any], keys: dict[str, str]) -> str:
    """With the key of the template, placement or audience, which nobody likes to count."""
    key = keys.get(".".join(error["field"].split(".")[:2]))
    return f"{key}: {error['detail']}" if key else error["detail"]


def _about(reason: Any) -> tuple[str, str]:
    """What a refusal is about, and its sentence."""
    named = [str(reason[name]) for name in ("template", "placement", "audience") if name in reason]
    fields = ", ".join(reason.get("fields", ()))
    return " · ".join([*named, *([fields] if fields else [])]), str(reason["detail"])
