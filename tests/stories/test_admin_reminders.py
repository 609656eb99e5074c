"""A reminder is made, tried on one's own phone, started with its consequences said, and read afterwards."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User

from coupons.models import Coupon, Customer
from distribution.models import Message, MessageTemplate, OptOut, Reminder, ReminderRule
from distribution.tasks import remind
from tests import making, using

pytestmark = pytest.mark.django_db


@pytest.fixture
def person(client):
    def sign_in(group):
        user, _made = User.objects.get_or_create(username=group, is_staff=True)
        user.groups.set([Group.objects.get(name=group)])
        client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def words(db):
    return MessageTemplate.objects.create(
        key="late", name="到期", channel="sms", occasion="reminder", text="{coupon}还有{days}天到期"
    )


def typed(words, **more):
    return {
        "name": "到期前三天",
        "basis": "before_expiry",
        "amount": "3",
        "unit": "days",
        "message": words.pk,
        "holdout_percent": "0",
        **more,
    }


def test_operations_make_try_and_start_it(person, words, clock):
    """S2."""
    Customer.objects.create(key="alice", phone="+8613800000001")
    desk = person("运营")
    assert desk.post("/admin/distribution/reminderrule/add/", typed(words)).status_code == 302
    rule = ReminderRule.objects.get()
    page = f"/admin/distribution/reminderrule/{rule.pk}"
    desk.post(f"{page}/move/try/", {"to": "+8613900000000"})
    trial = Message.objects.get()
    assert (trial.to, trial.text, trial.by) == ("+8613900000000", "满100减20券还有3天到期", "user:运营")
    using.give(making.template())
    clock.set("2026-06-06 12:00")
    desk = person("运营")
    asked = desk.get(f"{page}/move/start/").content.decode()
    assert "1位用户的1张券" in asked
    desk.post(f"{page}/move/start/")
    clock.set("2026-06-07 09:00")
    assert remind() == 1
    desk = person("运营")
    text = desk.get(f"{page}/change/").content.decode()
    assert "已生成消息: 1" in text
    assert "alice" in desk.get("/admin/distribution/reminder/").content.decode()
    assert rule.history.filter(history_change_reason="start").exists()


def test_a_live_rule_stays_as_it_is_until_it_is_paused(person, words, clock):
    desk = person("运营")
    desk.post("/admin/distribution/reminderrule/add/", typed(words))
    rule = ReminderRule.objects.get()
    page = f"/admin/distribution/reminderrule/{rule.pk}"
    desk.post(f"{page}/move/start/")
    assert desk.post(f"{page}/change/", typed(words, amount="5")).status_code == 403
    desk.post(f"{page}/move/pause/")
    assert desk.post(f"{page}/change/", typed(words, amount="5")).status_code == 302
    rule.refresh_from_db()
    assert (rule.amount, rule.status) == (5, "paused")


@pytest.mark.parametrize("group", ["审核", "财务", "客服"])
def test_others_read_and_do_not_start_it(person, words, group):
    person("运营").post("/admin/distribution/reminderrule/add/", typed(words))
    rule = ReminderRule.objects.get()
    page = f"/admin/distribution/reminderrule/{rule.pk}"
    other = person(group)
    assert other.get(f"{page}/change/").status_code == 200
    assert other.post(f"{page}/move/start/").status_code == 403
    rule.refresh_from_db()
    assert rule.status == "draft"
    assert not Reminder.objects.exists()


def test_customer_service_notes_who_wants_no_messages(person):
    """S2: and takes the note back."""
    alice = Customer.objects.create(key="alice")
    desk = person("客服")
    assert desk.post("/admin/distribution/optout/add/", {"customer": alice.pk}).status_code == 302
    assert OptOut.objects.get().by == "user:客服"
    desk.post(f"/admin/distribution/optout/{alice.pk}/delete/", {"post": "yes"})
    assert not OptOut.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("basis", "unit"), [("before_expiry", "days"), ("before_expiry", "hours"), ("after_claim", "days")]
)
@pytest.mark.parametrize("of", [None, "template", "campaign"])
def test_a_rule_of_any_moment_can_be_read(person, words, clock, basis, unit, of):
    """S2: as a server asks, outside of any transaction."""
    template = making.template()
    coupon = using.give(template)
    about = {None: {}, "template": {"template": template.pk}, "campaign": {"campaign": template.budget.campaign.pk}}[of]
    desk = person("运营")
    said = typed(words, basis=basis, unit=unit, **about)
    assert desk.post("/admin/distribution/reminderrule/add/", said).status_code == 302
    page = f"/admin/distribution/reminderrule/{ReminderRule.objects.get().pk}"
    due = Coupon.objects.get(pk=coupon)
    away = timedelta(**{unit: 3})
    at = due.issued_at + away if basis == "after_claim" else due.valid_until - away
    clock.set(at - timedelta(days=1))
    assert "1位用户的1张券" in person("运营").get(f"{page}/change/").content.decode()
    assert person("运营").get(f"{page}/move/start/").status_code == 200
