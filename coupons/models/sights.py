"""被看到: when each coupon was first shown to its holder."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.models.coupons import Coupon


class Sight(models.Model):
    """Which coupon, and when; nothing else is kept. Written by :mod:`coupons.sights` alone, a moment later."""

    coupon = models.OneToOneField(
        Coupon, models.DO_NOTHING, primary_key=True, db_constraint=False, related_name="sight"
    )
    at = models.DateTimeField(_("at"))

    class Meta:
        verbose_name = _("first sight of a coupon")
        verbose_name_plural = _("first sights of coupons")
        indexes = [BrinIndex(fields=["at"], name="sight_at")]


class UncountedSight(models.Model):
    """Sights that the rollups have not folded in yet. Appended beside the sight, deleted by the fold."""

    sight = models.OneToOneField(Sight, models.DO_NOTHING, primary_key=True, db_constraint=False)

    class Meta:
        verbose_name = _("uncounted sight")
        verbose_name_plural = _("uncounted sights")
