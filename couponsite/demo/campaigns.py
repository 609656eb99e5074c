"""The demo company's campaigns, as documents: all types, channels and states; days are counted from today."""

from datetime import datetime, timedelta
from typing import Any

from couponsite.demo import codes, pages, triggers

CITIES = {
    "310000": (31.2304, 121.4737),
    "110000": (39.9042, 116.4074),
    "440100": (23.1291, 113.2644),
    "440300": (22.5431, 114.0579),
    "330100": (30.2741, 120.1551),
}
CATEGORIES = {
    "food": "美食外卖",
    "drinks": "奶茶饮品",
    "groceries": "生鲜果蔬",
    "ride": "快车打车",
    "premier": "专车",
    "freight": "货运",
    "insurance": "出行保险",
}
MERCHANTS = {
    "laowang": "老王牛肉面",
    "xiangcheng": "湘城小炒",
    "chabaidao": "茶言小铺",
    "xianfeng": "鲜丰果园",
    "yueshifu": "粤食府",
    "xiaolong": "小笼世家",
    "shaokao": "江湖烧烤",
    "qingshi": "轻食主义",
}
LUJIAZUI = {
    "key": "lujiazui",
    "name": "陆家嘴商圈",
    "geojson": {
        "type": "Polygon",
        "coordinates": [
            [[121.490, 31.228], [121.520, 31.228], [121.520, 31.247], [121.490, 31.247], [121.490, 31.228]]
        ],
    },
}


