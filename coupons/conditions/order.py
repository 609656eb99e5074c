"""The order itself: conditions that have no SQL."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.conditions.framing import AnyOf
from coupons.rules import BusinessMode, Condition, register
from coupons.rules.answers import Answers, Several


@register
class BusinessModes(AnyOf):
    """Whose service the order is: the company's own, or an agent's."""

    code, label, reads = "business_modes", gettext_lazy("Business modes"), "business_mode"
    edge = gettext_lazy("Named with the order; an order that names none is refused. A claim never names one.")

    class Form(Answers):
        any_of = Several(choices=BusinessMode.choices, label=gettext_lazy("Any of these business modes"))

    def fails(self) -> Iterable[Sequence[Condition]]:
        return self.among(BusinessMode.values)

    def called(self) -> list[str]:
        return [str(BusinessMode(mode).label) for mode in self.answers["any_of"]]

    def when(self) -> str:
        return _("for %(modes)s orders") % {"modes": self.names()}
