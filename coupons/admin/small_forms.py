"""Fields that are small forms: shown section by section, errors by answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold import widgets

from coupons.admin.asking import dress
from coupons.rules.answers import Answers


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


def look_again() -> ValidationError:
    return ValidationError(_("Something here needs another look."), "invalid")


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
            raise look_again()
        return self.stored(form.cleaned_data)

    def stored(self, answers: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answers.items() if value not in (None, "", [], False)}
