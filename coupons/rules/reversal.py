"""退券规则: what becomes of a coupon when its order does not stand. A table of cases and outcomes.

Stored as ``{case: outcome, "grace_days": N}``; a case that is not named goes by the template's plain word, whether it
comes back when the whole order is rolled back. ``expired`` is no case of its own: it says what happens to a coupon that
would come back, but whose date has passed meanwhile.
"""

from collections.abc import Mapping
from typing import Any, Literal

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.rules.engine import InvalidRules

Case = Literal["cancelled", "unpaid", "refunded", "below_threshold", "expired"]
Outcome = Literal["returns", "grace", "stays"]

CASES: dict[Case, str | Promise] = {
    "cancelled": gettext_lazy("The order is cancelled"),
    "unpaid": gettext_lazy("The order is not paid in time"),
    "refunded": gettext_lazy("The whole order is refunded"),
    "below_threshold": gettext_lazy("A partial refund leaves less than the threshold"),
    "expired": gettext_lazy("The coupon has expired meanwhile"),
}
OUTCOMES: dict[Outcome, str | Promise] = {
    "returns": gettext_lazy("comes back"),
    "grace": gettext_lazy("comes back, with days of grace"),
    "stays": gettext_lazy("does not come back"),
}
MOST_DAYS = 365


def clean(table: Any) -> dict[str, Any]:
    """The table as it is stored.  :raises InvalidRules: naming each path that is wrong."""
    if not isinstance(table, Mapping):
        raise InvalidRules([("", "wrong_type", _("An object."))])
    errors = []
    for name, said in table.items():
        if name == "grace_days":
            if type(said) is not int or not 1 <= said <= MOST_DAYS:
                errors.append((name, "invalid", _("A whole number from 1 to %(most)d.") % {"most": MOST_DAYS}))
        elif name not in CASES:
            errors.append((str(name)[:64], "unknown_field", _("There is no such case.")))
        elif said not in OUTCOMES:
            errors.append((name, "invalid_choice", _("One of: %(choices)s.") % {"choices": ", ".join(OUTCOMES)}))
    graced = "grace" in table.values()
    if graced and "grace_days" not in table:
        errors.append(("grace_days", "required", _("Say how many days of grace.")))
    if errors:
        raise InvalidRules(errors)
    order = [*CASES, *(["grace_days"] if graced else [])]
    return {name: table[name] for name in order if name in table}


def outcome(table: Mapping[str, Any], returns_on_rollback: bool, case: Case) -> Outcome:
    """``expired`` without a word of its own: it comes back as expired, which only the books can tell."""
    if case in table:
        return table[case]
    if case == "below_threshold":
        return "stays"
    return "returns" if returns_on_rollback or case == "expired" else "stays"
