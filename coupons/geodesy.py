"""Positions of Chinese maps brought to WGS-84 and back.

Maps sold in China are shifted by some hundred metres: GCJ-02 (Amap, Tencent), and on top of it Baidu's own
BD-09. Neither formula was ever published; these are the ones that everybody measured. Positions are
``(lat, lng)`` in degrees; what lies outside the shifted land stays as it is. Both shifts are smooth, so the
way back is found by repeating the way there, to a millimetre, but for the last kilometre along the rim.
"""

from collections.abc import Callable, Mapping
from math import atan2, cos, hypot, pi, radians, sin, sqrt
from typing import Any, TypeAlias

Position: TypeAlias = tuple[float, float]

#: The ellipsoid of GCJ-02, Krasovsky's: half its long axis in metres, and its eccentricity squared.
AXIS = 6378245.0
ECCENTRICITY_SQUARED = 0.00669342162296594323

#: Boxes (south, west, north, east) that cover the shifted land, and those that cut out what is not shifted.
SHIFTED = (
    (42.88, 79.44, 49.23, 96.34),
    (39.37, 109.68, 54.15, 135.01),
    (29.52, 73.12, 42.90, 124.15),
    (26.71, 82.96, 29.53, 97.04),
    (20.41, 97.02, 29.53, 124.37),
    (17.87, 107.97, 20.42, 111.75),
    (15.70, 111.00, 17.50, 113.00),
)
NOT_SHIFTED = (
    (21.78, 119.92, 25.40, 122.50),
    (20.09, 101.86, 22.29, 106.67),
    (20.48, 106.45, 21.46, 108.06),
    (50.32, 109.03, 55.82, 119.13),
    (49.80, 127.80, 55.82, 137.03),
    (42.56, 131.26, 44.90, 137.03),
)


def wgs84_to_gcj02(lat: float, lng: float) -> Position:
    if not _is_shifted(lat, lng):
        return lat, lng
    x, y = lng - 105, lat - 35
    ripple = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    north += (
        (ripple + 20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)) * 2 / 3
    )
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    east += (ripple + 20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)) * 2 / 3
    # Metres north and east become degrees by the two radii of the ellipsoid at this latitude.
    squeeze = 1 - ECCENTRICITY_SQUARED * sin(radians(lat)) ** 2
    meridian = AXIS * (1 - ECCENTRICITY_SQUARED) / squeeze**1.5
    parallel = AXIS / sqrt(squeeze) * cos(radians(lat))
    return lat + north / meridian * 180 / pi, lng + east / parallel * 180 / pi


def gcj02_to_wgs84(lat: float, lng: float) -> Position:
    return _back(wgs84_to_gcj02, lat, lng)


def bd09_to_wgs84(lat: float, lng: float) -> Position:
    if not _is_shifted(lat, lng):
        return lat, lng
    return gcj02_to_wgs84(*_back(_gcj02_to_bd09, lat, lng))


def _gcj02_to_bd09(lat: float, lng: float) -> Position:
    length = hypot(lat, lng) + 0.00002 * sin(lat * pi * 3000 / 180)
    angle = atan2(lat, lng) + 0.000003 * cos(lng * pi * 3000 / 180)
    return length * sin(angle) + 0.006, length * cos(angle) + 0.0065


def _back(shift: Callable[[float, float], Position], lat: float, lng: float) -> Position:
    """The position that ``shift`` brings to this one."""
    back_lat, back_lng = lat, lng
    for _ in range(10):
        there_lat, there_lng = shift(back_lat, back_lng)
        off_lat, off_lng = lat - there_lat, lng - there_lng
        back_lat, back_lng = back_lat + off_lat, back_lng + off_lng
        if abs(off_lat) < 1e-10 and abs(off_lng) < 1e-10:
            break
    return back_lat, back_lng


def _is_shifted(lat: float, lng: float) -> bool:
    return _in_any(SHIFTED, lat, lng) and not _in_any(NOT_SHIFTED, lat, lng)


def _in_any(boxes: tuple[tuple[float, float, float, float], ...], lat: float, lng: float) -> bool:
    return any(south <= lat <= north and west <= lng <= east for south, west, north, east in boxes)


#: How positions of each datum come to WGS-84.
TO_WGS84: Mapping[str, Callable[[float, float], Position]] = {
    "wgs84": lambda lat, lng: (lat, lng),
    "gcj02": gcj02_to_wgs84,
    "bd09": bd09_to_wgs84,
}


def shape_to_wgs84(coordinates: Any, datum: str) -> Any:
    """Coordinates of GeoJSON, nested however deep, in WGS-84 to the centimetre."""
    if datum == "wgs84":
        return coordinates
    if coordinates and isinstance(coordinates[0], int | float):
        lat, lng = TO_WGS84[datum](coordinates[1], coordinates[0])
        return [round(lng, 7), round(lat, 7)]
    return [shape_to_wgs84(part, datum) for part in coordinates]
