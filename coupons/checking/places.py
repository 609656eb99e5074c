"""Where somebody can stand so that all rules about areas hold: real shapes, cut with each other."""

from collections.abc import Collection, Iterable
from functools import reduce
from math import asin, cos, radians, sin, sqrt
from typing import Any

import shapely

from coupons.models import Area
from coupons.queries.surroundings import polygons_of

#: (lat, lng) in WGS-84.
Position = tuple[float, float]

EARTH_KM = 6371.0


class Map:
    """The areas that some rules name, drawn once."""

    def __init__(self, keys: Collection[str]) -> None:
        stored = Area.objects.filter(pk__in=keys).values_list("key", "geojson") if keys else ()
        self.shapes: dict[str, Any] = {key: polygons_of(key, geojson) for key, geojson in stored}

    def inside(self, wanted: Iterable[Collection[str]]) -> Any:
        """What lies in one area of each of these lists; perhaps nothing."""
        unions = [shapely.union_all([self.shapes[key] for key in keys if key in self.shapes]) for keys in wanted]
        return reduce(shapely.intersection, unions)

    def stand(self, wanted: Iterable[Collection[str]]) -> tuple[Position, frozenset[str]] | None:
        """A position in one area of each list, and all named areas around it; None: there is none."""
        wanted = list(wanted)
        common = self.inside(wanted)
        if common.is_empty:
            return None
        # Where shapes only touch, the middle of the seam may miss by rounding, and its corners do not.
        for point in (common.representative_point(), *shapely.points(shapely.get_coordinates(common))):
            around = frozenset(key for key, shape in self.shapes.items() if shape.intersects(point))
            if all(not around.isdisjoint(keys) for keys in wanted):
                return (point.y, point.x), around
        return None


def apart_km(one: Any, other: Any) -> float:
    """How far two shapes are from each other, along the ground; 0: they touch."""
    if one.is_empty or other.is_empty or one.intersects(other):
        return 0.0
    here, there = shapely.get_coordinates(shapely.shortest_line(one, other))
    return distance_km((here[1], here[0]), (there[1], there[0]))


def distance_km(one: Position, other: Position) -> float:
    (lat, lng), (lat2, lng2) = (tuple(map(radians, position)) for position in (one, other))
    chord = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lng2 - lng) / 2) ** 2
    return 2 * EARTH_KM * asin(sqrt(chord))
