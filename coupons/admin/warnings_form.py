"""What the checker warns of, each to be ticked as meant, with a reason, before something moves on."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from unfold import widgets

from coupons import checking
from coupons.models import CouponTemplate

REASON_LENGTH = 200


class MeantWidget(forms.MultiWidget):
    template_name = "coupons/admin/meant.html"

    def __init__(self) -> None:
        reason = {"maxlength": REASON_LENGTH, "autocomplete": "off"}
        super().__init__({"tick": forms.CheckboxInput(), "reason": widgets.UnfoldAdminTextInputWidget(reason)})

    def decompress(self, value: Any) -> list[Any]:
        return [bool(value), value or ""]


class MeantField(forms.MultiValueField):
    """Becomes the reason; a tick without one is no answer, nor is a reason without a tick."""

    widget = MeantWidget

    def __init__(self, **kwargs: Any) -> None:
        parts = (forms.BooleanField(required=False), forms.CharField(required=False, max_length=REASON_LENGTH))
        super().__init__(parts, require_all_fields=False, **kwargs)

    def compress(self, answers: list[Any]) -> str:
        ticked, reason = answers or (False, "")
        if not ticked:
            raise ValidationError(_("Tick that it is meant so, or go back and mend it."), "unticked")
        if not reason:
            raise ValidationError(_("Write why it is meant so."), "required")
        return str(reason)

    def clean(self, value: Any) -> str:
        return self.compress([field.clean(one) for field, one in zip(self.fields, value or ["", ""], strict=True)])


def form_of(said: Mapping[str, str]) -> type[forms.Form] | None:
    """``said``: sentences by code. None where nothing is asked."""
    asked = {code: MeantField(label=sentence) for code, sentence in said.items()}
    return type("WarningsForm", (forms.Form,), asked) if asked else None


def left(findings: Iterable[checking.Finding], accepted: Mapping[str, Any]) -> dict[str, str]:
    """Sentences by code of those that were not accepted yet."""
    said: dict[str, dict[str, None]] = {}
    for finding in findings:
        if finding.code not in accepted:
            said.setdefault(finding.code, {})[finding.sentence] = None
    return {code: " ".join(sentences) for code, sentences in said.items()}


def warnings_form(template: CouponTemplate) -> type[forms.Form] | None:
    """Of a template as it is stored."""
    accepted = {} if template.status == CouponTemplate.Status.DRAFT else template.accepted_warnings
    return form_of(left(checking.verdict(template).warnings, accepted))
