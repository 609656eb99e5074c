"""人群: named sets of conditions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display
from unfold.widgets import UnfoldBooleanWidget

from coupons import approving
from coupons.admin.desk import RefusedMixin
from coupons.admin.history import WithHistory
from coupons.admin.reaching import WithReach
from coupons.admin.rule_fields import ConditionsField
from coupons.admin.saying import condition_words, sentences
from coupons.conditions.audiences import circle
from coupons.models import Audience, CouponTemplate


class AudienceForm(RefusedMixin, forms.ModelForm):
    conditions = ConditionsField(
        deed="claim", label=gettext_lazy("Conditions"), help_text=gettext_lazy("All that are on must hold.")
    )
    everyone = forms.BooleanField(
        required=False,
        label=gettext_lazy("Everyone"),
        help_text=gettext_lazy("Tick this if no condition is meant, so that nobody is everybody by mistake."),
        widget=UnfoldBooleanWidget(),
    )

    class Meta:
        model = Audience
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance.conditions:
            self.initial["everyone"] = True

    def clean(self) -> dict[str, Any]:
        self.say_refused()
        said = super().clean() or {}
        conditions, everyone = said.get("conditions"), said.get("everyone")
        if conditions is None:
            return said
        if bool(conditions) == bool(everyone):
            words = (
                _("Conditions or everyone, not both.") if everyone else _("Say who belongs to it, or tick everyone.")
            )
            self.add_error("everyone", ValidationError(words, "required"))
        key = said.get("key") or self.instance.pk
        if key and (way := circle(key, conditions)):
            words = _("An audience cannot lead back to itself: %(way)s.") % {"way": " → ".join(way)}
            self.add_error("conditions", ValidationError(words, "circle"))
        return said


@admin.register(Audience)
class AudienceAdmin(WithReach, WithHistory):
    form = AudienceForm
    fields = ("key", "name", "everyone", "conditions")
    list_display = ("name", "key", "says", "used")
    search_fields = ("key", "name")
    empty_words = gettext_lazy("No audiences yet. An audience is a named set of conditions that offers can ask for.")
    export_fields = ("key", "name", "says_plainly", "used")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Audience]:
        return super().get_queryset(request).annotate(offer_count=Count("offers"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Not so that a live template would have nobody left."""
        with approving.making_sense(approving.asking_for(obj.pk) if change else ()):
            super().save_model(request, obj, form, change)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("key",) if obj else ()

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        return {
            "title": obj.name,
            "links": [(_("How many, and who falls out where"), reverse("admin:coupons_audience_reach", args=[obj.pk]))],
        }

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return [name for name in fields if name != "everyone"] if self.reads_only(request, obj) else fields

    def hangs(self, obj: Any) -> bool:
        named = [{"audiences": {side: [obj.pk]}} for side in ("any_of", "none_of")]
        return (
            obj.offers.exists()
            or any(Audience.objects.filter(conditions__contains=one).exists() for one in named)
            or any(CouponTemplate.objects.filter(claim_conditions__contains=one).exists() for one in named)
        )

    def show_conditions(self, obj: Any) -> Any:
        return sentences(condition_words(obj.conditions, "claim"))

    show_conditions.short_description = gettext_lazy("Conditions")  # type: ignore[attr-defined]

    @display(description=gettext_lazy("Conditions"))
    def says(self, obj: Any) -> Any:
        return sentences(condition_words(obj.conditions, "claim") or [_("Everyone")])

    @display(description=gettext_lazy("Conditions"))
    def says_plainly(self, obj: Any) -> str:
        return "; ".join(condition_words(obj.conditions, "claim"))

    @display(description=gettext_lazy("Offers"), ordering="offer_count")
    def used(self, obj: Any) -> int:
        return obj.offer_count
