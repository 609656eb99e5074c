"""文案释义: the sentences of a coupon, in both languages."""

import re
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.utils import translation

from coupons.conditions import names
from coupons.models import Area, Category, City, CouponTemplate, Merchant, Supply
from coupons.queries.wording import claim_wording, wording, yuan
from coupons.rules import compile_rules

SHANGHAI = ZoneInfo("Asia/Shanghai")


def template(**fields):
    given = {"amount_fen": 2000, "threshold_fen": 10000, "valid_days": 7, **fields}
    return CouponTemplate(name="x", **given)


def said(language, made):
    with translation.override(language):
        return wording(made)


def percent(**fields):
    return template(type="percent_off", amount_fen=None, threshold_fen=None, **fields)


@pytest.mark.parametrize(
    ("fen", "text"),
    [(0, "0"), (1, "0.01"), (10, "0.1"), (100, "1"), (150, "1.5"), (123456, "1234.56"), (10**12, "10000000000")],
)
def test_money_has_no_needless_decimals(fen, text):
    assert yuan(fen) == text


@pytest.mark.parametrize(
    ("made", "chinese", "english"),
    [
        (template(), "满100减20", "¥20 off ¥100"),
        (template(amount_fen=1050), "满100减10.5", "¥10.5 off ¥100"),
        (
            template(type="no_threshold", amount_fen=1000, threshold_fen=None),
            "无门槛 立减10元",
            "¥10 off, no minimum",
        ),
        (percent(percent_off=Decimal("20.00"), cap_fen=3000), "8折 · 最高减30元", "20% off · up to ¥30"),
        (percent(percent_off=Decimal("15")), "8.5折", "15% off"),
        (percent(percent_off=Decimal("12.25")), "8.775折", "12.25% off"),
        (
            template(type="percent_off", amount_fen=None, percent_off=Decimal(20)),
            "满100打8折",
            "20% off ¥100",
        ),
        (
            template(use_conditions={"weekdays": {"any_of": [6, 7]}}),
            "满100减20 · 限周末",
            "¥20 off ¥100 · weekends only",
        ),
        (template(use_conditions={"clients": {"any_of": ["app"]}}), "满100减20 · 限App", "¥20 off ¥100 · app only"),
        (template(scope={"shipping": True}), "运费满100减20", "¥20 off ¥100 shipping"),
        (
            template(type="no_threshold", amount_fen=500, threshold_fen=None, scope={"shipping": True}),
            "无门槛 立减5元 · 运费券",
            "¥5 off, no minimum · shipping",
        ),
        (
            template(type="percent_off", amount_fen=None, percent_off=Decimal(50), scope={"shipping": True}),
            "运费满100打5折",
            "50% off ¥100 shipping",
        ),
    ],
)
def test_the_face_says_it_in_a_few_words(made, chinese, english):
    assert said("zh-hans", made)["short"] == chinese
    assert said("en", made)["short"] == english


def test_the_rules_say_all_that_matters():
    made = template(use_conditions={"hours": {"outside": [["07:00", "09:00"]]}, "weekdays": {"any_of": [7, 6]}})
    assert said("zh-hans", made)["rules"] == [
        "满100元减20元",
        "领取后7天内有效（含领取当天）",
        "07:00–09:00 不可用",
        "限周六、周日使用",
        "每单限用一张同类优惠券",
        "整单退款后，有效期内的券会退回",
    ]
    assert said("en", made)["rules"] == [
        "¥20 off when you spend ¥100 or more",
        "Valid for 7 days, the day you get it included",
        "Not usable 07:00–09:00",
        "Only on Saturday or Sunday",
        "One coupon of this kind per order",
        "Comes back if the whole order is refunded, for as long as it is valid",
    ]


def test_a_percentage_is_told_in_tenths_or_in_what_is_taken_off():
    made = percent(percent_off=Decimal(20), cap_fen=3000, returns_on_rollback=False, stack_group="exclusive")
    chinese, english = said("zh-hans", made)["rules"], said("en", made)["rules"]
    assert chinese[0] == "享8折，最高减30元"
    assert english[0] == "20% off, up to ¥30 off"
    assert chinese[-2:] == ["不可与其他优惠券同时使用", "订单退款后，券不退回"]
    assert english[-2:] == ["Cannot be used together with other coupons", "Does not come back if the order is refunded"]


