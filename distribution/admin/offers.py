"""What a placement offers: lines in order, written together."""

from typing import Any

from django import forms
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.decorators import display

from coupons.admin.desk import DeskInline
from coupons.models import Audience, CouponTemplate
from coupons.queries.wording import wording
from distribution import placing
from distribution.admin.rights import CHANGES
from distribution.models import Offer, Placement

#: Everyone, chosen on purpose; no key of an audience.
EVERYONE = "*"


class Whom(forms.ModelChoiceField):
    """An audience, or everyone (None). Nothing chosen is no answer."""

    def clean(self, value: Any) -> Audience | None:
        return None if value == EVERYONE else super().clean(value)


class OfferForm(forms.ModelForm):
    position = forms.IntegerField(
        label=gettext_lazy("Rank"),
        required=False,
        min_value=0,
        max_value=10_000,
        widget=widgets.UnfoldAdminIntegerFieldWidget({"class": "offer-number"}),
    )
    weight = forms.IntegerField(
        label=gettext_lazy("Weight"),
        required=False,
        min_value=1,
        max_value=1_000_000,
        help_text=gettext_lazy("Twice the weight, twice the luck."),
        widget=widgets.UnfoldAdminIntegerFieldWidget({"class": "offer-number"}),
    )

    class Meta:
        model = Offer
        fields = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["position"] = self.instance.position + 1
            self.initial["audience"] = self.instance.audience_id or EVERYONE
        else:
            self.initial.pop("position", None)  # at the end

    def has_changed(self) -> bool:
        """A new line without a template is no offer yet."""
        changed = set(self.changed_data)
        return bool(changed if self.instance.pk else changed - {"position", "weight"})

    def clean_weight(self) -> int:
        return self.cleaned_data["weight"] or 1

    def validate_constraints(self) -> None:
        """The lines are asked together, and written anew."""


class OfferLines(forms.BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        seen = set()
        for form in self.lines():
            offered = (form.cleaned_data["template"], form.cleaned_data.get("audience"))
            if offered in seen and "audience" not in form.errors:
                form.add_error("template", _("This template is offered to the same audience above already."))
            seen.add(offered)

    def lines(self) -> list[Any]:
        """What is offered, in order; without a number, at the end."""
        kept = [
            (form.cleaned_data.get("position") is None, form.cleaned_data.get("position") or 0, number, form)
            for number, form in enumerate(self.forms)
            if form not in self.deleted_forms and (form.cleaned_data or {}).get("template")
        ] if all(hasattr(form, "cleaned_data") for form in self.forms) else []  # fmt: skip
        return [form for _last, _position, _number, form in sorted(kept, key=lambda line: line[:3])]

    def validate_unique(self) -> None:
        """``clean`` asks it, for everyone's lines as well."""

    def offered(self) -> list[placing.Offered]:
        return [
            (
                form.cleaned_data["template"].pk,
                form.cleaned_data["audience"].pk if form.cleaned_data["audience"] else None,
                form.cleaned_data["weight"],
            )
            for form in self.lines()
        ]


class OfferInline(DeskInline):
    model = Offer
    form = OfferForm
    formset = OfferLines
    fields = ("position", "template", "audience", "weight", "says")
    readonly_fields = ("rank", "whom", "says")
    ordering = ("position", "id")
    ordering_field = "position"
    hide_title = True
    verbose_name = gettext_lazy("offer")
    verbose_name_plural = gettext_lazy("Offers")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Whoever may only read is told what there is to tell."""
        if self.has_change_permission(request, obj):
            return self.fields
        by_luck = obj is not None and obj.pick == Placement.Pick.RANDOM
        return ("rank", "template", "whom", *(["weight"] if by_luck else []), "says")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Offer]:
        return super().get_queryset(request).select_related("template", "audience")

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 0 if obj and obj.offers.exists() else 1

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "audience":
            kwargs |= {"form_class": Whom, "required": True}
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        if field is not None and db_field.name in ("template", "audience"):
            field.choices = self._choices(request, db_field.name)
        return field

    @staticmethod
    def _choices(request: HttpRequest, name: str) -> list[Any]:
        """Read once for all lines of the page."""
        kept = request.__dict__.setdefault("_offer_choices", {})
        if name not in kept:
            kept[name] = _audiences() if name == "audience" else _templates(request)
        return kept[name]

    # Who may see or change the placement may see or change what it offers.

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("distribution.view_placement")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        right = CHANGES if isinstance(obj, Placement) and obj.pk else "distribution.add_placement"
        return request.user.has_perm(right) and getattr(obj, "status", "") != Placement.Status.ENDED

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    @display(description=gettext_lazy("Rank"))
    def rank(self, obj: Any) -> int:
        return obj.position + 1

    @display(description=gettext_lazy("audience"))
    def whom(self, obj: Any) -> str:
        return str(obj.audience or _("everyone"))

    @display(description=gettext_lazy("What it says"))
    def says(self, obj: Any) -> str:
        return wording(obj.template)["short"] if obj.template_id else ""


def _audiences() -> list[tuple[Any, Any]]:
    return [
        ("", _("– choose –")),
        (EVERYONE, _("everyone")),
        *Audience.objects.order_by("name").values_list("pk", "name"),
    ]


def _templates(request: HttpRequest) -> list[tuple[Any, Any]]:
    """By campaign, the placement's own first: what is not ended in campaigns that are not over, and what it offers."""
    own = getattr(request, "campaign_of_placement", None)
    placement = getattr(request, "placement", None)
    offered = Q(offers__placement=placement) if placement else Q(pk=None)
    found = (
        CouponTemplate.objects.filter(
            ~Q(status=CouponTemplate.Status.ENDED) & Q(budget__campaign__ends_at__gt=timezone.now())
            | Q(budget__campaign=own, budget__campaign__isnull=False)
            | offered
        )
        .annotate(campaign_id=F("budget__campaign"), campaign_name=F("budget__campaign__name"))
        .only("internal_name", "status")
        .order_by("-campaign_id", "-id")
        .distinct()
    )
    groups: dict[tuple[Any, str], list[tuple[int, str]]] = {}
    for template in found:
        words = template.internal_name
        if template.status != CouponTemplate.Status.LIVE:
            words = f"{words} ({template.get_status_display()})"
        groups.setdefault((template.campaign_id, template.campaign_name or "–"), []).append((template.pk, words))
    ordered = sorted(groups.items(), key=lambda group: group[0][0] != own)
    return [("", "–"), *((name, choices) for (_pk, name), choices in ordered)]
