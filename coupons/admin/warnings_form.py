"""What the checker warns of, each to be accepted with a reason before a template moves on."""

from django import forms
from django.utils.translation import gettext as _

from coupons import checking
from coupons.models import CouponTemplate

REASON_LENGTH = 200


def warnings_form(template: CouponTemplate) -> type[forms.Form] | None:
    """One reason for each warning that was not accepted yet; None where there is none."""
    accepted = {} if template.status == CouponTemplate.Status.DRAFT else template.accepted_warnings
    said: dict[str, str] = {}
    for finding in checking.verdict(template).warnings:
        if finding.code not in accepted:
            said[finding.code] = (
                f"{said[finding.code]} {finding.sentence}" if finding.code in said else finding.sentence
            )
    if not said:
        return None
    asked = {
        code: forms.CharField(
            label=sentence, max_length=REASON_LENGTH, help_text=_("A warning. If it is meant so, write why.")
        )
        for code, sentence in said.items()
    }
    return type("WarningsForm", (forms.Form,), asked)
