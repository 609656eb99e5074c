"""投放: a channel and a form of a campaign, and what is offered there, in order."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons.admin.history import WithHistory
from coupons.admin.money import yuan
from coupons.models import CouponTemplate
from coupons.queries.wording import wording
from distribution import placing
from distribution.admin import figures
from distribution.admin.offers import OfferInline
from distribution.admin.placement_moves import MOVES
from distribution.admin.rights import APPROVES
from distribution.admin.seen import SeenForm
from distribution.admin.states import PLACEMENT_CHIPS, PLACEMENT_STATES, placement_state
from distribution.admin.tools import call, link, tools
from distribution.admin.why import WithWhy
from distribution.models import Campaign, Offer, Placement


class PlacementForm(SeenForm):
    pick = forms.ChoiceField(
        label=gettext_lazy("Customer gets"),
        choices=Placement.Pick.choices,
        initial=Placement.Pick.FIRST,
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )

    class Meta:
        model = Placement
        fields = ()


class StateFilter(admin.SimpleListFilter):
    """By what it is at this moment."""

    title = gettext_lazy("State")
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Any:
        return list(PLACEMENT_STATES.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[Placement]) -> QuerySet[Placement]:
        now, live = timezone.now(), queryset.filter(status=Placement.Status.LIVE)
        match self.value():
            case "live":
                return live.filter(campaign__starts_at__lte=now, campaign__ends_at__gt=now)
            case "waiting":
                return live.filter(campaign__starts_at__gt=now)
            case "over":
                return live.filter(campaign__ends_at__lte=now)
            case "draft" | "paused" | "ended" as status:
                return queryset.filter(status=status)
        return queryset


@admin.register(Placement)
class PlacementAdmin(WithWhy, WithHistory):
    form = PlacementForm
    inlines = (OfferInline,)
    moves = MOVES
    change_form_outer_before_template = "distribution/admin/placement_top.html"
    change_form_before_template = "distribution/admin/seen.html"
    empty_words = gettext_lazy(
        "No placements yet. A placement says where coupons are offered, in which form, which of them, in which order."
    )
    list_display = ("named", "campaign_name", "channel_name", "form_name", "pick_name", "state", "issued")
    list_filter = (
        StateFilter,
        ("channel", ChoicesDropdownFilter),
        ("form", ChoicesDropdownFilter),
        ("campaign", RelatedDropdownFilter),
    )
    search_fields = ("key", "title", "campaign__name")
    list_select_related = ("campaign",)
    ordering = ("-id",)
    export_fields = ("key", "title", "campaign", "channel", "form", "pick", "state", "issued", "created_at")
    fieldsets = ((None, {"fields": ("campaign", "title", "key", "channel", "form", "pick")}),)

    class Media:
        css = {"all": ("distribution/desk.css",)}
        js = ("distribution/desk.js",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Placement]:
        return super().get_queryset(request).select_related("campaign")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("campaign_name",)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        return [
            (
                title,
                {**options, "fields": ["campaign_name" if name == "campaign" else name for name in options["fields"]]},
            )
            for title, options in fieldsets
        ]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and getattr(obj, "status", "") != Placement.Status.ENDED

    def hangs(self, obj: Any) -> bool:
        return obj.status != Placement.Status.DRAFT or obj.history.filter(status=Placement.Status.LIVE).exists()

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> Any:
        """``?template=``: set up for that template."""
        kwargs = super().get_formset_kwargs(request, obj, inline, prefix)
        template = request.GET.get("template", "")
        if request.method == "GET" and template.isdecimal() and not obj.pk:
            kwargs["initial"] = [{"template": int(template)}]
        return kwargs

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "campaign":
            kwargs["queryset"] = Campaign.objects.filter(ends_at__gt=timezone.now())
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        asked = super().get_changeform_initial_data(request)
        template = asked.pop("template", "")
        if not asked.get("campaign") and str(template).isdecimal():
            found = Campaign.objects.filter(budget__templates=int(template)).first()
            asked["campaign"] = found.pk if found else None
        campaign = Campaign.objects.filter(pk=asked["campaign"]).first() if _is_number(asked.get("campaign")) else None
        if campaign and not asked.get("key"):
            number = campaign.placements.count() + 1
            while Placement.objects.filter(key=f"{campaign.key[:58]}-{number}").exists():
                number += 1
            asked["key"] = f"{campaign.key[:58]}-{number}"
        return asked

    def changeform_view(self, request: HttpRequest, object_id: str | None = None, *args: Any, **kwargs: Any) -> Any:
        placement = self.get_object(request, object_id) if object_id else None
        campaign = placement.campaign_id if placement else request.POST.get("campaign") or request.GET.get("campaign")
        request.placement = placement  # type: ignore[attr-defined]  # whose templates come first
        request.campaign_of_placement = int(str(campaign)) if _is_number(campaign) else None  # type: ignore[attr-defined]
        return super().changeform_view(request, object_id, *args, **kwargs)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """One chain: on to the tool of its form, or to its own page, which has the call to copy."""
        if {"_continue", "_addanother"} & set(request.POST):
            return super().response_add(request, obj, post_url_continue)
        made = next((tool for tool in tools(request, obj) if tool.main), None)
        self.message_user(request, _("The placement “%(name)s” was made.") % {"name": obj}, 25)
        return HttpResponseRedirect(made.url if made else reverse("admin:distribution_placement_change", args=[obj.pk]))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Written with its offers, once they are known to be well."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        offers = formsets[0] if formsets else None
        back = placing.save(
            form.instance,
            offers.offered() if offers else [],
            may_approve=request.user.has_perm(APPROVES),
            by=request.user,  # type: ignore[arg-type]
            seen=form.cleaned_data.get("seen"),
        )
        for formset in formsets:
            formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if back:
            self.message_user(
                request, _("What it offers has changed, so it is a draft again and needs approving anew."), 30
            )

    def _entries(self, records: Any) -> Iterator[dict[str, Any]]:
        rows = list(records)
        for record, entry in zip(rows, super()._entries(rows), strict=True):
            said = placing.SAID.get(record.history_change_reason or "")
            yield {**entry, "said": said or entry["said"]}

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        state = placement_state(obj)
        issued = figures.issued([obj.key]).get(obj.key, 0)
        notes = []
        if (
            obj.status in (Placement.Status.LIVE, Placement.Status.PAUSED)
            and self.has_change_permission(request, obj)
            and not request.user.has_perm(APPROVES)
        ):
            notes.append(
                _("It was approved as it is. If you change what it offers, it is a draft until it is approved anew.")
            )
        if obj.status == Placement.Status.DRAFT and not request.user.has_perm(APPROVES):
            notes.append(_("Somebody with the right to approve lets it go live."))
        offers = list(obj.offers.select_related("template", "audience").order_by("position", "id"))
        links = [(_("Campaign"), _campaign_page(obj))] if request.user.has_perm("distribution.view_campaign") else []
        if request.user.has_perm("coupons.view_coupon"):
            links.append((_("Its coupons"), _coupons_of(obj)))
        return {
            "chip": (PLACEMENT_STATES[state], PLACEMENT_CHIPS[state]),
            "title": str(obj),
            "facts": [(_("Given out"), f"{issued:,}"), *_expected(obj.pick, offers)],
            "links": links,
            "notes": notes,
            "groups": [
                (_offer_title(number, offer, obj.pick), wording(offer.template)["rules"])
                for number, offer in enumerate(offers, 1)
            ],
            "tools": tools(request, obj),
            "call": call(request, obj),
            **link(request, obj),
        }

    # --- columns --------------------------------------------------------------------------------------------------

    def know(self, placements: Any) -> None:
        counted = figures.issued([placement.key for placement in placements])
        for placement in placements:
            placement.issued_count = counted.get(placement.key, 0)

    @display(description=gettext_lazy("Placement"), header=True, ordering="title")
    def named(self, obj: Any) -> list[str]:
        return [str(obj), obj.key]

    @display(description=gettext_lazy("Campaign"), ordering="campaign__name")
    def campaign_name(self, obj: Any) -> str:
        return obj.campaign.name

    @display(description=gettext_lazy("Channel"), ordering="channel")
    def channel_name(self, obj: Any) -> str:
        return obj.get_channel_display()

    @display(description=gettext_lazy("Form"), ordering="form")
    def form_name(self, obj: Any) -> str:
        return obj.get_form_display()

    @display(description=gettext_lazy("Customer gets"), ordering="pick")
    def pick_name(self, obj: Any) -> str:
        return obj.get_pick_display()

    @display(description=gettext_lazy("State"), label=PLACEMENT_CHIPS, ordering="status")
    def state(self, obj: Any) -> tuple[str, str]:
        state = placement_state(obj)
        return state, str(PLACEMENT_STATES[state])

    @display(description=gettext_lazy("Given out"))
    def issued(self, obj: Any) -> SafeString | int:
        return format_html('<span class="desk-number">{}</span>', f"{obj.issued_count:,}")


def _expected(pick: str, offers: list[Offer]) -> list[tuple[str, str]]:
    """By luck: what one claim costs at most on average, if all can be given and the weights decide."""
    if pick != Placement.Pick.RANDOM or not offers:
        return []
    worths = [(offer.template.worth_fen, offer.weight) for offer in offers]
    total = sum(weight for _worth, weight in worths)
    known = [worth * weight for worth, weight in worths if worth is not None]
    if len(known) < len(worths):
        return [(_("Expected cost of a claim"), _("not known: a percentage without a cap"))]
    return [(_("Expected cost of a claim"), yuan(round(sum(known) / total)))]


def _is_number(value: Any) -> bool:
    return str(value or "").isdecimal()


def _campaign_page(placement: Placement) -> str:
    return reverse("admin:distribution_campaign_change", args=[placement.campaign_id])


def _coupons_of(placement: Placement) -> str:
    return f"{reverse('admin:coupons_coupon_changelist')}?placement={placement.key}"


def _offer_title(number: int, offer: Offer, pick: str) -> str:
    words = f"{number}. {offer.template}"
    if offer.audience:
        words = _("%(offer)s, for %(audience)s") % {"offer": words, "audience": offer.audience.name}
    if pick == Placement.Pick.RANDOM:
        words = _("%(offer)s, weight %(weight)s") % {"offer": words, "weight": offer.weight}
    if offer.template.status != CouponTemplate.Status.LIVE:
        words = f"{words} ({offer.template.get_status_display()})"
    return words
