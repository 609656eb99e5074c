"""What was refused: a row for each hour, deed, placement, template, place, activity level and cause, however many were
turned away.
"""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from coupons.models.customers import Activity
from coupons.models.keys import KEY_LENGTH


class RefusalCount(models.Model):
    """Written by :mod:`coupons.refusals` alone, a moment after the refusals."""

    class Deed(models.TextChoices):
        CLAIM = "claim", _("claim")
        USE = "use", _("use")

    hour = models.DateTimeField(_("hour"), help_text=_("Its beginning."))
    deed = models.CharField(_("deed"), max_length=5, choices=Deed)
    placement = models.CharField(_("placement"), max_length=KEY_LENGTH, default="", help_text=_("Its key."))
    template_id = models.BigIntegerField(_("coupon template"), default=0, help_text=_("0: no one in particular."))
    city_id = models.CharField(_("city"), max_length=6, default="", help_text=_("Blank: nobody said where."))
    business_line = models.CharField(_("business line"), max_length=KEY_LENGTH, default="")
    #: When the sums were written, a moment later.
    activity = models.CharField(
        _("activity level"), max_length=6, choices=Activity, default="", help_text=_("Blank: nobody said who.")
    )
    code = models.CharField(_("code"), max_length=40)
    #: What the customer is not told: which rule of risk control it was.
    reason = models.CharField(_("reason"), max_length=40, default="")
    count = models.BigIntegerField(_("refused"))

    class Meta:
        verbose_name = _("refusals of an hour")
        verbose_name_plural = _("refusals by the hour")
        constraints = [
            models.UniqueConstraint(
                fields=[
                    *("hour", "deed", "placement", "template_id", "city_id", "business_line", "activity"),
                    *("code", "reason"),
                ],
                name="refusal_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_deed_display()} · {timezone.localtime(self.hour):%Y-%m-%d %H:00}"


class RefusalDay(models.Model):
    """The same by day, deed and code alone, written with it: what the first page asks for."""

    pk = models.CompositePrimaryKey("day", "deed", "code")
    day = models.DateField(_("day"))
    deed = models.CharField(_("deed"), max_length=5, choices=RefusalCount.Deed)
    code = models.CharField(_("code"), max_length=40)
    count = models.BigIntegerField(_("refused"))

    class Meta:
        verbose_name = _("refusals of a day")
        verbose_name_plural = _("refusals by the day")
