"""The weather as a provider observes it, city by city. What is older than two hours nobody knows any more.

An adapter asks one provider and says which kinds of weather there are; ``WEATHER_PROVIDER`` names it. An operator's
word goes before any of this (:mod:`coupons.queries.surroundings`).
"""

import logging
import math
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from coupons import calling
from coupons.data import CityRow, cities
from coupons.models import Weather

log = logging.getLogger(__name__)
Kind = Weather.Kind
#: How long an observation is believed.
BELIEVED = timedelta(hours=2)
#: Observations that are over are kept so long.
KEPT = timedelta(days=30)
#: A gale, 8 on Beaufort's scale, in km/h; what counts as hot and cold, in degrees.
STRONG_WIND, HEAT, COLD = 62, 35, -10
#: After so many cities in a row without an answer the others are not asked this time: each would be waited for.
MOST_SILENT = 3


class Unusable(Exception):
    """The provider answered, and it makes no sense."""


def observe(keys: Iterable[str], now: datetime) -> dict[str, set[str]]:
    """Asks the provider about these cities and writes down what it says; a city without an answer stays as it was.

    :raises ImproperlyConfigured: there is no such provider.
    """
    if not settings.WEATHER_PROVIDER:
        return {}
    adapter = ADAPTERS.get(settings.WEATHER_PROVIDER)
    if adapter is None:
        raise ImproperlyConfigured(f"WEATHER_PROVIDER is one of {', '.join(ADAPTERS)}")
    seen: dict[str, set[str]] = {}
    silent = 0
    for key in keys:
        city = _cities().get(key)
        if city is None:
            continue
        try:
            seen[key] = {kind.value for kind in adapter(city)}
        except calling.Unreachable as no:
            log.warning("weather of %s: %s", key, no)
            silent += 1
            if silent == MOST_SILENT:
                log.warning("the weather provider is silent: no more cities are asked this time")
                break
        except Unusable as no:
            log.warning("weather of %s: %s", key, no)
            silent = 0
        else:
            silent = 0
    _write(seen, now)
    return seen


@transaction.atomic
def _write(seen: dict[str, set[str]], now: datetime) -> None:
    """What goes on goes on longer, what is over ends, what is new begins now."""
    observed = Weather.objects.filter(is_override=False)
    observed.filter(ends_at__lte=now - KEPT).delete()
    until = now + BELIEVED
    goes_on, over = [], []
    left = {key: set(kinds) for key, kinds in seen.items()}
    current = observed.filter(city__in=seen, ends_at__gt=now).select_for_update(of=("self",)).order_by("id")
    for spell in current:
        if spell.kind in left[spell.city_id]:
            left[spell.city_id].remove(spell.kind)
            goes_on.append(spell.pk)
        else:
            over.append(spell.pk)
    if goes_on:
        Weather.objects.filter(pk__in=goes_on).update(ends_at=until)
    if over:
        Weather.objects.filter(pk__in=over, starts_at__gte=now).delete()
        Weather.objects.filter(pk__in=over).update(ends_at=now)
    Weather.objects.bulk_create(
        Weather(city_id=key, kind=kind, starts_at=now, ends_at=until, is_override=False)
        for key, kinds in sorted(left.items())
        for kind in sorted(kinds)
    )


@lru_cache(maxsize=1)
def _cities() -> dict[str, CityRow]:
    return {city["key"]: city for city in cities()}


# --- providers -----------------------------------------------------------------------------------------------------


def _answer(path: str, params: dict[str, str], headers: dict[str, str] | None = None) -> dict[str, Any]:
    """:raises Unusable, calling.Unreachable: no JSON object came."""
    url = settings.WEATHER_URL.rstrip("/") + path
    answer = calling.ask("GET", url, attempts=2, params=params, headers=headers or {})
    said = calling.json_of(answer)
    if answer.status_code != 200 or not isinstance(said, dict):
        raise Unusable(f"status {answer.status_code}")
    return said


