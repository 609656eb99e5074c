"""Unused coupons are brought to mind once, in waking hours, one message a customer and day, and never to who has used
them or wants no messages."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from coupons import checking
from coupons.lifecycle import ending
from coupons.models import Coupon, Customer
from distribution import reminding
from distribution.models import Message, MessageTemplate, OptOut, Reminder, ReminderRule
from distribution.queries import reminders
from distribution.tasks import remind
from tests import making, using

pytestmark = pytest.mark.django_db


def rule(
    clock,
    basis="before_expiry",
    amount=3,
    unit="days",
    text="{nickname}，{coupon}还有{days}天到期，共{count}张",
    **more,
):
    message = MessageTemplate.objects.create(
        key=f"m{MessageTemplate.objects.count()}", name="提醒", channel="sms", occasion="reminder", text=text
    )
    made = ReminderRule(
        name="到期提醒",
        basis=basis,
        amount=amount,
        unit=unit,
        message=message,
        **{"holdout_percent": Decimal(0), **more},
    )
    made.full_clean()
    made.save()
    return reminding.move(made, "start", by=None, now=clock.now())


@pytest.fixture
def alice(clock):
    return Customer.objects.create(key="alice", nickname="小林", phone="+8613800000001")


def words():
    return list(Message.objects.order_by("id").values_list("text", flat=True))


def test_three_days_before_it_expires_the_customer_is_reminded_once(alice, clock):
    """S2: claimed on 3 June for seven days, it ends on the 10th at midnight; the reminder is due on the 7th at midnight
    and waits for the morning."""
    rule(clock)
    using.give(making.template(name="满减券"))
    clock.set("2026-06-06 23:59")
    assert remind() == 0
    assert not Reminder.objects.exists()
    clock.set("2026-06-07 00:30")
    assert remind() == 0  # quiet: chosen, not written
    assert Reminder.objects.get().outcome == "pending"
    clock.set("2026-06-07 09:00")
    assert remind() == 1
    assert words() == ["小林，满减券还有3天到期，共1张"]
    clock.set("2026-06-07 15:00")
    assert remind() == 0
    clock.set("2026-06-08 09:00")
    assert remind() == 0
    assert Message.objects.count() == 1


def test_days_after_the_claim_without_use(alice, clock):
    """S2: by the clock of the claim."""
    rule(clock, basis="after_claim", amount=2)
    using.give(making.template())
    clock.forward(days=2, minutes=-1)
    assert remind() == 0
    clock.forward(minutes=1)
    assert remind() == 1


def test_hours_before_it_expires(alice, clock):
    clock.set("2026-06-03 09:00")
    rule(clock, amount=6, unit="hours")
    using.give(making.template(validity_type="claim_day"))
    clock.set("2026-06-03 17:59")
    assert remind() == 0
    clock.set("2026-06-03 18:00")
    assert remind() == 1


def test_several_coupons_of_a_day_are_one_message_about_the_first_to_expire(alice, clock):
    rule(clock)
    using.give(making.template(name="七天券"))
    using.give(making.template(name="七天券乙"))
    clock.set("2026-06-07 10:00")
    assert remind() == 1
    assert words() == ["小林，七天券还有3天到期，共2张"]
    assert sorted(Reminder.objects.values_list("outcome", flat=True)) == ["merged", "written"]


def test_a_second_reminder_of_the_same_day_waits_for_the_next(alice, clock):
    """S2: at most one message per customer and day over all coupons and rules."""
    rule(clock)
    rule(clock, basis="after_claim", amount=4, text="别忘了{coupon}")
    using.give(making.template(name="七天券"))
    clock.set("2026-06-07 11:00")
    assert remind() == 1
    clock.set("2026-06-07 12:00")  # four days after the claim
    assert remind() == 0
    clock.set("2026-06-08 09:00")
    assert remind() == 1
    assert words() == ["小林，七天券还有3天到期，共1张", "别忘了七天券"]


def test_what_was_used_or_taken_away_meanwhile_is_not_mentioned(alice, clock):
    """S2: not to used or void; asked again when the message is written."""
    rule(clock)
    gone, used = using.give(making.template()), using.give(making.template())
    clock.set("2026-06-07 00:30")
    remind()
    assert Reminder.objects.count() == 2
    ending.void(Coupon.objects.get(pk=gone).pk, now=clock.now(), by="test", reason="")
    Coupon.objects.filter(pk=used).update(status="redeemed")
    clock.set("2026-06-07 09:00")
    assert remind() == 0
    assert set(Reminder.objects.values_list("outcome", flat=True)) == {"gone"}
    assert not Message.objects.exists()


def test_who_wants_no_messages_gets_none(alice, clock, customer, system):
    """S2: told by the customer, or by a system for them; also after the coupon was chosen."""
    rule(clock)
    using.give(making.template())
    clock.set("2026-06-07 00:30")
    remind()
    assert customer("alice").post("opt-outs/", {"opted_out": True}).status == 200
    clock.set("2026-06-07 09:00")
    assert remind() == 0
    assert Reminder.objects.get().outcome == "opted_out"
    using.give(making.template())
    clock.set("2026-06-11 09:00")
    assert remind() == 0
    assert Reminder.objects.count() == 1
    assert system("profile").post("opt-outs/", {"customer": "alice", "opted_out": False}).body == {
        "customer": "alice",
        "opted_out": False,
    }
    assert not OptOut.objects.exists()


def test_opting_out_for_somebody_unknown_makes_nobody(system, clock):
    assert system("profile").post("opt-outs/", {"customer": "nobody", "opted_out": True}).status == 404
    assert not Customer.objects.exists()


def test_a_rule_that_starts_today_leaves_the_past_alone(alice, clock):
    using.give(making.template())
    clock.set("2026-06-08 09:00")
    rule(clock)
    assert remind() == 0
    clock.forward(days=1)
    assert remind() == 0


def test_a_paused_rule_chooses_nothing_and_what_it_missed_stays_missed(alice, clock):
    made = rule(clock)
    using.give(making.template())
    reminding.move(made, "pause", by=None, now=clock.now())
    clock.set("2026-06-07 09:00")
    assert remind() == 0
    reminding.move(made, "start", by=None, now=clock.now())
    clock.set("2026-06-07 10:00")
    assert remind() == 0
    assert not Reminder.objects.exists()


def test_only_coupons_of_its_campaign_or_template(alice, clock):
    mine, other = making.campaign(), making.campaign()
    rule(clock, campaign=mine)
    using.give(making.template(mine, name="我的券"))
    using.give(making.template(other))
    clock.set("2026-06-07 09:00")
    assert remind() == 1
    assert Reminder.objects.count() == 1


def test_some_are_left_out_by_lot_and_the_difference_is_shown_with_its_doubt(clock):
    """S2, S9: used within three days, reminded against not reminded."""
    made = rule(clock, holdout_percent=Decimal(50))
    template = making.template()
    for number in range(120):
        Customer.objects.create(key=f"c{number}", phone=f"+86138{number:08}")
        using.give(template, f"c{number}")
    clock.set("2026-06-07 09:00")
    written = remind()
    held = Reminder.objects.filter(outcome="held_out").count()
    assert written + held == 120
    assert 35 <= held <= 85
    found = reminders.results(made, clock.now())
    assert found.reminded.chosen == found.held_out.chosen == 0  # the days for an answer are not over
    clock.forward(days=4)
    found = reminders.results(made, clock.now())
    assert (found.reminded.chosen, found.held_out.chosen) == (written, held)
    assert found.difference == (0.0, 0.0, 0.0)


def test_how_many_tomorrow(alice, clock):
    made = rule(clock)
    using.give(making.template())
    using.give(making.template())
    day = timezone.localtime(clock.now()).replace(hour=0, minute=0) + timedelta(days=4)
    found = reminders.forecast(made, day - timedelta(minutes=1), day + timedelta(days=1), clock.now())
    assert (found.coupons, found.customers, found.opted_out) == (2, 1, 0)


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"amount": 0}, "amount"),
        ({"basis": "after_claim", "unit": "hours"}, "unit"),
        ({"amount": 7}, "amount"),
        ({"basis": "after_claim", "amount": 7}, "amount"),
        ({"holdout_percent": Decimal(95)}, "holdout_percent"),
    ],
)
def test_a_rule_that_makes_no_sense_is_an_error_at_its_field(clock, fields, wrong):
    from django.core.exceptions import ValidationError

    template = making.template()
    with pytest.raises(ValidationError) as no:
        rule(clock, template=template, **fields)
    assert wrong in no.value.error_dict


def test_the_checker_warns_of_reminders_that_would_never_come(clock):
    """C11: a coupon of one day under a rule of three days before its end; one of a week under the same rule is well."""
    made = rule(clock)
    short = making.template(validity_type="claim_day")
    found = [finding for finding in checking.verdict(short).findings if finding.code == "reminder_never_due"]
    assert [(finding.severity, finding.fields) for finding in found] == [("warning", ("validity_type",))]
    assert made.name in found[0].sentence
    assert "reminder_never_due" not in {finding.code for finding in checking.verdict(making.template()).findings}
    reminding.move(made, "pause", by=None, now=clock.now())
    assert "reminder_never_due" not in {finding.code for finding in checking.verdict(short).findings}
