"""Forms that notice when somebody else saved the same thing meanwhile."""

from typing import Any

from django import forms

from coupons.admin.desk import RefusedMixin
from coupons.admin.template_form import edited_meanwhile


class SeenForm(RefusedMixin, forms.ModelForm):
    """``seen``: the number of the last history record when the page was opened."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.last = self.instance.history.first() if self.instance.pk else None
        if self.last:
            self.initial["seen"] = self.last.history_id
        if self.instance.pk and "key" in self.fields:
            self.fields["key"].disabled = True

    def clean(self) -> dict[str, Any] | None:
        self.say_refused()
        seen = self.cleaned_data.get("seen")
        if (
            self.last
            and seen is not None
            and seen != self.last.history_id
            and not getattr(self.request, "refused", None)
        ):
            self.add_error(None, edited_meanwhile(self.last))
        return self.cleaned_data
