"""Each condition at its edges, what is unknown, and what comes in crooked."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.http import QueryDict

from coupons.models import Area, City
from coupons.rules import InvalidRules, Profile, Situation, clean, compile_rules, menu
from coupons.rules.situation import DayFacts, LineFacts

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 12, tzinfo=SHANGHAI)  # a Monday
NOBODY = Profile(id=None, key="nobody")
HERE = Situation(now=NOW)


def ask(code, answers, customer=NOBODY, situation=HERE):
    return condition(code, answers).check(customer, situation)


def condition(code, answers, deed="use"):
    (made,) = compile_rules({code: answers}, deed)
    return made


def errors(rules):
    with pytest.raises(InvalidRules) as caught:
        clean(rules)
    return {path: code for path, code, _sentence in caught.value.errors}


def test_the_menu_is_the_contract():
    assert set(menu) == {
        "standing", "tags", "order_count", "last_order_days", "sensitivity", "churn_probability", "subsidy_rate",
        "rival_app", "cities", "areas", "weather", "festivals", "clients", "hours", "weekdays", "business_modes",
        "audiences",  # ours: the contract has them as well as more may be added
    }  # fmt: skip


# --- what comes in -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "answers", "path", "error"),
    [
        ("order_count", {"min": True}, ".min", "wrong_type"),
        ("order_count", {"min": 1.0}, ".min", "wrong_type"),
        ("order_count", {"min": "1e3"}, ".min", "wrong_type"),
        ("order_count", {"min": "5"}, ".min", "wrong_type"),
        ("order_count", {"min": -1}, ".min", "min_value"),
        ("order_count", {"min": 10**40}, ".min", "max_value"),
        ("order_count", {"min": 5, "max": 3}, ".max", "max_below_min"),
        ("order_count", {}, "", "required"),
        ("order_count", {"within_days": 3}, "", "required"),
        ("order_count", {"min": 1, "within_days": 0}, ".within_days", "min_value"),
        ("order_count", {"min": 1, "sort": 3}, ".sort", "unknown_field"),
        ("last_order_days", {"min": []}, ".min", "wrong_type"),
        ("last_order_days", {}, "", "required"),
        ("sensitivity", {"min": float("nan")}, ".min", "wrong_type"),
        ("sensitivity", {"max": float("inf")}, ".max", "wrong_type"),
        ("sensitivity", {"min": "NaN"}, ".min", "wrong_type"),
        ("sensitivity", {"min": "1e-1"}, ".min", "wrong_type"),
        ("sensitivity", {"min": True}, ".min", "wrong_type"),
        ("churn_probability", {"min": 1.01}, ".min", "max_value"),
        ("churn_probability", {"min": 0.12345}, ".min", "max_decimal_places"),
        ("subsidy_rate", {"min": 0.3, "max": 0.2}, ".max", "max_below_min"),
        ("rival_app", {}, ".is", "required"),
        ("rival_app", {"is": "true"}, ".is", "wrong_type"),
        ("rival_app", {"is": 1}, ".is", "wrong_type"),
        ("standing", {"any_of": ["business_new"]}, ".business_line", "required"),
        ("standing", {"any_of": ["new"]}, ".any_of", "invalid_choice"),
        ("standing", {"any_of": ["returning"], "business_line": 5}, ".business_line", "wrong_type"),
        ("standing", {"any_of": ["returning"], "business_line": "a b"}, ".business_line", "invalid_key"),
        ("standing", {"business_line": "ride"}, ".any_of", "required"),
        ("tags", {"any_of": []}, "", "required"),
        ("tags", {"any_of": ["a\0"]}, ".any_of", "invalid"),
        ("tags", {"any_of": ["\ud800"]}, ".any_of", "invalid"),
        ("tags", {"none_of": ["x" * 65]}, ".none_of", "invalid"),
        ("tags", {"none_of": "vip"}, ".none_of", "wrong_type"),
        ("clients", {"any_of": "app"}, ".any_of", "wrong_type"),
        ("clients", {"any_of": ["fax"]}, ".any_of", "invalid_choice"),
        ("clients", {"any_of": []}, ".any_of", "required"),
        ("clients", {"any_of": [["app"]]}, ".any_of", "wrong_type"),
        ("weekdays", {"any_of": [8]}, ".any_of", "invalid_choice"),
        ("weekdays", {"any_of": [True]}, ".any_of", "wrong_type"),
        ("weekdays", {"any_of": ["6"]}, ".any_of", "wrong_type"),
        ("festivals", {"any_of": ["doomsday"]}, ".any_of", "invalid_choice"),
        ("weather", {"any_of": ["frogs"]}, ".any_of", "invalid_choice"),
        ("business_modes", {"any_of": ["none"]}, ".any_of", "invalid_choice"),
        ("hours", {}, "", "required"),
        ("hours", {"inside": [["7:00", "9:00"]]}, ".inside", "invalid_format"),
        ("hours", {"inside": [["07:00", "07:00"]]}, ".inside", "invalid_format"),
        ("hours", {"inside": [["07:00", "08:00"]], "outside": [["09:00", "10:00"]]}, ".outside", "only_one"),
        ("moon", {}, "", "unknown_condition"),
        ("tags", 5, "", "wrong_type"),
    ],
)
def test_crooked_answers_are_named_by_their_field(code, answers, path, error):
    assert errors({code: answers}) == {code + path: error}


@pytest.mark.django_db
def test_cities_and_areas_must_be_known():
    City.objects.get_or_create(key="310000", defaults={"name": "上海", "name_en": "Shanghai", "province": "上海"})
    Area.objects.create(key="cbd", name="CBD", geojson={})
    good = {"cities": {"any_of": ["310000"]}, "areas": {"any_of": ["cbd"]}}
    assert clean(good) == good
    for key in ("999999", "", "a\0", "\ud800", "x" * 10_000):
        assert errors({"cities": {"any_of": ["310000", key]}}) == {"cities.any_of": "unknown_key"}
        assert errors({"areas": {"any_of": [key, "cbd"]}}) == {"areas.any_of": "unknown_key"}
    assert errors({"cities": {"any_of": [310000]}}) == {"cities.any_of": "wrong_type"}
    assert errors({"cities": {}}) == {"cities.any_of": "required"}


def test_numbers_stay_numbers_and_are_exact():
    assert clean({"sensitivity": {"min": "0.50", "max": 1.0}}) == {"sensitivity": {"min": 0.5, "max": 1}}
    third = clean({"churn_probability": {"max": 0.3}})
    assert ask("churn_probability", third["churn_probability"], replace(NOBODY, churn_probability=Decimal("0.3"))).holds


def test_the_order_of_answers_is_kept_and_nothing_is_twice():
    assert clean({"weekdays": {"any_of": [7, 6, 7]}}) == {"weekdays": {"any_of": [7, 6]}}


def test_a_posted_form_reads_text():
    form = menu["hours"].Form(QueryDict("h-outside=22:00-06:00，12：00 - 13:00&h-inside="), prefix="h")
    assert form.is_valid()
    assert form.cleaned_data["outside"] == [["22:00", "06:00"], ["12:00", "13:00"]]
    form = menu["weekdays"].Form(QueryDict("any_of=6&any_of=7"))
    assert form.is_valid()
    assert form.cleaned_data == {"any_of": [6, 7]}
    form = menu["rival_app"].Form(QueryDict("is=false"))
    assert form.is_valid()
    assert form.cleaned_data == {"is": False}
    form = menu["tags"].Form(QueryDict("any_of=高价值、 vip,vip&none_of="))
    assert form.is_valid()
    assert form.cleaned_data == {"any_of": ["高价值", "vip"], "none_of": []}
    form = menu["subsidy_rate"].Form(QueryDict("min=0.10&max=&within_days=30"))
    assert form.is_valid()
    assert form.cleaned_data == {"min": 0.1, "max": None, "within_days": 30}
    assert not menu["order_count"].Form(QueryDict("min=x")).is_valid()


@pytest.mark.parametrize("code", sorted(set(menu) - {"cities", "areas"}))
def test_a_form_left_blank_says_so_and_renders(code):
    form = menu[code].Form(QueryDict(""), prefix="p")
    assert form.is_left_blank()
    assert str(menu[code].Form(prefix="p"))


def test_a_form_shows_what_is_stored():
    assert "22:00-06:00" in str(menu["hours"].Form(initial={"outside": [["22:00", "06:00"]]}))
    assert "a, b" in str(menu["tags"].Form(initial={"any_of": ["a", "b"]}))
    assert 'value="false" selected' in str(menu["rival_app"].Form(initial={"is": False}))


# --- at the edges ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "answers", "situation"),
    [
        ("cities", {"any_of": ["310000"]}, "city"),
        ("areas", {"any_of": ["cbd"]}, "areas"),
        ("weather", {"any_of": ["rain"]}, "weather"),
        ("clients", {"any_of": ["app"]}, "client"),
        ("business_modes", {"any_of": ["agent"]}, "business_mode"),
    ],
)
def test_what_is_not_known_of_the_moment_is_unknown(code, answers, situation):
    assert ask(code, answers).holds is None
    here = answers["any_of"][0]
    known = replace(HERE, **{situation: frozenset({here}) if situation in ("areas", "weather") else here})
    assert ask(code, answers, situation=known).holds is True
    elsewhere = replace(HERE, **{situation: frozenset() if situation in ("areas", "weather") else "other"})
    assert ask(code, answers, situation=elsewhere).holds is False


@pytest.mark.parametrize("code", ["sensitivity", "churn_probability"])
def test_a_share_never_told_is_unknown(code):
    assert ask(code, {"min": 0}).holds is None
    for value, holds in [("0.2", True), ("0.1999", False), ("0.4", True), ("0.4001", False)]:
        assert ask(code, {"min": 0.2, "max": 0.4}, replace(NOBODY, **{code: Decimal(value)})).holds is holds


def test_a_rival_app_never_told_is_unknown():
    assert ask("rival_app", {"is": False}).holds is None
    assert ask("rival_app", {"is": False}, replace(NOBODY, rival_app=False)).holds is True
    assert ask("rival_app", {"is": False}, replace(NOBODY, rival_app=True)).holds is False


def test_standing_follows_from_orders():
    rides = replace(NOBODY, order_count=2, lines={"ride": LineFacts(2)})
    for customer, line, standing in [
        (NOBODY, None, "platform_new"),
        (NOBODY, "ride", "platform_new"),
        (rides, None, "returning"),
        (rides, "ride", "returning"),
        (rides, "food", "business_new"),
    ]:
        for asked in ("platform_new", "business_new", "returning"):
            answers = {"any_of": [asked]} | ({"business_line": line} if line else {})
            verdict = ask("standing", answers, customer)
            assert (verdict.holds, verdict.had) == (asked == standing, standing)


def test_who_never_ordered_has_no_last_order():
    assert ask("last_order_days", {"max": 30_000}).holds is False
    assert ask("last_order_days", {"min": 0}).holds is False


def test_days_since_the_last_order_are_days_of_the_calendar():
    late = replace(NOBODY, last_order_at=datetime(2026, 11, 22, 23, 59, 59, tzinfo=SHANGHAI))
    early = replace(HERE, now=datetime(2026, 11, 23, 0, 0, tzinfo=SHANGHAI))
    assert ask("last_order_days", {"min": 1, "max": 1}, late, early).had == 1
    assert ask("last_order_days", {"within_days": 1}, late, early).holds is False
    assert ask("last_order_days", {"within_days": 2}, late, early).holds is True
    assert ask("last_order_days", {"max": 0}, replace(late, last_order_at=NOW.astimezone(ZoneInfo("UTC")))).holds


def test_the_last_n_days_are_today_and_those_before():
    today = NOW.date()
    days = {today - timedelta(days=ago): DayFacts(1, 100, 10) for ago in (0, 1, 2, 3)}
    days[today + timedelta(days=1)] = DayFacts(9, 900, 900)
    customer = replace(NOBODY, order_count=100, gross_fen=10_000, deducted_fen=10_000, days=days)
    assert ask("order_count", {"min": 3, "max": 3, "within_days": 3}, customer)[:2] == (True, 3)
    assert ask("order_count", {"min": 100, "max": 100}, customer).holds is True
    assert ask("subsidy_rate", {"min": 0.1, "max": 0.1, "within_days": 3}, customer)[:2] == (True, 0.1)
    assert ask("subsidy_rate", {"max": 0.9}, customer).holds is False


def test_the_subsidy_rate_is_never_unknown_and_never_rounded():
    assert ask("subsidy_rate", {"max": 0})[:2] == (True, 0)
    assert ask("subsidy_rate", {"min": 0.0001}).holds is False
    third = replace(NOBODY, gross_fen=3 * 10**15, deducted_fen=10**15)
    assert ask("subsidy_rate", {"max": 0.3333}, third).holds is False
    assert ask("subsidy_rate", {"min": 0.3333}, third).holds is True


@pytest.mark.parametrize(
    ("clock", "holds"),
    [("21:59", True), ("22:00", False), ("23:59", False), ("00:00", False), ("05:59", False), ("06:00", True)],
)
def test_hours_may_cross_midnight(clock, holds):
    situation = replace(HERE, now=datetime.fromisoformat(f"2026-11-23T{clock}:59+08:00").astimezone(SHANGHAI))
    assert ask("hours", {"outside": [["22:00", "06:00"]]}, situation=situation).holds is holds
    assert ask("hours", {"inside": [["22:00", "06:00"]]}, situation=situation)[:2] == (not holds, clock)


def test_a_day_may_end_at_twenty_four():
    assert ask("hours", {"inside": [["12:00", "24:00"]]}).holds is True
    assert ask("hours", {"inside": [["13:00", "00:00"]]}).holds is False


def test_weekdays_count_from_monday():
    assert ask("weekdays", {"any_of": [1]})[:2] == (True, 1)
    assert ask("weekdays", {"any_of": [6, 7]}).holds is False


def test_festivals_are_never_unknown():
    assert ask("festivals", {"any_of": ["double_11"]})[:2] == (False, [])
    assert ask("festivals", {"any_of": ["workday"]}, situation=replace(HERE, festivals=frozenset({"workday"}))).holds


def test_tags_are_had_or_not_had():
    vip = replace(NOBODY, tags=frozenset({"vip", "late"}))
    assert ask("tags", {"any_of": ["vip", "new"]}, vip)[:2] == (True, ["vip"])
    assert ask("tags", {"any_of": ["vip"], "none_of": ["late"]}, vip)[:2] == (False, ["late", "vip"])
    assert ask("tags", {"none_of": ["late"]}).holds is True


# --- why not -----------------------------------------------------------------------------------------------------


def test_a_reason_says_what_was_wanted_and_what_there_was():
    hours = condition("hours", {"outside": [["07:00", "09:00"], ["11:30", "12:30"]]})
    reason = hours.reason(hours.check(NOBODY, HERE))
    assert reason["code"] == "hours"
    assert reason["wanted"] == {"outside": [["07:00", "09:00"], ["11:30", "12:30"]]}
    assert reason["had"] == "12:00"
    assert reason["unknown"] is False
    assert "12:30" in reason["remedy"]
    assert reason["remedy"] in reason["detail"]


def test_the_next_hour_that_is_possible_may_be_tomorrow():
    hours = condition("hours", {"inside": [["07:00", "09:00"], ["09:00", "11:00"]]})
    assert "07:00" in hours.reason(hours.check(NOBODY, HERE))["remedy"]


def test_a_fact_that_is_missing_is_said_to_be_unknown():
    share = condition("sensitivity", {"min": 0.5})
    reason = share.reason(share.check(NOBODY, HERE))
    assert (reason["unknown"], reason["had"]) == (True, None)
    assert "remedy" not in reason
