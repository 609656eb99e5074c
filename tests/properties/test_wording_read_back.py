"""U7: the terms that customers read, read back, are the rules that are checked; in both languages, each sentence."""

from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import translation
from django.utils.translation import get_language
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from coupons.calendar import FESTIVALS
from coupons.conditions.names import BUSINESS_LINES
from coupons.models import Area, Category, City, CouponTemplate, Merchant, Supply, Weather
from coupons.queries.wording import claim_wording, wording
from coupons.rules import BusinessMode, Client, clean, reversal
from tests.properties.test_conditions import ANSWERS, answers_of
from tests.reading import SHANGHAI, Reader

pytestmark = pytest.mark.django_db

CITIES = ["310000", "110000", "330100"]
AREAS = {"bund": "外滩", "cbd": "国贸"}
CATEGORIES = {"noodles": "面食", "drinks": "奶茶"}
MERCHANTS = {"laowang": "老王牛肉面", "xiaoli": "小李烧烤"}
TAGS = ["vip", "沉睡", "late", "nobody's"]
CASES = {
    "zh-hans": {"cancelled": "取消", "unpaid": "超时未支付", "refunded": "整单退款"},
    "en": {"cancelled": "cancelled", "unpaid": "not paid in time", "refunded": "refunded as a whole"},
}
LANGUAGES = {"zh": "zh-hans", "en": "en"}
CLOCKS = ["00:00", "06:30", "07:00", "12:00", "18:30", "23:59"]

windows = st.lists(
    st.lists(st.sampled_from(CLOCKS), min_size=2, max_size=2, unique=True), min_size=1, max_size=3, unique_by=tuple
)
fens = st.integers(1, 10**9) | st.sampled_from([1, 10, 100, 150, 2000, 10**12])
moments = st.builds(
    lambda day, clock: datetime(2026, 1, 1, tzinfo=SHANGHAI) + timedelta(days=day, minutes=clock),
    st.integers(0, 800),
    st.sampled_from([0, 0, 0, 1, 30, 12 * 60, 13 * 60, 23 * 60 + 59]),
)
periods = st.tuples(moments, moments).filter(lambda ends: ends[0] != ends[1]).map(sorted)


def any_of(choices: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"any_of": st.lists(st.sampled_from(list(choices)), min_size=1, max_size=4, unique=True)}
    )


CONDITIONS = {
    **{code: answers for code, answers in ANSWERS.items() if code != "audiences"},
    "order_count": answers_of(st.integers(0, 6), within_days=st.integers(1, 40)),
    "hours": st.one_of(
        st.fixed_dictionaries({"inside": windows}),
        st.fixed_dictionaries({"outside": windows}),
    ),
    "weekdays": any_of(range(1, 8)),
    "festivals": any_of(FESTIVALS),
    "weather": any_of(Weather.Kind.values),
    "clients": any_of(Client.values),
    "cities": any_of(CITIES),
    "areas": any_of(AREAS),
    "business_modes": any_of(BusinessMode.values),
}
conditions = st.lists(st.sampled_from(sorted(CONDITIONS)), max_size=5, unique=True).flatmap(
    lambda codes: st.fixed_dictionaries({code: CONDITIONS[code] for code in codes})
)


tables = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(reversal.CASES, st.sampled_from(list(reversal.OUTCOMES)))
).map(lambda table: {**table, "grace_days": 3} if "grace" in table.values() else table)


