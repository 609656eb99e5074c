"""The form of a report's question: what is measured, by what, of which, in which days, drawn how."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import BASE_INPUT_CLASSES

from coupons.admin.asking import dress
from stats.queries.figures import REFUSED_COUNTS
from stats.queries.measures import DIMENSION, MEASURES
from stats.queries.refusals import REASON
from stats.reporting import Period

ROWS = ("row_1", "row_2", "row_3")
CHARTS = (
    ("auto", gettext_lazy("what suits")),
    ("line", gettext_lazy("curve")),
    ("bar", gettext_lazy("bars")),
    ("none", gettext_lazy("none")),
)


class Day(forms.DateInput):
    input_type = "date"

    def __init__(self) -> None:
        super().__init__({"class": " ".join(BASE_INPUT_CLASSES)}, format="%Y-%m-%d")


class QuestionForm(forms.Form):
    """Cleaned into the answers that are stored. ``money``: measures of money are offered."""

    measures = forms.MultipleChoiceField(label=gettext_lazy("Measures"), widget=forms.CheckboxSelectMultiple)
    row_1 = forms.ChoiceField(label=gettext_lazy("Rows by"), required=False)
    row_2 = forms.ChoiceField(label=gettext_lazy("then by"), required=False)
    row_3 = forms.ChoiceField(label=gettext_lazy("then by"), required=False)
    across = forms.ChoiceField(label=gettext_lazy("Columns by"), required=False)
    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=Period.choices)
    first = forms.DateField(label=gettext_lazy("From"), required=False, widget=Day)
    last = forms.DateField(label=gettext_lazy("To, included"), required=False, widget=Day)
    chart = forms.ChoiceField(label=gettext_lazy("Chart"), choices=CHARTS, required=False)

    def __init__(self, data: QueryDict | None, *, money: bool, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial)
        self.fields["measures"].choices = [  # type: ignore[attr-defined]
            (measure.code, str(measure.label)) for measure in MEASURES.values() if money or not measure.is_money
        ]
        dimensions = [("", "–"), *((one.code, str(one.label)) for one in DIMENSION.values())]
        for name in (*ROWS, "across"):
            self.fields[name].choices = dimensions  # type: ignore[attr-defined]
        for one in DIMENSION.values():
            if one.choices is not None:
                self.fields[f"only_{one.code}"] = forms.TypedMultipleChoiceField(
                    label=str(one.label),
                    choices=[(str(value), name) for value, name in one.choices()],
                    coerce=int if one.number else str,
                    required=False,
                    widget=forms.SelectMultiple,
                )

    def dress(self) -> None:
        """Gives its inputs the look of the site; measures stand as boxes, however many, and days keep their picker."""
        dress(self)
        self.fields["measures"].widget = forms.CheckboxSelectMultiple()
        for name in ("first", "last"):
            self.fields[name].widget = Day()

    @property
    def filters(self) -> list[Any]:
        return [self[name] for name in self.fields if name.startswith("only_")]

    @property
    def is_filtered(self) -> bool:
        return any(field.value() for field in self.filters)

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        rows = [said[name] for name in ROWS if said.get(name)]
        if len({*rows}) < len(rows):
            self.add_error("row_2", ValidationError(_("Each of them once."), "twice"))
        if said.get("across") in rows:
            self.add_error("across", ValidationError(_("It stands in the rows already."), "twice"))
        named = {*rows, said.get("across"), *(name.removeprefix("only_") for name in said if said[name])}
        if REASON in named and {*said.get("measures", ())} - REFUSED_COUNTS:
            by_reason = _("By the reason of a refusal, only refused claims and uses are counted.")
            self.add_error("measures", ValidationError(by_reason, "not_by_reason"))
        if said.get("period") == Period.FIXED:
            first, last = said.get("first"), said.get("last")
            for name in ("first", "last"):
                if not said.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError(_("Which day?"), "required"))
            if first and last and last < first:
                self.add_error("last", ValidationError(_("Not before the first day."), "order"))
        return said

    @property
    def answers(self) -> dict[str, Any]:
        """What is stored of a form that is valid."""
        said = self.cleaned_data
        fixed = said["period"] == Period.FIXED
        return {
            "measures": said["measures"],
            "rows": [said[name] for name in ROWS if said[name]],
            "across": said["across"],
            "only": {
                name.removeprefix("only_"): said[name] for name in said if name.startswith("only_") and said[name]
            },
            "period": said["period"],
            "first": said["first"].isoformat() if fixed else "",
            "last": said["last"].isoformat() if fixed else "",
            "chart": said["chart"] or "auto",
        }


def typed(answers: dict[str, Any]) -> QueryDict:
    """Stored answers as the form would have sent them."""
    data = QueryDict(mutable=True)
    data.setlist("measures", answers["measures"])
    for name, row in zip(ROWS, answers.get("rows", ()), strict=False):
        data[name] = row
    for name in ("across", "period", "first", "last", "chart"):
        if answers.get(name):
            data[name] = answers[name]
    for name, values in answers.get("only", {}).items():
        data.setlist(f"only_{name}", [str(value) for value in values])
    return data
