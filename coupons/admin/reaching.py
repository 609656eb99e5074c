"""触达人数: a page that says how many customers an audience holds now, and where the others fell out."""

from dataclasses import replace
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
from coupons.models import Area, City, CouponTemplate
from coupons.queries import catalogue, reach
from coupons.queries.surroundings import situate
from coupons.rules import Client, CustomerCondition, compile_rules, menu

_SELECT, _SEARCHED = widgets.UnfoldAdminSelectWidget, widgets.UnfoldAdminSelect2Widget


class ReachForm(forms.Form):
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
        label=gettext_lazy("City of the moment"),
        widget=_SEARCHED(),
    )
    areas = forms.ModelMultipleChoiceField(
        Area.objects.defer("geojson"),
        required=False,
        label=gettext_lazy("Areas of the position"),
        help_text=gettext_lazy("As if everybody were where these areas are. Empty: no position is known."),
        widget=widgets.UnfoldAdminSelect2MultipleWidget(),
    )
    template = forms.ModelChoiceField(
        CouponTemplate.objects.order_by("-id"),
        required=False,
        empty_label=gettext_lazy("none"),
        label=gettext_lazy("Overlap with holders of"),
        widget=_SEARCHED(),
    )


class WithReach(Desk):
    """For the page of audiences."""

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.reach_view)
        return [path("<path:object_id>/reach/", view, name="coupons_audience_reach"), *super().get_urls()]

    def reach_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        audience: Any = self.get_object(request, object_id)
        if audience is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_view_permission(request, audience):
            raise PermissionDenied
        form = ReachForm(request.GET)
        context: dict[str, Any] = {
            **self.admin_site.each_context(request),
            "title": _("Reach: %(audience)s") % {"audience": audience},
            "opts": self.opts,
            "original": audience,
            "form": form,
        }
        if form.is_valid():
            context |= self._told(request, audience, form.cleaned_data)
        return TemplateResponse(request, "coupons/admin/reach.html", context)

    @staticmethod
    def _told(request: HttpRequest, audience: Any, said: dict[str, Any]) -> dict[str, Any]:
        catalogue.forget()
        city = said["city"].pk if said["city"] else None
        now = catalogue.business_now(said["at"])
        situation = situate(now, client=said["client"] or None, city=city, book=catalogue.current())
        if said["areas"]:
            situation = replace(situation, areas=frozenset(area.pk for area in said["areas"]))
        # In the menu's order, as they were asked; the database keeps its own.
        ordered = {code: audience.conditions[code] for code in menu if code in audience.conditions}
        conditions = compile_rules(ordered, "claim")
        found = reach.reach(conditions, situation)
        sees = request.user.has_perm("coupons.view_customer")
        template = said["template"]
        return {
            "reach": found,
            "number": f"{found.number:,}",
            "customers": f"{found.customers:,}",
            "steps": [
                (
                    step.condition.for_operators(),
                    f"{step.left:,}",
                    f"{step.unknown:,}",
                    step.left * 100 // (found.customers or 1),
                )
                for step in found.steps
            ],
            "of_moment": any(
                not isinstance(one, CustomerCondition)
                for condition in conditions
                for one in (condition, *condition.parts())
            ),
            "sample": reach.sample(conditions, situation) if sees and found.number else [],
            "sees": sees,
            "template": template,
            "holders": f"{reach.holders(conditions, situation, template.pk):,}" if template else None,
        }
