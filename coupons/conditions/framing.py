"""What conditions without SQL have in common: they say when, and the deed makes the sentence of it."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from coupons.conditions.names import one_of
from coupons.rules import Condition, Profile, Situation, Verdict


class MomentCondition(Condition):
    """A condition about the moment, the place or the order."""

    def when(self) -> str:
        """ "in Shanghai", "on Saturday": what the sentence is made of."""
        raise NotImplementedError

    def wording(self) -> str:
        when = {"when": self.when()}
        if self.deed == "claim":
            return pgettext("claim", "Can be claimed only %(when)s") % when
        return pgettext("use", "Only %(when)s") % when


class AnyOf(MomentCondition):
    """One fact of the situation is among those wanted; or several facts, and one of them is."""

    #: The fact's name in :class:`Situation`.
    reads: ClassVar[str]
    #: Up to so many names fit on the coupon's face.
    few: ClassVar[int] = 2

    def __init_subclass__(cls) -> None:
        cls.fact = cls.__dict__.get("fact", cls.reads)

    def tries(self) -> Iterable[Any]:
        return () if self.fact == "moment" else self.any_of

    def prepare(self) -> None:
        self.any_of = frozenset(self.answers["any_of"])

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        had = getattr(situation, self.reads)
        if had is None:
            return Verdict(None)
        if isinstance(had, frozenset):
            return Verdict(not self.any_of.isdisjoint(had), sorted(had))
        return Verdict(had in self.any_of, had)

    def among(self, values: Iterable[str]) -> list[tuple[Condition]]:
        """The same of all other of these values, of which the fact has one where it is known."""
        others = [value for value in values if value not in self.any_of]
        return [(type(self)({"any_of": others}, self.deed),)] if others else []

    def called(self) -> list[str]:
        """The names of what is wanted, in the active language."""
        raise NotImplementedError

    def names(self) -> str:
        return one_of(self.called())

    def remedy(self, verdict: Verdict) -> str:
        return self.when()

    def short(self) -> str:
        return _("%(names)s only") % {"names": self.names()} if len(self.any_of) <= self.few else ""
