"""The form of a coupon template together with its limits."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from coupons import editing
from coupons.admin import comparing, keeping
from coupons.admin.asking import ReadOnce
from coupons.admin.desk import RefusedMixin, yuan_field
from coupons.admin.rule_fields import ConditionsField, LooksField, ReleaseField, ReversalField, ScopeField
from coupons.admin.small_forms import SmallFormsField
from coupons.models import Budget, City, CouponTemplate, Supply
from coupons.models.checks import check_worst_case
from coupons.models.templates import MAX_FEN
from coupons.rules import looks
from coupons.rules.answers import Keys


def _limit(name: str) -> forms.Field:
    column = editing.column(Supply, name)
    if name in Supply.FEN_LIMITS:
        field: forms.Field = yuan_field(column)
        field.initial = None
    else:
        field = forms.IntegerField(
            required=False,
            min_value=0,
            max_value=MAX_FEN,
            label=capfirst(column.verbose_name),
            initial=column.default if column.has_default() else None,
            widget=widgets.UnfoldAdminIntegerFieldWidget(),
        )
    return field


class BudgetField(forms.ModelChoiceField):
    """A campaign's purse, called by the campaign's name."""

    def label_from_instance(self, budget: Any) -> str:
        campaign = getattr(budget, "campaign", None)  # budgets without one: purses of no campaign have no name
        return f"{campaign.name} ({campaign.key})" if campaign else f"#{budget.pk}"


LimitsForm: Any = type(forms.Form)("LimitsForm", (forms.Form,), {name: _limit(name) for name in Supply.LIMITS})  # type: ignore[misc]


class TemplateForm(RefusedMixin, LimitsForm, forms.ModelForm):
    budget = BudgetField(
        Budget.objects.select_related("campaign").order_by("-campaign__id"),
        label=gettext_lazy("Campaign"),
        help_text=gettext_lazy("Its budget pays for the coupons."),
        widget=widgets.UnfoldAdminSelect2Widget(),
    )
    type = forms.ChoiceField(
        label=gettext_lazy("Type"),
        choices=CouponTemplate.Type.choices,
        initial=CouponTemplate.Type.AMOUNT_OFF,
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    validity_type = forms.ChoiceField(
        label=gettext_lazy("Valid for"),
        choices=CouponTemplate.Validity.choices,
        initial=CouponTemplate.Validity.DAYS_AFTER_CLAIM,
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    starts_after_days = forms.IntegerField(
        label=gettext_lazy("Starting after days"),
        required=False,
        min_value=0,
        max_value=3650,
        initial=0,
        help_text=gettext_lazy("0: at once."),
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    release = ReleaseField(
        label=gettext_lazy("Release schedule"), help_text=gettext_lazy("When it is given out. Left blank: always.")
    )
    claim_cities = Keys(
        City.objects.all(),
        required=False,
        label=gettext_lazy("Cities where it can be claimed"),
        help_text=gettext_lazy("Empty: everywhere."),
        widget=widgets.UnfoldAdminSelect2MultipleWidget(),
    )
    claim_conditions = ConditionsField(deed="claim", label=gettext_lazy("Claim conditions"))
    use_conditions = ConditionsField(deed="use", label=gettext_lazy("Use conditions"))
    scope = ScopeField(label=gettext_lazy("Scope"))
    reversal = ReversalField(
        label=gettext_lazy("Case by case"), help_text=gettext_lazy("Cases that are not named go by the answer above.")
    )
    looks = LooksField(label=gettext_lazy("Looks"))
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    #: What was kept of it, shown again; whether it is typed to be proposed.
    kept: Any = None
    proposing = False

    class Meta:
        model = CouponTemplate
        fields = ()

    def __init__(self, data: Any = None, *args: Any, **kwargs: Any) -> None:
        if data is None and self.kept is not None:
            data = keeping.posted(self.kept)
        super().__init__(data, *args, **kwargs)
        read: dict[Any, list[Any]] = {}
        for field in self.fields.values():
            if isinstance(field, SmallFormsField):
                field.read = read
            elif hasattr(field, "queryset"):
                field.widget.choices = ReadOnce(field, read)
        self.meanwhile_version, self.meanwhile_by = 0, None
        self.to_propose: list[str] = []
        self.touches: list[comparing.Difference] = []
        self.sure = ""
        self.supply = getattr(self.instance, "supply", None) if self.instance.pk else None
        if self.supply:
            for name in Supply.LIMITS:
                self.initial[name] = getattr(self.supply, name)
            self.initial["version"] = self.instance.version
        for name in ("percent_off", "merchant_percent"):
            if isinstance(percent := self.initial.get(name), Decimal):
                self.initial[name] = f"{percent.normalize():f}"  # 10, not 10.00
        if "percent_off" in self.fields:
            self.fields["percent_off"].widget.attrs["data-fold"] = _("%(tenths)s/10 of the price") % {"tenths": "0"}
        if self.is_frozen:
            for name in CouponTemplate.TERMS:
                if name in self.fields:
                    self.fields[name].disabled = True
        if self.instance.pk and "key" in self.fields:
            self.fields["key"].disabled = True

    @property
    def is_frozen(self) -> bool:
        return bool(self.supply and self.supply.issued_count)

    @property
    def limits(self) -> dict[str, int | None]:
        return {name: self.cleaned_data[name] for name in Supply.LIMITS if name in self.cleaned_data}

    def clean_version(self) -> int | None:
        """Compared and found good: then it is the version that was compared."""
        compared = self.data.get("compared", "")
        return int(compared) if compared.isdecimal() and len(compared) < 10 else self.cleaned_data["version"]

    @property
    def compared(self) -> list[comparing.Difference]:
        """When it was opened, as it is now, as it is typed here."""
        if not self.meanwhile_version:
            return []
        now = CouponTemplate.objects.select_related("supply").get(pk=self.instance.pk)
        seen = self.data.get("version", "")
        opened = comparing.version_of(now, int(seen)) if seen.isdecimal() and len(seen) < 10 else None
        theirs = comparing.values_of(now, now.supply)
        mine = comparing.values_of(self.instance, {**comparing.limits_of(now.supply), **self.limits})
        return list(comparing.differences(opened or theirs, theirs, mine))

    def clean_starts_after_days(self) -> int:
        return self.cleaned_data["starts_after_days"] or 0

    def clean_looks(self) -> dict[str, Any]:
        others = {name: value for name, value in (self.instance.looks or {}).items() if name not in looks.FIELDS}
        answers = self.cleaned_data["looks"]
        if answers.get("design") == looks.USUAL and "design" not in (self.instance.looks or {}):
            answers = {name: value for name, value in answers.items() if name != "design"}  # as it was: nothing said
        return {**others, **answers}

    def clean(self) -> dict[str, Any] | None:
        self.say_refused()
        if getattr(self.request, "kept_meanwhile", False):
            sentence = _(
                "You have kept something else of it in another window meanwhile. Nothing was saved; what you typed is "
                "still here, and takes the place of the other once you save again."
            )
            self.add_error(None, ValidationError(sentence, "edited_meanwhile"))
        seen = self.cleaned_data.get("version")
        if self.supply and seen is not None and not getattr(self.request, "refused", None):
            self._compare(seen)
        if self.supply:
            for name, counter in (("total_count", "issued_count"), ("total_fen", "issued_fen")):
                limit, issued = self.cleaned_data.get(name), getattr(self.supply, counter)
                if limit is not None and limit < issued:
                    shown = issued if name == "total_count" else f"{issued // 100}.{issued % 100:02}"
                    self.add_error(
                        name,
                        ValidationError(
                            _("%(issued)s have been given out already; the limit cannot be lower."),
                            "limit_below_issued",
                            {"issued": shown},
                        ),
                    )
        return self.cleaned_data

    def _compare(self, seen: int) -> None:
        """Somebody else saved meanwhile: nothing is written, and what differs is laid side by side.

        Who has read that comparison may say so, and then what stands in the form is what they mean.
        """
        now = CouponTemplate.objects.get(pk=self.instance.pk)
        if now.version == seen or self.data.get("compared") == str(now.version):
            return
        self.meanwhile_version = now.version
        self.meanwhile_by = now.history.select_related("history_user").first()
        self.add_error(None, edited_meanwhile(self.meanwhile_by, compared=True))

    def _look_at_change(self) -> None:
        """Of what is approved, more is proposed to somebody else; what touches coupons that are out is said before."""
        supply: Supply = self.supply  # type: ignore[assignment]
        before = CouponTemplate.objects.get(pk=self.instance.pk)
        if before.status not in (CouponTemplate.Status.LIVE, CouponTemplate.Status.PAUSED):
            return
        limits = {name: value for name, value in self.limits.items() if name not in self.errors}
        self.to_propose = editing.loosened(before, self.instance, supply, limits)
        if self.to_propose and not self.proposing:
            sentence = _(
                "It is approved as it is. Giving out more, or otherwise, is proposed to somebody who may approve."
            )
            for name in self.to_propose:
                self.add_error(name, ValidationError(sentence, "approval_needed"))
            return
        if not supply.issued_count or self.proposing:
            return
        after = comparing.values_of(self.instance, {**comparing.limits_of(supply), **limits})
        self.touches = list(comparing.differences(comparing.values_of(before, supply), after))
        self.sure = comparing.fingerprint(self.touches)
        if self.touches and self.data.get("sure") != self.sure:
            self.add_error(
                None, ValidationError(_("Nothing is saved yet: read what this touches, then save."), "unsure")
            )

    def _post_clean(self) -> None:
        super()._post_clean()
        if self.supply and not self.errors:
            self._look_at_change()
        budget = self.cleaned_data.get("budget")
        if budget is not None and "cap_fen" not in self.errors:
            for name, problems in check_worst_case(self.instance, self.limits, budget.limit_fen).items():
                self.add_error(name if name in self.fields else None, problems)

    def _update_errors(self, errors: ValidationError) -> None:
        """Errors of a path within a field, such as ``release.hours``, stand at the field."""
        if hasattr(errors, "error_dict"):
            gathered: dict[str, list[ValidationError]] = {}
            for path, problems in errors.error_dict.items():
                name = path.split(".")[0]
                gathered.setdefault(name if name in self.fields else "__all__", []).extend(problems)
            errors = ValidationError(gathered)
        super()._update_errors(errors)


def edited_meanwhile(last: Any, *, compared: bool = False) -> ValidationError:
    """Told to whoever comes second; nothing of either is lost. ``compared``: the page lays both side by side."""
    who = getattr(last, "history_user", None) or _("another system")
    told = _(
        "%(who)s changed this while you had it open. Nothing of yours was saved, nothing of theirs was overwritten; "
        "what you typed is still here."
    )
    onwards = "" if compared else " " + _("Open the page once more beside this one, and enter your changes there.")
    return ValidationError(told + onwards, "edited_meanwhile", {"who": who})
