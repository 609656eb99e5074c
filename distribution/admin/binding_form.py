"""A binding is begun: to whom, named how, by list, file or audience."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold import widgets

from coupons.admin.desk import RefusedMixin
from coupons.models import Audience
from distribution.admin.code_form import forget_unasked, must_be_table
from distribution.models import Binding, Placement

#: Which question each way of saying to whom answers.
NEEDS = {"list": ["named_by", "accounts"], "file": ["named_by", "column", "file"], "audience": ["audience"]}
#: Accounts that are typed or pasted; more come as a file.
MOST_PASTED = 20_000


class BindingForm(RefusedMixin, forms.ModelForm):
    kind = forms.ChoiceField(
        label=gettext_lazy("To whom"),
        choices=[
            ("list", gettext_lazy("a pasted list")),
            ("file", gettext_lazy("a file, CSV or Excel")),
            ("audience", gettext_lazy("an audience")),
        ],
        initial="list",
        widget=widgets.UnfoldAdminRadioSelectWidget(),
    )
    named_by = forms.ChoiceField(
        label=gettext_lazy("Accounts are named by"),
        choices=Binding.Named.choices,
        initial=Binding.Named.KEY,
        required=False,
        widget=widgets.UnfoldAdminRadioSelectWidget(),
        help_text=gettext_lazy("A phone number stands for the newest member who has it."),
    )
    accounts = forms.CharField(
        label=gettext_lazy("Accounts"),
        required=False,
        widget=widgets.UnfoldAdminTextareaWidget({"rows": 8}),
        help_text=gettext_lazy("One a line, at most 20,000; more as a file."),
    )
    column = forms.IntegerField(
        label=gettext_lazy("Column of the accounts"),
        required=False,
        initial=1,
        min_value=1,
        max_value=100,
        widget=widgets.UnfoldAdminIntegerFieldWidget(),
    )
    file = forms.FileField(
        label=gettext_lazy("File"),
        required=False,
        widget=forms.FileInput({"accept": ".csv,.xlsx", "class": "desk-file"}),
        help_text=gettext_lazy("CSV or Excel, a heading above; up to 1,000,000 rows."),
    )
    audience = forms.ModelChoiceField(
        Audience.objects.order_by("name"),
        label=gettext_lazy("Audience"),
        required=False,
        widget=widgets.UnfoldAdminSelectWidget(),
        help_text=gettext_lazy("Whoever belongs to it at the moment of the dry run."),
    )

    class Meta:
        model = Binding
        fields = ("placement", "name")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        open_ones = Placement.objects.filter(form=Placement.Form.BIND).exclude(status=Placement.Status.ENDED)
        self.fields["placement"].queryset = open_ones.select_related("campaign")  # type: ignore[attr-defined]
        self.fields["placement"].help_text = _("A placement of the form “binding”.")

    def clean_accounts(self) -> list[str]:
        accounts = [line.strip() for line in self.cleaned_data["accounts"].splitlines() if line.strip()]
        if len(accounts) > MOST_PASTED:
            raise ValidationError(
                _("More than %(most)s accounts: bring them as a file.") % {"most": f"{MOST_PASTED:,}"}
            )
        return accounts

    def clean(self) -> dict[str, Any]:
        said = super().clean() or self.cleaned_data
        forget_unasked(self, NEEDS)
        for name in NEEDS.get(said.get("kind", ""), ())[-1:]:
            if not said.get(name) and name not in self.errors:
                self.add_error(name, ValidationError(_("This field is required."), "required"))
        if said.get("kind") == "file":
            must_be_table(self, "file")
        return said

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.named_by = self.cleaned_data.get("named_by") or Binding.Named.KEY
        if self.cleaned_data.get("kind") == "audience":
            self.instance.audience = self.cleaned_data.get("audience")
        self.say_refused()
