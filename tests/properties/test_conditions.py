"""Each condition says the same of one customer as it says of the whole population in SQL."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coupons.conditions import names
from coupons.models import Audience, Customer, CustomerDay, CustomerLine, Fact
from coupons.queries.profiles import needs_of, profiles
from coupons.rules import CustomerCondition, Situation, clean, compile_rules, menu

pytestmark = pytest.mark.django_db

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 23, 0, 30, tzinfo=SHANGHAI)  # in UTC it is still the day before
#: Without the phase that explains, which asks the database for minutes.
PATIENCE = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
LINES = ["ride", "food"]
TAGS = ["vip", "沉睡", "late"]

shares = st.integers(0, 10_000).map(lambda parts: Decimal(parts) / 10_000) | st.sampled_from(
    [Decimal(0), Decimal("0.1"), Decimal("0.3"), Decimal("0.3333"), Decimal("0.5"), Decimal(1)]
)
#: Around the midnights of the last days, to the microsecond.
moments = st.builds(
    lambda days, shift: NOW.replace(hour=0, minute=0) - timedelta(days=days) + shift,
    st.integers(-1, 8),
    st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(hours=7, minutes=59), timedelta(hours=8)]),
)
counts = st.integers(0, 4)
FACTS = ["sensitivity", "churn_probability", "rival_app", "tags"]
#: Around the moment at which a fact believed for two days grows old.
told_moments = st.builds(
    lambda shift: NOW - timedelta(days=2) + shift,
    st.sampled_from([timedelta(0), timedelta(microseconds=-1), timedelta(days=1), timedelta(days=-9)]),
)
#: Audiences to be named by others: of facts known and unknown, of the moment, of each other, of everyone.
AUDIENCES = {
    "eager": {"sensitivity": {"min": 0.5}, "rival_app": {"is": True}},
    "vip": {"tags": {"any_of": ["vip"]}, "order_count": {"min": 1, "within_days": 3}},
    "app": {"clients": {"any_of": ["app"]}, "churn_probability": {"max": 0.3}},
    "either": {"audiences": {"any_of": ["eager", "vip"], "none_of": ["app"]}},
    "fair": {"festivals": {"any_of": ["custom:fair", "qixi"]}},
    "everyone": {},
}


@st.composite
def money(draw):
    gross = draw(st.sampled_from([0, 1, 3, 10, 3_000, 10_000, 10**12]) | st.integers(0, 10**12))
    part = draw(st.sampled_from([0, 1, 3, 5, 10]))
    return gross, gross * part // 10


@st.composite
def customers(draw):
    gross, deducted = draw(money())
    return {
        "row": {
            "sensitivity": draw(st.none() | shares),
            "churn_probability": draw(st.none() | shares),
            "rival_app": draw(st.sampled_from([None, True, False])),
            "tags": draw(st.lists(st.sampled_from(TAGS), unique=True)),
            "order_count": draw(counts),
            "last_order_at": draw(st.none() | moments),
            "gross_fen": gross,
            "deducted_fen": deducted,
            **{f"{fact}_at": draw(st.none() | told_moments) for fact in FACTS},
        },
        "lines": draw(st.dictionaries(st.sampled_from(LINES), counts)),
        "days": draw(st.dictionaries(st.integers(-1, 4), st.tuples(counts, money()), max_size=5)),
    }


def answers_of(low_and_high, **more):
    """``min``, ``max`` or both, in order, and what else there is."""
    return st.builds(
        lambda ends, which, others: {
            **{name: end for name, end in zip(("min", "max"), sorted(ends), strict=True) if name in which},
            **{name: other for name, other in others.items() if other is not None},
        },
        st.tuples(low_and_high, low_and_high),
        st.sampled_from([("min",), ("max",), ("min", "max")]),
        st.fixed_dictionaries({name: st.none() | other for name, other in more.items()}),
    )


some_audiences = st.lists(st.sampled_from(list(AUDIENCES)), min_size=1, max_size=3, unique=True)
some_tags = st.lists(st.sampled_from([*TAGS, "nobody's"]), min_size=1, unique=True)
windows = st.integers(1, 6)
#: A custom is kept in one city; which days it is elsewhere, or without a city, follows from that.
here = st.builds(
    lambda client, city: Situation(
        now=NOW, client=client, city=city, festivals=frozenset({"custom:fair"} if city == "310000" else ())
    ),
    st.sampled_from([None, "app", "wechat"]),
    st.sampled_from([None, "310000", "110000"]),
)
json_shares = shares.map(float)

ANSWERS = {
    "standing": st.one_of(
        st.fixed_dictionaries(
            {
                "any_of": st.lists(
                    st.sampled_from(["platform_new", "business_new", "returning"]), min_size=1, unique=True
                ),
                "business_line": st.sampled_from([*LINES, "hotel"]),
            }
        ),
        st.fixed_dictionaries(
            {"any_of": st.lists(st.sampled_from(["platform_new", "returning"]), min_size=1, unique=True)}
        ),
    ),
    "tags": st.one_of(
        st.fixed_dictionaries({"any_of": some_tags}),
        st.fixed_dictionaries({"none_of": some_tags}),
        st.fixed_dictionaries({"any_of": some_tags, "none_of": some_tags}),
    ),
    "sensitivity": answers_of(json_shares),
    "churn_probability": answers_of(json_shares),
    "rival_app": st.fixed_dictionaries({"is": st.booleans()}),
    "order_count": answers_of(st.integers(0, 6), within_days=windows),
    "last_order_days": answers_of(st.integers(0, 8), within_days=windows),
    "subsidy_rate": answers_of(json_shares, within_days=windows),
    "audiences": st.fixed_dictionaries({"any_of": some_audiences}, optional={"none_of": some_audiences})
    | st.fixed_dictionaries({"none_of": some_audiences}),
}
ages = st.fixed_dictionaries({fact: st.sampled_from([None, 2]) for fact in FACTS})


@pytest.fixture(autouse=True)
def _audiences(db):
    Audience.objects.bulk_create(
        Audience(key=key, name=key, conditions=conditions) for key, conditions in AUDIENCES.items()
    )


def believe(days):
    """What is told of each fact is believed for so many days."""
    for fact, most in days.items():
        Fact.objects.filter(code=fact).update(most_days=most)
    names.forget()


def test_every_condition_about_customers_is_tried_here():
    assert set(ANSWERS) == {code for code, condition in menu.items() if issubclass(condition, CustomerCondition)}


def store(generated):
    rows = Customer.objects.bulk_create(
        Customer(key=f"c{number}", **customer["row"]) for number, customer in enumerate(generated)
    )
    pairs = list(zip(rows, generated, strict=True))
    CustomerLine.objects.bulk_create(
        CustomerLine(customer=row, business_line=line, order_count=count)
        for row, customer in pairs
        for line, count in customer["lines"].items()
    )
    CustomerDay.objects.bulk_create(
        CustomerDay(
            customer=row,
            day=NOW.date() - timedelta(days=ago),
            order_count=count,
            gross_fen=gross,
            deducted_fen=deducted,
        )
        for row, customer in pairs
        for ago, (count, (gross, deducted)) in customer["days"].items()
    )
    return [row.pk for row in rows]


@pytest.mark.parametrize("code", sorted(ANSWERS))
def test_sql_and_python_choose_the_same_customers(code):
    @PATIENCE
    @given(st.lists(customers(), min_size=1, max_size=8), st.lists(ANSWERS[code], min_size=3, max_size=6), ages, here)
    def law(generated, several, days, situation):
        believe(days)
        Customer.objects.all().delete()
        ids = store(generated)
        for answers in several:
            (condition,) = compile_rules(clean({code: answers}))
            needs, days_back = needs_of([condition])
            since = NOW.date() - timedelta(days=days_back - 1) if days_back else None
            read = list(profiles(ids, needs, since=since))
            assert [profile.id for profile in read] == ids
            verdicts = {p.id: condition.check(p, situation).holds for p in read}
            for profile in read:
                if (profile.last_order_at is None) is (profile.order_count > 0) or (profile.last_order_at or NOW) > NOW:
                    continue  # orders without a last one, or one to come: pasts that cannot be
                ways = [[one.check(profile, situation).holds for one in way] for way in condition.fails()]
                told = verdicts[profile.id] is not False or any(set(way) <= {True} for way in ways)
                assert told, "it surely fails, and no way to fail holds"
            holds, known = condition.population(situation)
            chosen = Customer.objects.filter(holds).values_list("pk", flat=True)
            assert sorted(chosen) == [id for id, verdict in verdicts.items() if verdict is True]
            assert not Customer.objects.exclude(holds).filter(holds).exists()
            fail = Customer.objects.filter(known & ~holds).values_list("pk", flat=True)
            assert sorted(fail) == [id for id, verdict in verdicts.items() if verdict is False]
            unknown = Customer.objects.filter(~known).values_list("pk", flat=True)
            assert sorted(unknown) == [id for id, verdict in verdicts.items() if verdict is None]

    law()


@PATIENCE
@given(
    st.lists(customers(), min_size=1, max_size=8),
    st.fixed_dictionaries({}, optional=ANSWERS).filter(bool),
    st.fixed_dictionaries({}, optional=ANSWERS).filter(bool),
)
def test_conditions_joined_by_and_and_by_or_stay_true(generated, these, those):
    Customer.objects.all().delete()
    ids = store(generated)
    sides = [compile_rules(clean(rules)) for rules in (these, those)]
    needs, _days_back = needs_of([*sides[0], *sides[1]])
    expected = {
        profile.id
        for profile in profiles(ids, needs)
        if any(all(c.check(profile, Situation(now=NOW)).holds is True for c in side) for side in sides)
    }
    either = None
    for side in sides:
        both = None
        for condition in side:
            q = condition.q(NOW)
            both = q if both is None else both & q
        either = both if either is None else either | both
    assert set(Customer.objects.filter(either).values_list("pk", flat=True)) == expected


@given(st.sampled_from(sorted(ANSWERS)).flatmap(lambda code: st.tuples(st.just(code), ANSWERS[code])))
@settings(max_examples=100, deadline=None)
def test_cleaned_answers_are_clean_and_stay_as_they_are(coded):
    code, answers = coded
    once = clean({code: answers})
    assert clean(once) == once
    assert once[code] == answers
