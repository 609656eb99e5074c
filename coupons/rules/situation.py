"""What a condition may look at: one customer's facts, and the moment. Both are plain data, read beforehand."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Client(TextChoices):
    """使用渠道: what the customer holds in hand."""

    APP = "app", _("app")
    WECHAT = "wechat", _("WeChat")
    MINI_PROGRAM = "mini_program", _("mini program")
    OPEN_PLATFORM = "open_platform", _("open platform")
    COUNTER = "counter", _("shop counter")


class BusinessMode(TextChoices):
    """业务模式: whose service the order is."""

    SELF_OPERATED = "self_operated", _("self-operated")
    AGENT = "agent", _("agent")


@dataclass(slots=True, frozen=True)
class LineFacts:
    """A customer's orders in one business line."""

    order_count: int
    last_order_at: datetime | None = None


@dataclass(slots=True, frozen=True)
class DayFacts:
    """A customer's finished orders of one day of the business time zone."""

    order_count: int
    gross_fen: int
    deducted_fen: int


@dataclass(slots=True, frozen=True)
class Profile:
    """What is known about one customer; None: never told. ``id`` None: never heard of before now."""

    id: int | None
    key: str
    city: str | None = None
    registered_at: datetime | None = None
    sensitivity: Decimal | None = None
    churn_probability: Decimal | None = None
    rival_app: bool | None = None
    tags: frozenset[str] = frozenset()
    order_count: int = 0
    last_order_at: datetime | None = None
    gross_fen: int = 0
    deducted_fen: int = 0
    lines: Mapping[str, LineFacts] = field(default_factory=dict)
    days: Mapping[date, DayFacts] = field(default_factory=dict)
    #: When each fact was told, by its code.
    told_at: Mapping[str, datetime | None] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Situation:
    """When, where, through what. None: not known, and unknown refuses.

    ``now`` is aware and in the business time zone. ``areas``: keys of the areas the position lies in, None without a
    position. ``weather``: kinds now true in the city, None if nobody knows. ``festivals``: codes of the day.
    """

    now: datetime
    client: str | None = None
    city: str | None = None
    areas: frozenset[str] | None = None
    weather: frozenset[str] | None = None
    festivals: frozenset[str] = frozenset()
    business_mode: str | None = None
    business_line: str | None = None
