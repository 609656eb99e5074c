"""成本分摊: what each merchant and the platform owe. Rows are written once; the database refuses to change them."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.models import Merchant
from coupons.models.templates import MAX_FEN


class TxidCurrent(models.Func):
    function, arity = "txid_current", 0
    output_field = models.BigIntegerField()


class SettledMonth(models.Model):
    """A closed month of the business time zone. Months close one after the other; nothing can be booked into one."""

    month = models.DateField(_("month"), unique=True, help_text=_("Its first day."))
    ends_at = models.DateTimeField(_("end"), help_text=_("Midnight after its last day."))
    closed_at = models.DateTimeField(_("closed at"))
    closed_by = models.CharField(_("closed by"), max_length=150)

    #: The transaction that closed it: statements are written in it alone.
    closed_in = models.BigIntegerField(db_default=TxidCurrent(), editable=False)

    class Meta:
        verbose_name = _("settled month")
        verbose_name_plural = _("settlement")
        ordering = ["-month"]

    def __str__(self) -> str:
        return f"{self.month:%Y-%m}"


class Statement(models.Model):
    """What a closed month said of one party; ``merchant`` NULL is the platform."""

    id = models.BigAutoField(primary_key=True)
    month = models.ForeignKey(SettledMonth, models.PROTECT, related_name="statements", verbose_name=_("month"))
    merchant = models.ForeignKey(Merchant, models.PROTECT, verbose_name=_("merchant"), null=True, related_name="+")
    opening_fen = models.BigIntegerField(_("opening"))
    redeemed_count = models.BigIntegerField(_("redemptions, number"))
    redeemed_fen = models.BigIntegerField(_("redemptions, share"))
    returned_count = models.BigIntegerField(_("rollbacks, number"))
    returned_fen = models.BigIntegerField(_("rollbacks, share"))
    entries_fen = models.BigIntegerField(_("entries"))
    closing_fen = models.BigIntegerField(_("closing"))

    class Meta:
        verbose_name = _("statement")
        verbose_name_plural = _("statements")
        constraints = [
            models.UniqueConstraint(fields=["month", "merchant"], name="statement_once", nulls_distinct=False),
            models.CheckConstraint(
                condition=Q(closing_fen=F("opening_fen") + F("redeemed_fen") - F("returned_fen") + F("entries_fen")),
                name="statement_adds_up",
            ),
        ]


class SettlementEntry(models.Model):
    """A correction or a payment. Nothing is ever adjusted but by a further entry."""

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", _("adjustment")
        PAYMENT = "payment", _("payment")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("when"))
    merchant = models.ForeignKey(
        Merchant,
        models.PROTECT,
        verbose_name=_("merchant"),
        null=True,
        blank=True,
        related_name="+",
        help_text=_("Left blank: the platform."),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount_fen = models.BigIntegerField(
        _("amount"),
        validators=[MinValueValidator(-MAX_FEN), MaxValueValidator(MAX_FEN)],
        help_text=_("Above 0: more is owed; below 0: less. A payment is below 0."),
    )
    reason = models.CharField(_("reason"), max_length=200)
    by = models.CharField(_("by"), max_length=150, editable=False)
    #: Of the form that was sent and what stood in it: sent twice, it is one entry.
    once = models.UUIDField(null=True, unique=True, editable=False)

    class Meta:
        verbose_name = _("settlement entry")
        verbose_name_plural = _("settlement entries")
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["at"], name="settlement_entry_at")]
        constraints = [
            models.CheckConstraint(condition=~Q(amount_fen=0), name="settlement_entry_not_nothing"),
            models.CheckConstraint(
                condition=~Q(kind="payment") | Q(amount_fen__lt=0),
                name="settlement_payment_is_less",
                violation_error_message=_("A payment is below 0: less is owed."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d}"
