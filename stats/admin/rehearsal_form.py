"""What an operator is asked before a rehearsal: which placement, how many days, what to assume."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate
from distribution.models import Placement
from stats.rehearsing import Assumptions

MOST_DAYS = 366
USUAL = Assumptions()


def _percent(label: Any, help_text: Any, initial: int) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, initial=initial, min_value=0, max_value=100)


def _choice(label: Any, yes: Any, no: Any, initial: bool) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label,
        choices=[("no", no), ("yes", yes)],
        coerce=lambda value: value == "yes",
        initial="yes" if initial else "no",
        widget=forms.RadioSelect,
    )


class RehearsalForm(forms.Form):
    placement = forms.ModelChoiceField(
        Placement.objects.none(),
        required=False,
        label=_("Placement"),
        empty_label=_("none: the template's own claim rules alone"),
        help_text=_("With the audiences to which this placement offers the coupon."),
    )
    day_count = forms.IntegerField(
        label=_("Days"),
        min_value=1,
        max_value=MOST_DAYS,
        initial=30,
        help_text=_("Orders of so many days, today so far among them. The first planned day is laid on the first."),
    )
    seen_percent = _percent(
        _("See it, percent"), _("Of the customers who qualify and order, so many see the offer."), USUAL.seen_percent
    )
    claim_percent = _percent(_("Claim it, percent"), _("Of those who see it, so many claim."), USUAL.claim_percent)
    use_percent = _percent(
        _("Use it, percent"),
        _("When an order fits, so many of the coupons in hand are used on it."),
        USUAL.use_percent,
    )
    extra_percent = _percent(
        _("Additional orders, percent"),
        _("Of the coupons claimed, so many bring an order that would not have been. 0: only orders that happened."),
        USUAL.extra_percent,
    )
    quiet_seen_percent = _percent(
        _("Others who see it, percent"),
        _("Of the customers who qualify today but did not order in these days, so many see the offer."),
        USUAL.quiet_seen_percent,
    )
    unknown_passes = _choice(
        _("What nobody knows any more (position, weather then …)"),
        _("counts as fulfilled"),
        _("counts as not fulfilled"),
        USUAL.unknown_passes,
    )
    discounted_fit = _choice(
        _("Orders that something was taken off already"),
        _("the coupon is used on them, too"),
        _("are left out"),
        USUAL.discounted_fit,
    )

    def __init__(self, template: CouponTemplate, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        placement = self.fields["placement"]
        assert isinstance(placement, forms.ModelChoiceField)
        placement.queryset = Placement.objects.filter(offers__template=template).distinct()

    @property
    def assumptions(self) -> Assumptions:
        answers = dict(self.cleaned_data)
        del answers["placement"], answers["day_count"]
        return Assumptions(**answers)

    @staticmethod
    def answers_of(assumptions: dict[str, Any]) -> dict[str, Any]:
        """An earlier rehearsal's assumptions as this form's initial answers."""
        return {
            name: ("yes" if value else "no") if isinstance(value, bool) else value
            for name, value in assumptions.items()
        }
