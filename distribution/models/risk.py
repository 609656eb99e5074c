"""风控: who gets nothing, how often one may come, how old an account must be; and how often each has come."""

import ipaddress
from contextlib import suppress

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from coupons.models.keys import key_validator
from coupons.telling import phone_of


class Block(models.Model):
    """封禁: this account, number, device or address gets nothing. An address may be a network, as 203.0.113.0/24."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        PHONE = "phone", _("phone number")
        DEVICE = "device", _("device")
        IP = "ip", _("IP address or network")

    kind = models.CharField(_("what"), max_length=8, choices=Kind)
    value = models.CharField(
        _("who"),
        max_length=100,
        help_text=_("The customer's key, a phone number, the device's id as the app says it, or 203.0.113.7/32."),
    )
    reason = models.CharField(_("why"), max_length=200)
    until = models.DateTimeField(_("until"), null=True, blank=True, help_text=_("Empty: until somebody lifts it."))
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, verbose_name=_("by"), null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("block")
        verbose_name_plural = _("block list")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "value"], name="block_once", violation_error_message=_("This is blocked already.")
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.value}"

    def clean(self) -> None:
        self.value = self.value.strip()
        if self.kind == self.Kind.CUSTOMER:
            try:
                key_validator(self.value)
            except ValidationError as wrong:
                raise ValidationError({"value": wrong}) from None
        elif self.kind == self.Kind.PHONE:
            number = phone_of(self.value)
            if number is None:
                raise ValidationError({"value": ValidationError(_("This is not a phone number."), "invalid_phone")})
            self.value = number
        elif self.kind == self.Kind.IP:
            networks = networks_of(self.value)
            if not networks:
                sentence = _("An address, or a network as 203.0.113.0/24, of at least /8 or /32 in IPv6.")
                raise ValidationError({"value": ValidationError(sentence, "invalid_address")})
            self.value = networks[0]


#: The largest networks that can be blocked, by version.
_LARGEST = {4: 8, 6: 32}


def networks_of(address: str) -> list[str]:
    """The network that is named, and all larger ones around it that may be on the list; empty: it is no address."""
    with suppress(ValueError):
        network = ipaddress.ip_network(address.strip(), strict=False)
        mapped = getattr(network.network_address, "ipv4_mapped", None)
        if mapped is not None and network.prefixlen == 128:
            network = ipaddress.ip_network(mapped)
        lengths = range(network.prefixlen, _LARGEST[network.version] - 1, -1)
        return [str(network.supernet(new_prefix=length)) for length in lengths]
    return []


class RiskRule(models.Model):
    """How often claims may succeed within a window, by what they have in common; or how old an account must be."""

    class Kind(models.TextChoices):
        CUSTOMER = "customer", _("customer")
        DEVICE = "device", _("device")
        IP = "ip", _("IP address")
        PHONE_PREFIX = "phone_prefix", _("beginning of the phone number")
        ACCOUNT_AGE = "account_age", _("age of the account")

    kind = models.CharField(pgettext_lazy("risk rule", "by"), max_length=12, choices=Kind)
    minutes = models.PositiveIntegerField(
        _("minutes"),
        validators=[MinValueValidator(1), MaxValueValidator(60 * 24 * 365)],
        help_text=_(
            "Windows follow each other by the clock: 60 begins anew with each hour, 1440 at midnight. "
            "Of an account: how long ago it must have been registered."
        ),
    )
    most_count = models.PositiveIntegerField(
        _("at most"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("Successful claims within a window."),
    )
    digits = models.PositiveSmallIntegerField(
        _("digits"),
        null=True,
        blank=True,
        validators=[MinValueValidator(3), MaxValueValidator(11)],
        help_text=_("Of the phone number, without its country: 7 name carrier and city."),
    )
    is_on = models.BooleanField(_("on"), default=True)

    class Meta:
        verbose_name = _("risk rule")
        verbose_name_plural = _("risk rules")
        ordering = ["kind", "minutes", "id"]
        constraints = [
            models.CheckConstraint(
                # a comparison with NULL is no "no" to the database: that there is a number is asked by itself
                condition=Q(kind="account_age", most_count__isnull=True)
                | (~Q(kind="account_age") & Q(most_count__isnull=False, most_count__gte=1)),
                name="riskrule_has_a_number",
                violation_error_message=_("All but the age of an account need a number of claims."),
            ),
            models.CheckConstraint(
                condition=Q(kind="phone_prefix", digits__isnull=False, digits__gte=3)
                | (~Q(kind="phone_prefix") & Q(digits__isnull=True)),
                name="riskrule_has_digits",
                violation_error_message=_("Digits are for the phone number, and needed there."),
            ),
        ]

    def __str__(self) -> str:
        return str(self.get_kind_display())


class Velocity(models.Model):
    """How many claims of one rule's window succeeded for one device, address and so on; the last window alone."""

    pk = models.CompositePrimaryKey("rule_id", "value")
    rule_id = models.BigIntegerField()
    value = models.UUIDField()
    window_at = models.DateTimeField(db_index=True)
    count = models.BigIntegerField()

    class Meta:
        verbose_name = _("velocity")
        verbose_name_plural = _("velocities")
