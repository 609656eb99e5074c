"""Coupons put into hands, and orders to use them on."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Sum

from coupons.answers import Reply
from coupons.lifecycle.issuing import Grant, issue
from coupons.models import Answer, Budget, Coupon, CouponEvent, CouponTemplate, Customer, CustomerDay
from coupons.queries import catalogue
from redemption.models import Order, Redemption, RedemptionLine
from tests import making


def give(template: CouponTemplate, customer: str = "alice", *, at: datetime | None = None) -> str:
    """The id of a coupon issued to the customer by the real step."""
    now = catalogue.business_now(at)
    compiled = catalogue.current().templates([template.pk])[template.pk]
    grant = Grant.of(compiled, now)
    outcome = issue([grant], customer=customer, now=now, by="test", version=None, reply=Reply(201, b"{}"))
    assert isinstance(outcome, Reply), outcome
    return str(grant.id)


def coupon(customer: str = "alice", **terms: Any) -> str:
    """A coupon of a template of its own; 满100减20 unless told otherwise."""
    return give(making.template(**terms), customer)


def line(id: str = "l1", price: int = 12000, quantity: int = 1, **more: Any) -> dict[str, Any]:
    return {"id": id, "unit_price_fen": price, "quantity": quantity, **more}


def order(id: str = "o1", customer: str | None = "alice", *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """One line of 120.00 unless told otherwise."""
    said = {"id": id, "client": "app", "lines": list(lines) or [line()], **more}
    return said if customer is None else {**said, "customer": customer}


def status(coupon: str) -> str:
    return Coupon.objects.get(pk=UUID(coupon)).status


def purse() -> tuple[int, int]:
    """Committed and spent, of all budgets."""
    sums = Budget.objects.aggregate(committed=Sum("committed_fen"), spent=Sum("spent_fen"))
    return sums["committed"] or 0, sums["spent"] or 0


def everything() -> Any:
    """What a use writes; equal before and after a refusal."""
    return (
        sorted(Coupon.objects.values_list("pk", "status", "committed_fen", "held_until", "redemption_id")),
        CouponEvent.objects.count(),
        sorted(Order.objects.values_list("key", "deducted_fen", "finished_at", "goods_fen")),
        sorted(Redemption.objects.values_list("pk", "status", "discount_fen", "returned_fen", "held_until")),
        sorted(RedemptionLine.objects.values_list("pk", "discount_fen", "returned_fen")),
        Answer.objects.count(),
        sorted(Customer.objects.values_list("pk", "order_count", "gross_fen", "deducted_fen")),
        sorted(CustomerDay.objects.values_list("pk", "order_count", "gross_fen", "deducted_fen")),
        purse(),
    )
