"""The owner of a campaign is told by mail when its budget runs low, once for each limit and level."""

import pytest
from django.contrib.auth.models import User
from django.core import mail

from coupons.models import Budget
from distribution.models import Campaign
from stats.models import BudgetWarning
from stats.tasks import warn_of_budgets
from tests import making, using

pytestmark = pytest.mark.django_db


@pytest.fixture
def campaign(clock):
    """¥100 for coupons of ¥20."""
    owner = User.objects.create_user("ops", email="ops@example.com")
    made = making.campaign(budget_fen=10_000)
    Campaign.objects.filter(pk=made.pk).update(owner=owner)
    made.refresh_from_db()
    return made


def give(campaign, count):
    template = making.template(campaign)
    for number in range(count):
        using.give(template, f"u{template.pk}-{number}")


def test_at_80_and_at_95_percent_the_owner_has_one_mail_each(campaign):
    """S6: spent and committed together; told twice a run, mailed once."""
    give(campaign, 3)
    assert warn_of_budgets() == 0
    give(campaign, 1)
    assert warn_of_budgets() == 1
    assert warn_of_budgets() == 0
    [letter] = mail.outbox
    assert letter.to == ["ops@example.com"]
    assert "80%" in letter.subject
    assert "¥80" in letter.body
    assert f"/admin/distribution/campaign/{campaign.pk}/change/" in letter.body
    give(campaign, 1)
    assert warn_of_budgets() == 1
    assert "95%" in mail.outbox[1].subject
    assert list(BudgetWarning.objects.order_by("level").values_list("level", flat=True)) == [80, 95]


def test_a_raised_budget_is_warned_of_anew(campaign):
    give(campaign, 5)
    assert warn_of_budgets() == 1
    Budget.objects.update(limit_fen=12_000)
    assert warn_of_budgets() == 1
    assert len(mail.outbox) == 2


def test_without_an_owner_it_stands_on_record_and_nobody_is_mailed(campaign):
    Campaign.objects.update(owner=None)
    give(campaign, 5)
    assert warn_of_budgets() == 0
    assert BudgetWarning.objects.get().to == ""
    assert mail.outbox == []


def test_a_mail_that_does_not_go_out_goes_out_the_next_time(campaign, monkeypatch):
    give(campaign, 5)

    def fail(*_arguments, **_options):
        raise OSError("no mail server")

    with monkeypatch.context() as broken:
        broken.setattr("django.core.mail.EmailMessage.send", fail)
        assert warn_of_budgets() == 0
    assert BudgetWarning.objects.get().sent_at is None
    assert warn_of_budgets() == 1
    assert len(mail.outbox) == 1


def test_campaigns_that_are_over_or_without_a_limit_warn_nobody(campaign, clock):
    give(campaign, 5)
    clock.forward(days=400)
    assert warn_of_budgets() == 0
    assert not BudgetWarning.objects.exists()
