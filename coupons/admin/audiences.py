"""人群: named sets of conditions."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from coupons.admin.asking import ConditionsField
from coupons.admin.history import WithHistory
from coupons.admin.saying import condition_words, sentences
from coupons.models import Audience


class AudienceForm(forms.ModelForm):
    conditions = ConditionsField(
        deed="claim", label=gettext_lazy("Conditions"), help_text=gettext_lazy("All must hold. None: everyone.")
    )

    class Meta:
        model = Audience
        fields = ()


@admin.register(Audience)
class AudienceAdmin(WithHistory):
    form = AudienceForm
    fields = ("key", "name", "conditions")
    list_display = ("name", "key", "says", "used")
    search_fields = ("key", "name")
    empty_words = gettext_lazy("No audiences yet. An audience is a named set of conditions that offers can ask for.")
    export_fields = ("key", "name", "says_plainly", "used")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Audience]:
        return super().get_queryset(request).annotate(offer_count=Count("offers"))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("key",) if obj else ()

    def hangs(self, obj: Any) -> bool:
        return obj.offers.exists()

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
