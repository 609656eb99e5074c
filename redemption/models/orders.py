from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.models import City, Customer
from coupons.models.keys import KEY_LENGTH
from coupons.rules import BusinessMode, Client


class Order(models.Model):
    """A snapshot of an order as it was told, at redemption or when it was finished.

    ``finished_at`` is set once, by ``orders/``; only then does it count among the customer's orders.
    """

    key = models.CharField(_("order number"), max_length=KEY_LENGTH, unique=True)
    customer = models.ForeignKey(
        Customer, models.PROTECT, verbose_name=_("customer"), related_name="orders", db_constraint=False
    )
    placed_at = models.DateTimeField(_("placed at"))
    finished_at = models.DateTimeField(_("finished at"), null=True)
    client = models.CharField(_("client"), max_length=16, choices=Client)
    business_mode = models.CharField(_("business mode"), max_length=16, choices=BusinessMode, null=True, blank=True)
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH, null=True, blank=True)
    city = models.ForeignKey(
        City, models.PROTECT, verbose_name=_("city"), null=True, blank=True, db_constraint=False, db_index=False
    )
    lines = models.JSONField(_("lines"))
    goods_fen = models.BigIntegerField(_("goods at full price"))
    shipping_fen = models.BigIntegerField(_("shipping"), default=0)
    deducted_fen = models.BigIntegerField(_("deducted"), default=0)

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        ordering = ["-id"]
        indexes = [BrinIndex(fields=["placed_at"], name="order_placed")]
        constraints = [
            models.CheckConstraint(
                condition=Q(goods_fen__gte=0, shipping_fen__gte=0, deducted_fen__gte=0)
                & Q(deducted_fen__lte=F("goods_fen") + F("shipping_fen")),
                name="order_adds_up",
            )
        ]

    def __str__(self) -> str:
        return self.key
