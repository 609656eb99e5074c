"""Who calls, and what they were answered."""

import hashlib
import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class ApiKey(models.Model):
    """Another system of the company. Only a digest of the key is kept: it is random, so a plain SHA-256 will do."""

    class Scope(models.TextChoices):
        PROFILE = "profile", _("tell customers")
        ISSUE = "issue", _("issue coupons")
        REDEEM = "redeem", _("redeem coupons")
        MANAGE = "manage", _("make campaigns")
        APPROVE = "approve", _("approve campaigns")
        READ = "read", _("read")

    name = models.CharField(_("name"), max_length=100)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope), verbose_name=_("scopes"))
    is_active = models.BooleanField(_("active"), default=True)
    created_at = models.DateTimeField(_("created at"), auto_now_add=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return self.name

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def make(cls, name: str, scopes: list[str]) -> tuple["ApiKey", str]:
        """A new key and its text, which can never be read again."""
        key = secrets.token_urlsafe(32)
        return cls.objects.create(name=name, digest=cls.digest_of(key), scopes=scopes), key


class Answer(models.Model):
    """The stored answer of a call that had an effect, so that saying it twice does it once."""

    pk = models.CompositePrimaryKey("caller", "key")
    caller = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.BinaryField()
    status = models.SmallIntegerField()
    body = models.BinaryField()
    created_at = models.DateTimeField()

    class Meta:
        verbose_name = _("stored answer")
        verbose_name_plural = _("stored answers")
