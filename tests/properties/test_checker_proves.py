"""Every "possible" of the checker is lived through the API, and no "impossible" blames a rule that could be spared."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import HealthCheck, Phase, assume, given, settings
from hypothesis import strategies as st

from coupons import checking
from coupons.api import callers
from coupons.checking.solving import core
from coupons.conditions import names
from coupons.models import Area
from coupons.queries import catalogue
from coupons.queries.almanac import festivals_anywhere
from coupons.rules import Profile, Situation, compile_rules, menu, unmet
from coupons.rules.schedule import Schedule
from distribution import claiming
from tests import making, witnessing
from tests.properties.test_conditions import ANSWERS

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
PATIENCE = settings(
    max_examples=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
NOON = datetime(2026, 6, 3, 12, tzinfo=SHANGHAI)
SQUARES = {"a": (121.40, 31.20), "b": (121.41, 31.21), "c": (116.40, 39.90)}

windows = st.sampled_from(
    [["00:00", "06:00"], ["07:00", "09:00"], ["12:00", "13:00"], ["18:00", "24:00"], ["22:00", "02:00"]]
).map(lambda window: [window])


def any_of(*choices: Any) -> st.SearchStrategy[dict[str, Any]]:
    chosen = st.lists(st.sampled_from(choices), min_size=1, max_size=3, unique=True)
    return st.fixed_dictionaries({"any_of": chosen})


MOMENT = {
    "hours": st.one_of(st.fixed_dictionaries({"inside": windows}), st.fixed_dictionaries({"outside": windows})),
    "weekdays": any_of(1, 2, 3, 4, 5, 6, 7),
    "festivals": any_of("workday", "weekend", "dragon_boat", "618", "christmas"),
    "clients": any_of("app", "wechat", "mini_program"),
    "cities": any_of("310000", "110000"),
    "areas": any_of(*SQUARES),
    "weather": any_of("rain", "snow"),
}
CLAIM = {**ANSWERS, **MOMENT}
USE = {**CLAIM, "business_modes": any_of("agent", "self_operated")}
few = {"max_size": 3}


def some(menu: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    codes = st.lists(st.sampled_from(sorted(menu)), unique=True, **few)  # type: ignore[arg-type]
    return codes.flatmap(lambda chosen: st.fixed_dictionaries({code: menu[code] for code in chosen}))


release = st.fixed_dictionaries(
    {},
    optional={
        "weekdays": st.lists(st.integers(1, 7), min_size=1, max_size=3, unique=True),
        "month_days": st.lists(st.sampled_from([1, 3, 15, 30, 31, -1]), min_size=1, max_size=3, unique=True),
        "hours": windows,
    },
)
validity = st.one_of(
    st.just({"validity_type": "claim_day"}),
    st.builds(
        lambda days, later: {"valid_days": days, "starts_after_days": later}, st.integers(1, 8), st.integers(0, 3)
    ),
    st.just(
        {
            "validity_type": "period",
            "valid_from": datetime(2026, 6, 5, 8, tzinfo=SHANGHAI),
            "valid_until": datetime(2026, 6, 9, 20, tzinfo=SHANGHAI),
        }
    ),
)


def test_every_condition_of_the_menu_is_tried_here() -> None:
    assert USE.keys() == menu.keys()


def forget() -> None:
    callers.forget()
    claiming.forget()
    names.forget()
    catalogue.start_anew()


@PATIENCE
@given(some(CLAIM), some(CLAIM), some(USE), release, validity, st.sampled_from([[], ["310000"]]))
def test_possible_is_lived_and_impossible_is_minimal(
    system, clock, claims, audience, uses, released, valid, cities
) -> None:
    """C11"""
    clock.set("2026-06-03 12:00")
    forget()
    with transaction.atomic():
        for key, (west, south) in SQUARES.items():
            east, north = west + 0.02, south + 0.02
            ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
            Area.objects.create(key=key, name=key, geojson={"type": "Polygon", "coordinates": [ring]})
        june = {
            "starts_at": datetime(2026, 6, 1, tzinfo=SHANGHAI),
            "ends_at": datetime(2026, 7, 1, tzinfo=SHANGHAI),
        }
        of = making.campaign(**june)
        try:
            template = making.template(
                of, claim_conditions=claims, use_conditions=uses, release=released, claim_cities=cities, **valid
            )
            made = making.audience(audience)
        except ValidationError:
            assume(False)
        placed = checking.Placed("p", "p", made, of.starts_at, of.ends_at)
        verdict = checking.verdict(template, placed)
        if verdict.witness is not None:
            placement = making.placement((template, made), of=of)
            witnessing.live(verdict.witness, placement.key, system, clock)
        elif verdict.possible is False:
            case = checking.Case.of(template, placed, catalogue.business_now(), {})
            solver = checking.Solver(case)
            contradicting = core(solver, case.rules)
            assert solver.witness(contradicting) is None
            for rule in contradicting:
                assert solver.witness([one for one in contradicting if one is not rule]) is not None
        transaction.set_rollback(True)
    forget()


#: Half an hour is fine enough for the clocks that are tried here.
STEP = timedelta(minutes=30)
TIMES = {code: MOMENT[code] for code in ("hours", "weekdays", "festivals")}


@PATIENCE
@given(some(TIMES), some(TIMES), release, validity)
def test_a_claim_is_in_vain_exactly_where_it_is_said_to_be(clock, claims, uses, released, valid) -> None:
    """C11: walked through by the half hour, for the first three weeks."""
    clock.set("2026-06-03 12:00")
    forget()
    with transaction.atomic():
        ends = datetime(2026, 6, 24, tzinfo=SHANGHAI)
        of = making.campaign(starts_at=datetime(2026, 6, 1, tzinfo=SHANGHAI), ends_at=ends)
        try:
            template = making.template(of, claim_conditions=claims, use_conditions=uses, release=released, **valid)
        except ValidationError:
            assume(False)
        case = checking.Case.of(template, checking.Placed("p", "p", None, of.starts_at, ends), NOON, {})
        said = checking.Solver(case).too_late(case.rules)
        schedule, to_claim, to_use = Schedule.of(released), compile_rules(claims, "claim"), compile_rules(uses)

        def holds(rules: Any, at: datetime) -> bool:
            situation = Situation(now=at, festivals=festivals_anywhere(at.date(), catalogue.current()))
            return not unmet(rules, Profile(None, ""), situation)

        def in_vain(at: datetime) -> bool:
            start, end = catalogue.validity_of(template, at)
            moments = takewhile(lambda use_at: use_at < end, count_from(max(start, at)))
            return not any(holds(to_use, use_at) for use_at in moments)

        last = min(filter(None, (ends, template.valid_until)))
        given_out = (at for at in takewhile(lambda at: at < last, count_from(NOON)) if not schedule.refusal(at))
        found = next((at for at in given_out if holds(to_claim, at) and in_vain(at)), None)
        assert (said and said.astimezone(SHANGHAI)) == found
        transaction.set_rollback(True)
    forget()


def count_from(moment: datetime) -> Iterator[datetime]:
    while True:
        yield moment
        moment += STEP
