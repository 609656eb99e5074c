"""Bad weather: asked of a provider, for cities that rules name; believed for two hours; an operator knows better."""

from datetime import timedelta

import orjson
import pytest

from coupons import observing
from coupons.models import Audience, Customer, Weather
from coupons.queries import catalogue
from coupons.queries.surroundings import situate
from distribution.queries.weather import watched_cities
from distribution.tasks import observe_weather
from tests import making
from tests.standin import standin

pytestmark = pytest.mark.django_db

RAINY = {"weather": {"any_of": ["rain"]}}
SHANGHAI = "310000"


def _in_shanghai(clock):
    catalogue.start_anew()
    return situate(clock.now(), city=SHANGHAI).weather


def _json(said, status=200):
    return status, {"Content-Type": "application/json"}, orjson.dumps(said)


def _qweather(icon="305", temperature="18", wind="10", code="200"):
    return _json({"code": code, "now": {"icon": icon, "temp": temperature, "windSpeed": wind}})


def _open_meteo(code=61, temperature=18.0, wind=10.0):
    return _json({"current": {"weather_code": code, "temperature_2m": temperature, "wind_speed_10m": wind}})


@pytest.fixture
def provider(settings):
    """Asks a stand-in that answers ``provider.says``."""

    class There:
        says = _qweather()

        @staticmethod
        def url(address):
            settings.WEATHER_URL = address

    there = There()
    with standin(lambda asked: there.says) as server:
        settings.WEATHER_PROVIDER, settings.WEATHER_URL, settings.WEATHER_KEY = "qweather", server.url, "secret"
        there.server = server
        yield there


def test_a_rule_about_rain_has_the_weather_of_its_cities_fetched(system, clock, provider):
    """I9: only for cities that live rules name; the coupon is given in the rain, and not without knowing."""
    template = making.template(claim_cities=[SHANGHAI], claim_conditions=RAINY)
    placement = making.placement(template)
    making.placement(making.template(claim_cities=["110000"], claim_conditions=RAINY), status="paused")
    making.placement(making.template(claim_cities=["440100"]))
    address, body = f"placements/{placement.key}/claims/", {"customer": "a", "city": SHANGHAI}
    caller = system("issue")
    assert caller.post(address, body).body["reasons"][0]["unknown"] is True
    assert observe_weather() == 1
    asked = provider.server.asked
    assert [(one.path, one.headers["x-qw-api-key"]) for one in asked] == [
        ("/v7/weather/now?location=121.47%2C31.23", "secret")
    ]
    assert caller.post(address, body).status == 201
    provider.says = _qweather("100")
    clock.forward(minutes=20)
    observe_weather()
    answer = caller.post(address, body)
    assert (answer.code, answer.body["reasons"][0]["had"]) == ("conditions_unmet", ["clear"])


def test_what_is_two_hours_old_is_unknown(clock, provider):
    """I9: a provider that falls silent fails closed; what it said stands until then."""
    observing.observe([SHANGHAI], clock.now())
    provider.says = 500, {}, b""
    clock.forward(hours=1, minutes=59)
    observing.observe([SHANGHAI], clock.now())
    assert _in_shanghai(clock) == {"rain"}
    clock.forward(minutes=1)
    assert _in_shanghai(clock) is None


def test_spells_go_on_end_and_begin(clock, provider):
    """I9: one row for each spell of weather, however often it is asked."""
    for says in (_qweather("305"), _qweather("310"), _qweather("310"), _qweather("100", temperature="36")):
        provider.says = says
        observing.observe([SHANGHAI], clock.now())
        clock.forward(minutes=20)
    assert _in_shanghai(clock) == {"clear", "heat"}
    minutes = {row.kind: (row.ends_at - row.starts_at) / timedelta(minutes=1) for row in Weather.objects.all()}
    assert minutes == {"rain": 60, "heavy_rain": 40, "clear": 120, "heat": 120}
    clock.forward(days=31)
    observing.observe([SHANGHAI], clock.now())
    assert Weather.objects.filter(kind="rain").count() == 0


def test_an_operators_word_goes_first(clock, provider):
    """I9: per city and period; afterwards the provider is heard again."""
    observing.observe([SHANGHAI], clock.now())
    Weather.objects.create(
        city_id=SHANGHAI, kind="snow", starts_at=clock.now(), ends_at=clock.now() + timedelta(minutes=30)
    )
    assert _in_shanghai(clock) == {"snow"}
    clock.forward(minutes=20)
    observing.observe([SHANGHAI], clock.now())
    assert Weather.objects.filter(is_override=True).count() == 1
    assert _in_shanghai(clock) == {"snow"}
    clock.forward(minutes=10)
    assert _in_shanghai(clock) == {"rain"}


