"""What a template's rules are asked with: conditions, the release schedule, the scope, what is given back, looks."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from coupons import rules
from coupons.admin.asking import dress
from coupons.admin.small_forms import OneForm, Section, SmallForms, SmallFormsField, look_again
from coupons.admin.uploading import take_picture
from coupons.conditions.moment import WEEKDAYS
from coupons.models import Category, Merchant
from coupons.rules import looks, reversal, schedule
from coupons.rules.answers import Answers, Keys, Several, Windows, Words


class FoldedForms(SmallForms):
    foldable = True


class ConditionsField(SmallFormsField):
    """The whole menu of conditions, a section each; left blank is off. Stored as ``{code: answers}``.

    ``deed``: what the conditions are asked for, so that their sentences say it.
    """

    widget = FoldedForms

    def __init__(self, *, deed: Literal["claim", "use"] = "claim", **kwargs: Any) -> None:
        self.deed = deed
        super().__init__(**kwargs)

    def _menu(self) -> Iterator[tuple[str, type[rules.Condition]]]:
        yield from ((code, asked) for code, asked in rules.menu.items() if asked.for_use or self.deed == "claim")

    def sections(self, data: Any, value: Any, name: str) -> list[Section]:
        result = []
        for code, condition in self._menu():
            answers = (value or {}).get(code)
            form = condition.Form(data, prefix=f"{name}-{code}", initial=answers)
            if data is not None and form.is_left_blank():  # type: ignore[attr-defined]
                form = condition.Form(None, prefix=f"{name}-{code}")
            dress(form, self.read)
            sentence = _sentence(condition(answers, self.deed)) if answers else ""
            result.append(Section(code, condition.label, form, bool(form.is_bound or answers), sentence))
        return result

    def answer(self, sections: list[Section]) -> dict[str, Any]:
        asked = [section for section in sections if section.form.is_bound]
        wrong = [section for section in asked if not section.form.is_valid()]
        if wrong:
            raise look_again()
        answers = {section.code: _answered(section.form) for section in asked}
        try:
            return rules.clean(answers)
        except rules.InvalidRules as invalid:
            raise ValidationError([sentence for _path, _code, sentence in invalid.errors], "invalid") from None


def _sentence(condition: rules.Condition) -> str:
    """What an operator should know beside it stands in the form; but whose name customers are not told is told here."""
    return condition.wording() if condition.edge else condition.for_operators()


def _answered(form: forms.Form) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "", [])}


class ReleaseField(OneForm):
    """发放时间. What is left blank does not restrict."""

    class Form(Answers):
        starts_at = forms.DateTimeField(required=False, label=_("Given out from"))
        ends_at = forms.DateTimeField(required=False, label=_("Given out until"))
        weekdays = Several(
            kind=int, required=False, choices=list(WEEKDAYS.items()), label=_("On these days of the week")
        )
        month_days = Several(
            kind=int,
            required=False,
            choices=[*((day, str(day)) for day in range(1, 32)), (-1, _("the last day"))],
            label=_("On these days of the month"),
        )
        hours = Windows(
            required=False,
            label=_("At these hours"),
            help_text=_("Such as 10:00-14:00, 22:00-02:00; may cross midnight."),
        )

    def initial_of(self, value: dict[str, Any]) -> dict[str, Any]:
        moments = {name: datetime.fromisoformat(value[name]) for name in ("starts_at", "ends_at") if value.get(name)}
        return {**value, **moments}

    def stored(self, answers: dict[str, Any]) -> dict[str, Any]:
        try:
            return schedule.clean(super().stored(answers))
        except rules.InvalidRules as invalid:
            raise ValidationError([sentence for _path, _code, sentence in invalid.errors], "invalid") from None


class ScopeField(OneForm):
    """What of an order the coupon looks at: all goods, some goods, or the shipping fee."""

    class Form(Answers):
        shipping = forms.TypedChoiceField(
            coerce=lambda value: value == "yes",
            choices=[("no", _("goods")), ("yes", _("the shipping fee"))],
            widget=forms.RadioSelect,
            label=_("Takes off"),
            required=False,
            empty_value=None,
        )
        categories = Keys(Category.objects.all(), required=False, label=_("Only these categories"))
        merchants = Keys(Merchant.objects.all(), required=False, label=_("Only these merchants"))
        skus = Words(required=False, label=_("Only these goods"), help_text=_("SKUs, separated by commas. Empty: all."))

        def clean(self) -> None:
            answers = self.cleaned_data
            if answers.get("shipping") and any(answers.get(name) for name in ("categories", "merchants", "skus")):
                self.add_error("shipping", _("A coupon is for shipping or for goods, not both."))

    def initial_of(self, value: dict[str, Any]) -> dict[str, Any]:
        return {**value, "shipping": "yes" if value.get("shipping") else "no"}


class ReversalField(OneForm):
    """退券规则: what becomes of the coupon, case by case."""

    Form = type(  # the cases are the menu's
        "Form",
        (Answers,),
        {
            **{
                str(case): forms.ChoiceField(
                    required=False,
                    choices=[("", _("by the answer above")), *reversal.OUTCOMES.items()],
                    label=label,  # type: ignore[arg-type]
                )
                for case, label in reversal.CASES.items()
            },
            "grace_days": forms.IntegerField(
                required=False, min_value=1, max_value=reversal.MOST_DAYS, label=_("Days of grace")
            ),
        },
    )

    def stored(self, answers: dict[str, Any]) -> dict[str, Any]:
        try:
            return reversal.clean(super().stored(answers))
        except rules.InvalidRules as invalid:
            raise ValidationError([sentence for _path, _code, sentence in invalid.errors], "invalid") from None


class LooksForms(SmallForms):
    needs_multipart_form = True

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Section]:
        sections = super().value_from_datadict(data, files, name)
        for section in sections:
            section.form.files = files
        return sections


class LooksField(OneForm):
    """How the coupon is drawn: ``coupons.rules.looks``."""

    widget = LooksForms

    class Form(Answers):
        design = forms.ChoiceField(
            choices=list(looks.LABELS.items()), required=False, label=_("Design"), widget=forms.RadioSelect
        )
        color = forms.CharField(
            required=False, max_length=7, label=_("Colour"), help_text=_("Such as #ff5a1f; empty: the design's own.")
        )
        text_color = forms.CharField(
            required=False,
            max_length=7,
            label=_("Colour of the words"),
            help_text=_("Such as #ffffff; empty: what can be read best."),
        )
        badge = forms.CharField(
            required=False,
            max_length=looks.BADGE_LENGTH,
            label=_("Badge"),
            help_text=_("A few words in its corner."),
        )
        picture_file = forms.FileField(
            required=False,
            label=_("Picture"),
            help_text=_("PNG, JPEG or WebP, at most 2 MB."),
            widget=forms.FileInput({"accept": "image/png,image/jpeg,image/webp", "class": "desk-file"}),
        )
        without_picture = forms.BooleanField(required=False, label=_("Without the picture"))
        picture = forms.CharField(required=False, widget=forms.HiddenInput)

        def clean(self) -> None:
            answers = self.cleaned_data
            take_picture(self, answers)
            for name in ("picture_file", "without_picture"):
                answers.pop(name, None)
            try:
                looks.clean({name: value for name, value in answers.items() if value})
            except rules.InvalidRules as invalid:
                for name, code, sentence in invalid.errors:
                    self.add_error(name if name != "picture" else "picture_file", ValidationError(sentence, code))

    def initial_of(self, value: dict[str, Any]) -> dict[str, Any]:
        return {"design": looks.USUAL, **value}
