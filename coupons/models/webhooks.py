"""Webhooks: which systems are told of coupons' moves, what each was told, and what came of it."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models.coupons import CouponEvent

#: Moves that systems can be told of.
KINDS = ("issued", "held", "redeemed", "released", "rolled_back", "returned", "expired", "void")


def kinds() -> list[tuple[str, str]]:
    return [(kind, str(CouponEvent.Kind(kind).label)) for kind in KINDS]


class Subscription(models.Model):
    """A system that wants to be told. ``secret`` signs what it is told; it is shown once.

    ``old_secret``: the one before, which signs as well until ``old_until``, so that the receiver can change over.
    """

    name = models.CharField(_("name"), max_length=60)
    url = models.URLField(_("address"), max_length=500)
    kinds = ArrayField(models.CharField(max_length=12), verbose_name=_("moves"), default=list)
    secret = models.CharField(max_length=60, editable=False)
    old_secret = models.CharField(max_length=60, editable=False, blank=True)
    old_until = models.DateTimeField(_("old secret signs until"), editable=False, null=True)
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UntoldEvent(models.Model):
    """Events that the subscriptions have not been asked about yet; appended beside the event while there are any."""

    event = models.OneToOneField(CouponEvent, models.DO_NOTHING, primary_key=True, db_constraint=False)

    class Meta:
        verbose_name = _("untold event")
        verbose_name_plural = _("untold events")


class Delivery(models.Model):
    """One event for one system. Of one coupon they go out in the order of their events."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        DELIVERED = "delivered", _("delivered")
        GIVEN_UP = "given_up", _("given up")

    id = models.BigAutoField(primary_key=True)
    subscription = models.ForeignKey(
        Subscription, models.CASCADE, related_name="deliveries", verbose_name=_("webhook"), db_index=False
    )
    event_id = models.BigIntegerField(_("event"))
    coupon_id = models.UUIDField(_("coupon"))
    kind = models.CharField(_("what happened"), max_length=12, choices=CouponEvent.Kind)
    body = models.TextField(_("what is said"))
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.PENDING)
    attempt_count = models.IntegerField(_("attempts"), default=0)
    #: Since when it is tried; a day later it is given up.
    since = models.DateTimeField(_("since"))
    next_at = models.DateTimeField(_("next attempt"))
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["subscription", "coupon_id", "event_id"], name="delivery_waits", condition=Q(state="pending")
            ),
            models.Index(fields=["ended_at"], name="delivery_ended"),
        ]
        constraints = [models.UniqueConstraint(fields=["subscription", "event_id"], name="delivery_once")]

    def __str__(self) -> str:
        return f"{self.event_id} {self.get_kind_display()}"


class DeliveryAttempt(models.Model):
    """What came of one call: a status, or why there was none."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(Delivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField(_("when"))
    status = models.IntegerField(_("answer"), null=True)
    why = models.CharField(_("why"), max_length=200, blank=True)
    milliseconds = models.IntegerField(_("milliseconds"))

    class Meta:
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")
        ordering = ["id"]
