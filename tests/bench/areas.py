"""One position among five thousand areas, against its limit in milliseconds."""

import math
import random
import statistics
from time import perf_counter

from coupons.queries.surroundings import AreaIndex, polygons_of

AREAS = 5000
CORNERS = 60
ASKED = 2000
LIMIT_MS = 1.0


def measure() -> tuple[float, float]:
    """Milliseconds for one position: the median, and what only one in a hundred takes longer than."""
    luck = random.Random(5000)
    index = AreaIndex.of({f"area-{number}": polygons_of("", _blob(luck)) for number in range(AREAS)})
    took = []
    for _ in range(ASKED):
        position = (luck.uniform(30.9, 31.5), luck.uniform(121.1, 121.8))
        start = perf_counter()
        index.at(position)
        took.append((perf_counter() - start) * 1000)
    return statistics.median(took), statistics.quantiles(took, n=100)[98]


def _blob(luck: random.Random) -> dict[str, object]:
    """A district of a crowded city: several lie over each other anywhere."""
    lng, lat, size = luck.uniform(121.1, 121.8), luck.uniform(30.9, 31.5), luck.uniform(0.005, 0.03)
    turns = [number * 2 * math.pi / CORNERS for number in range(CORNERS)]
    ring = [
        [lng + size * luck.uniform(0.7, 1) * math.cos(turn), lat + size * luck.uniform(0.7, 1) * math.sin(turn)]
        for turn in turns
    ]
    return {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