def documents(midnight: datetime) -> list[dict[str, Any]]:
    """``midnight``: the beginning of today in the business time zone."""

    def day(offset: int) -> str:
        return (midnight + timedelta(days=offset)).isoformat()

    def campaign(
        key: str, name: str, starts: int, ends: int, budget_yuan: int, target: int, **more: Any
    ) -> dict[str, Any]:
        return {
            "key": key,
            "name": name,
            "goal": {"metric": "redeemed", "target": target},
            "budget_fen": budget_yuan * 100,
            "starts_at": day(starts),
            "ends_at": day(ends),
            **more,
        }

    def template(key: str, internal: str, name: str, yuan: float = 0, over: float = 0, **more: Any) -> dict[str, Any]:
        kind = "percent_off" if "percent_off" in more else "amount_off" if over else "no_threshold"
        made: dict[str, Any] = {
            "key": key,
            "internal_name": internal,
            "name": name,
            "type": kind,
            "validity": {"type": "days_after_claim", "days": 7},
            "limits": {"customer_count": 3, "customer_daily_count": 1},
            "status": "live",
            **more,
        }
        if yuan:
            made["amount_fen"] = int(yuan * 100)
        if over:
            made["threshold_fen"] = int(over * 100)
        return made

    def placement(key: str, title: str, channel: str, *offers: Any, **more: Any) -> dict[str, Any]:
        return {
            "key": key,
            "title": title,
            "channel": channel,
            "form": "api",
            "pick": "first",
            "offers": [offer if isinstance(offer, dict) else {"template": offer} for offer in offers],
            "status": "live",
            **more,
        }

    food: dict[str, Any] = {"scope": {"categories": ["food", "drinks"]}, "category": "food"}
    ride: dict[str, Any] = {"scope": {"categories": ["ride", "premier"]}, "category": "ride"}
    return [
        campaign(
            "welcome",
            "新人见面礼",
            -60,
            120,
            8_400,
            1500,
            categories=[{"key": key, "name": name} for key, name in CATEGORIES.items()],
            merchants=[{"key": key, "name": name} for key, name in MERCHANTS.items()],
            areas=[LUJIAZUI],
            audiences=[
                {
                    "key": "newcomers",
                    "name": "平台新客",
                    "conditions": {"standing": {"any_of": ["platform_new"]}},
                },
                {
                    "key": "worth-keeping",
                    "name": "高敏感流失风险客",
                    "conditions": {
                        "sensitivity": {"min": 0.5},
                        "churn_probability": {"min": 0.3},
                        "last_order_days": {"min": 7},
                        "audiences": {"none_of": ["newcomers"]},
                    },
                },
            ],
            templates=[
                template(
                    "welcome-15",
                    "新客-无门槛15元",
                    "新人专享红包",
                    15,
                    newcomer=True,
                    limits={"customer_count": 1},
                    use_conditions={"standing": {"any_of": ["platform_new"]}},
                    looks={"design": "sunrise"},
                ),
                template("welcome-back-5", "老客-满30减5", "好久不见券", 5, 30, limits={"customer_count": 1}),
            ],
            placements=[
                placement(
                    "home-welcome",
                    "首页天降红包",
                    "home_popup",
                    {"template": "welcome-15", "audience": "newcomers"},
                    "welcome-back-5",
                )
            ],
        ),
        campaign(
            "double11",
            "双十一外卖狂欢",
            -26,
            -9,
            4_000,
            1200,
            templates=[
                template(
                    "d11-50-12",
                    "双11-满50减12",
                    "狂欢满减券",
                    12,
                    50,
                    validity={"type": "period", "starts_at": day(-26), "ends_at": day(-9)},
                    cost={"merchant_percent": 40},
                    **food,
                ),
                template(
                    "d11-85",
                    "双11-85折封顶20",
                    "狂欢折扣券",
                    percent_off=15,
                    cap_fen=2000,
                    validity={"type": "period", "starts_at": day(-26), "ends_at": day(-9)},
                    **food,
                ),
            ],
            placements=[
                placement("d11-center", "双十一会场", "coupon_center", "d11-50-12", "d11-85", pick="all"),
            ],
        ),
        campaign(
            "weekend",
            "周末聚餐",
            -45,
            45,
            5_000,
            1000,
            templates=[
                template(
                    "weekend-80",
                    "周末-8折封顶30",
                    "周末聚餐8折券",
                    percent_off=20,
                    cap_fen=3000,
                    release={"weekdays": [5, 6, 7], "hours": [["10:00", "22:00"]]},
                    validity={"type": "days_after_claim", "days": 3},
                    use_conditions={"weekdays": {"any_of": [6, 7]}},
                    limits={"daily_count": 120, "customer_count": 6, "customer_daily_count": 1},
                    cost={"merchant_percent": 30},
                    **food,
                )
            ],
            placements=[placement("weekend-center", "周末专场", "coupon_center", "weekend-80")],
        ),
        campaign(
            "commute",
            "通勤打车",
            -60,
            30,
            8_000,
            2000,
            templates=[
                template(
                    "commute-5",
                    "通勤-满20减5",
                    "通勤打车券",
                    5,
                    20,
                    use_conditions={
                        "clients": {"any_of": ["app", "mini_program"]},
                        "hours": {"outside": [["07:30", "09:00"]]},
                    },
                    limits={"customer_count": 12, "customer_daily_count": 1},
                    **ride,
                ),
                template(
                    "premier-20",
                    "专车-满80减20",
                    "专车礼遇券",
                    20,
                    80,
                    claim_conditions={"sensitivity": {"min": 0, "max": 0.4}},
                    scope={"categories": ["premier"]},
                    category="premier",
                    limits={"customer_count": 4, "customer_daily_count": 1},
                ),
            ],
            placements=[
                placement("commute-center", "通勤福利", "coupon_center", "commute-5"),
                placement("premier-mall", "积分换专车券", "points_mall", "premier-20"),
            ],
        ),
        campaign(
            "recall",
            "沉睡用户召回",
            -40,
            20,
            2_000,
            500,
            control_percent=10,
            audiences=[
                {"key": "asleep", "name": "沉睡 20 天以上", "conditions": {"last_order_days": {"min": 20}}},
                {
                    "key": "leaving",
                    "name": "高流失且装有竞对",
                    "conditions": {"churn_probability": {"min": 0.6}, "rival_app": {"is": True}},
                },
            ],
            templates=[
                template("recall-12", "召回-无门槛12元", "想你了红包", 12, exclusive_group="recall"),
                template("recall-8", "召回-满25减8", "回来看看券", 8, 25, exclusive_group="recall"),
            ],
            placements=[
                placement(
                    "recall-popup",
                    "召回红包",
                    "home_popup",
                    {"template": "recall-12", "audience": "leaving"},
                    {"template": "recall-8", "audience": "asleep"},
                )
            ],
        ),
        campaign(
            "rainy",
            "雨天加油",
            -30,
            60,
            800,
            400,
            templates=[
                template(
                    "rainy-6",
                    "雨天-打车立减6元",
                    "雨天暖心券",
                    6,
                    claim_conditions={"weather": {"any_of": ["rain", "heavy_rain", "thunderstorm"]}},
                    validity={"type": "claim_day"},
                    limits={"customer_daily_count": 1, "daily_count": 200},
                    **ride,
                )
            ],
            placements=[placement("rainy-popup", "下雨了，打车减 6 元", "home_popup", "rainy-6")],
        ),
        campaign(
            "delivery",
            "免配送费",
            -50,
            40,
            4_400,
            1500,
            templates=[
                template(
                    "delivery-4",
                    "运费-满4减4",
                    "免配送费券",
                    4,
                    4,
                    scope={"shipping": True},
                    stack_group="shipping",
                    limits={"customer_count": 10, "customer_daily_count": 1},
                )
            ],
            placements=[placement("delivery-center", "免配送费", "coupon_center", "delivery-4")],
        ),
        campaign(
            "laowang",
            "老王牛肉面联合补贴",
            -35,
            25,
            2_000,
            300,
            templates=[
                template(
                    "laowang-10",
                    "老王-满40减10",
                    "老王牛肉面券",
                    10,
                    40,
                    merchant="laowang",
                    category="food",
                    scope={"merchants": ["laowang"]},
                    stack_group="merchant",
                    cost={"merchant_percent": 50},
                    reversal={"refunded": "grace", "below_threshold": "returns", "grace_days": 3},
                    limits={"customer_count": 3},
                )
            ],
            placements=[placement("laowang-page", "商户页领券", "merchant_page", "laowang-10")],
        ),
        campaign(
            "luck",
            "好友拼手气",
            -20,
            40,
            2_000,
            600,
            templates=[
                template("luck-3", "手气-3元", "手气红包", 3, limits={"customer_daily_count": 1}),
                template("luck-8", "手气-8元", "手气红包", 8, limits={"customer_daily_count": 1}),
                template(
                    "luck-38", "手气-38元", "手气王红包", 38, limits={"total_count": 30, "customer_daily_count": 1}
                ),
            ],
            placements=[
                placement(
                    "luck-share",
                    "分享红包",
                    "share",
                    {"template": "luck-3", "weight": 80},
                    {"template": "luck-8", "weight": 18},
                    {"template": "luck-38", "weight": 2},
                    pick="random",
                    share={"slots_count": 8, "pot_fen": 6400},
                )
            ],
        ),
        campaign(
            "flash",
            "整点秒杀",
            -14,
            16,
            500,
            400,
            templates=[
                template(
                    "flash-25",
                    "秒杀-满60减25",
                    "整点秒杀券",
                    25,
                    60,
                    release={"hours": [["10:00", "11:00"], ["20:00", "21:00"]]},
                    looks={"design": "night", "badge": "限时秒杀"},
                    validity={"type": "claim_day"},
                    limits={"daily_count": 15, "customer_count": 2, "total_count": 240},
                    returns_on_rollback=False,
                    stack_group="exclusive",
                    **food,
                )
            ],
            placements=[placement("flash-sale", "整点秒杀", "flash_sale", "flash-25")],
        ),
        campaign(
            "tea",
            "奶茶自由",
            -55,
            -20,
            1_000,
            600,
            templates=[
                template(
                    "tea-6", "奶茶-满20减6", "奶茶自由券", 6, 20, scope={"categories": ["drinks"]}, category="drinks"
                )
            ],
            placements=[placement("tea-open", "开放平台奶茶券", "open_platform", "tea-6")],
        ),
        campaign(
            "street",
            "陆家嘴地推",
            -25,
            15,
            300,
            200,
            templates=[
                template(
                    "street-10",
                    "地推-陆家嘴满35减10",
                    "陆家嘴午餐券",
                    10,
                    35,
                    claim_cities=["310000"],
                    claim_conditions={"areas": {"any_of": ["lujiazui"]}},
                    use_conditions={"cities": {"any_of": ["310000"]}, "hours": {"inside": [["10:30", "14:00"]]}},
                    **food,
                )
            ],
            placements=[placement("street-qr", "地推扫码", "street_team", "street-10")],
        ),
        triggers.document(day, campaign, template, placement),
        pages.document(campaign, template, placement),
        codes.document(day, campaign, template, placement),
        campaign(
            "newyear",
            "元旦跨年",
            30,
            50,
            120_000,
            3000,
            templates=[
                template(
                    "newyear-66",
                    "元旦-满166减66",
                    "跨年大额券",
                    66,
                    166,
                    validity={"type": "period", "starts_at": day(30), "ends_at": day(50)},
                    claim_conditions={"order_count": {"min": 5, "within_days": 60}},
                    looks={"design": "festive", "badge": "跨年"},
                    limits={"total_count": 1800, "customer_count": 1},
                    status="awaiting_approval",
                    **food,
                ),
                template(
                    "newyear-ride",
                    "元旦-打车9折封顶15",
                    "跨年出行券",
                    percent_off=10,
                    cap_fen=1500,
                    validity={"type": "period", "starts_at": day(30), "ends_at": day(50)},
                    status="draft",
                    **ride,
                ),
            ],
            placements=[
                placement("newyear-center", "元旦会场", "coupon_center", "newyear-66", "newyear-ride", status="draft")
            ],
        ),
    ]
