"""The shape of a campaign as one document: structure and types alone. Whether it makes sense, ``saving`` asks."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from coupons.api.shapes import (
    CityKey,
    Count,
    Fen,
    Id,
    JsonObject,
    Key,
    Moment,
    Percent,
    PositiveFen,
    Shape,
    Text40,
    Text60,
    Text100,
    wrong,
    wrong_at,
)
from coupons.mapping import geometry_of
from coupons.models.checks import area_fault
from coupons.pictures import MOST_BYTES
from coupons.rules.looks import PICTURE
from distribution.models.shares import MOST_SLOTS
from distribution.models.triggers import MOST_MINUTES, MOST_TESTS

MOST_TEMPLATES = 200
MOST_PLACES = 1000
MOST_DAYS = 3650


def _one_decimal(percent: Decimal) -> Decimal:
    if percent * 10 % 1:
        raise wrong("too_many_decimals", 1)
    return percent


Minutes = Annotated[int, Field(strict=True, ge=0, le=MOST_MINUTES)]
Days = Annotated[int, Field(strict=True, ge=1, le=MOST_DAYS)]
PercentOff = Annotated[Percent, Field(ge=Decimal("0.01"), le=Decimal("99.99"))]
PercentShare = Annotated[Percent, Field(ge=0, le=100)]
ControlPercent = Annotated[Percent, AfterValidator(_one_decimal), Field(ge=0, le=100)]
CityKeys = Annotated[list[CityKey], Field(max_length=MOST_PLACES)]
Keys = Annotated[list[Key], Field(max_length=MOST_PLACES)]


def _area(geojson: dict[str, Any]) -> dict[str, Any]:
    geojson = geometry_of(geojson)
    fault = area_fault(geojson)
    if fault:
        raise wrong("invalid_area", fault.sentence)
    return geojson


class NamedIn(Shape):
    key: Key
    name: Text100


class AreaIn(NamedIn):
    geojson: Annotated[
        dict[str, Any], AfterValidator(_area), Field(description="GeoJSON Polygon or MultiPolygon, in its datum.")
    ]
    datum: Literal["wgs84", "gcj02", "bd09"] = Field("wgs84", description="What it is drawn in; kept is WGS-84.")

    @model_validator(mode="after")
    def _in_wgs84(self) -> Self:
        if self.datum == "wgs84":
            return self
        return self.model_copy(update={"geojson": geometry_of(self.geojson, self.datum), "datum": "wgs84"})


class CustomDayIn(Shape):
    """First and last day included."""

    first_date: date
    last_date: date
    city: CityKey | None = Field(None, description="Null or absent: everywhere.")


class CustomIn(NamedIn):
    """Days of the company's own, which rules name as ``custom:KEY``."""

    days: Annotated[list[CustomDayIn], Field(max_length=MOST_TEMPLATES)] | None = Field(
        None, description="Left out: they stay as they are."
    )


