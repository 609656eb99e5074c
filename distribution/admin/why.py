"""为什么能领、为什么不能领: a page for one customer and one placement, now or at another moment and place."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from coupons.admin.asking import Moment
from coupons.admin.desk import Desk
from coupons.admin.refusals import CAUSES
from coupons.models import City, Customer
from coupons.models.keys import KEY_LENGTH, key_validator
from coupons.queries import catalogue
from coupons.rules import Client
from distribution.claiming import Where
from distribution.explaining import explain
from distribution.models import Placement

_SELECT, _SEARCHED = widgets.UnfoldAdminSelectWidget, widgets.UnfoldAdminSelect2Widget
_TEXT = widgets.UnfoldAdminTextInputWidget


class WhyForm(forms.Form):
    placement = forms.ModelChoiceField(
        Placement.objects.select_related("campaign").order_by("-id"),
        to_field_name="key",
        label=gettext_lazy("Placement"),
        widget=_SEARCHED(),
    )
    customer = forms.CharField(
        max_length=KEY_LENGTH,
        label=gettext_lazy("Customer"),
        help_text=gettext_lazy("The customer's key."),
        validators=[key_validator],
        widget=_TEXT(),
    )
    at = forms.DateTimeField(
        required=False, label=gettext_lazy("Moment"), help_text=gettext_lazy("Empty: now."), widget=Moment()
    )
    client = forms.ChoiceField(
        required=False,
        choices=[("", gettext_lazy("not known")), *Client.choices],
        label=gettext_lazy("Client"),
        widget=_SELECT(),
    )
    city = forms.ModelChoiceField(
        City.objects.all(),
        required=False,
        empty_label=gettext_lazy("not known"),
        label=gettext_lazy("City"),
        widget=_SEARCHED(),
    )
    lat = forms.FloatField(
        required=False, min_value=-90, max_value=90, label=gettext_lazy("Latitude (WGS-84)"), widget=_TEXT()
    )
    lng = forms.FloatField(
        required=False, min_value=-180, max_value=180, label=gettext_lazy("Longitude (WGS-84)"), widget=_TEXT()
    )
    device = forms.CharField(
        required=False,
        max_length=100,
        label=gettext_lazy("Device"),
        help_text=gettext_lazy("Its id as the app says it; risk control and newcomer coupons ask for it."),
        widget=_TEXT(),
    )
    ip = forms.GenericIPAddressField(
        required=False,
        label=gettext_lazy("IP address"),
        help_text=gettext_lazy("From which the customer calls; risk control asks for it."),
        widget=_TEXT(),
    )

    def clean(self) -> None:
        if (self.cleaned_data.get("lat") is None) != (self.cleaned_data.get("lng") is None) and not self.errors:
            self.add_error("lng", _("Latitude and longitude go together."))

    def where(self) -> Where:
        said = self.cleaned_data
        position = None if said["lat"] is None else (said["lat"], said["lng"])
        city = said["city"].pk if said["city"] else None
        return Where(said["client"] or None, city, position, said["device"] or None, said["ip"] or None)


class WithWhy(Desk):
    """For the page of placements; customer service opens it, too."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.why_view)
        return [path("why/", view, name="distribution_placement_why"), *super().get_urls()]

    def why_view(self, request: HttpRequest) -> HttpResponse:
        if not request.user.has_perms(("distribution.view_placement", "coupons.view_customer")):
            raise PermissionDenied
        asks = bool(request.GET.get("placement") and request.GET.get("customer"))
        form = WhyForm(request.GET) if asks else WhyForm(initial=request.GET.dict())
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Why, or why not?"),
            "opts": self.opts,
            "form": form,
        }
        if asks and form.is_valid():
            said = form.cleaned_data
            told = explain(said["placement"].key, said["customer"], catalogue.business_now(said["at"]), form.where())
            # What stands against a customer is called as in the list of refusals.
            asked = [one._replace(had=str(CAUSES.get(one.had, one.had))) for one in told.asked]
            context["told"] = told._replace(asked=asked)
            context["placement"] = said["placement"]
            context["customer"] = Customer.objects.filter(key=said["customer"]).first()
            context["key"] = said["customer"]
        return TemplateResponse(request, "distribution/admin/why.html", context)
