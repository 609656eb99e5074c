"""绑券: coupons that an operator puts into accounts, and what became of each account."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from coupons.models import Audience, Job
from coupons.models.keys import KEY_LENGTH
from distribution.models.campaigns import Placement


class Binding(models.Model):
    """One act: to whom, from which placement, looked over, confirmed, and done by a job that can be called back."""

    class State(models.TextChoices):
        COUNTING = "counting", _("being looked over")
        COUNTED = "counted", _("to be confirmed")
        AWAITING = "awaiting", _("awaiting a second person")
        SCHEDULED = "scheduled", _("confirmed")
        DONE = "done", _("done")
        CALLED_BACK = "called_back", _("called back")

    class Named(models.TextChoices):
        KEY = "key", _("customers' keys")
        PHONE = "phone", _("phone numbers")

    placement = models.ForeignKey(Placement, models.PROTECT, verbose_name=_("placement"), related_name="bindings")
    name = models.CharField(_("name"), max_length=100)
    state = models.CharField(_("state"), max_length=11, choices=State, default=State.COUNTING)
    audience = models.ForeignKey(
        Audience, models.PROTECT, verbose_name=_("audience"), null=True, blank=True, related_name="+"
    )
    named_by = models.CharField(_("accounts are named by"), max_length=5, choices=Named, default=Named.KEY)
    again_for = models.ForeignKey("self", models.PROTECT, verbose_name=_("again for"), null=True, related_name="+")
    #: What the dry run found: accounts, would (by template's key), cost_fen, no (by code); and what was done at last.
    looked = models.JSONField(_("dry run"), default=dict)
    did = models.JSONField(_("result"), default=dict)
    job = models.ForeignKey(Job, models.SET_NULL, verbose_name=_("background job"), null=True, related_name="+")
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("made by"), null=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("confirmed by"), null=True, related_name="+"
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("approved by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    starts_at = models.DateTimeField(_("begins at"), null=True)
    ended_at = models.DateTimeField(_("ended at"), null=True)

    class Meta:
        verbose_name = _("binding")
        verbose_name_plural = _("bindings")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=models.F("confirmed_by")),
                name="binding_needs_two",
                violation_error_message=_("Whoever confirms it cannot be its second person."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class BindingLine(models.Model):
    """One account of a binding, in the order of its list. ``customer_id`` NULL: nobody that coupons could go to."""

    pk = models.CompositePrimaryKey("binding_id", "number")
    binding_id = models.BigIntegerField()
    number = models.BigIntegerField()
    account = models.CharField(_("account"), max_length=KEY_LENGTH)
    customer_id = models.BigIntegerField(null=True)
    outcome = models.CharField(_("outcome"), max_length=32, null=True)
    coupons = models.SmallIntegerField(_("coupons"), default=0)

    class Meta:
        verbose_name = _("account of a binding")
        verbose_name_plural = _("accounts of bindings")
