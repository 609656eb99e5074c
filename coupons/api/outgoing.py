"""What answers are made of, for the OpenAPI file. Answers themselves are written as bytes."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field


class WordingOut(BaseModel):
    short: str = Field(examples=["满100减20 · 限周末"])
    rules: list[str] = Field(description="Every rule as a sentence, in the language that was asked for.")


class DiscountOut(BaseModel):
    type: Literal["amount_off", "percent_off", "no_threshold"]
    amount_fen: int | None = None
    threshold_fen: int | None = None
    percent_off: str | None = Field(None, description="20: the customer pays 80 %.")
    cap_fen: int | None = None


class CouponOut(BaseModel):
    id: UUID
    code: str = Field(description="What the merchant's counter scans.")
    status: Literal["available", "held", "redeemed", "expired", "void"]
    template: str
    name: str
    wording: WordingOut
    discount: DiscountOut
    valid_from: datetime
    valid_until: datetime
    ended_at: datetime | None = Field(None, description="When it was redeemed, became void or expired.")
    looks: dict[str, Any]
    placement: str | None


class PresentationOut(BaseModel):
    token: str = Field(description="To be shown to the counter as a QR code; ask again every minute.")
    valid_until: datetime


class InWalletOut(CouponOut):
    unusable: list["Reason"] = Field([], description="Why its customer could not use it now, whatever the order.")


class OneCouponOut(InWalletOut):
    presentation: PresentationOut | None = Field(
        None, description="With `show=true`, while the coupon can be used; else null."
    )


class CouponPage(BaseModel):
    next: str | None
    previous: str | None
    results: list[InWalletOut]


class CouponsOut(BaseModel):
    coupons: list[CouponOut]


class Reason(BaseModel):
    code: str
    detail: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    reasons: list[Reason]
    errors: list[dict[str, str]]
