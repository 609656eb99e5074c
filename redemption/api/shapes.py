"""Bodies and answers of quotes, redemptions and orders."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from django.utils.translation import gettext as _
from pydantic import BaseModel, Field, model_validator

from coupons.api.callers import Caller
from coupons.api.outgoing import Reason
from coupons.api.shapes import MOST_ROWS, Fen, Id, Key, Moment, OrderIn, Quantity, Shape, wrong_at
from coupons.queries import catalogue
from coupons.refused import Invalid, Refused
from redemption.pricing import Line
from redemption.queries.basket import SHIPPING, Basket

MOST_COUPONS = 20
MOST_QUOTED = 200


class UseIn(Shape):
    @model_validator(mode="after")
    def _each_once(self) -> Self:
        coupons: list[str] = getattr(self, "coupons", None) or []
        if len(set(coupons)) < len(coupons):
            twice = [place for place, coupon in enumerate(coupons) if coupon in coupons[:place]]
            raise wrong_at("use", [(("coupons", place), "duplicate", None) for place in twice])
        return self


class QuoteIn(UseIn):
    order: OrderIn
    coupons: Annotated[list[Id], Field(min_length=1, max_length=MOST_QUOTED)] | None = None


class RedemptionIn(UseIn):
    order: OrderIn
    coupons: Annotated[list[Id], Field(min_length=1, max_length=MOST_COUPONS)]
    capture: bool = Field(True, description="False: hold the coupons for the order.")


class NothingIn(Shape):
    """No more is to be said."""


class GivenIn(Shape):
    id: Id = Field(description='A line of the order; "shipping" is the shipping fee.')
    quantity: Quantity | None = Field(None, description="Left out: all that is left of the line.")


class RollbackIn(Shape):
    lines: Annotated[list[GivenIn], Field(min_length=1, max_length=501)] | None = Field(
        None, description="Left out: all that is left of the order."
    )
    reason: Literal["refunded", "cancelled", "unpaid"] = Field(
        "refunded", description="Why; what becomes of the coupons goes by their templates' tables."
    )

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [line.id for line in self.lines or ()]
        if len(set(ids)) < len(ids):
            twice = [place for place, id in enumerate(ids) if id in ids[:place]]
            raise wrong_at("rollback", [(("lines", place, "id"), "duplicate", None) for place in twice])
        return self


class OrderToldIn(OrderIn):
    customer: Key
    finished_at: Moment | None = Field(None, description="When it was finished; left out: when it was placed, or now.")
    discount_fen: Fen = Field(0, description="What was taken off by others than our coupons.")


class OrdersIn(Shape):
    orders: Annotated[list[OrderToldIn], Field(max_length=MOST_ROWS)]


# --- answers -------------------------------------------------------------------------------------------------------


class LineOut(BaseModel):
    id: str
    discount_fen: int


class BestOut(BaseModel):
    coupons: list[UUID] = Field(description="In the order in which they are taken off; empty if nothing fits.")
    discount_fen: int
    shipping_discount_fen: int
    payable_fen: int
    lines: list[LineOut]


class WhyBestOut(BaseModel):
    detail: str
    ahead_fen: int = Field(description="How much more it takes off than the next choice.")


class UsableOut(BaseModel):
    coupon: UUID
    discount_fen: int
    shipping_discount_fen: int
    lines: list[LineOut]


class UnusableOut(BaseModel):
    coupon: UUID
    reasons: list[Reason]


class QuoteOut(BaseModel):
    best: BestOut
    why_best: WhyBestOut | None = Field(description="Beside the next best choice; null without another choice.")
    usable: list[UsableOut]
    unusable: list[UnusableOut]


class CostOut(BaseModel):
    platform_fen: int
    merchant_fen: int


class RedemptionOut(BaseModel):
    id: UUID
    status: Literal["held", "redeemed", "released"]
    held_until: datetime | None
    order: str
    coupons: list[UUID]
    discount_fen: int
    shipping_discount_fen: int
    payable_fen: int
    lines: list[LineOut]
    cost: CostOut


class GivenBackOut(BaseModel):
    id: str
    quantity: int
    returned_fen: int


class CouponAfterOut(BaseModel):
    id: UUID
    status: Literal["available", "redeemed", "expired", "void"]


class RollbackOut(BaseModel):
    id: UUID
    status: Literal["redeemed", "rolled_back"]
    order: str
    returned_fen: int
    withheld_fen: int = Field(
        description="Of it, what coupons that came back took off lines that stay: to be withheld from the refund."
    )
    lines: list[GivenBackOut]
    cost: CostOut
    coupons: list[CouponAfterOut]


class OrderTakenOut(BaseModel):
    id: str
    status: Literal["created", "updated", "unchanged", "error"]
    errors: list[dict[str, Any]]


class OrdersOut(BaseModel):
    results: list[OrderTakenOut]


# --- from bodies to what the steps take ----------------------------------------------------------------------------


def basket_of(order: OrderIn, caller: Caller, now: datetime) -> Basket:
    """The order that somebody asks about.

    :raises Invalid: naming the field: another's customer, an unknown city, a line with a reserved id.
    """
    customer = caller.customer_for(order.customer, "order.customer")
    if order.city is not None and order.city not in catalogue.current().cities:
        raise Invalid.of("order.city", "unknown_key", _("There is no such city."))
    return basket(order, customer, now, "order")


def basket(order: OrderIn, customer: str, now: datetime, path: str) -> Basket:
    lines = tuple(
        Line(line.id, line.category, line.merchant, line.sku, line.unit_price_fen, line.quantity)
        for line in order.lines
    )
    for place, line in enumerate(lines):
        if line.id == SHIPPING:
            raise Invalid.of(f"{path}.lines.{place}.id", "reserved", _("This is the name of the shipping fee."))
    return Basket(
        order.id,
        customer,
        order.placed_at or now,
        order.client,
        order.business_mode,
        order.business_line,
        order.city,
        None if order.position is None else order.position.wgs84,
        lines,
        order.shipping_fen,
    )


def ids(coupons: list[str]) -> list[UUID]:
    """:raises Refused: "not_found": no id of ours looks like that."""
    return [id_of(coupon) for coupon in coupons]


def id_of(text: str) -> UUID:
    try:
        id = UUID(text)
    except ValueError:
        raise Refused("not_found") from None
    if str(id) != text.lower():
        raise Refused("not_found")
    return id
