"""Coupons in customers' hands, and the ledger of what happened to them. ``lifecycle`` alone writes here."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _

from coupons.models.customers import Customer
from coupons.models.keys import KEY_LENGTH
from coupons.models.templates import CouponTemplate

#: By what accounts are known to be one person's; of newcomer coupons alone.
IDENTITIES = ("newcomer_phone", "newcomer_wechat", "newcomer_device")


def _life() -> Func:
    """From issue to the end of validity; the end moves never, so that "expired" needs no task."""
    return Func(F("issued_at"), F("valid_until"), Value("[)"), function="TSTZRANGE", output_field=DateTimeRangeField())


class Coupon(models.Model):
    """One coupon. What is stored is what somebody did; whether it expired is asked of the clock on reading.

    Foreign keys without database constraints: ``check_ledger`` looks for orphans.
    """

    class Status(models.TextChoices):
        AVAILABLE = "available", _("available")
        HELD = "held", _("held")
        REDEEMED = "redeemed", _("redeemed")
        EXPIRED = "expired", _("expired")
        VOID = "void", _("void")

    #: Still in somebody's hands, as far as the row knows.
    LIVE = (Status.AVAILABLE, Status.HELD)

    id = models.UUIDField(primary_key=True, editable=False)
    code = models.CharField(_("code"), max_length=16, unique=True)
    template = models.ForeignKey(
        CouponTemplate,
        models.PROTECT,
        verbose_name=_("template"),
        related_name="coupons",
        db_constraint=False,
        db_index=False,
    )
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        verbose_name=_("customer"),
        related_name="coupons",
        db_constraint=False,
        db_index=False,
    )
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, null=True, help_text=_("Its key."))
    status = models.CharField(_("state"), max_length=9, choices=Status, default=Status.AVAILABLE)
    issued_at = models.DateTimeField(_("issued at"))
    valid_from = models.DateTimeField(_("valid from"))
    valid_until = models.DateTimeField(_("valid until"))
    committed_fen = models.BigIntegerField(
        _("committed"), help_text=_("What this coupon holds of the campaign's budget now.")
    )
    held_until = models.DateTimeField(_("held until"), null=True)
    redemption_id = models.UUIDField(null=True)
    newcomer = models.BooleanField(default=False)
    exclusive_group = models.CharField(max_length=KEY_LENGTH, null=True)
    #: Digests, of a newcomer coupon alone; NULL: not known. A trigger fills in the first two, whoever issues.
    newcomer_phone = models.UUIDField(null=True, editable=False)
    newcomer_wechat = models.UUIDField(null=True, editable=False)
    newcomer_device = models.UUIDField(null=True, editable=False)

    class Meta:
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        indexes = [
            models.Index(fields=["customer", "id"], name="coupon_wallet"),
            # By the moment in UTC, so that it is no temptation to the planner of a customer's wallet.
            models.Index(
                Func(Value("UTC"), F("valid_until"), function="timezone"),
                name="coupon_to_expire",
                condition=Q(status__in=("available", "held")) | Q(committed_fen__gt=0),
            ),
            models.Index(fields=["held_until"], name="coupon_to_lapse", condition=Q(status="held")),
            BrinIndex(fields=["issued_at"], name="coupon_issued"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(committed_fen__gte=0), name="coupon_committed_not_negative"),
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="coupon_validity"),
            models.CheckConstraint(
                condition=Q(status="held", held_until__isnull=False, redemption_id__isnull=False) | ~Q(status="held"),
                name="coupon_held_by_whom",
            ),
            ExclusionConstraint(
                name="coupon_one_live_newcomer",
                expressions=[("customer", RangeOperators.EQUAL), (_life(), RangeOperators.OVERLAPS)],
                condition=Q(newcomer=True, status__in=("available", "held")),
            ),
            *(
                ExclusionConstraint(
                    name=f"coupon_one_live_by_{identity.removeprefix('newcomer_')}",
                    expressions=[(identity, RangeOperators.EQUAL), (_life(), RangeOperators.OVERLAPS)],
                    condition=Q(newcomer=True, status__in=("available", "held"), **{f"{identity}__isnull": False}),
                )
                for identity in IDENTITIES
            ),
            ExclusionConstraint(
                name="coupon_one_live_in_group",
                expressions=[
                    ("customer", RangeOperators.EQUAL),
                    ("exclusive_group", RangeOperators.EQUAL),
                    (_life(), RangeOperators.OVERLAPS),
                ],
                condition=Q(exclusive_group__isnull=False, status__in=("available", "held")),
            ),
        ]

    def __str__(self) -> str:
        return self.code


class CouponEvent(models.Model):
    """流水: append-only. Every move of a coupon, with what it moved in money."""

    ORDER_PARTS = 1_000_000

    class Kind(models.TextChoices):
        ISSUED = "issued", _("issued")
        HELD = "held", _("held")
        RELEASED = "released", _("released")
        REDEEMED = "redeemed", _("redeemed")
        ROLLED_BACK = "rolled_back", _("rolled back")
        RETURNED = "returned", _("came back")
        EXPIRED = "expired", _("expired")
        VOID = "void", _("void")
        FREED = "freed", _("rest freed")

    id = models.BigAutoField(primary_key=True)
    at = models.DateTimeField(_("at"))
    kind = models.CharField(_("what happened"), max_length=12, choices=Kind)
    coupon = models.ForeignKey(Coupon, models.DO_NOTHING, related_name="events", db_constraint=False)
    template_id = models.BigIntegerField()
    customer_id = models.BigIntegerField()
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, null=True)
    city_id = models.CharField(_("city"), max_length=6, null=True)
    client = models.CharField(_("client"), max_length=16, null=True)
    redemption_id = models.UUIDField(null=True)
    #: Moves of the campaign's purse: their sums are the Budget's columns.
    committed_fen = models.BigIntegerField(_("committed, change"), default=0)
    spent_fen = models.BigIntegerField(_("spent, change"), default=0)
    merchant_fen = models.BigIntegerField(
        _("of it the merchant's, change"), default=0, help_text=_("The rest of what is spent is the platform's.")
    )
    #: The order's value at full price and paid, its share by discount where several coupons are on one order.
    gmv_fen = models.BigIntegerField(_("order value, change"), default=0)
    paid_fen = models.BigIntegerField(_("paid, change"), default=0)
    #: The order itself, shared likewise: those of one order are ORDER_PARTS together as long as any of it stands.
    order_parts = models.BigIntegerField(_("order, millionths, change"), db_default=0)
    by = models.CharField(_("by"), max_length=80)
    reason = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [
            BrinIndex(fields=["at"], name="event_at"),
            models.Index(fields=["reason"], name="event_link", condition=Q(reason__startswith="link:")),
        ]


class UncountedEvent(models.Model):
    """Events that the rollups have not folded in yet. Appended beside the event, deleted by the fold."""

    event = models.OneToOneField(CouponEvent, models.DO_NOTHING, primary_key=True, db_constraint=False)

    class Meta:
        verbose_name = _("uncounted event")
        verbose_name_plural = _("uncounted events")


class CustomerCounter(models.Model):
    """How many of one template one customer has been given."""

    pk = models.CompositePrimaryKey("customer_id", "template_id")
    customer_id = models.BigIntegerField()
    template_id = models.BigIntegerField()
    issued_count = models.BigIntegerField()
    issued_fen = models.BigIntegerField()
    day = models.DateField()
    day_count = models.BigIntegerField()
    day_fen = models.BigIntegerField()

    class Meta:
        verbose_name = _("counter of a customer")
        verbose_name_plural = _("counters of customers")
