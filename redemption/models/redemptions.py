from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.models import Coupon, Customer, Merchant
from coupons.models.keys import KEY_LENGTH
from redemption.models.orders import Order


class Redemption(models.Model):
    """核销: the coupons of one order. Discount = platform's share + merchants' share = sum over lines."""

    class Status(models.TextChoices):
        HELD = "held", _("held")
        REDEEMED = "redeemed", _("redeemed")
        RELEASED = "released", _("released")
        ROLLED_BACK = "rolled_back", _("rolled back")

    id = models.UUIDField(primary_key=True, editable=False)
    order = models.ForeignKey(
        Order, models.PROTECT, verbose_name=_("order"), related_name="redemptions", db_constraint=False, db_index=False
    )
    customer = models.ForeignKey(
        Customer, models.PROTECT, verbose_name=_("customer"), related_name="redemptions", db_constraint=False
    )
    status = models.CharField(_("state"), max_length=12, choices=Status)
    created_at = models.DateTimeField(_("created at"))
    held_until = models.DateTimeField(_("held until"), null=True)
    redeemed_at = models.DateTimeField(_("redeemed at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)
    discount_fen = models.BigIntegerField(_("discount"))
    merchant_fen = models.BigIntegerField(_("merchants pay"))
    returned_fen = models.BigIntegerField(_("given back"), default=0)
    returned_merchant_fen = models.BigIntegerField(_("given back to merchants"), default=0)
    by = models.CharField(_("by"), max_length=80)
    coupons = ArrayField(
        models.UUIDField(), verbose_name=_("coupons"), help_text=_("In the order in which they are taken off.")
    )
    #: Those that came back while some of the order stood: nothing of them is left here.
    withdrawn = ArrayField(models.UUIDField(), default=list, editable=False)
    #: How many of each line of the order came back, by its id; the shipping fee is "shipping", and 1.
    returned = models.JSONField(_("quantities rolled back"), default=dict)

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        ordering = ["-created_at"]
        indexes = [
            models.Index(fields=["order"], name="redemption_of_order"),
            models.Index(fields=["held_until"], name="redemption_to_lapse", condition=Q(status="held")),
            BrinIndex(fields=["created_at"], name="redemption_created"),
            BrinIndex(fields=["redeemed_at"], name="redemption_redeemed"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(status__in=("held", "redeemed")), name="redemption_one_live_per_order"
            ),
            models.CheckConstraint(
                condition=Q(discount_fen__gte=0, merchant_fen__gte=0, merchant_fen__lte=F("discount_fen"))
                & Q(returned_fen__gte=0, returned_fen__lte=F("discount_fen"))
                & Q(returned_merchant_fen__gte=0, returned_merchant_fen__lte=F("merchant_fen")),
                name="redemption_adds_up",
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def platform_fen(self) -> int:
        return self.discount_fen - self.merchant_fen


class GivenBack(models.Model):
    """What one rollback gave back of one party's share; append-only. The discount is the platform's and the merchant's
    share together; ``merchant`` NULL: all of it the platform's.
    """

    id = models.BigAutoField(primary_key=True)
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, related_name="given_back", db_constraint=False, db_index=False
    )
    at = models.DateTimeField(_("at"))
    merchant = models.ForeignKey(
        Merchant, models.PROTECT, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    discount_fen = models.BigIntegerField(_("discount"))
    merchant_fen = models.BigIntegerField(_("merchant pays"))

    class Meta:
        verbose_name = _("rollback")
        verbose_name_plural = _("rollbacks")
        indexes = [
            BrinIndex(fields=["at"], name="given_back_at"),
            models.Index(fields=["redemption"], name="given_back_of"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(merchant_fen__gte=0, merchant_fen__lte=F("discount_fen")), name="given_back_adds_up"
            )
        ]


class RedemptionLine(models.Model):
    """What one coupon took off one line of the order; ``line`` is empty for the shipping fee."""

    id = models.BigAutoField(primary_key=True)
    redemption = models.ForeignKey(
        Redemption, models.PROTECT, related_name="lines", db_constraint=False, db_index=False
    )
    coupon = models.ForeignKey(Coupon, models.PROTECT, related_name="lines", db_constraint=False, db_index=False)
    template_id = models.BigIntegerField()
    line = models.CharField(_("line"), max_length=KEY_LENGTH, blank=True)
    merchant = models.ForeignKey(
        Merchant,
        models.PROTECT,
        verbose_name=_("merchant"),
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    quantity = models.IntegerField(_("quantity"))
    amount_fen = models.BigIntegerField(_("at full price"))
    discount_fen = models.BigIntegerField(_("discount"))
    merchant_fen = models.BigIntegerField(_("merchant pays"))
    returned_quantity = models.IntegerField(_("quantity rolled back"), default=0)
    returned_fen = models.BigIntegerField(_("given back"), default=0)
    returned_merchant_fen = models.BigIntegerField(_("given back to the merchant"), default=0)

    class Meta:
        verbose_name = _("line of a redemption")
        verbose_name_plural = _("lines of redemptions")
        indexes = [
            models.Index(fields=["merchant"], name="redemption_line_charged", condition=Q(merchant__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["redemption", "coupon", "line"], name="redemption_line_once"),
            models.CheckConstraint(
                condition=Q(discount_fen__gte=0, discount_fen__lte=F("amount_fen"))
                & Q(merchant_fen__gte=0, merchant_fen__lte=F("discount_fen"))
                & Q(returned_quantity__gte=0, returned_quantity__lte=F("quantity"))
                & Q(returned_fen__gte=0, returned_fen__lte=F("discount_fen"))
                & Q(returned_merchant_fen__gte=0, returned_merchant_fen__lte=F("returned_fen")),
                name="redemption_line_adds_up",
            ),
        ]
