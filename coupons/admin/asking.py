"""Fields that are small forms: conditions, the release schedule, the scope. One look for all, errors by answer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from coupons import pictures, rules
from coupons.conditions.moment import WEEKDAYS
from coupons.models import Category, Merchant
from coupons.rules import looks, reversal, schedule
from coupons.rules.answers import Answers, Keys, Several, Windows, Words

#: More choices than these become a searched list.
MOST_BOXES = 14


class Moment(forms.DateTimeInput):
    """The browser's own picker of date and time: by keyboard, in the operator's language, on a phone."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(
            {"class": " ".join([*widgets.BASE_INPUT_CLASSES, "max-w-2xl"]), **(attrs or {})}, format="%Y-%m-%dT%H:%M"
        )

    def format_value(self, value: Any) -> str | None:
        if getattr(value, "second", 0):
            return value.strftime("%Y-%m-%dT%H:%M:%S")
        return super().format_value(value)


class ReadOnce:
    """Choices that are rows: several fields of a page show the same ones, which are read when the first is drawn."""

    def __init__(self, field: Any, read: dict[Any, list[Any]]) -> None:
        self.field, self.read = field, read

    def __iter__(self) -> Iterator[Any]:
        question = (str(self.field.queryset.query), getattr(self.field, "empty_label", None))
        if question not in self.read:
            self.read[question] = list(iter(self.field.choices))  # its length would be another question
        return iter(self.read[question])


def _choices(field: Any, read: dict[Any, list[Any]] | None) -> Any:
    """A field's choices; those that are rows or a function's are read once for the page."""
    if hasattr(field, "queryset"):
        return field.choices if read is None else ReadOnce(field, read)
    function = getattr(field.choices, "func", None)
    if function is None:
        return field.choices
    read = {} if read is None else read
    if function not in read:
        read[function] = [*field.choices]
    return read[function]


def dress(form: forms.BaseForm, read: dict[Any, list[Any]] | None = None) -> None:
    """Gives the form's inputs the look of the site. ``read``: choices that other fields of the page have read."""
    for field in form.fields.values():
        choices = _choices(field, read) if hasattr(field, "choices") else []
        match field.widget:
            case forms.CheckboxSelectMultiple() if isinstance(choices, list) and len(choices) > MOST_BOXES:
                look: forms.Widget = widgets.UnfoldAdminSelect2MultipleWidget()
            case forms.CheckboxSelectMultiple():
                look = widgets.UnfoldAdminCheckboxSelectMultipleWidget()
            case forms.SelectMultiple():
                look = widgets.UnfoldAdminSelect2MultipleWidget()
            case forms.RadioSelect():
                look = widgets.UnfoldAdminRadioSelectWidget()
            case forms.Select():
                look = widgets.UnfoldAdminSelectWidget()
            case forms.NumberInput():
                look = widgets.UnfoldAdminIntegerFieldWidget()
            case forms.DateTimeInput():
                look = Moment()
            case forms.TextInput():
                look = widgets.UnfoldAdminTextInputWidget()
            case _:
                continue
        if hasattr(field, "choices"):
            look.choices = choices  # type: ignore[attr-defined]
        kept = {name: value for name, value in field.widget.attrs.items() if name in ("min", "max", "step")}
        look.attrs.update(kept)
        look.is_required = field.required
        field.widget = look


@dataclass
class Section:
    """One small form as the page shows it."""

    code: str
    label: str | Promise
    form: forms.Form
    is_open: bool = True
    sentence: str = ""

    @property
    def has_errors(self) -> bool:
        return bool(self.form.is_bound and self.form.errors)


def is_sections(value: Any) -> bool:
    """Whether a value comes from what was posted; what is stored may be a list, too."""
    return isinstance(value, list) and bool(value) and isinstance(value[0], Section)


