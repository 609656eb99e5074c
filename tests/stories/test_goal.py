"""Each campaign's page says how far it is from its goal, and what its pace says."""

from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from distribution.models import Campaign
from stats import folding
from stats.queries.newcomers import new_customers
from tests import making, using

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(client, clock):
    def read(campaign):
        user, _made = User.objects.get_or_create(username="ops", is_staff=True)
        user.groups.set([Group.objects.get(name="运营")])
        client.force_login(user)
        return client.get(f"/admin/distribution/campaign/{campaign.pk}/change/").content.decode()

    return read


def campaign(target, metric="issued", days=10):
    start = timezone.make_aware(datetime(2026, 6, 1))
    made = making.campaign(starts_at=start, ends_at=start + timedelta(days=days))
    Campaign.objects.filter(pk=made.pk).update(goal_metric=metric, goal_target=target)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize(
    ("now", "given", "target", "sentence"),
    [
        ("2026-06-06", 4, 10, "时间过去50%，目标完成40%。按目前进度，结束时将达到8，为目标的80%。"),
        ("2026-06-01 06:00", 1, 10, "时间过去2%，目标完成10%，还看不出趋势。"),
        ("2026-06-06", 5, 5, "目标已达成：完成100%，时间过去50%。"),
        ("2026-06-20", 1, 4, "目标未达成：完成25%，还差3。"),
    ],
)
def test_distance_and_pace(page, clock, now, given, target, sentence):
    """P1, S3: by the average pace so far."""
    made = campaign(target)
    template = making.template(made)
    for number in range(given):
        using.give(template, f"c{number}")
    folding.fold_all()
    clock.set(now)
    assert sentence in page(made)


def test_a_campaign_that_has_not_begun_or_has_no_target_says_nothing(page, clock):
    clock.set("2026-05-30")
    assert "时间过去" not in page(campaign(10))
    clock.set("2026-06-06")
    assert "时间过去" not in page(campaign(None))


def test_new_customers_are_those_whose_first_order_used_its_coupon(system, page, clock):
    """P1: not who had ordered before, not whose first order went without, not what was rolled back."""
    made = campaign(4, "new_customers")
    template = making.template(made)
    till = system("redeem")

    def order(id, customer, coupons=()):
        told = using.order(id, customer)
        if coupons:
            redeemed = till.post("redemptions/", {"order": told, "coupons": list(coupons)})
            assert redeemed.status == 201
        assert till.post("orders/", {"orders": [told]}).status == 200
        clock.forward(minutes=1)
        return redeemed.body["id"] if coupons else None

    order("o1", "new", [using.give(template, "new")])
    order("o2", "old")
    order("o3", "old", [using.give(template, "old")])
    back = order("o4", "back", [using.give(template, "back")])
    till.post(f"redemptions/{back}/rollbacks/", {})
    order("o5", "second", [using.give(template, "second")])
    order("o6", "second", [using.give(template, "second")])
    assert new_customers([made.pk]) == {made.pk: 2}
    folding.fold_all()
    clock.set("2026-06-06")
    assert "目标完成50%" in page(made)
