"""短信与推送: the words that are sent to customers, and every message on its way, sent or stuck."""

import re

from django.contrib.postgres.indexes import BrinIndex
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from simple_history.models import HistoricalRecords

from coupons.models import Customer
from coupons.models.keys import KEY_LENGTH, key_validator

PLACE = re.compile(r"\{([^{}]*)\}")
#: Characters that fit one SMS, and each part of a longer one.
ONE_SMS, PART_OF_SMS = 70, 67


class MessageTemplate(models.Model):
    """What is written to customers on one occasion; ``{name}`` is filled in with what the occasion knows."""

    class Channel(models.TextChoices):
        SMS = "sms", gettext_lazy("SMS")
        PUSH = "push", gettext_lazy("push")

    class Occasion(models.TextChoices):
        SIGN_IN = "sign_in", gettext_lazy("sign-in code")
        ISSUED = "issued", gettext_lazy("coupon given")
        REMINDER = "reminder", gettext_lazy("reminder to use a coupon")

    key = models.CharField(gettext_lazy("key"), max_length=KEY_LENGTH, unique=True, validators=[key_validator])
    name = models.CharField(gettext_lazy("name"), max_length=60)
    channel = models.CharField(gettext_lazy("sent by"), max_length=4, choices=Channel, default=Channel.SMS)
    occasion = models.CharField(gettext_lazy("occasion"), max_length=8, choices=Occasion)
    title = models.CharField(gettext_lazy("title"), max_length=60, blank=True)
    text = models.TextField(gettext_lazy("text"), max_length=500)
    provider_template = models.CharField(
        gettext_lazy("number at the provider"),
        max_length=64,
        blank=True,
        help_text=gettext_lazy("SMS providers send only wording that they have approved; this is its number there."),
    )
    is_urgent = models.BooleanField(
        gettext_lazy("at any hour"), default=False, help_text=gettext_lazy("Goes out in quiet hours, too.")
    )
    is_active = models.BooleanField(gettext_lazy("in use"), default=True)
    created_at = models.DateTimeField(gettext_lazy("created at"), auto_now_add=True)
    history = HistoricalRecords()

    #: What each occasion can fill in: what it is called for operators, and an example.
    VARIABLES: dict[str, dict[str, tuple[str | Promise, str | Promise]]] = {
        Occasion.SIGN_IN: {
            "code": (gettext_lazy("the code"), "482913"),
            "minutes": (gettext_lazy("minutes for which it is valid"), "10"),
        },
        Occasion.ISSUED: {
            "nickname": (gettext_lazy("nickname"), gettext_lazy("Lin")),
            "coupon": (gettext_lazy("name of the coupon"), gettext_lazy("¥20 off ¥100")),
            "until": (gettext_lazy("last day"), "2026-06-30"),
            "link": (gettext_lazy("address of the wallet"), "https://example.com/h5/wallet/"),
        },
        Occasion.REMINDER: {
            "nickname": (gettext_lazy("nickname"), gettext_lazy("Lin")),
            "coupon": (gettext_lazy("name of the coupon"), gettext_lazy("¥20 off ¥100")),
            "count": (gettext_lazy("how many coupons of theirs it is about"), "2"),
            "days": (gettext_lazy("days left"), "3"),
            "until": (gettext_lazy("last day"), "2026-06-30"),
            "link": (gettext_lazy("address of the wallet"), "https://example.com/h5/wallet/"),
        },
    }
    #: Known to the customer alone: kept sealed, and only until the message is on its way.
    SECRET = frozenset({"code"})

    class Meta:
        verbose_name = gettext_lazy("message template")
        verbose_name_plural = gettext_lazy("message templates")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def variables(self) -> list[str]:
        """Those that title and text fill in, in the order in which they come first."""
        return list(dict.fromkeys(PLACE.findall(f"{self.title}{self.text}")))

    def clean(self) -> None:
        errors: dict[str, str] = {}
        known = self.VARIABLES.get(self.occasion, {})
        for name in ("title", "text"):
            words = getattr(self, name)
            strange = [place for place in PLACE.findall(words) if place not in known]
            if strange:
                errors[name] = _("%(names)s cannot be filled in here. There is: %(known)s.") % {
                    "names": ", ".join(f"{{{place}}}" for place in strange),
                    "known": ", ".join(f"{{{place}}}" for place in known),
                }
            elif set("{}") & set(PLACE.sub("", words)):
                errors[name] = _("A brace stands alone; variables are written {name}.")
        if self.channel == self.Channel.PUSH and not self.title:
            errors.setdefault("title", _("A push has a title."))
        if self.channel == self.Channel.SMS and self.title:
            errors.setdefault("title", _("An SMS has no title."))
        if self.occasion == self.Occasion.SIGN_IN:
            if self.channel != self.Channel.SMS:
                errors["channel"] = _("A sign-in code proves a phone number, so it goes by SMS.")
            if "{code}" not in self.text:
                errors.setdefault("text", _("The text must hold {code}."))
        if errors:
            raise ValidationError(errors)


