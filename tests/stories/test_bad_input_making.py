"""Bad input where campaigns are made: each is a 400 that names the field, and nothing changes."""

import json
from copy import deepcopy
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from coupons.models import ApiKey, CouponTemplate
from tests.stories.campaign_documents import DROP, SQUARE, summer
from tests.stories.test_campaign_document import everything

pytestmark = pytest.mark.django_db

PERCENT = {
    "templates__0__type": "percent_off",
    "templates__0__amount_fen": None,
    "templates__0__percent_off": 20,
    "templates__0__cap_fen": 3000,
}
PERIOD = {"type": "period", "starts_at": "2026-06-01T00:00:00+08:00", "ends_at": "2026-07-01T00:00:00+08:00"}


@pytest.fixture
def wrong(system):
    """Field → code, for a document that is refused and changes nothing."""
    caller = system("manage", "approve")

    def wrong(body: dict[str, Any] | bytes) -> dict[str, str]:
        before = everything()
        answer = caller.post("campaigns/", body)
        assert (answer.status, answer.code) == (400, "invalid"), answer.content
        assert everything() == before
        assert all(error["detail"] for error in answer.body["errors"])
        return answer.wrong

    return wrong


MONEY = [
    (1.5, "not_whole"),
    (2000.0, "not_whole"),
    ("2000", "not_whole"),
    (True, "not_whole"),
    (float("nan"), "not_whole"),
    (float("inf"), "not_whole"),
    ([], "not_whole"),
    (-1, "too_small"),
    (10**12 + 1, "too_large"),
    (10**40, "too_large"),
]


@pytest.mark.parametrize(("value", "code"), [*MONEY, (0, "too_small")])
@pytest.mark.parametrize("field", ["amount_fen", "threshold_fen", "cap_fen"])
def test_money_of_a_coupon_is_a_whole_number_of_fen_above_zero(wrong, field, value, code):
    assert wrong(summer(**{f"templates__0__{field}": value})) == {f"templates.0.{field}": code}


@pytest.mark.parametrize(("value", "code"), MONEY)
@pytest.mark.parametrize("path", ["budget_fen", "templates__0__limits__total_fen", "templates__0__cost__merchant_fen"])
def test_limits_and_budget_are_whole_numbers(wrong, path, value, code):
    assert wrong(summer(**{path: value})) == {path.replace("__", "."): code}


@pytest.mark.parametrize("number", [b"1e3", b"2E3", b"1000.0", b"-1e3", b"1e400"])
def test_a_number_with_an_exponent_or_a_point_is_no_money(wrong, number):
    body = json.dumps(summer(budget_fen=424242)).encode().replace(b"424242", number)
    assert wrong(body) == {"budget_fen": "not_whole"}


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0, "too_small"),
        ("0", "too_small"),
        ("0.00", "too_small"),
        (100, "too_large"),
        ("99.995", "not_a_decimal"),
        ("100", "too_large"),
        (-5, "too_small"),
        ("-5", "not_a_decimal"),
        (12.5, "not_a_decimal"),
        ("1e1", "not_a_decimal"),
        (" 20", "not_a_decimal"),
        ("２０", "not_a_decimal"),
        (True, "not_a_decimal"),
        (float("nan"), "not_a_decimal"),
        ("NaN", "not_a_decimal"),
        (10**40, "not_a_decimal"),
    ],
)
def test_a_percentage_is_above_0_and_below_100_with_two_decimals(wrong, value, code):
    document = summer(**{**PERCENT, "templates__0__percent_off": value})
    assert wrong(document) == {"templates.0.percent_off": code}


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"amount_fen": 10001}, {"amount_fen": "above_threshold"}),
        ({"amount_fen": None}, {"amount_fen": "required"}),
        ({"threshold_fen": None}, {"threshold_fen": "required"}),
        ({"cap_fen": 100}, {"cap_fen": "not_for_type"}),
        ({"percent_off": 10}, {"percent_off": "not_for_type"}),
        ({"type": "no_threshold"}, {"threshold_fen": "not_for_type"}),
        ({"type": "percent_off"}, {"percent_off": "required", "amount_fen": "not_for_type"}),
        ({"type": "gift"}, {"type": "invalid_choice"}),
    ],
)
def test_the_amounts_fit_the_type(wrong, changes, found):
    document = summer(**{f"templates__0__{field}": value for field, value in changes.items()})
    assert wrong(document).items() >= {f"templates.0.{field}": code for field, code in found.items()}.items()


