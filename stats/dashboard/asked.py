"""What the first page is about: which days, held against which, and of everything or of one campaign, channel, city.

All of it stands in the address, so that what is looked at can be kept and passed on.
"""

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from coupons.models import City
from distribution.models import Campaign, Placement
from stats.dashboard.period import EARLIEST, MOST_DAYS, Period
from stats.models import FacetRollup
from stats.reporting import Period as Preset
from stats.reporting import days_of

PRESETS = (
    (str(Preset.TODAY), gettext_lazy("Today")),
    (str(Preset.YESTERDAY), gettext_lazy("Yesterday")),
    (str(Preset.LAST_7), gettext_lazy("7 days")),
    (str(Preset.LAST_30), gettext_lazy("30 days")),
    (str(Preset.LAST_90), gettext_lazy("90 days")),
    (str(Preset.THIS_MONTH), gettext_lazy("This month")),
    (str(Preset.LAST_MONTH), gettext_lazy("Last month")),
)
USUAL = str(Preset.LAST_30)
COMPARED = (
    ("before", gettext_lazy("the days before")),
    ("last_year", gettext_lazy("the same days last year")),
    ("own", gettext_lazy("days of your own")),
    ("none", gettext_lazy("no comparison")),
)
STEPS = (
    ("", gettext_lazy("what suits")),
    ("hour", gettext_lazy("the hour")),
    ("day", gettext_lazy("the day")),
    ("week", gettext_lazy("the week")),
)
#: Curves by the hour have so many days at most; of more than so many, curves go by the week unless told otherwise.
MOST_BY_HOUR, MOST_BY_DAY = 14, 120
FILTERS = ("campaign", "channel", "city")
#: Campaigns to choose from, the newest.
MOST = 200


class AskedForm(forms.Form):
    """``first`` and ``last`` are days of one's own; without them the period is a preset."""

    period = forms.ChoiceField(label=gettext_lazy("Period"), choices=PRESETS, required=False)
    first = forms.DateField(label=gettext_lazy("From"), required=False)
    last = forms.DateField(label=gettext_lazy("To"), required=False)
    compare = forms.ChoiceField(label=gettext_lazy("Compared with"), choices=COMPARED, required=False)
    compare_first = forms.DateField(label=gettext_lazy("Compared from"), required=False)
    compare_last = forms.DateField(label=gettext_lazy("Compared to"), required=False)
    step = forms.ChoiceField(label=gettext_lazy("Curves by"), choices=STEPS, required=False)

    def __init__(self, data: Any, today: dt.date) -> None:
        super().__init__(data)
        self.today = today

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        own = any(self.data.get(name) for name in ("first", "last"))
        if own:
            said["days"] = self._days("first", "last")
        elif "period" in said:
            first, last = days_of(said["period"] or USUAL, self.today)
            said["days"] = Period(first or self.today, last or self.today)
        if said.get("compare") == "own":
            said["against"] = self._days("compare_first", "compare_last")
        elif days := said.get("days"):
            preset = "" if own else said["period"] or USUAL
            against = {"last_year": days.year_earlier, "none": None}
            said["against"] = against.get(said.get("compare", ""), days.before(preset))
        if said.get("step") == "hour" and (days := said.get("days")) and days.count > MOST_BY_HOUR:
            self.add_error("step", _("Hours are drawn of %(days)s days at most.") % {"days": MOST_BY_HOUR})
        return said

    def _days(self, one: str, other: str) -> Period | None:
        """None, with an error at the field that is wrong. Days that have not come yet are left out."""
        first, last = self.cleaned_data.get(one), self.cleaned_data.get(other)
        for name in (one, other):
            if not self.data.get(name):
                self.add_error(name, _("Say the first day and the last."))
        for name, day in ((one, first), (other, last)):
            if day and day < EARLIEST:
                self.add_error(name, _("Not before %(day)s.") % {"day": EARLIEST})
        if first and first > self.today:
            self.add_error(one, _("This day has not come yet."))
        if first and last and last < first:
            self.add_error(other, _("Not before the first day."))
        elif first and last and (last - first).days >= MOST_DAYS:
            self.add_error(other, _("%(days)s days at most.") % {"days": MOST_DAYS})
        if {one, other} & {*self.errors} or first is None or last is None:
            return None
        return Period(first, min(last, self.today))


