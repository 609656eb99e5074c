"""兑换码: batches, what is kept of each code, who exchanged it, and who took the codes away."""

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coupons.models import Job
from coupons.models.keys import KEY_LENGTH
from distribution.models.campaigns import Placement

MOST_CODES = 1_000_000


def _place(batch: "CodeBatch", name: str) -> str:
    return f"codes/{batch.pk}/{name}"


class CodeBatch(models.Model):
    """Codes that were made, or read in, together. Only what is ready can be exchanged."""

    class Kind(models.TextChoices):
        LATIN = "latin", _("letters and digits")
        CHINESE = "chinese", _("Chinese words")
        SHARED = "shared", _("one code for many customers")
        IMPORTED = "imported", _("codes made elsewhere")

    class State(models.TextChoices):
        NEW = "new", _("new")
        RUNNING = "running", _("being made")
        READY = "ready", _("ready")
        CLOSED = "closed", _("closed")

    placement = models.ForeignKey(
        Placement,
        models.PROTECT,
        verbose_name=_("placement"),
        related_name="batches",
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.LATIN)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.NEW)
    code_count = models.PositiveIntegerField(
        _("number of codes"), default=1, validators=[MinValueValidator(1), MaxValueValidator(MOST_CODES)]
    )
    length = models.PositiveSmallIntegerField(_("length"), null=True, blank=True)
    bits = models.FloatField(_("bits"), null=True, blank=True)
    named = models.BooleanField(_("for named customers"), default=False)
    shared_code = models.CharField(_("the shared code"), max_length=40, blank=True)
    use_limit = models.PositiveBigIntegerField(
        _("uses of each code"), default=1, validators=[MinValueValidator(1), MaxValueValidator(10**9)]
    )
    job = models.ForeignKey(Job, models.SET_NULL, verbose_name=_("background job"), null=True, related_name="+")
    file_job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    file = models.FileField(_("file"), upload_to=_place, blank=True)
    #: The first complete download: begun, and done. After it nobody can see whole codes any more.
    handing_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(_("taken away"), null=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("made by"), null=True, related_name="+"
    )
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed at"), null=True)

    class Meta:
        verbose_name = _("batch of codes")
        verbose_name_plural = _("batches of codes")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name


class CodeSheet(models.Model):
    """Whole codes, sealed, in the order in which they were made; gone with the first complete download."""

    batch = models.ForeignKey(CodeBatch, models.CASCADE, related_name="sheets")
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        verbose_name = _("sheet of codes")
        verbose_name_plural = _("sheets of codes")
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="code_sheet_once")]


class RedemptionCode(models.Model):
    """What is kept of a code: a keyed digest and its last two signs. ``customer``: the key of whom it is for alone."""

    digest = models.UUIDField(primary_key=True, editable=False)
    batch = models.ForeignKey(
        CodeBatch, models.PROTECT, verbose_name=_("batch"), related_name="codes", db_constraint=False, db_index=False
    )
    hint = models.CharField(pgettext_lazy("redemption code", "code"), max_length=4)
    customer = models.CharField(_("for"), max_length=KEY_LENGTH, null=True)
    use_limit = models.BigIntegerField(_("uses at most"))
    used_count = models.BigIntegerField(_("used"))

    class Meta:
        verbose_name = _("redemption code")
        verbose_name_plural = _("redemption codes")
        indexes = [BrinIndex(fields=["batch"], name="code_batch")]
        constraints = [
            models.CheckConstraint(
                condition=Q(used_count__gte=0, used_count__lte=F("use_limit")), name="code_use_limit"
            )
        ]

    def __str__(self) -> str:
        return f"••••{self.hint}"


class CodeExchange(models.Model):
    """A code that became coupons; once for each customer."""

    code = models.ForeignKey(
        RedemptionCode,
        models.PROTECT,
        related_name="exchanges",
        db_column="digest",
        db_constraint=False,
        db_index=False,
    )
    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="exchanges", db_constraint=False)
    customer = models.CharField(_("customer"), max_length=KEY_LENGTH)
    at = models.DateTimeField(_("at"))
    coupons = ArrayField(models.UUIDField(), verbose_name=_("coupons"))

    class Meta:
        verbose_name = _("exchange of a code")
        verbose_name_plural = _("exchanges of codes")
        constraints = [models.UniqueConstraint(fields=["code", "customer"], name="code_once_a_customer")]


class CodeDownload(models.Model):
    """Who took a batch's codes away, whole or masked, and whether the file went out to its end."""

    batch = models.ForeignKey(CodeBatch, models.PROTECT, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), related_name="+")
    at = models.DateTimeField(_("at"))
    whole = models.BooleanField(_("whole codes"))
    completed_at = models.DateTimeField(_("completed at"), null=True)

    class Meta:
        verbose_name = _("download of codes")
        verbose_name_plural = _("downloads of codes")
        ordering = ["-id"]


class CodeAttempts(models.Model):
    """Wrong codes of the last minutes: of an account, of an address, of all. ``distribution_try_code`` writes here."""

    scope = models.CharField(primary_key=True, max_length=KEY_LENGTH + 10)
    failed_at = ArrayField(models.DateTimeField())

    class Meta:
        verbose_name = _("wrong codes")
        verbose_name_plural = _("wrong codes")