@st.composite
def templates(draw: st.DrawFn) -> CouponTemplate:
    low, high = sorted((draw(fens), draw(fens)))
    money = draw(
        st.sampled_from(
            [
                {"type": "amount_off", "amount_fen": low, "threshold_fen": high},
                {"type": "no_threshold", "amount_fen": low},
                {"type": "percent_off", "threshold_fen": high},
                {"type": "percent_off", "cap_fen": low},
                {"type": "percent_off", "cap_fen": low, "threshold_fen": high},
                {"type": "percent_off"},
            ]
        )
    )
    if money["type"] == "percent_off":
        money = {**money, "percent_off": Decimal(draw(st.integers(1, 9999))) / 100}
    start, end = draw(periods)
    validity = draw(
        st.sampled_from(
            [{"validity_type": "claim_day"}, {"validity_type": "period", "valid_from": start, "valid_until": end}]
        )
        | st.builds(
            lambda days, later: {"valid_days": days, "starts_after_days": later},
            st.integers(1, 400),
            st.integers(0, 40),
        )
    )
    opens, closes = draw(periods)
    release = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "starts_at": st.just(opens.isoformat()),
                "ends_at": st.just(closes.isoformat()),
                "weekdays": st.lists(st.integers(1, 7), min_size=1, unique=True),
                "month_days": st.lists(st.sampled_from([-1, *range(1, 32)]), min_size=1, max_size=4, unique=True),
                "hours": windows,
            },
        )
    )
    goods = st.fixed_dictionaries(
        {},
        optional={
            "categories": st.lists(st.sampled_from(list(CATEGORIES)), min_size=1, unique=True),
            "merchants": st.lists(st.sampled_from(list(MERCHANTS)), min_size=1, unique=True),
            "skus": st.lists(st.sampled_from(["A1", "B 2", "牛肉"]), min_size=1, unique=True),
        },
    )
    made = CouponTemplate(
        name="x",
        **money,
        **validity,
        release=release,
        scope=draw(goods | st.just({"shipping": True})),
        claim_cities=draw(st.lists(st.sampled_from(CITIES), unique=True)),
        claim_conditions=clean(draw(conditions)),
        use_conditions=clean(draw(conditions)),
        stack_group=draw(st.sampled_from(["order", "exclusive", "shipping", "merchant"])),
        newcomer=draw(st.booleans()),
        exclusive_group=draw(st.sampled_from([None, "g"])),
        returns_on_rollback=draw(st.booleans()),
        reversal=draw(st.just({}) | tables),
    )
    names = [name for name in Supply.LIMITS if name.startswith("customer")]
    limits = {name: draw(st.none() | fens) for name in names}
    made.supply = Supply(**limits)
    return made


def meant(code: str, answers: dict[str, Any]) -> tuple[Any, ...]:
    """A condition as the reader tells it."""
    low, high = (None if answers.get(end) is None else Decimal(str(answers[end])) for end in ("min", "max"))
    days = answers.get("within_days")
    match code:
        case "standing":
            line = answers.get("business_line")
            told = line and set(answers["any_of"]) != {"platform_new"}
            return (code, frozenset(answers["any_of"]), line if told else None)
        case "tags":
            return (code, frozenset(answers.get("any_of", ())), frozenset(answers.get("none_of", ())))
        case "rival_app":
            return (code, answers["is"])
        case "hours":
            side = "inside" if answers.get("inside") else "outside"
            return (code, side, tuple(tuple(window) for window in answers[side]))
        case "last_order_days":
            if days:
                high = Decimal(days - 1) if high is None else min(Decimal(days - 1), high)
            return (code, low, high, None)
        case "order_count" if high == 0:
            return (code, None, high, days)
        case "order_count" | "subsidy_rate":
            return (code, low, high, days)
        case "sensitivity" | "churn_probability":
            return (code, low, high, None)
    return (code, frozenset(answers["any_of"]))


def promised(template: CouponTemplate) -> list[tuple[Any, ...]]:
    money: tuple[Any, ...] = (
        "money",
        template.amount_fen,
        template.threshold_fen,
        template.percent_off,
        template.cap_fen,
    )
    if template.threshold_fen and template.scope.get("shipping"):
        money = (*money, "shipping")
    validity: tuple[Any, ...] = ("validity", template.valid_days or 1, template.starts_after_days)
    if template.validity_type == "period":
        validity = ("validity", template.valid_from, template.valid_until)
    scope = [("scope", kind, True if kind == "shipping" else frozenset(keys)) for kind, keys in template.scope.items()]
    group = template.stack_group
    return [
        money,
        validity,
        *scope,
        *(("condition", *meant(code, answers)) for code, answers in template.use_conditions.items()),
        ("stack", group if group in ("exclusive", "shipping") else "one of its kind"),
        *([("newcomer", True)] if template.newcomer else []),
        *([("exclusive", True)] if template.exclusive_group else []),
        *returns(template),
    ]


