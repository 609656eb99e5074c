from decimal import Decimal
from uuid import uuid4

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from coupons.models import Audience, Budget, CouponTemplate
from coupons.models.keys import KEY_LENGTH, key_validator


class Campaign(models.Model):
    """活动: goal, period, budget and owner; templates and placements hang below it."""

    class Metric(models.TextChoices):
        ISSUED = "issued", _("coupons issued")
        REDEEMED = "redeemed", _("coupons redeemed")
        NEW_CUSTOMERS = "new_customers", _("new customers")
        GMV_FEN = "gmv_fen", _("order value")

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    name = models.CharField(_("name"), max_length=100)
    goal_metric = models.CharField(_("goal"), max_length=16, choices=Metric, default=Metric.REDEEMED)
    goal_target = models.BigIntegerField(
        _("target"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(10**12)]
    )
    budget = models.OneToOneField(Budget, models.PROTECT, verbose_name=_("budget"), related_name="campaign")
    starts_at = models.DateTimeField(_("starts at"))
    ends_at = models.DateTimeField(_("ends at"))
    control_percent = models.DecimalField(
        _("control group, percent"),
        max_digits=4,
        decimal_places=1,
        default=0,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_(
            "Percent of its customers who get nothing, drawn once and for all, so that the effect can be measured. "
            "0: nobody."
        ),
    )
    #: What the draw is keyed with: nobody can reckon who is in, and campaigns draw independently.
    control_secret = models.UUIDField(default=uuid4, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("owner"), null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["control_secret"])

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="campaign_ends_after_start",
                violation_error_message=_("The end must be after the start."),
            ),
            models.CheckConstraint(
                condition=Q(control_percent__gte=0, control_percent__lte=100), name="campaign_control_is_percent"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self.control_percent = self.control_percent or Decimal(0)  # left blank: nobody


class Placement(models.Model):
    """投放: a channel and a form in which offers are made."""

    class Channel(models.TextChoices):
        POINTS_MALL = "points_mall", _("points mall")
        HOME_POPUP = "home_popup", _("home-page red packet")
        COUPON_CENTER = "coupon_center", _("coupon centre")
        MERCHANT_PAGE = "merchant_page", _("merchant page")
        REVIEW_REWARD = "review_reward", _("review reward")
        FLASH_SALE = "flash_sale", _("flash sale")
        SHARE = "share", _("share red packet")
        WECHAT_FOLLOW = "wechat_follow", _("WeChat follow")
        OPEN_PLATFORM = "open_platform", _("open platform")
        WEB_SEARCH = "web_search", _("web search page")
        STREET_TEAM = "street_team", _("street team")
        PARTNER = "partner", _("channel partner")

    class Form(models.TextChoices):
        API = "api", _("issuing API")
        CODE = "code", _("redemption codes")
        H5 = "h5", _("H5 page")
        BIND = "bind", _("binding")
        TRIGGER = "trigger", _("triggered")

    class Pick(models.TextChoices):
        FIRST = "first", _("the first that fits")
        ALL = "all", _("all that fit")
        RANDOM = "random", _("one by luck")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        LIVE = "live", _("live")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    campaign = models.ForeignKey(Campaign, models.PROTECT, verbose_name=_("campaign"), related_name="placements")
    title = models.CharField(_("title"), max_length=60, blank=True)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel, db_index=True)
    form = models.CharField(_("form"), max_length=8, choices=Form, default=Form.API)
    pick = models.CharField(_("customer gets"), max_length=8, choices=Pick, default=Pick.FIRST)
    status = models.CharField(_("state"), max_length=8, choices=Status, default=Status.DRAFT, db_index=True)
    #: Code of a warning of the checker → ``{"reason", "by"}``: why it is meant, beside what its templates say.
    accepted_warnings = models.JSONField(_("warnings that were accepted"), default=dict, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("placement")
        verbose_name_plural = _("placements")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.title or self.key


class Offer(models.Model):
    """One line of a placement: this template, for this audience, in this order or with this weight."""

    placement = models.ForeignKey(Placement, models.CASCADE, related_name="offers")
    position = models.PositiveIntegerField(_("rank"), default=0)
    template = models.ForeignKey(
        CouponTemplate, models.PROTECT, verbose_name=_("coupon template"), related_name="offers"
    )
    audience = models.ForeignKey(
        Audience, models.PROTECT, verbose_name=_("audience"), null=True, blank=True, related_name="offers"
    )
    weight = models.PositiveIntegerField(
        _("weight"), default=1, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )

    class Meta:
        verbose_name = _("offer")
        verbose_name_plural = _("offers")
        ordering = ["placement", "position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["placement", "template", "audience"], name="offer_once", nulls_distinct=False
            )
        ]

    def __str__(self) -> str:
        return f"{self.placement}: {self.template}"
