"""Documents for tests: the one of the contract, and a small one to change."""

from copy import deepcopy
from typing import Any

SUMMER: dict[str, Any] = {
    "key": "summer",
    "name": "夏日补贴",
    "goal": {"metric": "redeemed", "target": 5000},
    "budget_fen": 10000000,
    "starts_at": "2026-06-01T00:00:00+08:00",
    "ends_at": "2026-09-01T00:00:00+08:00",
    "categories": [{"key": "food", "name": "餐饮"}],
    "merchants": [],
    "areas": [],
    "audiences": [{"key": "lapsed", "name": "沉睡用户", "conditions": {"last_order_days": {"min": 30}}}],
    "templates": [
        {
            "key": "s20",
            "internal_name": "夏日-满100减20",
            "name": "夏日满减券",
            "type": "amount_off",
            "amount_fen": 2000,
            "threshold_fen": 10000,
            "validity": {"type": "days_after_claim", "days": 7, "starts_after_days": 0},
            "release": {
                "starts_at": None,
                "ends_at": None,
                "weekdays": [5, 6, 7],
                "month_days": [],
                "hours": [["10:00", "22:00"]],
            },
            "claim_cities": [],
            "category": "food",
            "merchant": None,
            "cost": {"merchant_percent": 30},
            "limits": {
                "total_count": 10000,
                "total_fen": None,
                "daily_count": None,
                "daily_fen": None,
                "customer_count": 1,
                "customer_fen": None,
                "customer_daily_count": None,
                "customer_daily_fen": None,
            },
            "newcomer": False,
            "exclusive_group": None,
            "stack_group": "order",
            "claim_conditions": {},
            "use_conditions": {"clients": {"any_of": ["app"]}, "hours": {"outside": [["07:00", "09:00"]]}},
            "scope": {"categories": [], "merchants": [], "skus": []},
            "returns_on_rollback": True,
            "status": "live",
        }
    ],
    "placements": [
        {
            "key": "summer-center",
            "channel": "coupon_center",
            "form": "api",
            "pick": "first",
            "offers": [{"template": "s20", "audience": "lapsed"}],
            "status": "live",
        }
    ],
}

SQUARE = {
    "type": "Polygon",
    "coordinates": [[[121.4, 31.2], [121.5, 31.2], [121.5, 31.3], [121.4, 31.3], [121.4, 31.2]]],
}


def summer(**changes: Any) -> dict[str, Any]:
    """The contract's document; ``changes`` by path: ``templates__0__amount_fen=0``; DROP leaves the field out."""
    document = deepcopy(SUMMER)
    for path, value in changes.items():
        place: Any = document
        *above, last = path.split("__")
        for step in above:
            place = place[int(step) if step.isdecimal() else step]
        name = int(last) if last.isdecimal() else last
        if value is DROP:
            del place[name]
        else:
            place[name] = value
    return document


DROP = object()
