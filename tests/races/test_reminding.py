"""The timetable's task comes twice, or to many workers at once: each coupon is reminded of once."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from coupons.models import Customer
from distribution.models import Message, MessageTemplate, Reminder, ReminderRule
from distribution.tasks import remind
from tests import making, using

pytestmark = pytest.mark.django_db(transaction=True)


def test_six_workers_write_to_forty_customers_once(race, settings):
    """S2: exactly once per coupon and rule."""
    settings.QUIET_HOURS = ""
    message = MessageTemplate.objects.create(key="m", name="m", channel="sms", occasion="reminder", text="{coupon}")
    ReminderRule.objects.create(
        name="r",
        basis="after_claim",
        amount=1,
        message=message,
        holdout_percent=Decimal(0),
        status="live",
        chosen_until=timezone.now() - timedelta(hours=2),
    )
    template = making.template(validity_type="days_after_claim", valid_days=10)
    for number in range(40):
        Customer.objects.create(key=f"c{number}", phone=f"+86138{number:08}")
        using.give(template, f"c{number}", at=timezone.now() - timedelta(days=1, minutes=5))
    answers = race(6, lambda n: remind())
    assert all(isinstance(answer, int) for answer in answers), answers
    remind()
    assert Message.objects.count() == 40
    assert Reminder.objects.filter(outcome="written").count() == 40
