"""系统自动触发: what an event of the app sets off, and what came of each event."""

import re
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from simple_history.models import HistoricalRecords

from coupons import rules
from coupons.models.keys import KEY_LENGTH
from distribution.models.campaigns import Placement
from distribution.models.messages import MessageTemplate

EVENT_PATTERN = r"^[a-z][a-z0-9_]{0,47}$"
#: Names of numbers and words that an event tells: ``late_minutes``, ``order.late_minutes``.
FIELD_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,31}(\.[A-Za-z_][A-Za-z0-9_]{0,31}){0,3}$"
MOST_TESTS = 10
MOST_WORD = 100
MOST_MINUTES = 366 * 24 * 60


class Comparison(models.TextChoices):
    AT_LEAST = ">=", gettext_lazy("at least")
    AT_MOST = "<=", gettext_lazy("at most")
    MORE = ">", gettext_lazy("more than")
    LESS = "<", gettext_lazy("less than")
    IS = "=", gettext_lazy("is")
    IS_NOT = "!=", gettext_lazy("is not")


#: Comparisons of numbers alone.
_ORDERED = (Comparison.AT_LEAST, Comparison.AT_MOST, Comparison.MORE, Comparison.LESS)


def clean_tests(tests: Any) -> list[dict[str, Any]]:
    """What the event's data must say, as stored: ``[{"field", "is", "value"}]``; all must hold.

    :raises InvalidRules: by place, ``0.value``.
    """
    errors: list[tuple[str, str, str]] = []
    if not isinstance(tests, list) or len(tests) > MOST_TESTS:
        raise rules.InvalidRules([("", "wrong_type", _("A list of at most %(limit)s.") % {"limit": MOST_TESTS})])
    for place, test in enumerate(tests):
        if not isinstance(test, dict) or set(test) != {"field", "is", "value"}:
            errors.append((str(place), "invalid", _("A field, a comparison and a value.")))
            continue
        if not isinstance(test["field"], str) or not re.match(FIELD_PATTERN, test["field"]):
            errors.append((f"{place}.field", "invalid", _("A name such as late_minutes.")))
        if test["is"] not in Comparison.values:
            errors.append((f"{place}.is", "invalid_choice", _("One of: %(choices)s.") % {"choices": "= != >= <= > <"}))
        value = test["value"]
        if type(value) not in (int, float, str, bool) or (isinstance(value, str) and not 0 < len(value) <= MOST_WORD):
            errors.append((f"{place}.value", "wrong_type", _("A number, a word, true or false.")))
        elif test["is"] in _ORDERED and type(value) not in (int, float):
            errors.append((f"{place}.value", "not_a_number", _("A number.")))
    if errors:
        raise rules.InvalidRules(errors)
    return [dict(test) for test in tests]


class TriggerRule(models.Model):
    """What sets a placement of the form "triggered" off. Whether it runs is the placement's state."""

    placement = models.OneToOneField(
        Placement, models.PROTECT, verbose_name=gettext_lazy("placement"), related_name="trigger"
    )
    event = models.CharField(
        pgettext_lazy("of the app", "event"),
        max_length=48,
        db_index=True,
        validators=[
            RegexValidator(EVENT_PATTERN, gettext_lazy("Small letters, digits and _ only, beginning with a letter."))
        ],
        help_text=gettext_lazy(
            "As the app reports it: app_open, page_view, order_delivered_late, or a name of your own."
        ),
    )
    tests = models.JSONField(gettext_lazy("what the event says"), default=list, blank=True)
    conditions = models.JSONField(gettext_lazy("conditions"), default=dict, blank=True)
    cooldown_minutes = models.PositiveIntegerField(
        gettext_lazy("rest, minutes"),
        default=24 * 60,
        validators=[MaxValueValidator(MOST_MINUTES)],
        help_text=gettext_lazy(
            "For so long after it gave something, the same customer gets nothing more from it. 0: none."
        ),
    )
    fresh_minutes = models.PositiveIntegerField(
        gettext_lazy("events count for, minutes"),
        default=60,
        validators=[MaxValueValidator(MOST_MINUTES)],
        help_text=gettext_lazy("An event that is told later than this sets nothing off."),
    )
    message = models.ForeignKey(
        MessageTemplate,
        models.PROTECT,
        verbose_name=gettext_lazy("message"),
        null=True,
        blank=True,
        related_name="+",
        limit_choices_to={"occasion": MessageTemplate.Occasion.ISSUED},
        help_text=gettext_lazy("Sent with what is given."),
    )
    history = HistoricalRecords()

    class Meta:
        verbose_name = gettext_lazy("trigger rule")
        verbose_name_plural = gettext_lazy("trigger rules")
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.placement)

    def clean(self) -> None:
        errors: dict[str, Any] = {}
        if self.placement_id and self.placement.form != Placement.Form.TRIGGER:
            errors["placement"] = ValidationError(_("This placement has another form."), code="other_form")
        for field, clean in (("tests", clean_tests), ("conditions", rules.clean)):
            try:
                setattr(self, field, clean(getattr(self, field)))
            except rules.InvalidRules as invalid:
                errors[field] = [
                    ValidationError(f"{path}: {sentence}" if path else sentence, code=code)
                    for path, code, sentence in invalid.errors
                ]
        if errors:
            raise ValidationError(errors)


class InboundEvent(models.Model):
    """An event that the app told, and what each rule made of it. Kept for ``EVENT_DAYS``, to try rules on."""

    id = models.BigAutoField(primary_key=True)
    event = models.CharField(pgettext_lazy("of the app", "event"), max_length=48)
    customer = models.CharField(gettext_lazy("customer"), max_length=KEY_LENGTH, help_text=gettext_lazy("Their key."))
    occurred_at = models.DateTimeField(gettext_lazy("happened at"))
    received_at = models.DateTimeField(gettext_lazy("told at"))
    client = models.CharField(gettext_lazy("client"), max_length=16, null=True)
    city_id = models.CharField(gettext_lazy("city"), max_length=6, null=True)
    lat = models.FloatField(null=True)
    lng = models.FloatField(null=True)
    data = models.JSONField(gettext_lazy("what it says"), default=dict)
    #: ``[{"placement", "code", "coupons"?, "reasons"?}, …, {"placements", "code"}]``; code "issued" or why not. Those
    #: that the event does not concern stand together and last.
    outcomes = models.JSONField(gettext_lazy("what came of it"), default=list)
    issued_count = models.PositiveIntegerField(gettext_lazy("coupons"), default=0)
    by = models.CharField(gettext_lazy("told by"), max_length=80)

    class Meta:
        verbose_name = gettext_lazy("event of the app")
        verbose_name_plural = gettext_lazy("events of the app")
        ordering = ["-received_at", "-id"]
        indexes = [
            models.Index(fields=["received_at"], name="inboundevent_at"),  # which set nothing off are written later
            models.Index(fields=["customer", "-id"], name="inboundevent_customer"),
        ]

    def __str__(self) -> str:
        return self.event


class Rest(models.Model):
    """Until when a rule gives one customer nothing more."""

    pk = models.CompositePrimaryKey("rule_id", "customer_key")
    rule = models.ForeignKey(TriggerRule, models.CASCADE, related_name="rests")
    customer_key = models.CharField(max_length=KEY_LENGTH)
    until = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = gettext_lazy("rest of a rule")
        verbose_name_plural = gettext_lazy("rests of rules")
