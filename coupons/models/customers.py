"""Customers and what is known about them. A fact that was never told is NULL, which is not false."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from simple_history.models import HistoricalRecords

from coupons.models.keys import KEY_LENGTH, key_validator
from coupons.models.places import City

_SHARE = [MinValueValidator(0), MaxValueValidator(1)]


class Customer(models.Model):
    """One account. Totals over orders are kept here and per line and day, so that Python and SQL read one number."""

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    phone = models.CharField(_("phone"), max_length=20, blank=True, db_index=True)
    #: A digest of the WeChat account: who it is we need not know, only whether two are one.
    wechat = models.UUIDField(_("WeChat account"), null=True, blank=True, editable=False, db_index=True)
    nickname = models.CharField(_("nickname"), max_length=60, blank=True)
    city = models.ForeignKey(City, models.PROTECT, verbose_name=_("city"), null=True, blank=True)
    registered_at = models.DateTimeField(_("registered at"), null=True, blank=True)
    created_at = models.DateTimeField(_("first heard of"), auto_now_add=True)
    facts_at = models.DateTimeField(_("facts told at"), null=True, blank=True)
    #: Of each fact when it was told, and by whom: ``key:5``, ``user:anna``, ``file:17`` (a job). See :class:`Fact`.
    sensitivity_at = models.DateTimeField(_("coupon sensitivity told at"), null=True, editable=False)
    sensitivity_source = models.CharField(_("coupon sensitivity told by"), max_length=80, null=True, editable=False)
    churn_probability_at = models.DateTimeField(_("churn probability told at"), null=True, editable=False)
    churn_probability_source = models.CharField(
        _("churn probability told by"), max_length=80, null=True, editable=False
    )
    rival_app_at = models.DateTimeField(_("rival app told at"), null=True, editable=False)
    rival_app_source = models.CharField(_("rival app told by"), max_length=80, null=True, editable=False)
    tags_at = models.DateTimeField(_("tags told at"), null=True, editable=False)
    tags_source = models.CharField(_("tags told by"), max_length=80, null=True, editable=False)

    sensitivity = models.DecimalField(
        _("coupon sensitivity"), max_digits=5, decimal_places=4, null=True, blank=True, validators=_SHARE
    )
    churn_probability = models.DecimalField(
        _("churn probability"), max_digits=5, decimal_places=4, null=True, blank=True, validators=_SHARE
    )
    rival_app = models.BooleanField(_("has a rival app"), null=True, blank=True)
    tags = ArrayField(models.CharField(max_length=KEY_LENGTH), verbose_name=_("tags"), default=list, blank=True)

    order_count = models.IntegerField(_("orders"), default=0)
    first_order_at = models.DateTimeField(_("first order"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order"), null=True, blank=True)
    gross_fen = models.BigIntegerField(_("original price of all orders"), default=0)
    deducted_fen = models.BigIntegerField(_("deducted in all orders"), default=0)

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        ordering = ["-id"]
        indexes = [GinIndex(fields=["tags"], name="customer_tags")]
        constraints = [
            models.CheckConstraint(condition=Q(order_count__gte=0), name="customer_orders_positive"),
            models.CheckConstraint(
                condition=Q(sensitivity__isnull=True) | Q(sensitivity__gte=0, sensitivity__lte=1),
                name="customer_sensitivity_is_share",
            ),
            models.CheckConstraint(
                condition=Q(churn_probability__isnull=True) | Q(churn_probability__gte=0, churn_probability__lte=1),
                name="customer_churn_is_share",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.nickname} {self.key}".strip()


class Fact(models.Model):
    """What outside data work tells of customers, and how long that is believed."""

    class Code(models.TextChoices):
        SENSITIVITY = "sensitivity", _("coupon sensitivity")
        CHURN_PROBABILITY = "churn_probability", _("churn probability")
        RIVAL_APP = "rival_app", _("has a rival app")
        TAGS = "tags", _("tags")

    code = models.CharField(_("fact"), max_length=20, choices=Code, primary_key=True, editable=False)
    most_days = models.PositiveIntegerField(
        _("believed for, days"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(3660)],
        help_text=_("A fact told longer ago counts as unknown, and unknown refuses. Empty: it never grows old."),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("fact")
        verbose_name_plural = _("facts")
        ordering = ["code"]

    def __str__(self) -> str:
        return str(self.get_code_display())


class Band(models.Model):
    """A range of coupon sensitivity that has a name, both ends inside; chosen in a condition, the range is stored."""

    name = models.CharField(_("name"), max_length=20, unique=True)
    low = models.DecimalField(_("from"), max_digits=5, decimal_places=4, validators=_SHARE)
    high = models.DecimalField(_("to"), max_digits=5, decimal_places=4, validators=_SHARE)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("sensitivity band")
        verbose_name_plural = _("sensitivity bands")
        ordering = ["-high", "-low"]
        constraints = [
            models.CheckConstraint(
                condition=Q(low__gte=0, high__lte=1, low__lte=F("high")),
                name="band_is_range",
                violation_error_message=_("The end must not be below the beginning."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.low.normalize():f}–{self.high.normalize():f})"

    def clean(self) -> None:
        if self.low is None or self.high is None:
            return
        other = Band.objects.exclude(pk=self.pk).filter(low__lte=self.high, high__gte=self.low).first()
        if other:
            raise ValidationError(_("It overlaps %(band)s."), "overlaps", {"band": other})


class CustomerLine(models.Model):
    """What a customer did in one business line (ride, food …)."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="lines")
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH)
    order_count = models.IntegerField(_("orders"), default=0)
    first_order_at = models.DateTimeField(_("first order"), null=True, blank=True)
    last_order_at = models.DateTimeField(_("last order"), null=True, blank=True)

    class Meta:
        verbose_name = _("business line of a customer")
        verbose_name_plural = _("business lines of customers")
        constraints = [models.UniqueConstraint(fields=["customer", "business_line"], name="customer_line_once")]


class Activity(models.TextChoices):
    """活跃度: a customer's finished orders of the thirty days that end with a day."""

    NONE = "none", _("no orders in 30 days")
    LOW = "low", _("1 to 3 orders in 30 days")
    MIDDLE = "middle", _("4 to 9 orders in 30 days")
    HIGH = "high", _("10 orders or more in 30 days")


class CustomerDay(models.Model):
    """A customer's finished orders of one day (business time zone), for "in the last N days"."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="days")
    day = models.DateField(_("day"))
    order_count = models.IntegerField(_("orders"), default=0)
    gross_fen = models.BigIntegerField(_("original price"), default=0)
    deducted_fen = models.BigIntegerField(_("deducted"), default=0)

    class Meta:
        verbose_name = _("day of a customer")
        verbose_name_plural = _("days of customers")
        constraints = [
            models.UniqueConstraint(fields=["customer", "day"], name="customer_day_once"),
            models.CheckConstraint(
                condition=Q(deducted_fen__gte=0, deducted_fen__lte=F("gross_fen")), name="customer_day_adds_up"
            ),
        ]