def test_a_percentage_without_a_cap_sits_under_no_limit_in_fen(wrong, system):
    uncapped = {**PERCENT, "templates__0__cap_fen": None}
    assert wrong(summer(**uncapped)) == {"templates.0.cap_fen": "uncapped"}
    for limit in ("total_fen", "daily_fen", "customer_fen", "customer_daily_fen"):
        document = summer(**uncapped, budget_fen=None, templates__0__limits={limit: 10**6})
        assert wrong(document) == {"templates.0.cap_fen": "uncapped"}
    document = summer(**uncapped, budget_fen=None, templates__0__limits={"total_count": 5})
    assert system("manage", "approve").post("campaigns/", document).status == 201
    assert wrong(summer(**uncapped)) == {"templates.0.cap_fen": "uncapped"}
    assert wrong(summer(templates=[], placements=[])) == {"budget_fen": "uncapped"}


@pytest.mark.parametrize(
    ("validity", "found"),
    [
        ({"type": "claim_day", "days": 1}, {"days": "not_for_type"}),
        ({"type": "claim_day", "starts_after_days": 1}, {"starts_after_days": "not_for_type"}),
        ({"type": "days_after_claim"}, {"days": "required"}),
        ({"type": "days_after_claim", "days": 0}, {"days": "too_small"}),
        ({"type": "days_after_claim", "days": 3651}, {"days": "too_large"}),
        ({"type": "days_after_claim", "days": 7, "ends_at": PERIOD["ends_at"]}, {"ends_at": "not_for_type"}),
        ({"type": "period", "starts_at": PERIOD["starts_at"]}, {"ends_at": "required"}),
        ({**PERIOD, "ends_at": PERIOD["starts_at"]}, {"ends_at": "ends_before_start"}),
        ({**PERIOD, "ends_at": "2026-07-01"}, {"ends_at": "invalid_moment"}),
        ({**PERIOD, "ends_at": "2026-07-01T00:00:00"}, {"ends_at": "invalid_moment"}),
        ({**PERIOD, "ends_at": "2026-02-30T00:00:00Z"}, {"ends_at": "invalid_moment"}),
        ({**PERIOD, "ends_at": "9999-12-31T23:59:59-12:00"}, {"ends_at": "invalid_moment"}),
        ({**PERIOD, "ends_at": 1_790_000_000}, {"ends_at": "invalid_moment"}),
        ({"type": "for_ever"}, {"type": "invalid_choice"}),
        ({}, {"type": "required"}),
    ],
)
def test_the_dates_fit_the_validity(wrong, validity, found):
    expected = {f"templates.0.validity.{field}": code for field, code in found.items()}
    assert wrong(summer(templates__0__validity=validity)) == expected


@pytest.mark.parametrize(
    ("release", "field", "code"),
    [
        ({"starts_at": "2026-07-01T00:00:00Z", "ends_at": "2026-06-01T00:00:00Z"}, "ends_at", "ends_before_start"),
        ({"weekdays": [0]}, "weekdays", "invalid_choice"),
        ({"weekdays": [8]}, "weekdays", "invalid_choice"),
        ({"weekdays": [1.0]}, "weekdays.0", "not_whole"),
        ({"weekdays": ["1"]}, "weekdays.0", "not_whole"),
        ({"weekdays": [True]}, "weekdays.0", "not_whole"),
        ({"month_days": [32]}, "month_days", "invalid_choice"),
        ({"hours": [["10:00"]]}, "hours", "invalid_format"),
        ({"hours": [["10:00", "25:00"]]}, "hours", "invalid_format"),
        ({"hours": [["10:00", "10:00"]]}, "hours", "invalid_format"),
        ({"hours": ["10:00-11:00"]}, "hours.0", "wrong_type"),
        ({"years": [2026]}, "years", "unknown_field"),
    ],
)
def test_the_release_schedule_makes_sense(wrong, release, field, code):
    assert wrong(summer(templates__0__release=release)) == {f"templates.0.release.{field}": code}


