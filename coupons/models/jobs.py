"""Long work as a row: what it is, how far it has come, where it goes on after a kill, and what came of it."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


def _place(job: "Job", name: str) -> str:
    return f"jobs/{job.pk}/{name}"


class Job(models.Model):
    """``coupons.jobs`` alone moves it. Files are private: only pages that ask for rights hand them out."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    #: Neither finished nor given up.
    OPEN = (State.WAITING, State.RUNNING, State.PAUSED)

    kind = models.CharField(_("kind"), max_length=40)
    title = models.CharField(_("title"), max_length=200)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.WAITING)
    answers = models.JSONField(default=dict, help_text=_("What it was asked to do."))
    cursor = models.JSONField(null=True, help_text=_("Where it goes on."))
    done_count = models.BigIntegerField(_("done"), default=0)
    total_count = models.BigIntegerField(_("of"), null=True)
    outcome = models.JSONField(_("outcome"), default=dict, help_text=_("Numbers that came of it, by name."))
    error = models.TextField(_("error"), blank=True)
    source = models.FileField(_("file"), upload_to=_place, null=True)
    result = models.FileField(_("result"), upload_to=_place, null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("started by"), null=True, related_name="+"
    )
    not_before = models.DateTimeField(_("not before"), null=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    started_at = models.DateTimeField(_("started at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("background job")
        verbose_name_plural = _("background jobs")
        ordering = ["-id"]
        indexes = [models.Index(fields=["id"], name="job_open", condition=Q(state__in=("waiting", "running")))]
        constraints = [
            models.CheckConstraint(
                condition=Q(done_count__gte=0) & (Q(total_count__isnull=True) | Q(done_count__lte=F("total_count"))),
                name="job_done_within_total",
            )
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def percent(self) -> int | None:
        """How much of it is done, 0 to 100; None: not known how much there is."""
        if self.state == self.State.DONE:
            return 100
        return None if self.total_count is None else self.done_count * 100 // max(self.total_count, 1)

    def as_dict(self) -> dict[str, Any]:
        """What a page that watches it asks for, again and again."""
        return {
            "state": self.state,
            "state_words": str(self.get_state_display()),
            "done_count": self.done_count,
            "total_count": self.total_count,
            "percent": self.percent,
            "error": self.error,
            "open": self.state in self.OPEN,
        }


class RowFault(models.Model):
    """A row of a job's file that could not be taken, until it is in the file of faults."""

    job = models.ForeignKey(Job, models.CASCADE, related_name="faults")
    number = models.PositiveIntegerField(_("row"))
    cells = models.JSONField()
    words = models.TextField(_("what is wrong"))

    class Meta:
        verbose_name = _("row at fault")
        verbose_name_plural = _("rows at fault")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="row_fault_once")]
