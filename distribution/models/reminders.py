"""提醒: who is reminded of an unused coupon, when, and what came of it."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from simple_history.models import HistoricalRecords

from coupons.models import CouponTemplate, Customer
from distribution.models.campaigns import Campaign
from distribution.models.messages import MessageTemplate


class ReminderRule(models.Model):
    """Coupons that are still unused at a moment of their life are brought to mind, once each."""

    class Basis(models.TextChoices):
        AFTER_CLAIM = "after_claim", gettext_lazy("after the claim, if unused")
        BEFORE_EXPIRY = "before_expiry", gettext_lazy("before it expires")

    class Unit(models.TextChoices):
        DAYS = "days", pgettext_lazy("unit of time", "days")
        HOURS = "hours", pgettext_lazy("unit of time", "hours")

    class Status(models.TextChoices):
        DRAFT = "draft", gettext_lazy("draft")
        LIVE = "live", gettext_lazy("live")
        PAUSED = "paused", gettext_lazy("paused")

    name = models.CharField(gettext_lazy("name"), max_length=100)
    campaign = models.ForeignKey(
        Campaign,
        models.PROTECT,
        verbose_name=gettext_lazy("only of this campaign"),
        null=True,
        blank=True,
        related_name="reminders",
    )
    template = models.ForeignKey(
        CouponTemplate,
        models.PROTECT,
        verbose_name=gettext_lazy("only of this template"),
        null=True,
        blank=True,
        related_name="reminders",
    )
    amount = models.PositiveIntegerField(
        gettext_lazy("how long"), default=3, validators=[MinValueValidator(1), MaxValueValidator(365)]
    )
    unit = models.CharField(gettext_lazy("unit"), max_length=5, choices=Unit, default=Unit.DAYS)
    basis = models.CharField(gettext_lazy("moment"), max_length=13, choices=Basis, default=Basis.BEFORE_EXPIRY)
    message = models.ForeignKey(
        MessageTemplate,
        models.PROTECT,
        verbose_name=gettext_lazy("message"),
        related_name="+",
        limit_choices_to={"occasion": MessageTemplate.Occasion.REMINDER},
    )
    holdout_percent = models.DecimalField(
        gettext_lazy("not reminded, percent"),
        max_digits=4,
        decimal_places=1,
        default=Decimal(10),
        validators=[MinValueValidator(0), MaxValueValidator(90)],
        help_text=gettext_lazy(
            "Customers chosen by lot who get no message, so that what reminding brings can be seen."
        ),
    )
    status = models.CharField(gettext_lazy("state"), max_length=6, choices=Status, default=Status.DRAFT)
    #: Coupons whose moment lies before this have been chosen, or are too late to be.
    chosen_until = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(gettext_lazy("created at"), auto_now_add=True)
    history = HistoricalRecords(excluded_fields=["chosen_until"])

    class Meta:
        verbose_name = gettext_lazy("reminder rule")
        verbose_name_plural = gettext_lazy("reminder rules")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="live") | Q(chosen_until__isnull=False), name="reminderrule_knows_where_it_is"
            )
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if self.campaign_id and self.template_id:
            errors["template"] = ValidationError(_("A campaign or a template, not both."), code="only_one")
        if self.basis == self.Basis.AFTER_CLAIM and self.unit == self.Unit.HOURS:
            errors["unit"] = ValidationError(_("After the claim it is counted in days."), code="not_here")
        elif self.template is not None and self.amount and not self.comes_in_time(self.template):
            sentence = _("No coupon of this template lives so long: it would never be reminded of.")
            errors["amount"] = ValidationError(sentence, code="never_due")
        if errors:
            raise ValidationError(errors)

    def comes_in_time(self, template: CouponTemplate) -> bool:
        """Whether some coupon of the template lives at the rule's moment, between its claim and its end."""
        away = timedelta(days=self.amount) if self.unit == self.Unit.DAYS else timedelta(hours=self.amount)
        match template.validity_type:
            case CouponTemplate.Validity.CLAIM_DAY:
                life = timedelta(days=1)
            case CouponTemplate.Validity.DAYS_AFTER_CLAIM:
                life = timedelta(days=(template.valid_days or 0) + template.starts_after_days)
            case _:
                if template.valid_from is None or template.valid_until is None:
                    return True
                life = template.valid_until - template.valid_from
        return away < life


class Reminder(models.Model):
    """One coupon under one rule: chosen once, and what became of it."""

    class Outcome(models.TextChoices):
        PENDING = "pending", gettext_lazy("to be written")
        WRITTEN = "written", gettext_lazy("message written")
        MERGED = "merged", gettext_lazy("named in the customer's message of the day")
        GONE = "gone", gettext_lazy("used, void or expired meanwhile")
        OPTED_OUT = "opted_out", gettext_lazy("the customer wants no messages")
        HELD_OUT = "held_out", gettext_lazy("not reminded, by lot")

    rule = models.ForeignKey(ReminderRule, models.PROTECT, verbose_name=gettext_lazy("rule"), related_name="reminders")
    coupon_id = models.UUIDField(gettext_lazy("coupon"))
    customer_id = models.BigIntegerField()
    due_at = models.DateTimeField(gettext_lazy("due at"))
    chosen_at = models.DateTimeField(gettext_lazy("chosen at"))
    not_before = models.DateTimeField(null=True)
    outcome = models.CharField(
        gettext_lazy("what became of it"), max_length=9, choices=Outcome, default=Outcome.PENDING
    )
    message_key = models.CharField(max_length=160, null=True)

    class Meta:
        verbose_name = gettext_lazy("reminder")
        verbose_name_plural = gettext_lazy("reminders")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["rule", "coupon_id"], name="reminder_once")]
        indexes = [
            models.Index(fields=["customer_id", "id"], name="reminder_pending", condition=Q(outcome="pending")),
        ]


class ReminderDay(models.Model):
    """A customer was reminded on this day: no second message, whatever the coupon."""

    pk = models.CompositePrimaryKey("customer_id", "day")
    customer_id = models.BigIntegerField()
    day = models.DateField()

    class Meta:
        verbose_name = gettext_lazy("day of a reminder")
        verbose_name_plural = gettext_lazy("days of reminders")


class OptOut(models.Model):
    """A customer who wants no messages but those that they ask for themselves."""

    customer = models.OneToOneField(Customer, models.CASCADE, primary_key=True, verbose_name=gettext_lazy("customer"))
    at = models.DateTimeField(gettext_lazy("since"))
    by = models.CharField(gettext_lazy("told by"), max_length=80)

    class Meta:
        verbose_name = gettext_lazy("customer without messages")
        verbose_name_plural = gettext_lazy("customers without messages")
        ordering = ["-at"]

    def __str__(self) -> str:
        return str(self.customer)
