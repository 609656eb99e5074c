"""效果: what a campaign really brought, its coupon group against its control group, as it was read one day."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coupons.models import Job
from distribution.models import Campaign


class EffectReading(models.Model):
    """``found``: the two groups' sums, see :class:`stats.effect.Arm`; days of the business time zone, both included."""

    class Population(models.TextChoices):
        ACTIVE = "active", _("who ordered in the 90 days before the campaign")
        ALL = "all", _("all who were known before the campaign")

    campaign = models.ForeignKey(Campaign, models.CASCADE, verbose_name=_("campaign"), related_name="readings")
    population = models.CharField(
        pgettext_lazy("whose effect", "customers"),
        max_length=6,
        choices=Population,
        default=Population.ACTIVE,
        help_text=_("Only what was known before the campaign decides who is looked at; else the groups are no equals."),
    )
    margin_percent = models.DecimalField(
        _("margin, percent of the order value"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(20),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
        help_text=_("What is left of an order's full price before the subsidy: an assumption of yours."),
    )
    first_day = models.DateField(_("from"))
    last_day = models.DateField(_("to"))
    found = models.JSONField(null=True, editable=False)
    job = models.OneToOneField(Job, models.PROTECT, related_name="reading")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("started by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("read at"), auto_now_add=True)

    class Meta:
        verbose_name = _("effect reading")
        verbose_name_plural = _("effect readings")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.campaign)
