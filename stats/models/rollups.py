"""What happened, counted: derived from the ledger, can be dropped and rebuilt."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.models.keys import KEY_LENGTH


class DayRollup(models.Model):
    """汇总 of one day (business time zone) × template × placement × city. Sums of event rows, nothing else.

    Channel, form and campaign follow from placement and template when numbers are read: kept here, they could
    disagree with them. Blank, not NULL, where an event names no placement or city: PostgreSQL 14 can then hold a
    cell to one row.
    """

    MEASURES = (
        "issued_count",
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
    )

    id = models.BigAutoField(primary_key=True)
    day = models.DateField(_("day"))
    template_id = models.BigIntegerField()
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, blank=True)
    city_id = models.CharField(_("city"), max_length=6, blank=True)
    issued_count = models.BigIntegerField(_("issued"), default=0)
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

    class Meta:
        verbose_name = _("day's rollup")
        verbose_name_plural = _("day rollups")
        constraints = [
            models.UniqueConstraint(fields=["day", "template_id", "placement", "city_id"], name="rollup_cell_once")
        ]

    def __str__(self) -> str:
        return f"{self.day} {self.template_id} {self.placement} {self.city_id}"