def parts_of(text: str) -> int:
    """How many SMS a text is charged as."""
    return 1 if len(text) <= ONE_SMS else -(-len(text) // PART_OF_SMS)


class Message(models.Model):
    """One message to one customer: waiting in the outbox, on its way, or what became of it.

    ``key`` says what it is about, so that nothing is said twice. A row is leased before it is handed to the provider;
    if nobody can say afterwards whether the provider took it, it is ``unclear`` and no machine sends it again.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", gettext_lazy("waiting")
        SENDING = "sending", gettext_lazy("on its way")
        SENT = "sent", gettext_lazy("sent")
        FAILED = "failed", gettext_lazy("failed")
        UNCLEAR = "unclear", gettext_lazy("unclear")
        LATE = "late", gettext_lazy("too late")

    key = models.CharField(gettext_lazy("about"), max_length=160, unique=True)
    template = models.ForeignKey(
        MessageTemplate, models.PROTECT, verbose_name=gettext_lazy("message template"), related_name="messages"
    )
    channel = models.CharField(gettext_lazy("sent by"), max_length=4, choices=MessageTemplate.Channel)
    customer = models.ForeignKey(
        Customer,
        models.PROTECT,
        verbose_name=gettext_lazy("customer"),
        null=True,
        related_name="messages",
        db_constraint=False,
    )
    to = models.CharField(gettext_lazy("to"), max_length=64, help_text=gettext_lazy("Phone number or customer's key."))
    title = models.CharField(gettext_lazy("title"), max_length=120, blank=True)
    text = models.TextField(gettext_lazy("text"))
    variables = models.JSONField(default=dict)
    sealed = models.BinaryField(null=True)
    is_urgent = models.BooleanField(default=False)
    status = models.CharField(gettext_lazy("state"), max_length=8, choices=Status, default=Status.WAITING)
    due_at = models.DateTimeField(gettext_lazy("due at"))
    expires_at = models.DateTimeField(gettext_lazy("not after"), null=True)
    leased_until = models.DateTimeField(null=True)
    attempt_count = models.SmallIntegerField(gettext_lazy("attempts"), default=0)
    gateway = models.CharField(gettext_lazy("provider"), max_length=16, blank=True)
    receipt = models.CharField(gettext_lazy("provider's receipt"), max_length=128, blank=True)
    why = models.CharField(gettext_lazy("why not"), max_length=200, blank=True)
    cost_fen = models.BigIntegerField(gettext_lazy("cost"), default=0)
    by = models.CharField(gettext_lazy("by"), max_length=80)
    created_at = models.DateTimeField(gettext_lazy("created at"))
    sent_at = models.DateTimeField(gettext_lazy("sent at"), null=True)
    arrived = models.BooleanField(gettext_lazy("arrived on the phone"), null=True)
    reported_at = models.DateTimeField(gettext_lazy("reported at"), null=True)

    class Meta:
        verbose_name = gettext_lazy("message")
        verbose_name_plural = gettext_lazy("messages")
        indexes = [
            models.Index(F("due_at"), F("id"), name="message_due", condition=Q(status="waiting")),
            models.Index(fields=["leased_until"], name="message_leased", condition=Q(status="sending")),
            models.Index(fields=["to", "id"], name="message_to"),
            models.Index(fields=["receipt"], name="message_receipt", condition=~Q(receipt="")),
            BrinIndex(fields=["created_at"], name="message_created"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="sending") | Q(leased_until__isnull=False), name="message_leased_by_somebody"
            )
        ]

    def __str__(self) -> str:
        return self.key