@pytest.mark.parametrize(
    ("changes", "field", "code"),
    [
        ({"ends_at": "2026-06-01T00:00:00+08:00"}, "ends_at", "ends_before_start"),
        ({"ends_at": "2026-05-31T23:59:59+08:00"}, "ends_at", "ends_before_start"),
        ({"starts_at": DROP}, "starts_at", "required"),
        ({"key": "夏日"}, "key", "invalid_key"),
        ({"key": "a\n"}, "key", "invalid_key"),
        ({"key": "x" * 65}, "key", "invalid_key"),
        ({"name": "名" * 10_000}, "name", "too_long"),
        ({"name": "   "}, "name", "too_short"),
        ({"name": "夏\0日"}, "name", "invalid_text"),
        ({"name": 7}, "name", "wrong_type"),
        ({"goal": {"metric": "fame"}}, "goal.metric", "invalid_choice"),
        ({"goal": {"metric": "issued", "target": 0}}, "goal.target", "too_small"),
        ({"owner": "me"}, "owner", "unknown_field"),
        ({"templates__0__colour": "red"}, "templates.0.colour", "unknown_field"),
        ({"templates__0__name": "名" * 10_000}, "templates.0.name", "too_long"),
        ({"templates__0__internal_name": DROP}, "templates.0.internal_name", "required"),
        ({"templates__0__newcomer": "yes"}, "templates.0.newcomer", "wrong_type"),
        ({"templates__0__newcomer": 1}, "templates.0.newcomer", "wrong_type"),
        ({"templates__0__status": "flying"}, "templates.0.status", "invalid_choice"),
        ({"templates__0__cost": {"merchant_percent": 101}}, "templates.0.cost.merchant_percent", "too_large"),
        ({"templates__0__limits": {"weekly": 1}}, "templates.0.limits.weekly", "unknown_field"),
        ({"templates__0__limits": {"total_count": True}}, "templates.0.limits.total_count", "not_whole"),
        ({"templates__0__scope": {"brands": []}}, "templates.0.scope.brands", "unknown_field"),
        (
            {"templates__0__scope": {"shipping": True, "skus": ["a"]}},
            "templates.0.scope.shipping",
            "invalid",
        ),
        ({"templates__0__looks": {"picture": "x" * 201}}, "templates.0.looks.picture", "too_long"),
        ({"templates__0__looks": {"a": [1, float("nan")]}}, "templates.0.looks.a.1", "not_a_number"),
        ({"placements__0__channel": "moon"}, "placements.0.channel", "invalid_choice"),
        ({"placements__0__offers__0__weight": 0}, "placements.0.offers.0.weight", "too_small"),
        ({"placements__0__offers__0": "s20"}, "placements.0.offers.0", "wrong_type"),
    ],
)
def test_fields_have_their_form(wrong, changes, field, code):
    assert wrong(summer(**changes)) == {field: code}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"templates__0__category": "flights"}, "templates.0.category"),
        ({"templates__0__merchant": "nobody"}, "templates.0.merchant"),
        ({"templates__0__claim_cities": ["999999"]}, "templates.0.claim_cities"),
        ({"templates__0__scope": {"categories": ["flights"]}}, "templates.0.scope.categories"),
        ({"templates__0__scope": {"merchants": ["nobody"]}}, "templates.0.scope.merchants"),
        (
            {"templates__0__use_conditions": {"areas": {"any_of": ["atlantis"]}}},
            "templates.0.use_conditions.areas.any_of",
        ),
        (
            {"templates__0__claim_conditions": {"cities": {"any_of": ["999999"]}}},
            "templates.0.claim_conditions.cities.any_of",
        ),
        ({"placements__0__offers__0__template": "s99"}, "placements.0.offers.0.template"),
        ({"placements__0__offers__0__audience": "nobody"}, "placements.0.offers.0.audience"),
    ],
)
def test_names_that_are_neither_there_nor_known_are_refused(wrong, changes, field):
    assert wrong(summer(**changes)) == {field: "unknown_key"}


@pytest.mark.parametrize(
    "where", ["templates__0__claim_conditions", "templates__0__use_conditions", "audiences__0__conditions"]
)
@pytest.mark.parametrize(
    ("conditions", "below", "code"),
    [
        ({"moon_phase": {"is": "full"}}, "moon_phase", "unknown_condition"),
        ({"clients": {"any_of": ["fax"]}}, "clients.any_of", "invalid_choice"),
        ({"clients": {"any_of": ["app"], "all_of": []}}, "clients.all_of", "unknown_field"),
        ({"clients": ["app"]}, "clients", "wrong_type"),
        ({"hours": {"inside": [["7", "9"]]}}, "hours.inside", "invalid_format"),
        ({"order_count": {"min": 1.0}}, "order_count.min", "wrong_type"),
        ({"order_count": {"min": True}}, "order_count.min", "wrong_type"),
        ({"order_count": {"min": 10**40}}, "order_count.min", "too_large"),
        ({"sensitivity": {"min": float("nan")}}, "sensitivity.min", "not_a_number"),
        ({"tags": {"any_of": ["a\0b"]}}, "tags.any_of.0", "invalid_text"),
    ],
)
def test_conditions_are_of_the_menu_and_answered_rightly(wrong, where, conditions, below, code):
    assert wrong(summer(**{where: conditions})) == {f"{where.replace('__', '.')}.{below}": code}


def test_the_same_key_or_offer_twice_is_refused(wrong):
    document = summer()
    for part in ("categories", "audiences", "templates", "placements"):
        document[part] = document[part] * 2
    document["placements"][0]["offers"] = [{"template": "s20"}, {"template": "s20"}]
    document["placements"][1] = {**document["placements"][0], "offers": []}
    assert wrong(document) == {
        "categories.1.key": "duplicate",
        "audiences.1.key": "duplicate",
        "templates.1.key": "duplicate",
        "placements.1.key": "duplicate",
        "placements.0.offers.1": "duplicate",
    }