def _measured(temperature: float, wind: float) -> set[Kind]:
    """:raises ValueError: these are no numbers."""
    if not (math.isfinite(temperature) and math.isfinite(wind)):
        raise ValueError("neither hot nor cold")
    found = {Kind.STRONG_WIND} if wind >= STRONG_WIND else set()
    if temperature >= HEAT:
        found.add(Kind.HEAT)
    return found | ({Kind.COLD} if temperature <= COLD else set())


#: Codes of the World Meteorological Organization, as Open-Meteo says them. Heavy rain is rain.
WMO: dict[int, set[Kind]] = {
    **{key: {Kind.CLEAR} for key in (0, 1)},
    **{key: {Kind.CLOUDY} for key in (2, 3)},
    **{key: {Kind.FOG} for key in (45, 48)},
    **{key: {Kind.RAIN} for key in (51, 53, 55, 56, 57, 61, 63, 66, 80, 81)},
    **{key: {Kind.RAIN, Kind.HEAVY_RAIN} for key in (65, 67, 82)},
    **{key: {Kind.SNOW} for key in (71, 73, 75, 77, 85, 86)},
    **{key: {Kind.RAIN, Kind.THUNDERSTORM} for key in (95, 96, 99)},
}


def open_meteo(city: CityRow) -> set[Kind]:
    """Of the public service, of a server of one's own, or with a key."""
    params = {
        "latitude": f"{city['lat']}",
        "longitude": f"{city['lng']}",
        "current": "temperature_2m,weather_code,wind_speed_10m",
    }
    if settings.WEATHER_KEY:
        params["apikey"] = settings.WEATHER_KEY
    try:
        said = _answer("/v1/forecast", params)["current"]
        return WMO[int(said["weather_code"])] | _measured(float(said["temperature_2m"]), float(said["wind_speed_10m"]))
    except (KeyError, TypeError, ValueError):
        raise Unusable("no weather in it") from None


#: QWeather's icons, by their number from … to.
ICONS: tuple[tuple[int, int, set[Kind]], ...] = (
    (100, 100, {Kind.CLEAR}),
    (101, 104, {Kind.CLOUDY}),
    (150, 150, {Kind.CLEAR}),
    (151, 154, {Kind.CLOUDY}),
    (300, 301, {Kind.RAIN}),
    (302, 304, {Kind.RAIN, Kind.THUNDERSTORM}),
    (305, 306, {Kind.RAIN}),
    (307, 308, {Kind.RAIN, Kind.HEAVY_RAIN}),
    (309, 309, {Kind.RAIN}),
    (310, 312, {Kind.RAIN, Kind.HEAVY_RAIN}),
    (313, 315, {Kind.RAIN}),
    (316, 318, {Kind.RAIN, Kind.HEAVY_RAIN}),
    (350, 399, {Kind.RAIN}),
    (400, 403, {Kind.SNOW}),
    (404, 406, {Kind.RAIN, Kind.SNOW}),
    (407, 499, {Kind.SNOW}),
    (500, 501, {Kind.FOG}),
    (502, 502, {Kind.HAZE}),
    (503, 508, {Kind.SANDSTORM}),
    (509, 510, {Kind.FOG}),
    (511, 513, {Kind.HAZE}),
    (514, 515, {Kind.FOG}),
    (900, 900, {Kind.HEAT}),
    (901, 901, {Kind.COLD}),
)


def qweather(city: CityRow) -> set[Kind]:
    """和风天气: its host is one's own, the key goes in a header."""
    params = {"location": f"{city['lng']:.2f},{city['lat']:.2f}"}
    said = _answer("/v7/weather/now", params, {"X-QW-Api-Key": settings.WEATHER_KEY})
    try:
        if said["code"] != "200":
            raise Unusable(f"code {said['code']}")
        now = said["now"]
        icon = int(now["icon"])
        kinds = next(kinds for first, last, kinds in ICONS if first <= icon <= last)
        return kinds | _measured(float(now["temp"]), float(now["windSpeed"]))
    except (KeyError, TypeError, ValueError, StopIteration):
        raise Unusable("no weather in it") from None


ADAPTERS: dict[str, Callable[[CityRow], set[Kind]]] = {"qweather": qweather, "open_meteo": open_meteo}
