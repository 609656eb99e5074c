"""How customers prove on H5 pages who they are: a phone number by a code, or a WeChat account bound to one."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from coupons.models import Customer


class PhoneProof(models.Model):
    """The code last sent to a phone number, as a keyed digest, and when codes were asked for in the last day."""

    phone = models.CharField(max_length=20, primary_key=True)
    digest = models.BinaryField(null=True)
    expires_at = models.DateTimeField(null=True)
    tries_left = models.SmallIntegerField(default=0)
    asked_at = ArrayField(models.DateTimeField(), default=list)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(tries_left__gte=0), name="phone_proof_tries")]


class SmsDay(models.Model):
    """What sign-in codes cost on a day (business time zone), in fen; never more than the settings allow."""

    day = models.DateField(primary_key=True)
    spent_fen = models.BigIntegerField(default=0)


class AddressHour(models.Model):
    """How many codes were asked for from one network address in an hour: nobody spends the day's money alone."""

    pk = models.CompositePrimaryKey("address", "hour")
    address = models.CharField(max_length=45)
    hour = models.DateTimeField()
    count = models.IntegerField()


class WechatAccount(models.Model):
    """A WeChat account whose owner has proved a phone number once."""

    openid = models.CharField(max_length=64, primary_key=True)
    unionid = models.CharField(max_length=64, blank=True)
    customer = models.ForeignKey(Customer, models.PROTECT, related_name="wechat_accounts")
    phone = models.CharField(max_length=20)
    nickname = models.CharField(max_length=60, blank=True)
    bound_at = models.DateTimeField()
