"""API keys of the company's other systems: shown once, when made; later they can only be switched off."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.messages import WARNING
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.decorators import display

from coupons.admin.desk import Desk
from coupons.models import ApiKey


class ApiKeyForm(forms.ModelForm):
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("Allowed to"),
        choices=ApiKey.Scope.choices,
        widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=gettext_lazy("No more than the system needs."),
    )

    class Meta:
        model = ApiKey
        fields = ()


@admin.register(ApiKey)
class ApiKeyAdmin(Desk):
    form = ApiKeyForm
    list_display = ("name", "may", "switched", "created_at")
    list_filter = ("is_active",)
    search_fields = ("name",)
    empty_words = gettext_lazy("No keys yet. Each system that calls the API has a key of its own.")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        names = ("name", "scopes", "is_active", "created_at") if obj else ("name", "scopes")
        return [(None, {"fields": names})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("created_at",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        made, key = ApiKey.make(obj.name, form.cleaned_data["scopes"])
        obj.__dict__.update(made.__dict__)
        request.made_key = key  # type: ignore[attr-defined]

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """The one time that the key is seen: on this page, in no message and no log."""
        if not hasattr(request, "made_key"):
            said = _(
                "This page was sent twice. The key was made once, and shown the first time only. If nobody saw it, "
                "switch it off and make another."
            )
            self.message_user(request, said, WARNING)
            return HttpResponseRedirect(reverse("admin:coupons_apikey_change", args=[obj.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": _("The new key"),
            "opts": self.opts,
            "key": request.made_key,
            "name": obj.name,
        }
        response = TemplateResponse(request, "coupons/admin/new_key.html", context)
        response["Cache-Control"] = "no-store"
        return response

    @display(description=gettext_lazy("Allowed to"))
    def may(self, obj: Any) -> str:
        return ", ".join(str(ApiKey.Scope(scope).label) for scope in obj.scopes)

    @display(description=gettext_lazy("State"), label={"on": "success", "off": "danger"})
    def switched(self, obj: Any) -> tuple[str, str]:
        return ("on", _("active")) if obj.is_active else ("off", _("switched off"))
