"""节日节气: days off told by operators, local customs of a city, and a warning while a year is missing."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError

from coupons.models import Custom, CustomDay, ToldDay
from coupons.queries import almanac, catalogue
from coupons.queries.surroundings import situate
from tests import making
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db

YEAR = "/admin/coupons/toldday/year/2027/"
#: As an operator would tell a notice: each holiday's first and last day off.
OFF_2027 = {
    "new_year": ("2027-01-01", "2027-01-03"),
    "spring_festival": ("2027-02-05", "2027-02-11"),
    "qingming": ("2027-04-03", "2027-04-05"),
    "labour_day": ("2027-05-01", "2027-05-05"),
    "dragon_boat": ("2027-06-09", ""),
    "mid_autumn": ("2027-09-15", ""),
    "national_day": ("2027-10-01", "2027-10-07"),
}


def _codes(clock, city=None):
    catalogue.start_anew()
    return situate(clock.now(), city=city).festivals


def test_a_notice_told_on_the_calendar_page_rules_at_once(system, clock):
    """I9: days off and make-up working days, by operators, before the program knows them; a claim follows."""
    clock.set("2027-02-20 10:00")
    placement = making.placement(making.template(claim_conditions={"festivals": {"any_of": ["workday_makeup"]}}))
    caller, page = system("issue"), desk(somebody("运营"), "en")
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "a"}).code == "conditions_unmet"
    assert page.post(YEAR, {"code": "workday_makeup", "first": "2027-02-20", "last": ""}).status_code == 302
    assert caller.post(f"placements/{placement.key}/claims/", {"customer": "a"}).status == 201
    assert "year-makeup" in page.get(YEAR).content.decode()
    page.post(YEAR, {"code": "spring_festival", "first": "2027-02-11", "last": "2027-02-12"})
    clock.set("2027-02-12 10:00")
    assert {"spring_festival", "holiday"} <= _codes(clock)
    for wrong in ({"first": "2027-02-12", "last": "2027-02-11"}, {"first": "2027-01-01", "last": "2027-06-01"}):
        answer = page.post(YEAR, {"code": "new_year", **wrong})
        assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["last"])
    assert ToldDay.objects.count() == 3
    reader = desk(somebody("审核"))
    assert reader.get(YEAR).status_code == 200
    assert reader.post(YEAR, {"code": "new_year", "first": "2027-01-01"}).status_code == 403


def test_while_the_coming_years_notice_is_missing_there_is_a_warning(clock):
    """I9: on the first page and on the calendar's, from October on; gone once every holiday was told."""
    making.campaign()
    clock.set("2026-09-30 23:59")
    page = desk(somebody("运营"), "en")
    words = "The days off of 2027 are not known yet"
    assert words not in page.get("/admin/").content.decode()
    clock.set("2026-10-01 00:00")
    assert words in page.get("/admin/").content.decode()
    assert words in page.get("/admin/coupons/toldday/year/").content.decode()
    for code, (first, last) in OFF_2027.items():
        assert almanac.missing_year(clock.now(), catalogue.current()) == 2027
        assert page.post(YEAR, {"code": code, "first": first, "last": last}).status_code == 302
    assert words not in page.get("/admin/").content.decode()
    assert words not in page.get(YEAR).content.decode()


def test_a_local_custom_is_a_day_of_its_city(system, clock):
    """I9: usable like a festival, by its name; elsewhere and without a city it is not kept."""
    custom = Custom.objects.create(key="temple-fair", name="城隍庙会")
    today = clock.now().date()
    CustomDay.objects.create(custom=custom, first_date=today, last_date=today + timedelta(days=1), city_id="310000")
    assert _codes(clock, "310000") >= {"custom:temple-fair"}
    assert "custom:temple-fair" not in _codes(clock, "110000") | _codes(clock)
    placement = making.placement(
        making.template(claim_conditions={"festivals": {"any_of": ["custom:temple-fair", "qixi"]}})
    )
    caller = system("issue")
    address = f"placements/{placement.key}/claims/"
    answer = caller.post(address, {"customer": "a", "city": "110000"})
    assert answer.code == "conditions_unmet"
    assert "城隍庙会" in str(answer.body["reasons"])
    assert caller.post(address, {"customer": "a", "city": "310000"}).status == 201
    clock.forward(days=2)
    assert "custom:temple-fair" not in _codes(clock, "310000")
    CustomDay.objects.update(city=None, last_date=date(2026, 6, 30))
    assert "custom:temple-fair" in _codes(clock)
    assert almanac.festivals_anywhere(clock.now().date(), catalogue.current()) >= {"custom:temple-fair"}


def test_where_no_city_is_named_nobody_knows_whether_a_custom_is_kept(system, clock):
    """I9: unknown refuses on either side of a "not"; days of the whole country are known without a city."""
    custom = Custom.objects.create(key="fair", name="庙会")
    today = clock.now().date()
    CustomDay.objects.create(custom=custom, first_date=today, last_date=today, city_id="310000")
    fair = making.audience({"festivals": {"any_of": ["custom:fair", "qixi"]}})
    qixi = making.audience({"festivals": {"any_of": ["qixi"]}})
    placements = [
        making.placement((making.template(), making.audience({"audiences": {"none_of": [one.pk]}})))
        for one in (fair, qixi)
    ]
    caller = system("issue")
    got = {
        city: [caller.post(f"placements/{one.key}/claims/", {"customer": city or "x", **asked}) for one in placements]
        for city, asked in ((None, {}), ("310000", {"city": "310000"}), ("110000", {"city": "110000"}))
    }
    assert {city: [one.status for one in answers] for city, answers in got.items()} == {
        None: [409, 201],
        "310000": [409, 201],
        "110000": [201, 201],
    }
    assert got[None][0].body["reasons"][0] | {"detail": ""} == {
        "code": "audiences", "detail": "", "wanted": {"none_of": [fair.pk]}, "had": [], "unknown": True,
        "missing": ["festivals"],
    }  # fmt: skip


def test_a_custom_that_nobody_knows_is_an_error_and_one_that_rules_name_stays():
    with pytest.raises(ValidationError, match="festivals"):
        making.template(claim_conditions={"festivals": {"any_of": ["custom:nowhere"]}})
    Custom.objects.create(key="fair", name="庙会")
    making.template(claim_conditions={"festivals": {"any_of": ["custom:fair"]}})
    answer = desk(somebody("运营")).post("/admin/coupons/custom/fair/delete/", {"post": "yes"})
    assert answer.status_code == 403
    assert Custom.objects.count() == 1
