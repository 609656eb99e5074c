"""What a campaign really brought is read against its control group, and said with its doubt."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone

from coupons.models import Customer, CustomerDay
from coupons.tasks import run_job
from distribution.models import Campaign
from stats.models import EffectReading
from tests import making

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
def campaign(clock):
    """Began on 24 May; it is noon of 3 June. Its draw is always the same: one in twenty shows what is not there."""
    start = timezone.make_aware(datetime(2026, 5, 24))
    made = making.campaign(starts_at=start, ends_at=start + timedelta(days=30))
    Campaign.objects.filter(pk=made.pk).update(control_percent=Decimal("30"), control_secret=UUID(int=1))
    made.refresh_from_db()
    return made


def live(campaign, customers=400, lift_fen=5000):
    """Active customers before it; those who are not in the control group spend more, for a subsidy of ¥20 each."""
    from distribution.queries.control import Draw

    draw = Draw.of(campaign.control_secret, campaign.control_percent)
    registered = timezone.make_aware(datetime(2026, 1, 1))
    made = Customer.objects.bulk_create(Customer(key=f"c{n}", registered_at=registered) for n in range(customers))
    days = []
    for n, one in enumerate(made):
        days.append(CustomerDay(customer=one, day=datetime(2026, 5, 1).date(), order_count=1, gross_fen=3000))
        extra = 0 if draw.holds(one.key) else 1
        days.append(
            CustomerDay(
                customer=one,
                day=datetime(2026, 5, 25 + n % 9).date() if n % 9 < 7 else datetime(2026, 6, n % 9 - 6).date(),
                order_count=1 + extra,
                gross_fen=3000 + 10 * n % 700 + extra * lift_fen,
                deducted_fen=extra * 2000,
            )
        )
    CustomerDay.objects.bulk_create(days)
    return sum(draw.holds(one.key) for one in made)


def read(desk, campaign, **answers):
    page = desk.post(
        f"/admin/stats/effectreading/add/?campaign={campaign.pk}",
        {"population": "active", "margin_percent": "60", **answers},
    )
    assert page.status_code == 302, page.content.decode()
    reading = EffectReading.objects.latest("id")
    assert run_job(reading.job_id) in ("done", "not_due")
    reading.refresh_from_db()
    return reading


def test_a_real_effect_is_shown_with_its_interval_and_whether_it_pays(person, campaign):
    """S9, I13: ¥50 of order value for ¥20 of subsidy, of which 60 % are margin: ¥1.50 for each yuan."""
    controls = live(campaign)
    desk = person("运营")
    reading = read(desk, campaign)
    assert reading.found["arms"]["control"][0] == controls
    assert reading.found["arms"]["coupon"][0] == 400 - controls
    assert (str(reading.first_day), str(reading.last_day)) == ("2026-05-24", "2026-06-02")
    text = desk.get(f"/admin/stats/effectreading/{reading.pk}/change/").content.decode()
    assert "有券用户人均订单额多¥" in text
    told = re.search(r"每1元补贴带来¥(\d\.\d\d)", text)
    assert told
    assert 1.4 < float(told[1]) < 1.6
    assert "能收回成本" in text
    assert desk.get(f"/admin/stats/effectreading/{reading.pk}/excel/").status_code == 200


def test_no_effect_is_not_talked_up(person, campaign):
    """S9: no difference shown yet."""
    live(campaign, lift_fen=0)
    desk = person("审核")
    reading = read(desk, campaign)
    text = desk.get(f"/admin/stats/effectreading/{reading.pk}/change/").content.decode()
    assert "尚未显示出差异" in text


def test_newcomers_after_the_beginning_and_who_was_idle_before_are_left_out(person, campaign):
    live(campaign, customers=60)
    Customer.objects.create(key="late", registered_at=timezone.make_aware(datetime(2026, 5, 30)))
    Customer.objects.create(key="idle", registered_at=timezone.make_aware(datetime(2026, 1, 1)))
    desk = person("运营")
    active = read(desk, campaign).found["arms"]
    everybody = read(desk, campaign, population="all").found["arms"]
    assert sum(arm[0] for arm in active.values()) == 60
    assert sum(arm[0] for arm in everybody.values()) == 61


def test_a_share_that_changed_meanwhile_is_said(person, campaign, clock):
    live(campaign, customers=60)
    campaign.save()  # 30 % on record
    campaign.control_percent = Decimal(40)
    campaign.save()
    desk = person("运营")
    reading = read(desk, campaign)
    assert "对照组比例" in desk.get(f"/admin/stats/effectreading/{reading.pk}/change/").content.decode()


@pytest.mark.parametrize("case", ["no control group", "no day yet"])
def test_what_cannot_be_read_is_refused_and_makes_nothing(person, campaign, clock, case):
    if case == "no control group":
        Campaign.objects.update(control_percent=0)
    else:
        clock.set("2026-05-24 12:00")
    desk = person("运营")
    page = desk.post(
        f"/admin/stats/effectreading/add/?campaign={campaign.pk}", {"population": "active", "margin_percent": "20"}
    )
    assert page.status_code == 200
    assert "alert" in page.content.decode()
    assert not EffectReading.objects.exists()


def test_customer_service_does_not_see_it(person, campaign):
    assert person("客服").get("/admin/stats/effectreading/").status_code == 403
