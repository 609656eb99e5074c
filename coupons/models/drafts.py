from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from coupons.models.templates import CouponTemplate


class TemplateDraft(models.Model):
    """What somebody typed into the form of a template and that is not, or not yet, the template.

    *Unfinished*: it does not make sense yet, and is kept as it was typed. *Proposed*: it makes sense, and changes what
    is approved already; somebody else takes it over or declines it.
    """

    class State(models.TextChoices):
        UNFINISHED = "unfinished", _("unfinished")
        PROPOSED = "proposed", _("proposed")
        TAKEN = "taken", _("taken over")
        DECLINED = "declined", _("declined")

    #: None: of a template that is not there yet.
    template = models.ForeignKey(
        CouponTemplate, models.CASCADE, verbose_name=_("coupon template"), null=True, related_name="drafts"
    )
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("made by"), related_name="+")
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.UNFINISHED)
    title = models.CharField(_("internal name"), max_length=100, blank=True)
    #: Field → the words that were posted, as they were.
    answers = models.JSONField(_("answers"), default=dict)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("decided by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    updated_at = models.DateTimeField(_("updated at"), auto_now=True)

    class Meta:
        verbose_name = _("unfinished template")
        verbose_name_plural = _("unfinished templates")
        ordering = ["-updated_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["template", "made_by"], condition=Q(state="unfinished"), name="draft_one_each"
            ),
            models.UniqueConstraint(fields=["template"], condition=Q(state="proposed"), name="draft_one_proposal"),
            models.CheckConstraint(
                condition=Q(state="unfinished") | Q(template__isnull=False), name="draft_proposes_a_change"
            ),
            models.CheckConstraint(
                condition=Q(state__in=("taken", "declined"), decided_by__isnull=False)
                | Q(state__in=("unfinished", "proposed"), decided_by__isnull=True),
                name="draft_decided_by_somebody",
            ),
            models.CheckConstraint(
                condition=~Q(state="taken") | ~Q(decided_by=F("made_by")),
                name="draft_maker_takes_over_nothing",
                violation_error_message=_("Whoever makes a coupon cannot approve it."),
            ),
        ]

    def __str__(self) -> str:
        return self.title or str(_("without a name yet"))
