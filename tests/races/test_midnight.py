"""Limits of a day where days meet: claims that were under way at midnight, clocks that run behind, days of 25 hours."""

import threading
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections, transaction

from coupons.answers import Reply
from coupons.lifecycle.issuing import Grant, Lost, issue
from coupons.models import Coupon, Supply
from coupons.queries import catalogue
from tests import making
from tests.database import until_waiting

pytestmark = pytest.mark.django_db(transaction=True)

SHANGHAI = ZoneInfo("Asia/Shanghai")


def give(template, customer, now):
    compiled = catalogue.current().templates([template.pk])[template.pk]
    outcome = issue(
        [Grant.of(compiled, now)], customer=customer, now=now, by="test", version=None, reply=Reply(201, b"{}")
    )
    return outcome.code if isinstance(outcome, Lost) else "issued"


@pytest.mark.parametrize("limits", [{"daily_count": 3}, {"daily_fen": 6000}])
def test_a_claim_that_waited_over_midnight_keeps_the_limit_of_its_own_day(limits, ledger):
    """C10: the counter has gone on to the next day while the claim stood in the queue."""
    template = making.template(limits=limits)
    evening = datetime(2026, 6, 3, 23, 59, 59, tzinfo=SHANGHAI)
    came = []

    def late() -> None:
        came.append(give(template, "late", evening))
        connections.close_all()

    waiting = threading.Thread(target=late)
    with transaction.atomic():
        Supply.objects.select_for_update().get()
        waiting.start()
        until_waiting()  # it has looked, and waits for the supply
        assert [give(template, f"c{n}", evening) for n in range(3)] == ["issued"] * 3
        assert give(template, "early", evening + timedelta(seconds=2)) == "issued"
    waiting.join()
    assert came == ["daily_limit"]
    assert Coupon.objects.filter(issued_at=evening).count() == 3
    ledger()


def test_a_claim_that_waited_over_midnight_gets_what_its_day_has_left(ledger):
    template = making.template(limits={"daily_count": 3})
    evening = datetime(2026, 6, 3, 23, 59, 59, tzinfo=SHANGHAI)
    came = []

    def late() -> None:
        came.append(give(template, "late", evening))
        connections.close_all()

    waiting = threading.Thread(target=late)
    with transaction.atomic():
        Supply.objects.select_for_update().get()
        waiting.start()
        until_waiting()
        assert [give(template, f"c{n}", evening) for n in range(2)] == ["issued"] * 2
        assert [give(template, f"d{n}", evening + timedelta(seconds=2)) for n in range(3)] == ["issued"] * 3
    waiting.join()
    assert came == ["issued"]
    assert give(template, "later", evening) == "daily_limit"
    assert give(template, "tomorrow", evening + timedelta(seconds=2)) == "daily_limit"
    ledger()


@pytest.mark.parametrize(
    ("limits", "code", "customers"),
    [({"daily_count": 2}, "daily_limit", "abcd"), ({"customer_daily_count": 2}, "customer_daily_limit", "aaaa")],
)
def test_a_day_of_25_hours_is_one_day(limits, code, customers, settings, ledger):
    """A clock that runs behind is counted by the rows of its day; the last hour of this one belongs to it."""
    settings.TIME_ZONE = "America/New_York"
    zone = ZoneInfo("America/New_York")
    template = making.template(limits=limits)
    night = datetime(2026, 11, 1, 23, 30, tzinfo=zone)  # 24 hours and a half after midnight
    assert [give(template, customers[0], night), give(template, customers[1], night)] == ["issued", "issued"]
    assert give(template, customers[2], datetime(2026, 11, 2, 0, 1, tzinfo=zone)) == "issued"
    assert give(template, customers[3], night) == code
    ledger()


def test_a_day_of_23_hours_ends_at_its_midnight(settings, ledger):
    """What was given in the first hour of the next day is not this day's."""
    settings.TIME_ZONE = "America/New_York"
    zone = ZoneInfo("America/New_York")
    template = making.template(limits={"daily_count": 1})
    assert give(template, "a", datetime(2026, 3, 9, 0, 30, tzinfo=zone)) == "issued"
    assert give(template, "b", datetime(2026, 3, 8, 23, 30, tzinfo=zone)) == "issued"
    ledger()
