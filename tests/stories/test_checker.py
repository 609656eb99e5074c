"""C11: the checker proves that a coupon can be claimed and used, or says which rules contradict each other."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from coupons import checking
from coupons.models import Area, Audience
from tests import making, witnessing

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")


def square(key: str, west: float, south: float, side: float = 0.02) -> None:
    east, north = west + side, south + side
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    Area.objects.create(key=key, name=key, geojson={"type": "Polygon", "coordinates": [ring]})


@pytest.fixture(autouse=True)
def _here(clock):
    """Noon of Wednesday, 3 June 2026; two districts that overlap, and one far from both; audiences to be named."""
    for key, conditions in NAMED.items():
        Audience.objects.create(key=key, name=key, conditions=conditions)
    square("bund", 121.48, 31.23)
    square("lujiazui", 121.49, 31.235)
    square("wangjing", 116.46, 39.99)


def day(number: int, month: int = 6) -> datetime:
    return datetime(2026, month, number, tzinfo=SHANGHAI)


def offered(*, campaign=None, audience=None, limits=None, budget_fen=None, **terms):
    """A template in a campaign of June, and how it is placed."""
    of = making.campaign(budget_fen=budget_fen, **(campaign or {"starts_at": day(1), "ends_at": day(1, 7)}))
    made = making.template(of, limits=limits, **terms)
    to = making.audience(audience) if audience else None
    return made, checking.Placed("p", "p", to, of.starts_at, of.ends_at)


CLAIM_DAY = {"validity_type": "claim_day"}
NEW, RETURNING = {"standing": {"any_of": ["platform_new"]}}, {"standing": {"any_of": ["returning"]}}


def period(start: datetime, end: datetime):
    return {"validity_type": "period", "valid_from": start, "valid_until": end}


NAMED = {
    "mornings": {"hours": {"inside": [["06:00", "12:00"]]}},
    "shanghai": {"cities": {"any_of": ["310000"]}},
    "regulars": {"order_count": {"min": 3}},
    "anybody": {},
    "not new": {"audiences": {"none_of": ["new"]}},
    "new": NEW,
    "keen": {"sensitivity": {"min": 0.5}, "weekdays": {"any_of": [6, 7]}},
}

IMPOSSIBLE = {
    "an audience of the morning, given out in the evening": (
        {"audience": {"audiences": {"any_of": ["mornings"]}}, "release": {"hours": [["18:00", "22:00"]]}},
        {"audience.conditions.audiences", "release.hours"},
    ),
    "for all but those of a city, in that city": (
        {"audience": {"audiences": {"none_of": ["shanghai"]}}, "claim_cities": ["310000"]},
        {"audience.conditions.audiences", "claim_cities"},
    ),
    "regulars have it and use it as newcomers": (
        {"audience": {"audiences": {"none_of": ["new"]}}, "use_conditions": NEW},
        {"audience.conditions.audiences", "use_conditions.standing"},
    ),
    "not of those who are not new, and a regular": (
        {"audience": {"audiences": {"any_of": ["regulars"], "none_of": ["not new"]}}},
        {"audience.conditions.audiences"},
    ),
    "for nobody": (
        {"audience": {"audiences": {"none_of": ["anybody"]}}},
        {"audience.conditions.audiences"},
    ),
    "given out in the evening, used in the morning of the same day": (
        {
            **CLAIM_DAY,
            "release": {"hours": [["18:00", "22:00"]]},
            "use_conditions": {"hours": {"inside": [["06:00", "10:00"]]}},
        },
        {"release.hours", "validity_type", "use_conditions.hours"},
    ),
    "given out on weekdays, used on the weekend of the same day": (
        {
            **CLAIM_DAY,
            "release": {"weekdays": [1, 2, 3, 4, 5]},
            "use_conditions": {"weekdays": {"any_of": [6, 7]}},
        },
        {"release.weekdays", "validity_type", "use_conditions.weekdays"},
    ),
    "two days are too short to the weekend": (
        {"valid_days": 2, "release": {"weekdays": [1]}, "use_conditions": {"weekdays": {"any_of": [6]}}},
        {"release.weekdays", "validity_type", "use_conditions.weekdays"},
    ),
    "used at Christmas, valid a week, given out in June": (
        {"use_conditions": {"festivals": {"any_of": ["christmas"]}}},
        {"campaign", "validity_type", "use_conditions.festivals"},
    ),
    "a period without the weekday": (
        {**period(day(8), day(10)), "use_conditions": {"weekdays": {"any_of": [7]}}},
        {"validity_type", "use_conditions.weekdays"},
    ),
    "no hour is left": ({"use_conditions": {"hours": {"outside": [["00:00", "24:00"]]}}}, {"use_conditions.hours"}),
    "returning at the claim, new at the use": (
        {"claim_conditions": RETURNING, "use_conditions": NEW},
        {"claim_conditions.standing", "use_conditions.standing"},
    ),
    "an audience of returning customers for new ones": (
        {"audience": RETURNING, "use_conditions": NEW},
        {"audience.conditions.standing", "use_conditions.standing"},
    ),
    "orders do not become fewer": (
        {"claim_conditions": {"order_count": {"min": 5}}, "use_conditions": {"order_count": {"max": 3}}},
        {"claim_conditions.order_count", "use_conditions.order_count"},
    ),
    "new, and with a last order": (
        {"claim_conditions": {**NEW, "last_order_days": {"min": 30}}},
        {"claim_conditions.standing", "claim_conditions.last_order_days"},
    ),
    "no orders, and a subsidy": (
        {"claim_conditions": {"order_count": {"max": 0}, "subsidy_rate": {"min": 0.1}}},
        {"claim_conditions.order_count", "claim_conditions.subsidy_rate"},
    ),
    "no order for thirty days, and three in a week": (
        {
            "claim_conditions": {"last_order_days": {"min": 30}},
            "audience": {"order_count": {"min": 3, "within_days": 7}},
        },
        {"claim_conditions.last_order_days", "audience.conditions.order_count"},
    ),
    "sensitive, and not": (
        {"audience": {"sensitivity": {"min": 0.8}}, "use_conditions": {"sensitivity": {"max": 0.3}}},
        {"audience.conditions.sensitivity", "use_conditions.sensitivity"},
    ),
    "with a tag, and without it": (
        {"claim_conditions": {"tags": {"any_of": ["vip"]}}, "use_conditions": {"tags": {"none_of": ["vip"]}}},
        {"claim_conditions.tags", "use_conditions.tags"},
    ),
    "with the rival's app, and without": (
        {"audience": {"rival_app": {"is": True}}, "use_conditions": {"rival_app": {"is": False}}},
        {"audience.conditions.rival_app", "use_conditions.rival_app"},
    ),
    "in two districts at once that do not meet": (
        {"claim_conditions": {"areas": {"any_of": ["bund"]}}, "audience": {"areas": {"any_of": ["wangjing"]}}},
        {"claim_conditions.areas", "audience.conditions.areas"},
    ),
    "in two cities at once": (
        {"claim_cities": ["310000"], "audience": {"cities": {"any_of": ["110000"]}}},
        {"claim_cities", "audience.conditions.cities"},
    ),
    "a claim is of no business mode": (
        {"claim_conditions": {"business_modes": {"any_of": ["agent"]}}},
        {"claim_conditions.business_modes"},
    ),
    "through two clients at once": (
        {"claim_conditions": {"clients": {"any_of": ["app"]}}, "audience": {"clients": {"any_of": ["wechat"]}}},
        {"claim_conditions.clients", "audience.conditions.clients"},
    ),
    "a day that the release does not have": (
        {
            "release": {"weekdays": [1], "hours": [["08:00", "09:00"]]},
            "claim_conditions": {"hours": {"inside": [["10:00", "11:00"]]}},
        },
        {"release.hours", "claim_conditions.hours"},
    ),
    "the period is over": ({**period(day(1, 5), day(1))}, {"validity_type"}),
    "the thirty-first of a month in June alone": (
        {"release": {"month_days": [31]}},
        {"campaign", "release.month_days"},
    ),
    "none at all": ({"limits": {"total_count": 0}}, {"total_count"}),
    "a day's purse is less than one coupon": ({"limits": {"daily_fen": 1999}}, {"daily_fen"}),
    "the budget is less than one coupon": ({"budget_fen": 1999}, {"budget"}),
    "the campaign is over": ({"campaign": {"starts_at": day(1, 5), "ends_at": day(1)}}, {"campaign"}),
}
HARMLESS = {
    "used at Christmas, valid a week, given out in June",
    "the period is over",
    "the thirty-first of a month in June alone",
    "none at all",
    "a day's purse is less than one coupon",
    "the budget is less than one coupon",
    "the campaign is over",
}

POSSIBLE = {
    "of one audience and of none of others": {
        "audience": {"audiences": {"any_of": ["regulars", "mornings"], "none_of": ["shanghai", "keen", "new"]}},
        "claim_conditions": {"sensitivity": {"max": 0.6}},
    },
    "keen, but not at the weekend": {
        "audience": {"audiences": {"none_of": ["keen"]}, "sensitivity": {"min": 0.7}},
        **CLAIM_DAY,
    },
    "满100减20": {},
    "given out in the evening, used the next morning": {
        "valid_days": 2,
        "release": {"hours": [["18:00", "22:00"]]},
        "use_conditions": {"hours": {"inside": [["06:00", "10:00"]]}},
    },
    "a window over midnight": {
        **CLAIM_DAY,
        "release": {"hours": [["20:00", "02:00"]]},
        "use_conditions": {"hours": {"inside": [["23:30", "00:30"]]}},
    },
    "claimed on Monday, used on Saturday": {
        "valid_days": 6,
        "release": {"weekdays": [1]},
        "use_conditions": {"weekdays": {"any_of": [6]}},
    },
    "used after the campaign": {"valid_days": 30, "use_conditions": {"festivals": {"any_of": ["workday"]}}},
    "the Dragon Boat Festival lies in June": {"use_conditions": {"festivals": {"any_of": ["dragon_boat"]}}},
    "new at the claim and at the use": {"newcomer": True, "claim_conditions": NEW, "use_conditions": NEW},
    "new at the claim and returning at the use": {"claim_conditions": NEW, "use_conditions": RETURNING},
    "orders become more": {
        "claim_conditions": {"order_count": {"max": 3}},
        "use_conditions": {"order_count": {"min": 5}},
    },
    "orders of the last days become fewer": {
        "valid_days": 30,
        "claim_conditions": {"order_count": {"min": 5, "within_days": 7}},
        "use_conditions": {"order_count": {"max": 0, "within_days": 7}},
    },
    "asleep at the claim, awake at the use": {
        "claim_conditions": {"last_order_days": {"min": 30}},
        "use_conditions": {"last_order_days": {"max": 1}},
    },
    "subsidised at the claim, less so at the use": {
        "claim_conditions": {"subsidy_rate": {"min": 0.5}},
        "use_conditions": {"subsidy_rate": {"max": 0.2}},
    },
    "new to rides with orders of food": {
        "claim_conditions": {"standing": {"any_of": ["business_new"], "business_line": "ride"}},
        "use_conditions": {"standing": {"any_of": ["returning"], "business_line": "food"}},
    },
    "ranges that touch": {"audience": {"sensitivity": {"min": 0.5}}, "use_conditions": {"sensitivity": {"max": 0.5}}},
    "one tag without another": {"claim_conditions": {"tags": {"any_of": ["vip", "staff"], "none_of": ["staff"]}}},
    "in two districts that overlap": {
        "claim_conditions": {"areas": {"any_of": ["bund"]}},
        "audience": {"areas": {"any_of": ["lujiazui"]}},
    },
    "claimed in one city, used in another": {
        "claim_cities": ["310000"],
        "use_conditions": {"cities": {"any_of": ["110000"]}},
    },
    "in the rain": {"claim_conditions": {"weather": {"any_of": ["rain"]}}},
    "for orders of an agent in WeChat": {
        "use_conditions": {"business_modes": {"any_of": ["agent"]}, "clients": {"any_of": ["wechat"]}}
    },
    "percentage for shipping": {
        "type": "percent_off",
        "percent_off": 30,
        "cap_fen": 500,
        "scope": {"shipping": True},
    },
    "valid later": {
        "starts_after_days": 3,
        "valid_days": 1,
        "use_conditions": {"hours": {"inside": [["08:00", "08:01"]]}},
    },
    "used on a day that comes once in many years": {
        **period(day(1), datetime(2060, 1, 1, tzinfo=SHANGHAI)),
        "use_conditions": {"festivals": {"any_of": ["christmas"]}, "weekdays": {"any_of": [1]}},
    },
    "the last day of the month": {"release": {"month_days": [-1]}, **CLAIM_DAY},
}


@pytest.mark.parametrize("case", IMPOSSIBLE)
def test_what_contradicts_itself_is_told_with_the_rules_that_do(case):
    """C11"""
    terms, rules = IMPOSSIBLE[case]
    verdict = checking.verdict(*offered(**terms))
    assert not verdict.possible
    told = [finding for finding in verdict.findings if finding.rules]
    assert set(told[0].fields) == rules
    assert len(told) == 1
    assert told[0].severity == ("warning" if case in HARMLESS else "error")


def test_a_year_that_was_mistyped_is_not_walked_through_to_its_end():
    """C11: not even where no day of thousands of years would do."""
    never = {"hours": {"outside": [["00:00", "24:00"]]}}
    made, placed = offered(**period(day(1), datetime(9990, 1, 1, tzinfo=SHANGHAI)), use_conditions=never)
    solver = checking.Solver(checking.Case.of(made, placed, datetime(2026, 6, 3, 12, tzinfo=SHANGHAI), {}))
    assert solver.witness(solver.case.rules) is None
    assert max(len(days) for days in solver._times.values()) < 40 * 366


@pytest.mark.parametrize("case", POSSIBLE)
def test_what_is_possible_has_a_witness(case):
    """C11"""
    verdict = checking.verdict(*offered(**POSSIBLE[case]))
    assert verdict.possible, verdict.findings
    assert not verdict.errors
    assert verdict.witness is not None


@pytest.mark.parametrize("case", POSSIBLE)
def test_the_witness_claims_and_uses_it_through_the_api(case, system, clock):
    """C11, U1"""
    made, placed = offered(**POSSIBLE[case])
    witness = checking.verdict(made, placed).witness
    campaign = made.budget.campaign
    placement = making.placement((made, placed.audience), of=campaign)
    assert witnessing.live(witness, placement.key, system, clock)["status"] == "redeemed"