class SmallForms(forms.Widget):
    """Shows the sections that ``make`` builds from stored answers or from what was posted."""

    template_name = "coupons/admin/small_forms.html"
    foldable = False

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.make: Callable[[Any, Any, str], list[Section]] = lambda data, value, name: []

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Section]:
        return self.make(data, None, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def id_for_label(self, id_: str) -> str:
        return ""

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        sections = value if is_sections(value) else self.make(None, value or {}, name)
        if context["widget"]["attrs"].get("disabled"):
            for section in sections:
                for field in section.form.fields.values():
                    field.disabled = True
        context["sections"], context["foldable"] = sections, self.foldable
        return context

    @property
    def media(self) -> forms.Media:
        return widgets.UnfoldAdminSelect2MultipleWidget().media


class SmallFormsField(forms.Field):
    """A field whose value is a dict, answered through small forms."""

    widget = SmallForms

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("required", False)
        super().__init__(**kwargs)
        self.widget.make = self.sections
        self.read: dict[Any, list[Any]] = {}

    def __deepcopy__(self, memo: dict[int, Any]) -> "SmallFormsField":
        result = super().__deepcopy__(memo)
        result.widget.make = result.sections
        return result

    def sections(self, data: Any, value: Any, name: str) -> list[Section]:
        """From posted ``data``, or from the stored ``value``."""
        raise NotImplementedError

    def answer(self, sections: list[Section]) -> dict[str, Any]:
        """What is stored.  :raises ValidationError:"""
        raise NotImplementedError

    def clean(self, value: Any) -> dict[str, Any]:
        return self.answer(value) if is_sections(value) else value or {}

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return (initial or {}) != self.clean(data)
        except ValidationError:
            return True


def _wrong() -> ValidationError:
    return ValidationError(_("Something here needs another look."), "invalid")


def _answered(form: forms.Form) -> dict[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if value not in (None, "", [])}


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
            sentence = condition(answers, self.deed).wording() if answers else ""
            result.append(Section(code, condition.label, form, bool(form.is_bound or answers), sentence))
        return result

    def answer(self, sections: list[Section]) -> dict[str, Any]:
        asked = [section for section in sections if section.form.is_bound]
        wrong = [section for section in asked if not section.form.is_valid()]
        if wrong:
            raise _wrong()
        answers = {section.code: _answered(section.form) for section in asked}
        try:
            return rules.clean(answers)
        except rules.InvalidRules as invalid:
            raise ValidationError([sentence for _path, _code, sentence in invalid.errors], "invalid") from None


class OneForm(SmallFormsField):
    """A value asked by a single small form."""

    Form: type[Answers]

    def initial_of(self, value: dict[str, Any]) -> dict[str, Any]:
        return value

    def sections(self, data: Any, value: Any, name: str) -> list[Section]:
        form = self.Form(data, prefix=name, initial=self.initial_of(value or {}))
        dress(form, self.read)
        return [Section(name, "", form)]

    def answer(self, sections: list[Section]) -> dict[str, Any]:
        form = sections[0].form
        if not form.is_valid():
            raise _wrong()
        return self.stored(form.cleaned_data)

    def stored(self, answers: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answers.items() if value not in (None, "", [], False)}


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
            upload, without = answers.pop("picture_file", None), answers.pop("without_picture", False)
            if upload:
                try:
                    answers["picture"] = pictures.keep(upload)
                except ValidationError as wrong:
                    self.add_error("picture_file", wrong)
            elif without:
                answers["picture"] = ""
            if upload or without:  # so that it is still there when something else is wrong
                posted: Any = self.data
                self.data = posted.copy()
                self.data[self.add_prefix("picture")] = answers.get("picture", "")  # type: ignore[index]
            try:
                looks.clean({name: value for name, value in answers.items() if value})
            except rules.InvalidRules as invalid:
                for name, code, sentence in invalid.errors:
                    self.add_error(name if name != "picture" else "picture_file", ValidationError(sentence, code))

    def initial_of(self, value: dict[str, Any]) -> dict[str, Any]:
        return {"design": looks.USUAL, **value}
