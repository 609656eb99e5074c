"""Where the customer is at the moment: conditions that have no SQL."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.conditions.framing import AnyOf
from coupons.conditions.names import called
from coupons.models import Area, City
from coupons.rules import Condition, Verdict, register
from coupons.rules.answers import Answers, Keys


@register
class Cities(AnyOf):
    """The city of the moment, where the page is opened or the order takes place; not the customer's home."""

    code, label, reads = "cities", gettext_lazy("Cities"), "city"
    edge = gettext_lazy("The city of the moment, not the customer's home; where none is named, it is refused.")

    class Form(Answers):
        any_of = Keys(City.objects.all(), label=gettext_lazy("Any of these cities"))

    def fails(self) -> Iterable[Sequence[Condition]]:
        return self.among(City.objects.values_list("pk", flat=True))

    def called(self) -> list[str]:
        return called(City, self.answers["any_of"])

    def when(self) -> str:
        return _("in %(places)s") % {"places": self.names()}


@register
class Areas(AnyOf):
    """The areas that the position lies in; a point on the border is inside."""

    code, label, reads = "areas", gettext_lazy("Areas"), "areas"
    edge = gettext_lazy("By the position of the moment; whoever shares none is refused. The border is inside.")

    class Form(Answers):
        any_of = Keys(Area.objects.defer("geojson"), label=gettext_lazy("Any of these areas"))

    def called(self) -> list[str]:
        return called(Area, self.answers["any_of"])

    def when(self) -> str:
        return _("in %(places)s") % {"places": self.names()}

    def remedy(self, verdict: Verdict) -> str:
        return _("Share your position") if verdict.holds is None else super().remedy(verdict)
