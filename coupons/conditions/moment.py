"""When, through what and in what weather: conditions that have no SQL."""

from collections.abc import Iterable, Sequence
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from coupons.calendar import FESTIVALS
from coupons.conditions.framing import AnyOf, MomentCondition
from coupons.conditions.names import all_of, called, one_of
from coupons.models import Custom, Weather
from coupons.rules import Client, Condition, Profile, Situation, Verdict, register
from coupons.rules.answers import Answers, Several, Windows
from coupons.rules.schedule import minutes, windows_of

DAY = 24 * 60  # minutes

WEEKDAYS = {
    1: gettext_lazy("Monday"),
    2: gettext_lazy("Tuesday"),
    3: gettext_lazy("Wednesday"),
    4: gettext_lazy("Thursday"),
    5: gettext_lazy("Friday"),
    6: gettext_lazy("Saturday"),
    7: gettext_lazy("Sunday"),
}


@register
class Clients(AnyOf):
    """What the customer holds in hand, at the claim and at the use."""

    code, label, reads = "clients", gettext_lazy("Clients"), "client"
    edge = gettext_lazy("The client is named with each claim and order; a claim that names none is refused.")

    class Form(Answers):
        any_of = Several(choices=Client.choices, label=gettext_lazy("Any of these clients"))

    def called(self) -> list[str]:
        return [str(Client(client).label) for client in self.answers["any_of"]]

    def fails(self) -> Iterable[Sequence[Condition]]:
        return self.among(Client.values)

    def when(self) -> str:
        return _("by %(clients)s") % {"clients": self.names()}


@register
class Hours(MomentCondition):
    """Hours of the day in the business time zone; a window holds its beginning, not its end, and may cross midnight."""

    code, label, fact = "hours", gettext_lazy("Hours of the day"), "moment"
    edge = gettext_lazy("A window holds its beginning and not its end; it may cross midnight.")

    class Form(Answers):
        inside = Windows(
            required=False,
            label=gettext_lazy("Only within"),
            help_text=gettext_lazy("Such as 10:00-14:00, 22:00-02:00."),
        )
        outside = Windows(
            required=False,
            label=gettext_lazy("Never within"),
            help_text=gettext_lazy("Such as 07:00-09:00, 17:00-19:00."),
        )

        def clean(self) -> None:
            self.needs_one_of(("inside", "outside"))
            if self.cleaned_data.get("inside") and self.cleaned_data.get("outside"):
                self.add_error("outside", ValidationError(_("Either inside or outside, not both."), "only_one"))

    def prepare(self) -> None:
        self.inside = bool(self.answers.get("inside"))
        self.hours = self.answers["inside" if self.inside else "outside"]
        windows = windows_of(self.hours)
        #: Whether it holds, minute by minute of the day.
        self.possible = [any(a <= minute < b for a, b in windows) is self.inside for minute in range(DAY)]

    def tries(self) -> Iterable[int]:
        return [minute for minute in range(DAY) if self.possible[minute] is not self.possible[minute - 1]]

    def fails(self) -> Iterable[Sequence[Condition]]:
        return [(type(self)({"outside" if self.inside else "inside": self.hours}, self.deed),)]

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        now = situation.now
        return Verdict(self.possible[now.hour * 60 + now.minute], f"{now.hour:02}:{now.minute:02}")

    def called(self) -> list[str]:
        return [f"{start}–{end}" for start, end in self.hours]

    def when(self) -> str:
        return one_of(self.called())

    def wording(self) -> str:
        if self.inside:
            return super().wording()
        hours = {"hours": all_of(self.called())}
        if self.deed == "claim":
            return pgettext("claim", "Cannot be claimed %(hours)s") % hours
        return pgettext("use", "Not usable %(hours)s") % hours

    def short(self) -> str:
        return _("%(names)s only") % {"names": one_of(self.called())} if self.inside and len(self.hours) == 1 else ""

    def remedy(self, verdict: Verdict) -> str:
        """The next time of the day at which it holds."""
        now = minutes(verdict.had)
        for later in range(DAY):
            minute = (now + later) % DAY
            if self.possible[minute]:
                return _("Possible from %(time)s") % {"time": f"{minute // 60:02}:{minute % 60:02}"}
        return ""


