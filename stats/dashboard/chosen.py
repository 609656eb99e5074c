"""What the first page is about: everything, or one campaign, one channel, one city."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest
from django.utils.translation import gettext as _

from coupons.models import City
from distribution.models import Campaign, Placement
from stats.models import DayRollup


@dataclass(frozen=True)
class Filter:
    name: str
    label: str
    everything: str
    options: list[tuple[str, str]]
    value: str


@dataclass(frozen=True)
class Chosen:
    """``only``: for :func:`stats.queries.numbers.numbers`."""

    only: dict[str, Any]
    filters: list[Filter]

    @property
    def query(self) -> str:
        """As it goes on in the page's links; empty: everything."""
        return urlencode({one.name: one.value for one in self.filters if one.value})


#: Campaigns to choose from, the newest.
MOST = 200


def asked(request: HttpRequest) -> Chosen:
    """What nobody could have chosen is left out."""
    said = {name: request.GET.get(name, "") for name in ("campaign", "channel", "city")}
    number = int(said["campaign"]) if said["campaign"].isdecimal() and len(said["campaign"]) < 10 else None
    newest = Campaign.objects.order_by("-id").values_list("pk", flat=True)[:MOST]
    campaigns = Campaign.objects.filter(Q(pk__in=list(newest)) | Q(pk=number)).order_by("-id")
    cities = City.objects.filter(pk__in=_cities())
    filters = [
        _filter("campaign", _("Campaign"), _("All campaigns"), [(str(one.pk), one.name) for one in campaigns], said),
        _filter("channel", _("Channel"), _("All channels"), [(v, str(w)) for v, w in Placement.Channel.choices], said),
        _filter("city", _("City"), _("All cities"), [(one.pk, str(one)) for one in cities], said),
    ]
    only: dict[str, Any] = {one.name: one.value for one in filters if one.value}
    if "campaign" in only:
        only["campaign"] = int(only["campaign"])
    return Chosen(only, filters)


def _filter(name: str, label: str, everything: str, options: list[tuple[str, str]], said: dict[str, str]) -> Filter:
    value = said[name] if said[name] in dict(options) else ""
    return Filter(name, label, everything, options, value)


def _cities() -> list[str]:
    """Those that the rollups know of."""
    return list(DayRollup.objects.exclude(city_id="").order_by().values_list("city_id", flat=True).distinct())