@pytest.mark.parametrize(
    ("fields", "chinese", "english"),
    [
        ({"validity_type": "claim_day", "valid_days": None}, "领取当天有效", "Valid on the day you get it"),
        ({"valid_days": 1}, "领取当天有效", "Valid on the day you get it"),
        (
            {"valid_days": 7, "starts_after_days": 1},
            "领取1天后生效，有效期7天",
            "Starts 1 day after you get it, valid for 7 days",
        ),
        (
            {
                "validity_type": "period",
                "valid_days": None,
                "valid_from": datetime(2026, 6, 1, tzinfo=SHANGHAI),
                "valid_until": datetime(2026, 9, 1, tzinfo=SHANGHAI),
            },
            "有效期：2026年6月1日至2026年8月31日",
            "Valid from June 1, 2026 to Aug. 31, 2026",
        ),
        (
            {
                "validity_type": "period",
                "valid_days": None,
                "valid_from": datetime(2026, 6, 1, tzinfo=SHANGHAI),
                "valid_until": datetime(2026, 6, 1, 18, 30, tzinfo=SHANGHAI),
            },
            "有效期：2026年6月1日 00:00至2026年6月1日 18:30",
            "Valid from June 1, 2026, midnight to June 1, 2026, 6:30 p.m.",
        ),
    ],
)
def test_validity_is_told_in_days_as_people_count_them(fields, chinese, english):
    assert said("zh-hans", template(**fields))["rules"][1] == chinese
    assert said("en", template(**fields))["rules"][1] == english


CONDITIONS = [
    ({"standing": {"any_of": ["platform_new"]}}, "需为新用户（首单）", "Only for new customers (first order)"),
    (
        {"standing": {"any_of": ["platform_new", "business_new"], "business_line": "ride"}},
        "需为新用户（首单）或打车业务的新用户",
        "Only for new customers (first order) or customers new to rides",
    ),
    ({"tags": {"any_of": ["高价值"]}}, "限带有“高价值”标签的用户", "Only for customers tagged 高价值"),
    ({"tags": {"none_of": ["a", "b"]}}, "带有“a、b”标签的用户除外", "Not for customers tagged a or b"),
    ({"order_count": {"min": 1, "max": 1}}, "限累计完成正好1单的用户", "Only for customers with exactly 1 order"),
    (
        {"order_count": {"min": 3, "within_days": 30}},
        "限近30天内完成至少3单的用户",
        "Only for customers with at least 3 orders in the last 30 days",
    ),
    (
        {"order_count": {"max": 0, "within_days": 30}},
        "限近30天内未下单的用户",
        "Only for customers without an order in the last 30 days",
    ),
    (
        {"last_order_days": {"min": 30}},
        "限上次下单距今至少30天的用户",
        "Only for customers whose last order was at least 30 days ago",
    ),
    (
        {"sensitivity": {"min": 0.2, "max": 0.5}},
        "限优惠敏感度0.2–0.5的用户",
        "Only for customers with a coupon sensitivity of 0.2 to 0.5",
    ),
    (
        {"churn_probability": {"min": 0.125}},
        "限流失概率至少12.5%的用户",
        "Only for customers with a churn probability of at least 12.5%",
    ),
    (
        {"subsidy_rate": {"max": 0.1, "within_days": 1}},
        "限近1天补贴率至多10%的用户",
        "Only for customers with a subsidy rate of at most 10% in the last day",
    ),
    (
        {"rival_app": {"is": True}},
        "限已安装其他同类App的用户",
        "Only for customers who have a similar app of another company",
    ),
    ({"cities": {"any_of": ["310000", "330100"]}}, "限上海、杭州使用", "Only in Shanghai or Hangzhou"),
    ({"areas": {"any_of": ["cbd"]}}, "限陆家嘴使用", "Only in 陆家嘴"),
    ({"weather": {"any_of": ["rain", "snow"]}}, "限下雨、下雪天气使用", "Only in this weather: rain or snow"),
    ({"weather": {"any_of": ["clear"]}}, "限晴朗天气使用", "Only in this weather: clear"),
    (
        {"festivals": {"any_of": ["spring_festival", "618"]}},
        "限春节、618年中大促使用",
        "Only on these days: Spring Festival or 18 June sales",
    ),
    ({"clients": {"any_of": ["app", "wechat"]}}, "限App、微信使用", "Only by app or WeChat"),
    ({"hours": {"inside": [["22:00", "06:00"]]}}, "限22:00–06:00使用", "Only 22:00–06:00"),
    ({"business_modes": {"any_of": ["self_operated"]}}, "限自营订单使用", "Only for self-operated orders"),
]