@register
class Weekdays(MomentCondition):
    """Days of the week in the business time zone, Monday is 1."""

    code, label, fact = "weekdays", gettext_lazy("Days of the week"), "moment"
    edge = gettext_lazy("By the calendar, from midnight to midnight; make-up working days change nothing.")

    class Form(Answers):
        any_of = Several(kind=int, choices=list(WEEKDAYS.items()), label=gettext_lazy("Any of these days"))

    def prepare(self) -> None:
        self.any_of = frozenset(self.answers["any_of"])

    def fails(self) -> Iterable[Sequence[Condition]]:
        others = [day for day in WEEKDAYS if day not in self.any_of]
        return [(type(self)({"any_of": others}, self.deed),)] if others else []

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        weekday = situation.now.isoweekday()
        return Verdict(weekday in self.any_of, weekday)

    def called(self) -> list[str]:
        return [str(WEEKDAYS[day]) for day in sorted(self.any_of)]

    def when(self) -> str:
        return _("on %(days)s") % {"days": one_of(self.called())}

    def short(self) -> str:
        if self.any_of == {6, 7}:
            return _("weekends only")
        if self.any_of == {1, 2, 3, 4, 5}:
            return _("Monday to Friday only")
        return _("%(names)s only") % {"names": one_of(self.called())} if len(self.any_of) == 1 else ""

    def remedy(self, verdict: Verdict) -> str:
        """The next day on which it holds."""
        day = next(day for later in range(7) if (day := (verdict.had + later) % 7 + 1) in self.any_of)
        return _("Possible from %(time)s") % {"time": WEEKDAYS[day]}


#: Before the keys of local customs.
CUSTOM = "custom:"


def days_to_choose() -> list[tuple[str, Any]]:
    customs = Custom.objects.values_list("key", "name")
    return [*FESTIVALS.items(), *((CUSTOM + key, name) for key, name in customs)]


@register
class Festivals(AnyOf):
    """What the day is by the calendar: holiday, festival, solar term, working day."""

    code, label, reads, fact = "festivals", gettext_lazy("Days of the calendar"), "festivals", "moment"
    edge = gettext_lazy("A holiday holds on its own day and on the days off that belong to it.")

    def check(self, customer: Profile, situation: Situation) -> Verdict:
        """Whether a custom of some city is kept today nobody knows where no city is named."""
        verdict = super().check(customer, situation)
        if verdict.holds is False and situation.city is None and any(day.startswith(CUSTOM) for day in self.any_of):
            return Verdict(None)
        return verdict

    class Form(Answers):
        any_of = Several(choices=days_to_choose, label=gettext_lazy("Any of these days"))

    def called(self) -> list[str]:
        return [
            called(Custom, [day.removeprefix(CUSTOM)])[0] if day.startswith(CUSTOM) else str(FESTIVALS[day])
            for day in self.answers["any_of"]
        ]

    def when(self) -> str:
        return _("on these days: %(days)s") % {"days": self.names()}


@register
class WeatherKinds(AnyOf):
    """The weather in the city of the moment: what an operator says of it, else a provider."""

    code, label, reads = "weather", gettext_lazy("Weather"), "weather"
    edge = gettext_lazy("Weather is known by city; where no city is named or nobody knows its weather, it is refused.")

    class Form(Answers):
        any_of = Several(choices=Weather.Kind.choices, label=gettext_lazy("Any of this weather"))

    def called(self) -> list[str]:
        return [str(Weather.Kind(kind).label) for kind in self.answers["any_of"]]

    def when(self) -> str:
        return _("in this weather: %(kinds)s") % {"kinds": self.names()}
