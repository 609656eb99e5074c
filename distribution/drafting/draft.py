"""A document on its way in: what is wrong with it, whether it says anything new, what of it wants an approval."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model

from coupons import approving
from coupons.refused import SENTENCES
from distribution.drafting.document import Document

#: Columns of a template that the document calls otherwise.
PATHS = {
    "validity_type": "validity.type",
    "valid_days": "validity.days",
    "starts_after_days": "validity.starts_after_days",
    "valid_from": "validity.starts_at",
    "valid_until": "validity.ends_at",
    "merchant_percent": "cost.merchant_percent",
    "merchant_fen": "cost.merchant_fen",
}


class Draft:
    def __init__(self, document: Document, may_approve: bool, by: User | None) -> None:
        self.document, self.may_approve, self.by = document, may_approve, by
        self.errors: list[dict[str, Any]] = []
        self.changed = False
        #: What would go live, or change while live.
        self.unapproved: list[dict[str, Any]] = []

    def wrong(self, field: str, code: str, detail: str) -> None:
        self.errors.append({"field": field, "code": code, "detail": detail})

    def check(
        self,
        row: Model,
        path: str,
        exclude: list[str],
        more: Mapping[str, list[ValidationError]] | None = None,
    ) -> None:
        try:
            row.full_clean(exclude=exclude)
            found: dict[str, list[ValidationError]] = {}
        except ValidationError as invalid:
            found = dict(invalid.error_dict)
        for field, problems in (*found.items(), *(more or {}).items()):
            name = "" if field == "__all__" else f".{PATHS.get(field, field)}"
            for problem in problems:
                for sentence in problem.messages:
                    self.wrong(f"{path}{name}", problem.code or "invalid", sentence)

    def accepted(self, *templates: str) -> approving.Accepted:
        """What the document accepts of the checker's warnings; None: it does not speak of them, so they pass."""
        said = self.document.accepted_warnings
        return None if said is None else {code: why for key in templates for code, why in said.get(key, {}).items()}

    def needs_approval(self, kind: str, key: str) -> None:
        self.unapproved.append({"code": "approval_needed", "detail": SENTENCES["approval_needed"], kind: key})
