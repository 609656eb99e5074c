"""报表: what somebody asks again and again, with whom they share it, and when it is sent to whom."""

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from simple_history.models import HistoricalRecords

from coupons.models import Job


class Report(models.Model):
    """``question``: see :mod:`stats.reporting.asked`. Sent at an hour of the business time zone."""

    class Every(models.TextChoices):
        NEVER = "", _("not sent")
        DAY = "day", _("every day")
        WEEK = "week", _("every week")
        MONTH = "month", _("every month")

    class Weekday(models.IntegerChoices):
        MONDAY = 1, _("Monday")
        TUESDAY = 2, _("Tuesday")
        WEDNESDAY = 3, _("Wednesday")
        THURSDAY = 4, _("Thursday")
        FRIDAY = 5, _("Friday")
        SATURDAY = 6, _("Saturday")
        SUNDAY = 7, _("Sunday")

    name = models.CharField(_("name"), max_length=80)
    question = models.JSONField(_("question"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("owner"), related_name="+")
    shared_with = models.ManyToManyField(
        Group, verbose_name=_("shared with"), blank=True, related_name="+", help_text=_("Roles that may read it.")
    )
    every = models.CharField(_("is sent"), max_length=5, choices=Every, default=Every.NEVER, blank=True)
    weekday = models.PositiveSmallIntegerField(pgettext_lazy("weekday", "on"), choices=Weekday, default=Weekday.MONDAY)
    month_day = models.PositiveSmallIntegerField(
        _("day of the month"), default=1, validators=[MinValueValidator(1), MaxValueValidator(28)]
    )
    hour = models.PositiveSmallIntegerField(_("at the hour"), default=9, validators=[MaxValueValidator(23)])
    recipients = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("recipients"), blank=True, related_name="+"
    )
    #: What was due before is not made up for.
    scheduled_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)
    history = HistoricalRecords(excluded_fields=["scheduled_at"], m2m_fields=[shared_with, recipients])

    class Meta:
        verbose_name = _("report")
        verbose_name_plural = _("reports")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name


class ReportSending(models.Model):
    """One letter: a report to a recipient for a period (the day, the week's Monday or the month's first day on which it
    was due). Before it is handed to the mail server it is ``sending``; a worker killed just then leaves it there, and
    nobody sends it again unasked: it may have arrived.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        SENDING = "sending", _("on its way")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNCLEAR = "unclear", _("unclear whether it arrived")
        SKIPPED = "skipped", _("not sent")

    report = models.ForeignKey(Report, models.CASCADE, verbose_name=_("report"), related_name="sendings")
    period = models.CharField(_("period"), max_length=40, help_text=_("Of what is sent by hand: the moment."))
    recipient = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, verbose_name=_("recipient"), related_name="+"
    )
    address = models.EmailField(pgettext_lazy("e-mail", "address"), blank=True)
    state = models.CharField(_("state"), max_length=7, choices=State, default=State.WAITING)
    error = models.CharField(_("error"), max_length=300, blank=True)
    job = models.ForeignKey(Job, models.PROTECT, related_name="+")
    due_at = models.DateTimeField(_("due at"))
    sent_at = models.DateTimeField(_("sent at"), null=True)

    class Meta:
        verbose_name = _("report sent")
        verbose_name_plural = _("reports sent")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["report", "period", "recipient"], name="report_sent_once"),
            models.CheckConstraint(
                condition=Q(state="sent", sent_at__isnull=False) | ~Q(state="sent"), name="report_sent_when"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.report} {self.period}"
