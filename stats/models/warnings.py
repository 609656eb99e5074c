"""预算预警: that a campaign's owner was told how little is left, once for each limit and level."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from distribution.models import Campaign


class BudgetWarning(models.Model):
    """``level``: percent of the limit that was spent and committed. A raised limit may be warned of anew."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, verbose_name=_("campaign"), related_name="warnings")
    level = models.PositiveSmallIntegerField(_("level, percent"))
    limit_fen = models.BigIntegerField(_("budget"))
    used_fen = models.BigIntegerField(_("spent and committed"))
    to = models.EmailField(_("to"), blank=True, help_text=_("Blank: the campaign has no owner with an address."))
    created_at = models.DateTimeField(_("noticed at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("budget warning")
        verbose_name_plural = _("budget warnings")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["campaign", "level", "limit_fen"], name="budgetwarning_once"),
        ]

    def __str__(self) -> str:
        return f"{self.campaign} {self.level} %"
