"""What happened, counted: derived from the ledger, can be dropped and rebuilt."""

from datetime import date

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coupons.models import Activity, CouponEvent, Sight
from coupons.models.keys import KEY_LENGTH


class Rollup(models.Model):
    """汇总: sums of event rows and of first sights, nothing else.

    A sight counts at its own moment, in the placement and the city in which its coupon was issued.

    Channel, form, campaign, category and merchant follow from placement and template when numbers are read: kept here,
    they could disagree with them. Blank, not NULL, where an event names none: PostgreSQL 14 can then hold a cell to
    one row.
    """

    MEASURES = (
        "issued_count",
        "seen_count",
        "redeemed_count",
        "rolled_back_count",
        "returned_count",
        "expired_count",
        "void_count",
        "committed_fen",
        "spent_fen",
        "merchant_fen",
        "gmv_fen",
        "paid_fen",
        "order_parts",
    )

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    template_id = models.BigIntegerField()
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, blank=True)
    city_id = models.CharField(_("city"), max_length=6, blank=True)
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH, blank=True)
    activity = models.CharField(_("activity level"), max_length=6, choices=Activity, blank=True)
    issued_count = models.BigIntegerField(_("issued"), default=0)
    seen_count = models.BigIntegerField(pgettext_lazy("counted", "seen"), default=0)
    redeemed_count = models.BigIntegerField(_("redeemed"), default=0)
    rolled_back_count = models.BigIntegerField(_("rolled back"), default=0)
    returned_count = models.BigIntegerField(_("came back"), default=0)
    expired_count = models.BigIntegerField(_("expired"), default=0)
    void_count = models.BigIntegerField(_("void"), default=0)
    committed_fen = models.BigIntegerField(_("committed"), default=0)
    spent_fen = models.BigIntegerField(_("spent"), default=0)
    merchant_fen = models.BigIntegerField(_("of it the merchants'"), default=0)
    gmv_fen = models.BigIntegerField(_("order value"), default=0)
    paid_fen = models.BigIntegerField(_("paid"), default=0)
    order_parts = models.BigIntegerField(_("orders, millionths"), default=0)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.day} {self.template_id} {self.placement} {self.city_id}"


class DayRollup(Rollup):
    """One day (business time zone) × template × placement × city × business line × activity level."""

    class Meta:
        verbose_name = _("day's rollup")
        verbose_name_plural = _("day rollups")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "template_id", "placement", "city_id", "business_line", "activity"],
                name="rollup_cell_once",
            )
        ]


class HourRollup(Rollup):
    """One hour of a day, else as :class:`DayRollup`."""

    hour = models.SmallIntegerField(_("hour"))

    class Meta:
        verbose_name = _("hour's rollup")
        verbose_name_plural = _("hour rollups")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "hour", "template_id", "placement", "city_id", "business_line", "activity"],
                name="hour_rollup_cell_once",
            )
        ]


class FacetRollup(Rollup):
    """One day × one fact of an event (or none) × template and placement (or all of them): what most pages ask for, in
    few rows however many coupons there are. The finer tables grow with what happens until every cell is taken.
    """

    city_id = business_line = activity = None  # type: ignore[assignment]
    #: One of :data:`stats.queries.counting.FACETS`; blank: without a fact.
    facet = models.CharField(max_length=13, blank=True)
    value = models.CharField(max_length=KEY_LENGTH, blank=True)
    template_id = models.BigIntegerField()  # 0: all templates and placements together

    class Meta:
        verbose_name = _("rollup by one fact")
        verbose_name_plural = _("rollups by one fact")
        constraints = [
            models.UniqueConstraint(
                fields=["facet", "day", "template_id", "placement", "value"], name="facet_rollup_cell_once"
            )
        ]
        indexes = [models.Index(fields=["facet", "template_id", "value", "day"], name="facet_rollup_of_value")]

    def __str__(self) -> str:
        return f"{self.day} {self.template_id} {self.placement} {self.facet} {self.value}"


class CustomerRollup(models.Model):
    """How many coupons one customer was given in one cell of :class:`HourRollup`: distinct customers do not add up, so
    that any question for them wants each of them.
    """

    pk = models.CompositePrimaryKey(
        "customer_id", "day", "hour", "template_id", "placement", "city_id", "business_line", "activity"
    )
    customer_id = models.BigIntegerField()
    template_id = models.BigIntegerField()
    issued_count = models.BigIntegerField(_("issued"))
    day = models.DateField(_("day"))
    hour = models.SmallIntegerField(_("hour"))
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, blank=True)
    city_id = models.CharField(_("city"), max_length=6, blank=True)
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH, blank=True)
    activity = models.CharField(_("activity level"), max_length=6, choices=Activity, blank=True)

    class Meta:
        verbose_name = _("customer's rollup")
        verbose_name_plural = _("customer rollups")
        indexes = [BrinIndex(fields=["day"], name="customer_rollup_day")]


class CustomerSpan(models.Model):
    """How many customers were given something on a day, by the day on which they had been given something before.

    Whoever was given something between two days counts once, on the first of their days: the one whose ``before`` lies
    before the two. So these rows do add up, for every period.
    """

    #: ``before`` of a customer's first day.
    NEVER = date.min

    pk = models.CompositePrimaryKey("day", "before")
    day = models.DateField(_("day"))
    before = models.DateField(_("day before"))
    customer_count = models.BigIntegerField(_("customers"))

    class Meta:
        verbose_name = _("customers of a day")
        verbose_name_plural = _("customers by days")


class CountedEvent(models.Model):
    """An event that the rollups hold, with what was known of its order and its customer when it was counted.

    Both may be told otherwise later; kept, they let everybody count again and come to the same.
    """

    event = models.OneToOneField(
        CouponEvent, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="counted"
    )
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH, blank=True)
    activity = models.CharField(_("activity level"), max_length=6, choices=Activity, blank=True)

    class Meta:
        verbose_name = _("counted event")
        verbose_name_plural = _("counted events")


class CountedSight(models.Model):
    """A sight that the rollups hold, with what was known of its customer when it was counted."""

    sight = models.OneToOneField(
        Sight, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="counted"
    )
    activity = models.CharField(_("activity level"), max_length=6, choices=Activity, blank=True)

    class Meta:
        verbose_name = _("counted sight")
        verbose_name_plural = _("counted sights")
