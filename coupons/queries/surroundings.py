"""Where and in what weather somebody is: what conditions ask about the moment."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, NamedTuple

import numpy
import shapely
import structlog
from django.utils import timezone
from shapely.errors import ShapelyError
from shapely.geometry import shape

from coupons.models import Area, Weather
from coupons.queries.almanac import festivals_in
from coupons.queries.catalogue import Book, current
from coupons.queries.direct import rows
from coupons.rules import Situation

log = structlog.get_logger(__name__)

#: (lat, lng) in WGS-84.
Position = tuple[float, float]


def situate(
    now: datetime,
    *,
    client: str | None = None,
    city: str | None = None,
    position: Position | None = None,
    business_mode: str | None = None,
    business_line: str | None = None,
    book: Book | None = None,
) -> Situation:
    """The situation with what only we know of it: areas, weather, festivals. ``now`` in any time zone."""
    now = now.astimezone(timezone.get_default_timezone())
    book = book or current()
    return Situation(
        now=now,
        client=client,
        city=city,
        areas=None if position is None else areas_at(position, book),
        weather=None if city is None else weather_in(city, now, book),
        festivals=festivals_in(city, now.date(), book),
        business_mode=business_mode,
        business_line=business_line,
    )


# --- areas -------------------------------------------------------------------------------------------------------


class _Drawn(NamedTuple):
    """One version of an area's row, and its polygons ready to be asked."""

    row: str
    polygons: Any


@dataclass(slots=True, frozen=True)
class AreaIndex:
    """Areas found by the boxes around them, then asked precisely."""

    keys: tuple[str, ...]
    polygons: Any
    tree: shapely.STRtree

    @classmethod
    def of(cls, areas: Mapping[str, Any]) -> "AreaIndex":
        """From prepared polygons by key."""
        polygons = numpy.array(list(areas.values()), dtype=object)
        return cls(tuple(areas), polygons, shapely.STRtree(polygons))

    def at(self, position: Position) -> frozenset[str]:
        """Keys of the areas around a position; their border is inside."""
        lat, lng = position
        near = self.tree.query(shapely.Point(lng, lat))
        if not len(near):
            return frozenset()
        keys = self.keys
        return frozenset(keys[one] for one in near[shapely.intersects_xy(self.polygons[near], lng, lat)])


#: Polygons outlive the catalogue's version, as most versions change no area.
_drawn: dict[str, _Drawn] = {}
_drawing = Lock()


def areas_at(position: Position, book: Book) -> frozenset[str]:
    return book.keep("areas", _index).at(position)


def _index() -> AreaIndex:
    """All areas, of which only those are drawn anew whose row is another one than last time."""
    with _drawing:
        stands = dict(rows("SELECT key, xmin::text || ctid::text FROM coupons_area ORDER BY key"))
        for key in _drawn.keys() - stands.keys():
            del _drawn[key]
        changed = [key for key, row in stands.items() if key not in _drawn or _drawn[key].row != row]
        for key, geojson in Area.objects.filter(pk__in=changed).values_list("key", "geojson"):
            _drawn[key] = _Drawn(stands[key], polygons_of(key, geojson))
        return AreaIndex.of({key: _drawn[key].polygons for key in stands if key in _drawn})


def polygons_of(key: str, geojson: Any) -> Any:
    """A prepared geometry. One that cannot be drawn is empty, so that it holds nobody and breaks nothing else."""
    try:
        polygons = shape(geojson)
        if not polygons.is_valid:
            polygons = shapely.make_valid(polygons)
    except (ShapelyError, AttributeError, KeyError, TypeError, ValueError, IndexError) as problem:
        log.error("area cannot be drawn", area=key, problem=str(problem))
        polygons = shapely.Polygon()
    shapely.prepare(polygons)
    return polygons


# --- weather -----------------------------------------------------------------------------------------------------


class _Spell(NamedTuple):
    """One kind of weather for a while."""

    starts_at: datetime
    ends_at: datetime
    kind: str
    is_override: bool


class _Weather:
    """All spells that had not ended at ``since``, by city."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.by_city: dict[str, list[_Spell]] = defaultdict(list)
        spells = Weather.objects.filter(ends_at__gt=since)
        for city, *spell in spells.values_list("city_id", *_Spell._fields):
            self.by_city[city].append(_Spell._make(spell))


def weather_in(city: str, now: datetime, book: Book) -> frozenset[str] | None:
    """Kinds now true in the city, as an operator says, else a provider; None if nobody knows."""
    known = book.keep("weather", lambda: _Weather(now))
    if now < known.since:  # a clock that is handed in may go back
        known = _Weather(now)
    spells = [spell for spell in known.by_city.get(city, ()) if spell.starts_at <= now < spell.ends_at]
    if not spells:
        return None
    said = [spell for spell in spells if spell.is_override]
    return frozenset(spell.kind for spell in said or spells)