@pytest.fixture
def _places(db):
    for key, name, english in (("310000", "上海", "Shanghai"), ("330100", "杭州", "Hangzhou")):
        City.objects.update_or_create(key=key, defaults={"name": name, "name_en": english, "province": name})
    Area.objects.create(key="cbd", name="陆家嘴", geojson={})
    Category.objects.update_or_create(key="food", defaults={"name": "外卖"})
    Merchant.objects.create(key="m1", name="老王面馆")
    names.forget()


@pytest.mark.usefixtures("_places")
@pytest.mark.parametrize(("rules", "chinese", "english"), CONDITIONS)
def test_every_condition_speaks_both_languages(rules, chinese, english):
    (condition,) = compile_rules(rules)
    with translation.override("zh-hans"):
        assert condition.wording() == chinese
    with translation.override("en"):
        assert condition.wording() == english


@pytest.mark.usefixtures("_places")
def test_a_claim_speaks_of_claiming():
    made = template(
        claim_cities=["310000"],
        claim_conditions={"clients": {"any_of": ["app"]}, "hours": {"outside": [["07:00", "09:00"]]}},
        release={
            "starts_at": "2026-06-01T00:00:00+08:00",
            "weekdays": [5, 6],
            "month_days": [1, -1],
            "hours": [["10:00", "22:00"]],
        },
    )
    made.supply = Supply(customer_count=1, customer_daily_fen=5000)
    with translation.override("zh-hans"):
        assert claim_wording(made) == [
            "发放时间：2026年6月1日起",
            "每周五、周六发放",
            "每月1日、最后一天发放",
            "发放时段：10:00–22:00",
            "限上海领取",
            "限App领取",
            "07:00–09:00 不可领取",
            "每人限领1张",
            "每人每天最多领50元",
        ]
    with translation.override("en"):
        assert claim_wording(made) == [
            "Given out from June 1, 2026",
            "Given out on Friday and Saturday",
            "Given out every month on day 1 and the last day",
            "Given out 10:00–22:00",
            "Can be claimed only in Shanghai",
            "Can be claimed only by app",
            "Cannot be claimed 07:00–09:00",
            "1 per customer",
            "Up to ¥50 per customer and day",
        ]


@pytest.mark.usefixtures("_places")
def test_the_scope_names_what_it_is_for():
    made = template(scope={"categories": ["food"], "merchants": ["m1"], "skus": ["A1", "B2"]})
    assert said("zh-hans", made)["rules"][2:5] == ["限外卖品类使用", "限在老王面馆使用", "限指定商品：A1、B2"]
    assert said("en", made)["rules"][2:5] == ["Only for 外卖", "Only at 老王面馆", "Only for certain goods: A1 or B2"]
    assert said("zh-hans", template(scope={"shipping": True}))["rules"][2] == "仅可抵扣运费"


@pytest.mark.usefixtures("_places")
def test_names_are_read_once_and_forgotten_on_request(django_assert_num_queries):
    with translation.override("en"):
        with django_assert_num_queries(1):
            assert names.called(City, ["310000"]) == ["Shanghai"]
        with django_assert_num_queries(0):
            assert names.called(City, ["310000"]) == ["Shanghai"]
        City.objects.filter(key="310000").update(name_en="Shànghǎi")
        names.forget()
        assert names.called(City, ["310000", "none"]) == ["Shànghǎi", "none"]


def test_many_names_are_counted():
    with translation.override("en"):
        assert names.one_of(map(str, range(22))).endswith(", 19 or 2 others")
    with translation.override("zh-hans"):
        assert names.one_of(map(str, range(22))).endswith("、19等另2项")


@pytest.mark.usefixtures("_places")
@pytest.mark.parametrize("rules", [rules for rules, _chinese, _english in CONDITIONS])
def test_no_english_is_left_in_chinese_sentences(rules):
    (condition,) = compile_rules(rules)
    with translation.override("zh-hans"):
        assert not re.search(r"[a-z]{3,}", condition.wording())