@pytest.mark.parametrize(
    ("name", "says", "kinds"),
    [
        ("qweather", _qweather("302"), {"rain", "thunderstorm"}),
        ("qweather", _qweather("404", wind="70"), {"rain", "snow", "strong_wind"}),
        ("qweather", _qweather("503", temperature="-12"), {"sandstorm", "cold"}),
        ("qweather", _qweather("999"), None),
        ("qweather", _qweather(code="402"), None),
        ("qweather", _json({"code": "200"}), None),
        ("qweather", (200, {}, b"<html>"), None),
        ("qweather", _json([], 200), None),
        ("qweather", _qweather(temperature="inf"), None),
        ("qweather", _qweather(wind="nan"), None),
        ("qweather", (200, {}, b"[" * 100_000), None),
        ("open_meteo", (200, {}, b'{"current": {"weather_code": 1e999}}'), None),
        ("open_meteo", _open_meteo(0), {"clear"}),
        ("open_meteo", _open_meteo(82, wind=62.0), {"rain", "heavy_rain", "strong_wind"}),
        ("open_meteo", _open_meteo(77, temperature=-10.0), {"snow", "cold"}),
        ("open_meteo", _open_meteo(4), None),
        ("open_meteo", _json({"current": None}), None),
        ("open_meteo", _json({"error": True}, 400), None),
    ],
)
def test_each_provider_is_understood_or_not_believed(settings, clock, provider, name, says, kinds):
    settings.WEATHER_PROVIDER, provider.says = name, says
    observing.observe([SHANGHAI, "000000"], clock.now())
    assert _in_shanghai(clock) == kinds
    if name == "open_meteo":
        assert "latitude=31.2" in provider.server.asked[0].path


def test_a_provider_that_is_silent_throughout_is_not_waited_for_city_by_city(provider, clock):
    """I9: a hundred cities would take the worker's minutes; next time it is asked again, and one broken answer between
    good ones keeps nobody else from being asked."""
    keys = ["110000", "120000", SHANGHAI, "320100", "330100", "440100"]
    provider.says = 503, {}, b""
    assert observing.observe(keys, clock.now()) == {}
    assert len(provider.server.asked) == observing.MOST_SILENT * 2
    answers = iter([(200, {}, b"<html>"), (200, {}, b"<html>"), _qweather("305"), *[(200, {}, b"<html>")] * 2])
    with standin(lambda asked: next(answers, _qweather("100"))) as server:
        provider.url(server.url)
        assert observing.observe(keys, clock.now()) == {SHANGHAI: {"rain"}, "440100": {"clear"}}


def test_without_a_provider_nobody_is_asked(settings, clock):
    settings.WEATHER_PROVIDER = ""
    assert observing.observe([SHANGHAI], clock.now()) == {}


def test_rules_that_name_no_city_look_where_customers_live():
    """I9: rules of offers, audiences and uses."""
    Customer.objects.create(key="a", city_id="330100")
    making.placement(making.template())
    assert watched_cities() == []
    making.placement((making.template(claim_cities=["110000"]), making.audience(RAINY)))
    assert watched_cities() == ["110000"]
    making.placement(making.template(use_conditions={**RAINY, "cities": {"any_of": [SHANGHAI]}}))
    assert watched_cities() == ["110000", SHANGHAI]
    making.placement(making.template(claim_conditions=RAINY))
    assert watched_cities() == ["110000", SHANGHAI, "330100"]


def test_weather_within_an_audience_of_audiences_is_asked_for():
    """I9, I12: a rule may stand however deep; two that lead back to each other end nowhere."""
    Customer.objects.create(key="a", city_id="330100")
    wet = making.audience(RAINY)
    kept = making.audience({"audiences": {"none_of": [wet.pk]}})
    making.placement((making.template(claim_cities=["110000"]), kept))
    assert watched_cities() == ["110000"]
    here = making.audience({**RAINY, "cities": {"any_of": [SHANGHAI]}})
    making.placement((making.template(), making.audience({"audiences": {"any_of": [here.pk]}})))
    assert watched_cities() == ["110000", SHANGHAI]
    making.placement(making.template(claim_conditions={"audiences": {"any_of": [kept.pk]}}))
    assert watched_cities() == ["110000", SHANGHAI, "330100"]
    Audience.objects.filter(pk=wet.pk).update(conditions={"audiences": {"any_of": [kept.pk]}})
    assert watched_cities() == [SHANGHAI]
