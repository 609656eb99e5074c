"""裂变: an order makes a packet whose slots its customer's friends may take, one each; the sum is fixed beforehand."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.models import HistoricalRecords

from coupons.models.keys import KEY_LENGTH
from coupons.models.templates import MAX_FEN
from distribution.models.campaigns import Placement

MOST_SLOTS = 50


class SharePlan(models.Model):
    """How packets of a placement are cut. Their amounts are the faces of the coupons that the placement offers."""

    class Split(models.TextChoices):
        LUCK = "luck", gettext_lazy("by luck, within the faces on offer")
        EVEN = "even", gettext_lazy("evenly")

    placement = models.OneToOneField(
        Placement, models.PROTECT, verbose_name=gettext_lazy("placement"), related_name="share_plan"
    )
    slots_count = models.PositiveIntegerField(
        gettext_lazy("friends"), validators=[MinValueValidator(1), MaxValueValidator(MOST_SLOTS)], default=10
    )
    pot_fen = models.BigIntegerField(
        gettext_lazy("sum of a packet"), validators=[MinValueValidator(1), MaxValueValidator(MAX_FEN)]
    )
    split = models.CharField(gettext_lazy("cut"), max_length=4, choices=Split, default=Split.LUCK)
    hours = models.PositiveIntegerField(
        gettext_lazy("open for, hours"), default=24, validators=[MinValueValidator(1), MaxValueValidator(24 * 90)]
    )
    sharer_takes = models.BooleanField(gettext_lazy("who shares may take one, too"), default=False)
    history = HistoricalRecords()

    class Meta:
        verbose_name = gettext_lazy("share packet plan")
        verbose_name_plural = gettext_lazy("share packet plans")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.placement)

    def clean(self) -> None:
        if self.placement_id and self.placement.channel != Placement.Channel.SHARE:
            raise ValidationError(
                {"placement": ValidationError(_("This placement has another channel."), "other_channel")}
            )


class SharePacket(models.Model):
    """One packet, of one order. ``cut``: the templates of its slots in the order in which they are taken."""

    token = models.CharField(max_length=43, primary_key=True)
    plan = models.ForeignKey(SharePlan, models.PROTECT, verbose_name=gettext_lazy("plan"), related_name="packets")
    order_key = models.CharField(gettext_lazy("order"), max_length=KEY_LENGTH)
    sharer = models.CharField(gettext_lazy("shared by"), max_length=KEY_LENGTH, help_text=gettext_lazy("Their key."))
    cut = models.JSONField()
    faces = models.JSONField(help_text=gettext_lazy("The amounts in fen, slot by slot."))
    taken_count = models.PositiveIntegerField(gettext_lazy("taken"), default=0)
    created_at = models.DateTimeField(gettext_lazy("made at"))
    ends_at = models.DateTimeField(gettext_lazy("open until"))

    class Meta:
        verbose_name = gettext_lazy("share packet")
        verbose_name_plural = gettext_lazy("share packets")
        ordering = ["-created_at"]
        constraints = [
            models.UniqueConstraint(fields=["plan", "order_key"], name="sharepacket_once_an_order"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("created_at")), name="sharepacket_ends_after_start"),
        ]

    def __str__(self) -> str:
        return self.order_key

    @property
    def pot_fen(self) -> int:
        return sum(self.faces)


class ShareTake(models.Model):
    """A slot in a friend's hands."""

    packet = models.ForeignKey(SharePacket, models.PROTECT, related_name="takes")
    slot = models.PositiveIntegerField()
    customer_key = models.CharField(gettext_lazy("customer"), max_length=KEY_LENGTH)
    coupon_id = models.UUIDField()
    taken_at = models.DateTimeField(gettext_lazy("taken at"))

    class Meta:
        verbose_name = gettext_lazy("taken slot")
        verbose_name_plural = gettext_lazy("taken slots")
        ordering = ["slot"]
        constraints = [
            models.UniqueConstraint(fields=["packet", "slot"], name="sharetake_slot_once"),
            models.UniqueConstraint(fields=["packet", "customer_key"], name="sharetake_customer_once"),
        ]