def area(geojson: Any) -> dict[str, Any]:
    return summer(areas=[{"key": "a1", "name": "区", "geojson": geojson}])


def test_a_border_that_crosses_itself_is_refused_with_the_place(system):
    bow_tie = {"type": "Polygon", "coordinates": [[[121, 31], [122, 32], [122, 31], [121, 32], [121, 31]]]}
    answer = system("manage").post("campaigns/", area(bow_tie), headers={"Accept-Language": "en"})
    assert answer.wrong == {"areas.0.geojson": "invalid_area"}
    assert "121.5, 31.5" in answer.body["errors"][0]["detail"]


@pytest.mark.parametrize(
    "geojson",
    [
        {},
        {"type": "Point", "coordinates": [121, 31]},
        {"type": "Polygon", "coordinates": []},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32]]]},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32], [121, 32]]]},
        {"type": "Polygon", "coordinates": [[[31, 121], [31, 122], [32, 122], [31, 121]]]},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, float("nan")], [122, 32], [121, 31]]]},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, "31"], [122, 32], [121, 31]]]},
        {"type": "Polygon", "coordinates": [[[121, 31], [True, 31], [122, 32], [121, 31]]]},
        {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [123, 31], [121, 31]]]},
        {"type": "Polygon", "coordinates": {"0": 1}},
        {**SQUARE, "crs": "GCJ02"},
    ],
)
def test_an_area_is_a_valid_polygon_in_wgs84(wrong, geojson):
    assert wrong(area(geojson)) == {"areas.0.geojson": "invalid_area"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b'{"key": "\xed\xa0\x80"}',
        b'{"key": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
        b'{"budget_fen": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_body_that_is_no_document_is_refused(wrong, body):
    assert wrong(body)


def test_rules_nested_deep_are_refused(wrong):
    nested: Any = 1
    for _ in range(100):
        nested = {"a": nested}
    assert wrong(summer(templates__0__use_conditions={"clients": nested})) == {
        "templates.0.use_conditions.clients": "too_deep"
    }


def test_everything_that_is_wrong_is_told_at_once(wrong):
    document = summer(
        templates__0__category="flights",
        templates__0__amount_fen=20000,
        templates__0__use_conditions={"moon": {}},
        audiences__0__conditions={"sun": {}},
        placements__0__offers=[{"template": "s99"}],
    )
    second = deepcopy(document["templates"][0])
    document["templates"].append({**second, "key": "s30", "validity": {"type": "days_after_claim"}})
    assert wrong(document) == {
        "audiences.0.conditions.sun": "unknown_condition",
        "templates.0.category": "unknown_key",
        "templates.0.amount_fen": "above_threshold",
        "templates.0.use_conditions.moon": "unknown_condition",
        "templates.1.category": "unknown_key",
        "templates.1.amount_fen": "above_threshold",
        "templates.1.use_conditions.moon": "unknown_condition",
        "templates.1.validity.days": "required",
        "placements.0.offers.0.template": "unknown_key",
    }


def test_bad_input_leaves_what_is_there_alone(wrong, system):
    system("manage", "approve").post("campaigns/", summer())
    version = CouponTemplate.objects.get().version
    assert wrong(summer(name="新名", templates__0__name="新券", templates__0__category="flights"))
    assert wrong(summer(categories=[{"key": "food", "name": "新类"}], templates__0__merchant="nobody"))
    assert CouponTemplate.objects.get().version == version


def test_sentences_come_in_the_language_that_was_asked_for(system):
    caller = system("manage")
    for language, sentence in (("zh-Hans", "必填"), ("en", "required")):
        answer = caller.post("campaigns/", {}, headers={"Accept-Language": language})
        assert sentence in answer.body["errors"][0]["detail"]


# --- keys ------------------------------------------------------------------------------------------------------------


def test_a_key_is_printed_alone_and_works(system):
    out, err = StringIO(), StringIO()
    call_command("create_api_key", "erp", "--scopes", "manage,read", stdout=out, stderr=err)
    key = out.getvalue().rstrip("\n")
    assert len(key.split()) == 1
    assert err.getvalue() == ""
    found = ApiKey.objects.get()
    assert (found.name, found.scopes, found.digest) == ("erp", ["manage", "read"], ApiKey.digest_of(key))


@pytest.mark.parametrize(
    "arguments",
    [
        ["erp", "--scopes", "manage,fly"],
        ["erp", "--scopes", ""],
        ["erp"],
        ["", "--scopes", "read"],
        ["x" * 101, "--scopes", "read"],
        ["a\0b", "--scopes", "read"],
    ],
)
def test_a_key_that_cannot_be_made_is_said_and_not_made(arguments):
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("create_api_key", *arguments, stdout=out)
    assert out.getvalue() == ""
    assert not ApiKey.objects.exists()
