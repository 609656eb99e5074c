"""The doors of the contract, something behind each of them, and what every answer of theirs must have."""

from typing import Any, get_args

from coupons.models import Answer, Coupon, CouponTemplate
from tests import coding, using
from tests.coding import whole
from tests.stories.campaign_documents import summer
from tests.using import order

SCOPES = ("profile", "issue", "redeem", "manage", "approve", "read")
#: Every door, and who may enter. In addresses, {…} is filled by the test.
DOORS = {
    ("POST", "customers/"): {"profile"},
    ("POST", "orders/"): {"redeem"},
    ("GET", "placements/"): {"customer", "issue"},
    ("POST", "placements/{placement}/claims/"): {"customer", "issue"},
    ("POST", "exchanges/"): {"customer", "issue"},
    ("GET", "coupons/"): {"customer", "read"},
    ("GET", "coupons/{coupon}/"): {"customer", "read"},
    ("POST", "quotes/"): {"customer", "redeem"},
    ("POST", "redemptions/"): {"redeem"},
    ("POST", "redemptions/{redemption}/capture/"): {"redeem"},
    ("POST", "redemptions/{redemption}/release/"): {"redeem"},
    ("POST", "redemptions/{redemption}/rollbacks/"): {"redeem"},
    ("POST", "campaigns/"): {"manage"},
    ("GET", "campaigns/{campaign}/"): {"manage"},
}
PROBLEM = {
    "type": str,
    "title": str,
    "status": int,
    "code": str,
    "detail": str,
    "reasons": [{"code": str, "detail": str}],
    "errors": [{"field": str, "code": str, "detail": str}],
}


def must_have(body: Any, shape: Any, at: str = "") -> None:
    """Each named field is there and of its type; more may be there."""
    if isinstance(shape, dict):
        assert isinstance(body, dict), at
        for name, inner in shape.items():
            assert name in body, f"{at}.{name} is missing"
            must_have(body[name], inner, f"{at}.{name}")
    elif isinstance(shape, list):
        assert isinstance(body, list), at
        for place, one in enumerate(body):
            must_have(one, shape[0], f"{at}.{place}")
    else:
        assert type(body) in (get_args(shape) or (shape,)), f"{at} is {body!r}"  # true is no number


def problem(answer: Any, status: int, code: str) -> Any:
    assert (answer.status, answer.code) == (status, code), answer.content.decode()
    assert answer.headers["content-type"] == "application/problem+json"
    must_have(answer.body, PROBLEM)
    assert answer.body["status"] == status
    return answer.body


def effects() -> Any:
    """What must be as it was after a call that was refused, or said twice."""
    return (*using.everything(), Coupon.objects.count(), Answer.objects.count())


def walked(**changes: Any) -> dict[str, Any]:
    """The contract's own document, given out at any hour to anybody, whole orders paying for a merchant's goods too."""
    return summer(
        **{
            "merchants": [{"key": "noodles", "name": "面馆"}],
            "templates__0__release": {},
            "templates__0__limits__customer_count": None,
            "placements__0__offers": [{"template": "s20"}],
            **changes,
        }
    )


def open_all(chief: Any) -> dict[str, str]:
    """Alice with two coupons of the contract's campaign, one of them held; with what the addresses are filled.

    ``chief``: a system with every scope.
    """
    assert chief.post("campaigns/", walked()).status == 201
    first, second = (
        chief.post("placements/summer-center/claims/", {"customer": "alice", "client": "app"}).body["coupons"][0]["id"]
        for _ in range(2)
    )
    held = chief.post("redemptions/", {"order": order("held"), "coupons": [second], "capture": False}).body["id"]
    code = whole(coding.batch(coding.placement(CouponTemplate.objects.get(key="s20")), code_count=9))[0]
    return {"code": code, "placement": "summer-center", "coupon": first, "redemption": held, "campaign": "summer"}


def bodies(doors: dict[str, str], customer: str | None = "alice") -> dict[str, Any]:
    """For each POST door a body that it takes."""
    return {
        "customers/": {"customers": [{"key": "bob"}]},
        "orders/": {"orders": [order("told")]},
        "placements/{placement}/claims/": {"client": "app", **({"customer": customer} if customer else {})},
        "exchanges/": {"code": doors["code"], "client": "app", **({"customer": customer} if customer else {})},
        "quotes/": {"order": order("asked", customer)},
        "redemptions/": {"order": order("asked", customer), "coupons": [doors["coupon"]]},
        "redemptions/{redemption}/capture/": {},
        "redemptions/{redemption}/release/": {},
        "redemptions/{redemption}/rollbacks/": {},
        "campaigns/": walked(),
    }
