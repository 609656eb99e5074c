"""试算: a template tried on orders of the past, kept with what it assumed and what came of it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.models import CouponTemplate, Job
from distribution.models import Placement


class Rehearsal(models.Model):
    """``assumptions`` as :class:`stats.rehearsing.Assumptions`; ``asked``: the template and the audiences as they were
    when it ran; ``found``: see :mod:`stats.rehearsing.expecting`. Days are days of the business time zone.
    """

    template = models.ForeignKey(
        CouponTemplate, models.CASCADE, verbose_name=_("coupon template"), related_name="rehearsals"
    )
    placement = models.ForeignKey(
        Placement, models.SET_NULL, verbose_name=_("placement"), null=True, blank=True, related_name="rehearsals"
    )
    day_count = models.PositiveSmallIntegerField(_("days"))
    first_day = models.DateField(_("from"))
    last_day = models.DateField(_("to"))
    until = models.DateTimeField(help_text=_("Later orders were not there yet."))
    assumptions = models.JSONField(_("assumptions"))
    asked = models.JSONField(null=True, editable=False)
    found = models.JSONField(null=True, editable=False)
    job = models.OneToOneField(Job, models.PROTECT, related_name="rehearsal")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("started by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("rehearsal")
        verbose_name_plural = _("rehearsals")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.template)
