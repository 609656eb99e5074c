"""How a form asks: one look for all inputs, choices read once for a page."""

from collections.abc import Iterator
from typing import Any

from django import forms
from unfold import widgets

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
