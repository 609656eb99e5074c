"""What an operator says of a new batch of codes."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from coupons import sheets
from coupons.admin.desk import RefusedMixin
from coupons.models.keys import key_validator
from coupons.refused import Refused
from distribution import codes
from distribution.models import CodeBatch, Placement
from distribution.models.codes import MOST_CODES

#: Which questions each kind answers.
NEEDS = {
    "latin": ["code_count", "length", "customers", "customers_file"],
    "chinese": ["code_count", "length", "customers", "customers_file"],
    "shared": ["shared_code", "use_limit"],
    "imported": ["upload"],
}


def _keys(lines: Iterable[tuple[int, str]]) -> list[str]:
    """Customers' keys, without the empty lines, each once."""
    keys: dict[str, None] = {}
    for number, line in lines:
        key = line.strip()
        if not key:
            continue
        try:
            key_validator(key)
        except ValidationError:
            raise ValidationError(
                _("Line %(number)s: %(key)s is no customer's key.") % {"number": number, "key": key[:64]}
            ) from None
        if key in keys:
            raise ValidationError(_("%(key)s stands here twice.") % {"key": key})
        keys[key] = None
    return list(keys)


def must_be_table(form: forms.BaseForm, field: str) -> None:
    """What a job will read, as far as can be said before: an error at its field."""
    upload = form.cleaned_data.get(field)
    try:
        if upload:
            sheets.table(upload, sheets.Limits(rows=MOST_CODES))
            upload.seek(0)
    except Refused as no:
        form.add_error(field, str(no.reasons[0]["detail"]))


def forget_unasked(form: forms.BaseForm, needs: dict[str, list[str]]) -> None:
    """What is wrong in answers to questions that the chosen kind does not ask, and the page does not show."""
    asked = needs.get(form.cleaned_data.get("kind", ""), [])
    for name in {name for names in needs.values() for name in names}.difference(asked):
        form.errors.pop(name, None)


class CodeBatchForm(RefusedMixin, forms.ModelForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("Kind"),
        choices=CodeBatch.Kind.choices,
        initial="latin",
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    code_count = forms.IntegerField(
        label=gettext_lazy("Number of codes"),
        required=False,
        min_value=1,
        max_value=MOST_CODES,
        initial=1000,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy("Left empty where customers are named: one code each."),
    )
    length = forms.IntegerField(
        label=gettext_lazy("Length"),
        required=False,
        min_value=1,
        max_value=codes.LONGEST,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
        help_text=gettext_lazy(
            "Letters and digits, or Chinese words of two characters. Left empty: as short as is safe from guessing."
        ),
    )
    customers = forms.CharField(
        label=gettext_lazy("Only for these customers"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 4}),
        help_text=gettext_lazy("Their keys, one a line; each gets a code that works for them alone."),
    )
    customers_file = forms.FileField(
        label=gettext_lazy("… or as a file"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.xlsx", "class": "desk-file"}),
        help_text=gettext_lazy("CSV or Excel, a heading above, customers' keys in the first column."),
    )
    shared_code = forms.CharField(
        label=gettext_lazy("The shared code"),
        required=False,
        max_length=40,
        widget=widgets.UnfoldAdminTextInputWidget(),
        help_text=gettext_lazy("What customers type, in letters, digits or Chinese; each customer can use it once."),
    )
    use_limit = forms.IntegerField(
        label=gettext_lazy("Uses in all"),
        required=False,
        min_value=1,
        max_value=10**9,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )

    upload = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.xlsx", "class": "desk-file"}),
        help_text=gettext_lazy(
            "CSV or Excel, a heading above: codes in the first column; in the second, if you like, the customer's key "
            "that each is for."
        ),
    )

    class Meta:
        model = CodeBatch
        fields = ("placement", "name")

    class Media:
        js = ("distribution/desk.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "placement" in self.fields:
            open_ones = Placement.objects.filter(form=Placement.Form.CODE).exclude(status=Placement.Status.ENDED)
            self.fields["placement"].queryset = open_ones.select_related("campaign")  # type: ignore[attr-defined]
            self.fields["placement"].help_text = _("A placement of the form “redemption codes”.")

    def clean_customers(self) -> list[str]:
        return _keys(enumerate(self.cleaned_data["customers"].splitlines(), 1))

    def clean_customers_file(self) -> list[str]:
        upload = self.cleaned_data["customers_file"]
        if not upload:
            return []
        try:
            rows = sheets.table(upload, sheets.Limits(rows=MOST_CODES)).rows
            return _keys((row.number, row.cells[0] if row.cells else "") for row in rows)
        except Refused as no:
            raise ValidationError(str(no.reasons[0]["detail"])) from None

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        kind = said.get("kind")
        forget_unasked(self, NEEDS)
        if kind == "shared":
            for name in ("shared_code", "use_limit"):
                if not said.get(name) and name not in self.errors:
                    self.add_error(name, ValidationError(_("This field is required."), "required"))
        elif kind == "imported":
            if not said.get("upload") and "upload" not in self.errors:
                self.add_error("upload", ValidationError(_("This field is required."), "required"))
            must_be_table(self, "upload")
        elif kind and not (
            said.get("code_count") or said.get("customers") or said.get("customers_file") or self.errors
        ):
            self.add_error("code_count", ValidationError(_("This field is required."), "required"))
        return said

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        for name in ("kind", "code_count", "length", "shared_code", "use_limit"):
            value = self.cleaned_data.get(name)
            if value is not None:
                setattr(self.instance, name, value)
        self.say_refused()
