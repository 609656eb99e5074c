"""The definition of a coupon: its terms (a promise, frozen with the first coupon), its supply (how it is given out)."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from coupons.models.keys import KEY_LENGTH, key_validator
from coupons.models.places import Category, Merchant, Named

MAX_FEN = 10**12

_MONEY = [MinValueValidator(0), MaxValueValidator(MAX_FEN)]


def empty_scope() -> dict[str, Any]:
    return {}


class Audience(Named):
    """人群: a named set of conditions; empty means everyone."""

    conditions = models.JSONField(_("conditions"), default=dict, blank=True)
    history = HistoricalRecords()

    class Meta(Named.Meta):
        verbose_name = _("audience")
        verbose_name_plural = _("audiences")


class Budget(models.Model):
    """A campaign's purse. Worst case is committed at issue, becomes spent at redemption, is freed at expiry and void.

    The steps of ``lifecycle`` alone change the sums; the database refuses to go above the limit.
    """

    limit_fen = models.BigIntegerField(_("budget"), null=True, blank=True, validators=_MONEY)
    committed_fen = models.BigIntegerField(_("committed"), default=0, editable=False)
    spent_fen = models.BigIntegerField(_("spent"), default=0, editable=False)

    class Meta:
        verbose_name = _("budget")
        verbose_name_plural = _("budgets")
        constraints = [
            models.CheckConstraint(condition=Q(committed_fen__gte=0, spent_fen__gte=0), name="budget_never_negative"),
            models.CheckConstraint(
                condition=Q(limit_fen__isnull=True) | Q(limit_fen__gte=F("committed_fen") + F("spent_fen")),
                name="budget_never_exceeded",
                violation_error_message=_("The budget cannot be lower than what is spent and committed."),
            ),
        ]

    @property
    def free_fen(self) -> int | None:
        """None: no limit."""
        return None if self.limit_fen is None else self.limit_fen - self.committed_fen - self.spent_fen


class CouponTemplate(models.Model):
    class Type(models.TextChoices):
        AMOUNT_OFF = "amount_off", _("amount off above a threshold")
        PERCENT_OFF = "percent_off", _("percentage off")
        NO_THRESHOLD = "no_threshold", _("amount off without threshold")

    class Validity(models.TextChoices):
        CLAIM_DAY = "claim_day", _("the day of the claim")
        DAYS_AFTER_CLAIM = "days_after_claim", _("days from the claim")
        PERIOD = "period", _("a fixed period")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        AWAITING = "awaiting_approval", _("awaiting approval")
        LIVE = "live", _("live")
        PAUSED = "paused", _("paused")
        ENDED = "ended", _("ended")

    #: What a customer was promised. Frozen with the first coupon.
    TERMS = (
        "type",
        "amount_fen",
        "threshold_fen",
        "percent_off",
        "cap_fen",
        "validity_type",
        "valid_days",
        "starts_after_days",
        "valid_from",
        "valid_until",
        "category",
        "merchant",
        "merchant_percent",
        "merchant_fen",
        "newcomer",
        "exclusive_group",
        "stack_group",
        "use_conditions",
        "scope",
        "returns_on_rollback",
        "reversal",
        "budget",
    )

    key = models.CharField(_("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    budget = models.ForeignKey(
        Budget, models.PROTECT, verbose_name=_("budget"), related_name="templates", help_text=_("The campaign's purse.")
    )
    internal_name = models.CharField(_("internal name"), max_length=100)
    name = models.CharField(_("name for customers"), max_length=40)
    status = models.CharField(_("state"), max_length=20, choices=Status, default=Status.DRAFT, db_index=True)

    type = models.CharField(_("type"), max_length=16, choices=Type, default=Type.AMOUNT_OFF)
    amount_fen = models.BigIntegerField(
        _("face value"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_FEN)]
    )
    threshold_fen = models.BigIntegerField(
        _("threshold"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(MAX_FEN)]
    )
    percent_off = models.DecimalField(
        _("percent off"),
        max_digits=4,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(Decimal("99.99"))],
        help_text=_("20 means that the customer pays 80 %."),
    )
    cap_fen = models.BigIntegerField(
        pgettext_lazy("cap", "at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_FEN)],
    )

    validity_type = models.CharField(_("valid for"), max_length=20, choices=Validity, default=Validity.DAYS_AFTER_CLAIM)
    valid_days = models.PositiveIntegerField(
        _("days"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(3650)]
    )
    starts_after_days = models.PositiveIntegerField(
        _("starting after days"), default=0, validators=[MaxValueValidator(3650)]
    )
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)

    release = models.JSONField(
        _("release schedule"),
        default=dict,
        blank=True,
        help_text=_("starts_at, ends_at, weekdays, month_days, hours; what is left out does not restrict."),
    )
    claim_cities = ArrayField(
        models.CharField(max_length=6), verbose_name=_("cities where it can be claimed"), default=list, blank=True
    )
    claim_conditions = models.JSONField(_("claim conditions"), default=dict, blank=True)
    use_conditions = models.JSONField(_("use conditions"), default=dict, blank=True)
    scope = models.JSONField(_("scope"), default=empty_scope, blank=True)

    category = models.ForeignKey(Category, models.PROTECT, verbose_name=_("category"), null=True, blank=True)
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), null=True, blank=True)
    merchant_percent = models.DecimalField(
        _("merchant pays, percent"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    merchant_fen = models.BigIntegerField(_("merchant pays, amount"), null=True, blank=True, validators=_MONEY)

    newcomer = models.BooleanField(_("newcomer coupon"), default=False)
    exclusive_group = models.CharField(
        _("exclusive group"), max_length=KEY_LENGTH, null=True, blank=True, validators=[key_validator]
    )
    stack_group = models.CharField(_("stack group"), max_length=KEY_LENGTH, default="order", validators=[key_validator])
    returns_on_rollback = models.BooleanField(_("comes back when the order is rolled back"), default=True)
    reversal = models.JSONField(
        _("case by case"), default=dict, blank=True, help_text=_("Cases that are not named go by the answer above.")
    )
    looks = models.JSONField(_("looks"), default=dict, blank=True)

    accepted_warnings = models.JSONField(
        _("accepted warnings"),
        default=dict,
        blank=True,
        editable=False,
        help_text=_("The checker's, by code: the reason why they are meant, and who said so."),
    )

    version = models.PositiveIntegerField(default=1, editable=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("made by"), null=True, blank=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("approved by"), null=True, blank=True, related_name="+"
    )
    second_approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        verbose_name=_("also approved by"),
        null=True,
        blank=True,
        related_name="+",
    )
    #: 2: what it may cost is above ``SECOND_APPROVAL_ABOVE_FEN``; counted when it is approved.
    approvals_needed = models.PositiveSmallIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    history = HistoricalRecords()

    class Meta:
        verbose_name = _("coupon template")
        verbose_name_plural = _("coupon templates")
        ordering = ["-id"]
        permissions = [("approve_coupontemplate", _("Can approve coupon templates"))]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(type="amount_off", amount_fen__gt=0, threshold_fen__gte=F("amount_fen"))
                    & Q(percent_off__isnull=True, cap_fen__isnull=True)
                )
                | (
                    Q(type="percent_off", percent_off__gt=0, percent_off__lt=100, amount_fen__isnull=True)
                    & (Q(cap_fen__isnull=True) | Q(cap_fen__gt=0))
                )
                | (
                    Q(type="no_threshold", amount_fen__gt=0, threshold_fen__isnull=True)
                    & Q(percent_off__isnull=True, cap_fen__isnull=True)
                ),
                name="template_money_fits_type",
                violation_error_message=_("The amounts do not fit the type."),
            ),
            models.CheckConstraint(
                condition=Q(validity_type="claim_day", valid_days__isnull=True, valid_until__isnull=True)
                | Q(validity_type="days_after_claim", valid_days__gte=1, valid_until__isnull=True)
                | Q(validity_type="period", valid_days__isnull=True, valid_until__gt=F("valid_from")),
                name="template_validity_fits_type",
                violation_error_message=_("The dates do not fit the validity."),
            ),
            models.CheckConstraint(
                condition=Q(merchant_percent__isnull=True) | Q(merchant_fen__isnull=True),
                name="template_one_cost_split",
                violation_error_message=_("The merchant pays a percentage or an amount, not both."),
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | Q(made_by__isnull=True) | ~Q(approved_by=F("made_by")),
                name="template_maker_is_not_approver",
                violation_error_message=_("Whoever makes a coupon cannot approve it."),
            ),
            models.CheckConstraint(
                condition=Q(second_approved_by__isnull=True)
                | Q(approved_by__isnull=False)
                & ~Q(second_approved_by=F("approved_by"))
                & (Q(made_by__isnull=True) | ~Q(second_approved_by=F("made_by"))),
                name="template_two_approvers_differ",
                violation_error_message=_("Two different people have to approve it."),
            ),
            models.CheckConstraint(
                condition=Q(approvals_needed=1)
                | Q(approvals_needed=2) & (~Q(status__in=("live", "paused")) | Q(second_approved_by__isnull=False)),
                name="template_second_approver_there",
                violation_error_message=_("Two different people have to approve it."),
            ),
        ]

    def __str__(self) -> str:
        return self.internal_name

    @property
    def worth_fen(self) -> int | None:
        """The most that one coupon can take off; None: a percentage without a cap."""
        return self.cap_fen if self.type == self.Type.PERCENT_OFF else self.amount_fen

    def worst_case_fen(self, limits: Mapping[str, int | None], budget_fen: int | None) -> int | None:
        """The most that all its coupons together may take off, by these limits and this budget; None: no end to it."""
        count, worth = limits.get("total_count"), self.worth_fen
        bounds = (limits.get("total_fen"), budget_fen, count * worth if None not in (count, worth) else None)  # type: ignore[operator]
        return min((bound for bound in bounds if bound is not None), default=None)

    def clean(self) -> None:
        from coupons.models.checks import check_template  # the checks name other models

        errors = check_template(self)
        if errors:
            raise ValidationError(errors)


class Supply(models.Model):
    """How many a template may give out, and has given out; one row, updated last, under CHECK.

    NULL: no limit; 0: none at all. Amounts count each coupon at its worst case. Issued counters never go down.
    The counters of a day belong to ``day`` and start anew with another day.
    """

    template = models.OneToOneField(CouponTemplate, models.CASCADE, primary_key=True, related_name="supply")
    total_count = models.BigIntegerField(_("in all, number"), null=True, blank=True, validators=_MONEY)
    total_fen = models.BigIntegerField(_("in all, amount"), null=True, blank=True, validators=_MONEY)
    daily_count = models.BigIntegerField(_("a day, number"), null=True, blank=True, validators=_MONEY)
    daily_fen = models.BigIntegerField(_("a day, amount"), null=True, blank=True, validators=_MONEY)
    customer_count = models.BigIntegerField(
        _("per customer, number"), null=True, blank=True, default=1, validators=_MONEY
    )
    customer_fen = models.BigIntegerField(_("per customer, amount"), null=True, blank=True, validators=_MONEY)
    customer_daily_count = models.BigIntegerField(
        _("per customer and day, number"), null=True, blank=True, validators=_MONEY
    )
    customer_daily_fen = models.BigIntegerField(
        _("per customer and day, amount"), null=True, blank=True, validators=_MONEY
    )

    issued_count = models.BigIntegerField(_("issued"), default=0, editable=False)
    issued_fen = models.BigIntegerField(_("issued, amount"), default=0, editable=False)
    day = models.DateField(null=True, editable=False)
    day_count = models.BigIntegerField(default=0, editable=False)
    day_fen = models.BigIntegerField(default=0, editable=False)

    LIMITS = (
        "total_count",
        "total_fen",
        "daily_count",
        "daily_fen",
        "customer_count",
        "customer_fen",
        "customer_daily_count",
        "customer_daily_fen",
    )
    FEN_LIMITS = tuple(name for name in LIMITS if name.endswith("_fen"))

    #: Of the limits; whoever changes them saves by ``save``, and what counters do is told by the ledger.
    history = HistoricalRecords(excluded_fields=["issued_count", "issued_fen", "day", "day_count", "day_fen"])

    class Meta:
        verbose_name = _("limits of a template")
        verbose_name_plural = _("limits of templates")
        constraints = [
            models.CheckConstraint(
                condition=Q(total_count__isnull=True) | Q(issued_count__lte=F("total_count")),
                name="supply_total_count",
                violation_error_message=_("A limit cannot be lower than what has been given out."),
            ),
            models.CheckConstraint(
                condition=Q(total_fen__isnull=True) | Q(issued_fen__lte=F("total_fen")),
                name="supply_total_fen",
                violation_error_message=_("A limit cannot be lower than what has been given out."),
            ),
            models.CheckConstraint(
                condition=Q(issued_count__gte=0, issued_fen__gte=0, day_count__gte=0, day_fen__gte=0),
                name="supply_never_negative",
            ),
        ]

    def __str__(self) -> str:
        return str(self.template)
