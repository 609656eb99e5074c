"""商户端: shops with a counter, who stands there, and what they redeemed."""

from django.contrib.auth.hashers import check_password, make_password
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from coupons.models import Category, City, Merchant
from coupons.models.keys import KEY_LENGTH, key_validator
from coupons.rules import BusinessMode
from redemption.models.redemptions import Redemption


class Shop(models.Model):
    """门店. What a coupon's rules ask of an order, the shop answers for the bill there: where, for what, whose."""

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), related_name="shops")
    name = models.CharField(_("name"), max_length=60)
    city = models.ForeignKey(City, models.PROTECT, verbose_name=_("city"), null=True, blank=True)
    lat = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    lng = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    category = models.ForeignKey(
        Category,
        models.PROTECT,
        verbose_name=_("category"),
        null=True,
        blank=True,
        help_text=_("What is sold here, for coupons that are for certain categories."),
    )
    business_line = models.CharField(
        _("business line"), max_length=KEY_LENGTH, null=True, blank=True, validators=[key_validator]
    )
    business_mode = models.CharField(_("business mode"), max_length=16, choices=BusinessMode, null=True, blank=True)
    takes_platform_coupons = models.BooleanField(
        _("takes the platform's coupons"),
        default=True,
        help_text=_("Coupons that are no single merchant's. Off: this merchant's own coupons alone."),
    )
    is_active = models.BooleanField(_("open"), default=True, help_text=_("Closed: nobody redeems here."))

    class Meta:
        verbose_name = _("shop")
        verbose_name_plural = _("shops")
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(
                condition=Q(lat__isnull=True, lng__isnull=True) | Q(lat__isnull=False, lng__isnull=False),
                name="shop_position_is_whole",
                violation_error_message=_("Latitude and longitude, or neither."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def position(self) -> tuple[float, float] | None:
        """In WGS-84."""
        return None if self.lat is None or self.lng is None else (self.lat, self.lng)


class Clerk(models.Model):
    """店员: an account for one shop's counter, and for nothing else; no user of the back office."""

    shop = models.ForeignKey(Shop, models.PROTECT, verbose_name=_("shop"), related_name="clerks")
    username = models.CharField(
        _("sign-in name"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9_.-]*\Z", _("Lower-case letters, digits and _ . - only."))],
    )
    name = models.CharField(_("name"), max_length=40)
    password = models.CharField(_("password"), max_length=128, editable=False)
    is_active = models.BooleanField(_("active"), default=True)
    signed_in_at = models.DateTimeField(_("last sign-in"), null=True, editable=False)

    class Meta:
        verbose_name = _("shop staff")
        verbose_name_plural = _("shop staff")
        ordering = ["username"]

    def __str__(self) -> str:
        return self.name

    def set_password(self, raw: str) -> None:
        self.password = make_password(raw)

    def has_password(self, raw: str) -> bool:
        return check_password(raw, self.password)

    @property
    def session_mark(self) -> str:
        """Another password is another mark: sessions begun before end."""
        return salted_hmac("redemption.clerk", f"{self.pk}:{self.password}").hexdigest()[:20]

    @property
    def by(self) -> str:
        """As the ledger names them."""
        return f"clerk:{self.username}"


class CounterUse(models.Model):
    """A redemption made at a counter; its order is the bill."""

    redemption = models.OneToOneField(
        Redemption, models.PROTECT, primary_key=True, related_name="counter_use", db_constraint=False
    )
    shop = models.ForeignKey(Shop, models.PROTECT, verbose_name=_("shop"), db_index=False)
    clerk = models.ForeignKey(Clerk, models.PROTECT, verbose_name=_("shop staff"), db_index=False)
    at = models.DateTimeField(_("when"))
    bill_fen = models.BigIntegerField(_("bill"))
    undone_at = models.DateTimeField(_("undone at"), null=True)

    class Meta:
        verbose_name = _("use at a counter")
        verbose_name_plural = _("uses at counters")
        indexes = [models.Index(fields=["shop", "at"], name="counter_use_of_shop")]