def returns(template: CouponTemplate) -> list[tuple[Any, ...]]:
    table, plain = template.reversal, template.returns_on_rollback
    if not table:
        return [("returns", plain)]
    usual = "returns" if plain else "stays"
    by_outcome: dict[str, set[str]] = {}
    for case in ("cancelled", "unpaid", "refunded"):
        by_outcome.setdefault(table.get(case, usual), set()).add(case)
    said: list[tuple[Any, ...]] = [
        ("returns", outcome, frozenset(cases), table["grace_days"] if outcome == "grace" else None)
        for outcome, cases in by_outcome.items()
    ]
    for name, case, silent in (("returns partly", "below_threshold", "stays"), ("returns late", "expired", "returns")):
        outcome = table.get(case, silent)
        if outcome != silent:
            said.append((name, outcome, table["grace_days"] if outcome == "grace" else None))
    return said


def given_out(template: CouponTemplate) -> list[tuple[Any, ...]]:
    release, said = template.release, []
    if "starts_at" in release or "ends_at" in release:
        ends = (datetime.fromisoformat(release[name]) if name in release else None for name in ("starts_at", "ends_at"))
        said.append(("release period", *ends))
    for name in ("weekdays", "month_days"):
        if name in release:
            said.append((f"release {name}", frozenset(release[name])))
    if "hours" in release:
        said.append(("release hours", tuple(tuple(window) for window in release["hours"])))
    if template.claim_cities:
        said.append(("condition", "cities", frozenset(template.claim_cities)))
    said += [("condition", *meant(code, answers)) for code, answers in template.claim_conditions.items()]
    for name in Supply.LIMITS:
        if name.startswith("customer") and getattr(template.supply, name) is not None:
            said.append(("limit", name, getattr(template.supply, name)))
    return said


def vocabulary() -> dict[str, dict[Any, str]]:
    """In the active language."""
    lines = {**{key: str(name) for key, name in BUSINESS_LINES.items()}, **CATEGORIES}
    return {
        "cities": {city.key: str(city) for city in City.objects.filter(pk__in=CITIES)},
        "areas": AREAS,
        "cases": CASES[get_language() or "en"],
        "categories": CATEGORIES,
        "merchants": MERCHANTS,
        "skus": {sku: sku for sku in ("A1", "B 2", "牛肉")},
        "tags": {tag: tag for tag in TAGS},
        "lines": lines,
        "festivals": {code: str(name) for code, name in FESTIVALS.items()},
        "weather": {kind.value: str(kind.label) for kind in Weather.Kind},
        "clients": {client.value: str(client.label) for client in Client},
        "business_modes": {mode.value: str(mode.label) for mode in BusinessMode},
    }


@pytest.fixture
def things():
    for model, things in ((Category, CATEGORIES), (Merchant, MERCHANTS)):
        for key, name in things.items():
            model.objects.update_or_create(key=key, defaults={"name": name})
    shape = {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]}
    for key, name in AREAS.items():
        Area.objects.create(key=key, name=name, geojson=shape)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(data=st.data(), language=st.sampled_from(sorted(LANGUAGES)))
def test_the_terms_read_back_are_the_rules(things, data, language):
    template = data.draw(templates())
    with translation.override(LANGUAGES[language]):
        reader = Reader(language, vocabulary())
        assert Counter(map(reader.read, wording(template)["rules"])) == Counter(promised(template))
        assert Counter(map(reader.read, claim_wording(template))) == Counter(given_out(template))
