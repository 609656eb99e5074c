"""Where somebody is, and in what weather."""

from datetime import UTC, datetime, timedelta
from time import process_time
from zoneinfo import ZoneInfo

import pytest

from coupons.models import Area, City, Customer, CustomerDay, CustomerLine, Weather
from coupons.queries.profiles import profile, profiles
from coupons.queries.surroundings import AreaIndex, polygons_of, situate
from coupons.rules import Profile

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 10, 1, 0, 30, tzinfo=SHANGHAI)


@pytest.fixture(autouse=True)
def _seen_at_once(settings):
    settings.CATALOGUE_SECONDS = 0


def square(west, south, east, north):
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


@pytest.fixture
def city():
    defaults = {"name": "上海", "name_en": "Shanghai", "province": "上海市"}
    return City.objects.update_or_create(key="310000", defaults=defaults)[0]


def test_the_moment_is_told_in_the_business_time_zone():
    situation = situate(NOW.astimezone(UTC), client="app", business_mode="agent", business_line="ride")
    assert (situation.now, situation.now.hour) == (NOW, 0)
    assert (situation.client, situation.business_mode, situation.business_line) == ("app", "agent", "ride")
    assert "national_day" in situation.festivals
    assert (situation.city, situation.areas, situation.weather) == (None, None, None)


def test_areas_overlap_and_their_border_is_inside():
    Area.objects.create(key="a", name="A", geojson=square(121, 31, 122, 32))
    Area.objects.create(key="b", name="B", geojson=square(121.5, 31.5, 123, 33))
    for lat, lng, keys in [
        (31.2, 121.2, {"a"}),
        (31.6, 121.6, {"a", "b"}),
        (31, 121, {"a"}),
        (32, 121.2, {"a"}),
        (32, 122, {"a", "b"}),
        (30.999999, 121.5, set()),
        (121.2, 31.2, set()),
    ]:
        assert situate(NOW, position=(lat, lng)).areas == keys


def test_an_area_with_a_hole_does_not_hold_the_hole():
    rings = [square(0, 0, 10, 10)["coordinates"][0], square(4, 4, 6, 6)["coordinates"][0]]
    both = {"type": "MultiPolygon", "coordinates": [rings, square(20, 20, 21, 21)["coordinates"]]}
    Area.objects.create(key="ring", name="ring", geojson=both)
    assert situate(NOW, position=(5, 5)).areas == frozenset()
    assert situate(NOW, position=(4, 5)).areas == {"ring"}
    assert situate(NOW, position=(20.5, 20.5)).areas == {"ring"}


def test_an_area_drawn_anew_is_seen_and_one_that_is_gone_is_not():
    area = Area.objects.create(key="a", name="A", geojson=square(0, 0, 1, 1))
    assert situate(NOW, position=(0.5, 0.5)).areas == {"a"}
    area.geojson = square(2, 2, 3, 3)
    area.save()
    assert situate(NOW, position=(0.5, 0.5)).areas == frozenset()
    assert situate(NOW, position=(2.5, 2.5)).areas == {"a"}
    area.delete()
    assert situate(NOW, position=(2.5, 2.5)).areas == frozenset()


@pytest.mark.parametrize(
    "geojson", [{}, [], None, 5, {"type": "Polygon"}, {"type": "Polygon", "coordinates": [[1]]}, {"type": "Moon"}]
)
def test_an_area_that_cannot_be_drawn_holds_nobody_and_breaks_nothing(geojson):
    Area.objects.create(key="good", name="good", geojson=square(0, 0, 1, 1))
    if geojson is not None:
        Area.objects.create(key="bad", name="bad", geojson=geojson)
    assert polygons_of("bad", geojson).is_empty
    assert situate(NOW, position=(0.5, 0.5)).areas == {"good"}


def test_five_thousand_areas_answer_within_a_millisecond():
    areas = {
        f"a{row}-{column}": polygons_of("", square(column / 50, row / 50, (column + 2) / 50, (row + 2) / 50))
        for row in range(50)
        for column in range(100)
    }
    index = AreaIndex.of(areas)
    assert len(index.at((0.505, 1.005))) == 4
    started = process_time()
    for step in range(500):
        index.at((0.5 + step / 10_000, 1 + step / 5_000))
    assert (process_time() - started) / 500 < 0.001


def test_no_areas_at_all_are_no_areas_around():
    assert situate(NOW, position=(0, 0)).areas == frozenset()


def test_an_operators_word_on_the_weather_goes_first(city):
    hour = timedelta(hours=1)
    assert situate(NOW, city=city.key).weather is None

    def tell(kind, start, end, is_override):
        Weather.objects.create(city=city, kind=kind, starts_at=NOW + start, ends_at=NOW + end, is_override=is_override)

    tell("rain", -hour, 2 * hour, False)
    tell("strong_wind", -hour, hour, False)
    tell("clear", -2 * hour, -hour, True)
    assert situate(NOW, city=city.key).weather == {"rain", "strong_wind"}
    assert situate(NOW + hour, city=city.key).weather == {"rain"}
    assert situate(NOW + 2 * hour, city=city.key).weather is None
    tell("snow", 0 * hour, hour, True)
    assert situate(NOW, city=city.key).weather == {"snow"}
    assert situate(NOW - hour, city=city.key).weather == {"rain", "strong_wind"}
    assert situate(NOW - 2 * hour, city=city.key).weather == {"clear"}
    assert situate(NOW, city="999999").weather is None
    assert situate(NOW).weather is None


def test_a_customer_never_heard_of_is_a_profile_without_facts():
    assert profile("nobody", frozenset({"lines", "days"})) == Profile(id=None, key="nobody")


def test_a_profile_is_one_round_trip(django_assert_num_queries):
    last = datetime(2026, 9, 30, 12, 0, 0, 120000, tzinfo=UTC)
    customer = Customer.objects.create(key="c", tags=["vip"], order_count=3, last_order_at=last, rival_app=False)
    CustomerLine.objects.create(customer=customer, business_line="ride", order_count=2, last_order_at=last)
    CustomerLine.objects.create(customer=customer, business_line="food", order_count=1)
    for ago in (0, 1, 2):
        day = NOW.date() - timedelta(days=ago)
        CustomerDay.objects.create(customer=customer, day=day, order_count=1, gross_fen=100, deducted_fen=ago)
    with django_assert_num_queries(1):
        read = profile("c", frozenset({"lines", "days"}), since=NOW.date() - timedelta(days=1))
    assert (read.id, read.key, read.tags, read.rival_app) == (customer.pk, "c", {"vip"}, False)
    assert (read.order_count, read.last_order_at) == (3, last)
    assert read.lines["ride"].last_order_at == last
    assert read.lines["food"].last_order_at is None
    assert {day.day: facts.deducted_fen for day, facts in read.days.items()} == {1: 0, 30: 1}
    with django_assert_num_queries(1):
        bare = profile("c")
    assert (bare.lines, bare.days) == ({}, {})
    assert [one.key for one in profiles([customer.pk, 10**12])] == ["c"]