class PictureIn(Shape):
    """A picture that looks or pages name by its address, as it is kept."""

    address: Annotated[str, Field(pattern=f"^{PICTURE.pattern}$")]
    data: Annotated[str, Field(max_length=MOST_BYTES * 4 // 3 + 4, description="Its bytes, in base64.")]


class AudienceIn(NamedIn):
    conditions: JsonObject = {}


class GoalIn(Shape):
    metric: Literal["issued", "redeemed", "new_customers", "gmv_fen"]
    target: Annotated[int, Field(strict=True, ge=1, le=10**12)] | None = None


class ValidityIn(Shape):
    """``days`` for ``days_after_claim``; ``starts_at`` and ``ends_at`` for ``period``, half-open."""

    type: Literal["claim_day", "days_after_claim", "period"]
    days: Days | None = None
    starts_after_days: Annotated[int, Field(strict=True, ge=0, le=MOST_DAYS)] | None = None
    starts_at: Moment | None = None
    ends_at: Moment | None = None


class ReleaseIn(Shape):
    starts_at: Moment | None = None
    ends_at: Moment | None = None
    weekdays: Annotated[list[int], Field(max_length=31, description="1–7, Monday first.")] | None = None
    month_days: Annotated[list[int], Field(max_length=62, description="1–31; -1 is the last.")] | None = None
    hours: Annotated[list[list[Text60]], Field(max_length=24, examples=[[["10:00", "22:00"]]])] | None = None


class CostIn(Shape):
    merchant_percent: PercentShare | None = None
    merchant_fen: Fen | None = None


class LimitsIn(Shape):
    """Null or absent: no limit; 0: none at all."""

    total_count: Count | None = None
    total_fen: Fen | None = None
    daily_count: Count | None = None
    daily_fen: Fen | None = None
    customer_count: Count | None = None
    customer_fen: Fen | None = None
    customer_daily_count: Count | None = None
    customer_daily_fen: Fen | None = None


class ScopeIn(Shape):
    """Empty: all goods."""

    categories: Keys | None = None
    merchants: Keys | None = None
    skus: Annotated[list[Id], Field(max_length=MOST_PLACES)] | None = None
    shipping: bool | None = None


class TemplateIn(Shape):
    key: Key
    internal_name: Text100
    name: Text40
    type: Literal["amount_off", "percent_off", "no_threshold"]
    amount_fen: PositiveFen | None = None
    threshold_fen: PositiveFen | None = None
    percent_off: PercentOff | None = None
    cap_fen: PositiveFen | None = None
    validity: ValidityIn
    release: ReleaseIn | None = None
    claim_cities: CityKeys | None = None
    category: Key | None = None
    merchant: Key | None = None
    cost: CostIn | None = None
    limits: LimitsIn | None = None
    newcomer: bool = False
    exclusive_group: Key | None = None
    stack_group: Key | None = None
    claim_conditions: JsonObject | None = None
    use_conditions: JsonObject | None = None
    scope: ScopeIn | None = None
    returns_on_rollback: bool = True
    reversal: JsonObject | None = Field(
        None, description="Case by case, beside `returns_on_rollback`: `returns`, `grace` or `stays`; `grace_days`."
    )
    looks: JsonObject | None = Field(
        None,
        description="`design` (classic, sunrise, lake, night, festive, fresh, plain), `color` and `text_color` "
        "(#rrggbb, with a contrast of 4.5 or more), `badge` (10 characters), `picture` (the address of an uploaded "
        "one); other names are kept. Left out: they stay as they are.",
    )
    status: Literal["draft", "awaiting_approval", "live", "paused", "ended"] | None = Field(
        None, description="Left out: it stays as it is; of a new one, draft."
    )


class OfferIn(Shape):
    template: Key
    audience: Key | None = None
    weight: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = 1


class MessageIn(NamedIn):
    """Words that a trigger sends with what it gives."""

    name: Text60
    channel: Literal["sms", "push"] = "sms"
    occasion: Literal["sign_in", "issued", "reminder"]
    title: Annotated[str, Field(max_length=60)] = ""
    text: Annotated[str, Field(min_length=1, max_length=500)]
    provider_template: Annotated[str, Field(max_length=64)] = ""
    is_urgent: bool = False
    is_active: bool = True


class TriggerIn(Shape):
    """What sets a placement of the form ``trigger`` off."""

    event: Annotated[str, Field(max_length=48)]
    tests: Annotated[list[JsonObject], Field(max_length=MOST_TESTS)] = []
    conditions: JsonObject = {}
    cooldown_minutes: Minutes = 24 * 60
    fresh_minutes: Minutes = 60
    message: Key | None = None


class ShareIn(Shape):
    """How packets of a placement in the channel ``share`` are cut."""

    slots_count: Annotated[int, Field(strict=True, ge=1, le=MOST_SLOTS)] = 10
    pot_fen: PositiveFen
    split: Literal["luck", "even"] = "luck"
    hours: Annotated[int, Field(strict=True, ge=1, le=24 * 90)] = 24
    sharer_takes: bool = False


class PageIn(Shape):
    """The H5 page of a placement of the form ``h5``."""

    slug: Annotated[str, Field(max_length=40, description="The page is at /h5/slug/.")]
    title: Text40
    lead: Annotated[str, Field(max_length=120)] = ""
    button: Annotated[str, Field(max_length=12)] = ""
    notes: Annotated[str, Field(max_length=1000)] = ""
    picture: Annotated[str, Field(max_length=120, description="The address of the head picture.")] = ""
    skin: Literal["festive", "fresh", "sky", "night", "plain"] = "festive"
    accent: Annotated[str, Field(max_length=7)] = ""
    background: Annotated[str, Field(max_length=7)] = ""
    use_label: Annotated[str, Field(max_length=20)] = ""
    use_url: Annotated[str, Field(max_length=300)] = ""
    share_title: Annotated[str, Field(max_length=40)] = ""
    share_text: Annotated[str, Field(max_length=80)] = ""
    with_wechat: bool = True


class PlacementIn(Shape):
    key: Key
    title: Text60 | None = Field(None, description="Left out: it stays as it is.")
    channel: Literal[
        "points_mall",
        "home_popup",
        "coupon_center",
        "merchant_page",
        "review_reward",
        "flash_sale",
        "share",
        "wechat_follow",
        "open_platform",
        "web_search",
        "street_team",
        "partner",
    ]
    form: Literal["api", "code", "h5", "bind", "trigger"] = "api"
    pick: Literal["first", "all", "random"] = "first"
    offers: Annotated[list[OfferIn], Field(max_length=MOST_TEMPLATES)] = []
    trigger: TriggerIn | None = Field(None, description="Left out: it stays as it is.")
    share: ShareIn | None = Field(None, description="Left out: it stays as it is.")
    page: PageIn | None = Field(None, description="Left out: it stays as it is.")
    status: Literal["draft", "live", "paused", "ended"] | None = Field(
        None, description="Left out: it stays as it is; of a new one, draft."
    )


class Document(Shape):
    """A whole campaign: what is named here is described whole; what is not named stays as it is."""

    key: Key
    name: Text100
    goal: GoalIn | None = None
    budget_fen: Fen | None = Field(None, description="Null or absent: no limit.")
    starts_at: Moment
    ends_at: Moment
    control_percent: ControlPercent | None = Field(
        None, description="Percent of its customers who get nothing, one decimal at most. Left out: it stays as it is."
    )
    categories: Annotated[list[NamedIn], Field(max_length=MOST_PLACES)] = []
    merchants: Annotated[list[NamedIn], Field(max_length=MOST_PLACES)] = []
    areas: Annotated[list[AreaIn], Field(max_length=MOST_TEMPLATES)] = []
    customs: Annotated[list[CustomIn], Field(max_length=MOST_TEMPLATES)] = []
    audiences: Annotated[list[AudienceIn], Field(max_length=MOST_TEMPLATES)] = []
    messages: Annotated[list[MessageIn], Field(max_length=MOST_TEMPLATES)] = []
    pictures: Annotated[list[PictureIn], Field(max_length=MOST_TEMPLATES)] = []
    templates: Annotated[list[TemplateIn], Field(max_length=MOST_TEMPLATES)] = []
    placements: Annotated[list[PlacementIn], Field(max_length=MOST_TEMPLATES)] = []
    accepted_warnings: dict[Key, dict[Key, Text100]] | None = Field(
        None,
        description="By template, then by code of a warning of the checker: why it is meant. Once it is there,"
        " every warning of a template that goes live must be among them; left out, warnings do not stop anything.",
    )
    results: JsonObject | None = Field(None, description="What came of it, as GET says; read past.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        found: list[tuple[tuple[str | int, ...], str, object]] = []
        if self.starts_at >= self.ends_at:
            found.append((("ends_at",), "ends_before_start", None))
        for name in ("categories", "merchants", "areas", "customs", "audiences", "messages", "templates", "placements"):
            seen: set[str] = set()
            for place, item in enumerate(getattr(self, name)):
                if item.key in seen:
                    found.append(((name, place, "key"), "duplicate", None))
                seen.add(item.key)
        for place, placement in enumerate(self.placements):
            offered: set[tuple[str, str | None]] = set()
            for number, offer in enumerate(placement.offers):
                if (offer.template, offer.audience) in offered:
                    found.append((("placements", place, "offers", number), "duplicate", None))
                offered.add((offer.template, offer.audience))
        if found:
            raise wrong_at("campaign", found)
        return self