@dataclass(frozen=True)
class Filter:
    name: str
    label: str
    everything: str
    options: list[tuple[str, str]]
    value: str
    wrong: str = ""

    @property
    def said(self) -> str:
        return dict(self.options)[self.value] if self.value else self.everything


@dataclass(frozen=True)
class Asked:
    """``period`` is None where what was said is no period; ``against`` where nothing is compared.

    ``only``: for :func:`stats.queries.numbers.numbers`. ``step``: how far a curve's points are apart.
    """

    form: AskedForm
    today: dt.date
    period: Period | None
    against: Period | None
    step: str
    only: dict[str, Any]
    filters: list[Filter]

    @property
    def _said(self) -> dict[str, str]:
        said = {name: self.form.data.get(name, "") for name in self.form.fields}
        if said["first"] or said["last"]:
            said["period"] = ""
        if said["compare"] != "own":
            said["compare_first"] = said["compare_last"] = ""
        said |= {one.name: one.value for one in self.filters}
        return {name: value for name, value in said.items() if value}

    @property
    def query(self) -> str:
        """The whole of it, as it goes on in links."""
        return urlencode(self._said)

    @property
    def unfiltered(self) -> str:
        return urlencode({name: value for name, value in self._said.items() if name not in FILTERS})

    @property
    def days(self) -> list[forms.BoundField]:
        return [self.form["first"], self.form["last"]]

    @property
    def days_against(self) -> list[forms.BoundField]:
        return [self.form["compare_first"], self.form["compare_last"]]

    def said(self, *, compared: bool) -> str:
        """Which days, compared with which, and of what."""
        against = [_("compared with %(days)s") % {"days": self.against}] if compared and self.against else []
        only = [f"{one.label}: {one.said}" for one in self.filters if one.value]
        return " · ".join([str(self.period), *against, *only])

    @property
    def presets(self) -> list[tuple[str, str, bool]]:
        """Query, words, and whether it is the one that is shown."""
        said = self._said
        own = "first" in said or "last" in said
        kept = {name: value for name, value in said.items() if name not in ("period", "first", "last", "step")}
        shown = "" if own else said.get("period", USUAL)
        return [(urlencode({"period": code, **kept}), str(words), code == shown) for code, words in PRESETS]


def asked(data: QueryDict, today: dt.date) -> Asked:
    """A campaign, channel or city that there is not is said at its field: all figures would pass for those of one."""
    said = {name: data.get(name, "").replace("\0", "") for name in FILTERS}
    number = int(said["campaign"]) if said["campaign"].isdecimal() and len(said["campaign"]) < 10 else None
    newest = Campaign.objects.order_by("-id").values("pk")[:MOST]
    campaigns = Campaign.objects.filter(Q(pk__in=newest) | Q(pk=number)).order_by("-id")
    known = FacetRollup.objects.filter(facet="city", template_id=0, value=OuterRef("pk"))  # those of the rollups
    cities = City.objects.filter(Exists(known) | Q(pk=said["city"]))
    filters = [
        _filter("campaign", _("Campaign"), _("All campaigns"), [(str(one.pk), one.name) for one in campaigns], said),
        _filter("channel", _("Channel"), _("All channels"), [(v, str(w)) for v, w in Placement.Channel.choices], said),
        _filter("city", _("City"), _("All cities"), [(one.pk, str(one)) for one in cities], said),
    ]
    only: dict[str, Any] = {one.name: one.value for one in filters if one.value}
    if "campaign" in only:
        only["campaign"] = int(only["campaign"])
    form = AskedForm(data, today)
    valid = form.is_valid() and not any(one.wrong for one in filters)
    period, against = (form.cleaned_data["days"], form.cleaned_data["against"]) if valid else (None, None)
    step = form.cleaned_data.get("step") or (_suits(period) if period else "")
    return Asked(form, today, period, against, step, only, filters)


def _suits(period: Period) -> str:
    return "hour" if period.count <= 2 else "day" if period.count <= MOST_BY_DAY else "week"


def _filter(name: str, label: str, everything: str, options: list[tuple[str, str]], said: dict[str, str]) -> Filter:
    if said[name] in ("", *dict(options)):
        return Filter(name, label, everything, options, said[name])
    return Filter(name, label, everything, options, "", _("“%(said)s” is not among these.") % {"said": said[name][:40]})
