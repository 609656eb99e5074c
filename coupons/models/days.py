"""What operators know of days and the almanac does not: days off by notice, and local customs."""

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from coupons.calendar import PUBLIC_HOLIDAYS
from coupons.models.places import City, Named

MAKEUP = "workday_makeup"


class ToldDay(models.Model):
    """A day off or a make-up working day by the State Council's notice; goes before the table that comes along."""

    day = models.DateField(_("day"), primary_key=True)
    code = models.CharField(
        _("what it is"), max_length=20, choices=[*PUBLIC_HOLIDAYS.items(), (MAKEUP, _("make-up working day"))]
    )

    class Meta:
        verbose_name = _("day off or make-up day")
        verbose_name_plural = _("days off and make-up days")
        ordering = ["day"]

    def __str__(self) -> str:
        return f"{self.day:%Y-%m-%d}"


class Custom(Named):
    """地方习俗: a fair, a pilgrimage, a sales day of one's own; rules name it as ``custom:KEY``."""

    class Meta(Named.Meta):
        verbose_name = _("local custom")
        verbose_name_plural = _("local customs")


class CustomDay(models.Model):
    """When a custom is kept, first and last day included; in one city, or everywhere."""

    custom = models.ForeignKey(Custom, models.CASCADE, related_name="days", verbose_name=_("local custom"))
    first_date = models.DateField(_("first day"))
    last_date = models.DateField(_("last day"))
    city = models.ForeignKey(
        City, models.CASCADE, verbose_name=_("city"), null=True, blank=True, help_text=_("Empty: everywhere.")
    )

    class Meta:
        verbose_name = _("days of a custom")
        verbose_name_plural = _("days of customs")
        ordering = ["first_date", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_date__gte=models.F("first_date")),
                name="customday_ends_after_start",
                violation_error_message=_("The last day is before the first."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.first_date:%Y-%m-%d}"

    def clean(self) -> None:
        if self.first_date and self.last_date and (self.last_date - self.first_date).days > 366:
            raise ValidationError({"last_date": _("A year at most.")})
