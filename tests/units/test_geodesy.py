"""The known points are those by which the published converters of GCJ-02 and BD-09 test themselves."""

from math import cos, hypot, radians

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coupons.geodesy import _gcj02_to_bd09, _is_shifted, bd09_to_wgs84, gcj02_to_wgs84, wgs84_to_gcj02

#: WGS-84 and the same place in GCJ-02: Shanghai, Shenzhen, Beijing.
KNOWN = [
    ((31.1774276, 121.5272106), (31.17530398364597, 121.531541859215)),
    ((22.543847, 113.912316), (22.540796131694766, 113.9171764808363)),
    ((39.911954, 116.377817), (39.91334545536069, 116.38404722455657)),
]
ABROAD = {
    "Seoul": (37.5665, 126.9780),
    "Tokyo": (35.6762, 139.6503),
    "Hanoi": (21.0278, 105.8342),
    "Singapore": (1.3521, 103.8198),
    "Ulaanbaatar": (47.8864, 106.9057),
    "Vladivostok": (43.1155, 131.8855),
    "Taipei": (25.0375, 121.5637),
    "London": (51.5072, -0.1276),
    "Sydney": (-33.8688, 151.2093),
}

positions = st.tuples(st.floats(16, 54), st.floats(73, 135))


def metres(one, other):
    (lat, lng), (other_lat, other_lng) = one, other
    return hypot(lat - other_lat, (lng - other_lng) * cos(radians(lat))) * 111_320


def on_the_rim(lat, lng):
    """Within some two kilometres of where shifted land ends."""
    steps = (-0.02, 0, 0.02)
    return len({_is_shifted(lat + north, lng + east) for north in steps for east in steps}) > 1


@pytest.mark.parametrize(("wgs84", "gcj02"), KNOWN)
def test_known_points_are_met(wgs84, gcj02):
    assert wgs84_to_gcj02(*wgs84) == pytest.approx(gcj02, abs=1e-9)
    assert metres(gcj02_to_wgs84(*gcj02), wgs84) < 0.001


def test_a_point_of_baidus_map_is_met():
    assert metres(bd09_to_wgs84(39.91644277301285, 116.41011669230353), (39.9087, 116.3975)) < 0.05


@pytest.mark.parametrize("place", ABROAD)
def test_what_lies_outside_stays_as_it_is(place):
    assert wgs84_to_gcj02(*ABROAD[place]) == ABROAD[place]
    assert gcj02_to_wgs84(*ABROAD[place]) == ABROAD[place]
    assert bd09_to_wgs84(*ABROAD[place]) == ABROAD[place]


@given(positions)
def test_there_and_back_is_the_same_place(position):
    assume(not on_the_rim(*position))
    assert metres(gcj02_to_wgs84(*wgs84_to_gcj02(*position)), position) < 0.001


@given(positions)
def test_back_and_there_is_the_same_place(position):
    assume(not on_the_rim(*position))
    assert metres(wgs84_to_gcj02(*gcj02_to_wgs84(*position)), position) < 0.001


@given(positions)
def test_baidus_map_leads_to_the_same_place(position):
    assume(_is_shifted(*position) and not on_the_rim(*position))
    assert metres(bd09_to_wgs84(*_gcj02_to_bd09(*wgs84_to_gcj02(*position))), position) < 0.001


@given(positions)
def test_inside_the_shift_is_between_a_street_and_a_kilometre(position):
    assume(_is_shifted(*position))
    assert 10 < metres(wgs84_to_gcj02(*position), position) < 1_100
