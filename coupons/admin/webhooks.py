"""Webhooks: systems that are told of coupons' moves; what was told, every attempt, and once more."""

from hashlib import blake2b
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RangeDateTimeFilter, RelatedDropdownFilter
from unfold.decorators import display

from coupons import webhooks
from coupons.admin.desk import Desk, ReadDesk
from coupons.admin.moving import Move
from coupons.admin.saying import once
from coupons.models import Coupon, Delivery, Subscription
from coupons.models.webhooks import kinds
from coupons.refused import Invalid, Refused

CHIPS = {"pending": "warning", "delivered": "success", "given_up": "danger"}


class SubscriptionForm(forms.ModelForm):
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Is told of"), choices=kinds, widget=widgets.UnfoldAdminCheckboxSelectMultipleWidget()
    )

    class Meta:
        model = Subscription
        fields = ()

    def clean_url(self) -> str:
        url = self.cleaned_data["url"]
        try:
            webhooks.check_target(url)
        except Invalid as no:
            raise ValidationError(no.errors[0]["detail"], no.errors[0]["code"]) from None
        return url


def _the_secret(request: HttpRequest, subscription: Subscription) -> HttpResponse:
    """The one time that it is seen."""
    context = {
        **admin.site.each_context(request),
        "title": _("The secret of the webhook"),
        "opts": Subscription._meta,
        "secret": subscription.secret,
        "name": subscription.name,
        "old_until": subscription.old_until,
    }
    response = TemplateResponse(request, "coupons/admin/new_secret.html", context)
    response["Cache-Control"] = "no-store"
    return response


def _renewed(subscription: Subscription, request: HttpRequest, answers: dict[str, Any]) -> HttpResponse:
    if answers["seen"] != _mark(subscription):  # sent twice: the secret that nobody has yet would be replaced
        raise Refused("state_forbids")
    webhooks.renew_secret(subscription, timezone.now())
    return _the_secret(request, subscription)


def _mark(subscription: Subscription) -> str:
    return blake2b(subscription.secret.encode(), digest_size=8).hexdigest()


def _asks_renewed(subscription: Subscription) -> type[forms.Form]:
    """Which secret is to be replaced: the one there was when the question was read."""
    seen = forms.CharField(widget=forms.HiddenInput, initial=_mark(subscription))
    return type("RenewForm", (forms.Form,), {"seen": seen})


def _changes_over(subscription: Subscription) -> bool:
    return subscription.old_until is not None and timezone.now() < subscription.old_until


@admin.register(Subscription)
class SubscriptionAdmin(Desk):
    form = SubscriptionForm
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("name", "url", "told_of", "waiting", "switched")
    list_filter = ("is_active",)
    search_fields = ("name", "url")
    empty_words = gettext_lazy("No webhooks yet. A webhook tells another system of coupons' moves as they happen.")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Subscription]:
        waits = Count("deliveries", filter=Q(deliveries__state="pending"))
        return super().get_queryset(request).annotate(waiting_count=waits)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return [(None, {"fields": ("name", "url", "kinds", "is_active")})]

    moves = (
        Move(
            name="renew",
            label=gettext_lazy("New secret"),
            question=gettext_lazy("Give this webhook a new secret?"),
            permissions=("coupons.change_subscription",),
            possible=lambda subscription: True,
            consequences=lambda subscription: [
                _("The new secret is shown once, on the next page."),
                _("For 24 hours everything is signed with both, so that the receiver can change over."),
                *(
                    [_("The secret that was being replaced so far is void at once.")]
                    if _changes_over(subscription)
                    else []
                ),
            ],
            asks=_asks_renewed,
            act=lambda subscription, request, answers: _renewed(subscription, request, answers),
            done="",
            icon="key",
        ),
    )

    def hangs(self, obj: Any) -> bool:
        return False

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        words, look = (_("active"), "success") if obj.is_active else (_("switched off"), "danger")
        address = f"{reverse('admin:coupons_delivery_changelist')}?subscription__id__exact={obj.pk}"
        return {
            "chip": (words, look),
            "title": obj.name,
            "facts": [
                (_("Waiting"), obj.deliveries.filter(state="pending").count()),
                *([(_("Old secret signs until"), localtime(obj.old_until))] if _changes_over(obj) else []),
            ],
            "links": [(_("Deliveries"), address)],
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change:
            obj.secret = webhooks.new_secret()
        super().save_model(request, obj, form, change)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        return _the_secret(request, obj)

    @display(description=gettext_lazy("Is told of"))
    def told_of(self, obj: Any) -> str:
        called = dict(kinds())
        return ", ".join(called[kind] for kind in obj.kinds if kind in called)

    @display(description=gettext_lazy("Waiting"), ordering="waiting_count")
    def waiting(self, obj: Any) -> int:
        return obj.waiting_count

    @display(description=gettext_lazy("State"), label={"on": "success", "off": "danger"})
    def switched(self, obj: Any) -> tuple[str, str]:
        return ("on", _("active")) if obj.is_active else ("off", _("switched off"))


@admin.register(Delivery)
class DeliveryAdmin(ReadDesk):
    list_display = ("since", "subscription", "kind", "event_id", "state_chip", "attempt_count", "next_at")
    list_filter = (
        ("state", ChoicesDropdownFilter),
        ("subscription", RelatedDropdownFilter),
        ("kind", ChoicesDropdownFilter),
        ("since", RangeDateTimeFilter),
    )
    list_select_related = ("subscription",)
    search_fields = ("event_id",)
    search_help_text = gettext_lazy("Event's number, coupon code")
    empty_words = gettext_lazy("Nothing has been told yet.")
    fieldsets = (
        (None, {"fields": (("subscription", "kind"), ("since", "ended_at"), "next_at")}),
        (gettext_lazy("Attempts"), {"fields": ("attempt_list",)}),
        (gettext_lazy("What is said"), {"fields": ("said",)}),
    )
    moves = (
        Move(
            name="again",
            label=gettext_lazy("Send again"),
            question=gettext_lazy("Send this event once more?"),
            permissions=("coupons.resend_delivery",),
            possible=lambda delivery: True,
            consequences=lambda delivery: [
                _("The receiver knows it by the event's number and may pass over what it had."),
                _("If it fails, it is tried again for a day."),
            ],
            act=lambda delivery, request, answers: webhooks.send_again(delivery, timezone.now()),
            done=gettext_lazy("It goes out within seconds."),
            icon="replay",
        ),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("attempt_list", "said")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        term = search_term.strip().upper()
        if not term:
            return queryset, False
        coupons = list(Coupon.objects.filter(code=term).values_list("pk", flat=True))
        found = Q(coupon_id__in=coupons)
        return queryset.filter(found | Q(event_id=int(term)) if term.isdecimal() else found), False

    def panel(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        links = []
        if request.user.has_perm("coupons.view_coupon"):
            links.append((_("Coupon"), reverse("admin:coupons_coupon_change", args=[obj.coupon_id])))
        return {"chip": (obj.get_state_display(), CHIPS[obj.state]), "title": str(obj), "links": links}

    @display(description=gettext_lazy("State"), ordering="state", label=CHIPS)
    def state_chip(self, obj: Any) -> tuple[str, str]:
        return obj.state, obj.get_state_display()

    @display(description=gettext_lazy("Attempts"))
    @once
    def attempt_list(self, obj: Any) -> SafeString:
        return render_to_string("coupons/admin/attempts.html", {"attempts": obj.attempts.all()[:100]})

    @display(description=gettext_lazy("What is said"))
    def said(self, obj: Any) -> str:
        return obj.body
