"""A picture that comes with a form."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from coupons import pictures


def take_picture(form: forms.BaseForm, answers: dict[str, Any]) -> None:
    """``picture_file`` is kept, and ``picture`` says where; ``without_picture`` empties it.

    A form that is shown again, because something else is wrong, still has it.
    """
    upload, without = answers.get("picture_file"), answers.get("without_picture")
    if upload:
        try:
            answers["picture"] = pictures.keep(upload)
        except ValidationError as wrong:
            form.add_error("picture_file", wrong)
    elif without:
        answers["picture"] = ""
    if upload or without:
        posted: Any = form.data
        form.data = posted.copy()
        form.data[form.add_prefix("picture")] = answers.get("picture", "")  # type: ignore[index]
