"""`customers/`: who they are and what is known about them, told by the systems that know."""

from typing import Annotated, Any, Literal, Self

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import extend_schema
from pydantic import BaseModel, Field, model_validator

from coupons.api.callers import Caller
from coupons.api.door import Door, answer, read
from coupons.api.shapes import MOST_ROWS, Id, Key, Moment, Shape, Share, Text60, wrong_at
from coupons.queries import catalogue
from coupons.telling import Told, tell

MOST_TAGS_TOLD = 200
MOST_LINES_TOLD = 50

Tags = Annotated[list[Id], Field(max_length=MOST_TAGS_TOLD)]


class LineFactsIn(Shape):
    """All orders ever in this business line."""

    orders: Annotated[int, Field(strict=True, ge=0, le=1_000_000)]
    first_order_at: Moment | None = None
    last_order_at: Moment | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        names = [name for name in ("first_order_at", "last_order_at") if getattr(self, name) is not None]
        if names and not self.orders:
            raise wrong_at("line", [((name,), "zero_has_no_dates", None) for name in names])
        return self


class FactsIn(Shape):
    """Told as null, a fact is unknown again; left out, it stays."""

    sensitivity: Share | None = None
    churn_probability: Share | None = None
    rival_app: bool | None = None
    business_lines: Annotated[dict[Key, LineFactsIn | None], Field(max_length=MOST_LINES_TOLD)] = {}


class TagsIn(Shape):
    add: Tags = []
    remove: Tags = []


class CustomerIn(Shape):
    key: Key
    phone: Text60 | None = Field(None, examples=["+8613800138000"])
    wechat_id: Id | None = Field(
        None, description="The WeChat unionid, or the openid where there is one app. Kept as a digest alone."
    )
    nickname: Text60 | None = None
    city: Id | None = Field(None, description="GB/T 2260 code, as 310000.")
    registered_at: Moment | None = None
    facts: FactsIn = FactsIn()
    tags: TagsIn = TagsIn()

    def told(self) -> Told:
        told: dict[str, Any] = self.model_dump(exclude_unset=True, exclude={"facts", "tags"})
        told |= self.facts.model_dump(exclude_unset=True)
        if self.tags.add or self.tags.remove:
            told |= {"tags_added": self.tags.add, "tags_removed": self.tags.remove}
        return told  # type: ignore[return-value]


class CustomersIn(Shape):
    customers: Annotated[list[CustomerIn], Field(max_length=MOST_ROWS)]

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[str] = set()
        twice = []
        for place, customer in enumerate(self.customers):
            if customer.key in seen:
                twice.append((("customers", place, "key"), "duplicate", None))
            seen.add(customer.key)
        if twice:
            raise wrong_at("customers", twice)
        return self


class FieldError(BaseModel):
    field: str
    code: str
    detail: str


class HeardOut(BaseModel):
    key: str
    status: Literal["created", "updated", "unchanged", "error"]
    errors: list[FieldError]


class CustomersOut(BaseModel):
    results: list[HeardOut]


class Customers(Door):
    who = {"POST": frozenset({"profile"})}

    @extend_schema(operation_id="customers_tell", request=CustomersIn, responses=CustomersOut)
    def post(self, request: HttpRequest, caller: Caller) -> HttpResponse:
        """Create or update up to 1,000 customers.

        What is wrong with the body's form (types, ranges, unknown fields) refuses it whole. A row that makes no sense
        (an unknown city, no phone number, a last order before the first) is an error of its own; the others count.
        """
        body = read(request, CustomersIn)
        heard = tell([customer.told() for customer in body.customers], now=catalogue.business_now(), by=caller.name)
        return answer({"results": [row._asdict() for row in heard]})
