"""The same event told from many places at once."""

from datetime import UTC, datetime

import pytest

from coupons.models import Coupon
from distribution.models import InboundEvent
from tests import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_twenty_at_once_find_the_rule_awake_once(system, race, ledger):
    """P8: the rest of a rule holds under real threads."""
    app = system("issue")
    making.trigger(making.template(), cooldown_minutes=60)
    body = {"event": "app_open", "customer": "alice", "occurred_at": datetime.now(UTC).isoformat()}
    answers = race(20, lambda n: app.post("events/", body))
    assert {answer.status for answer in answers} == {200}
    assert sum(len(answer.body["coupons"]) for answer in answers) == Coupon.objects.count() == 1
    assert InboundEvent.objects.count() == 20
    ledger()


def test_one_key_from_ten_places_is_one_event(system, race, ledger):
    app = system("issue")
    making.trigger(making.template())
    body = {"event": "app_open", "customer": "alice", "occurred_at": datetime.now(UTC).isoformat()}
    answers = race(10, lambda n: app.post("events/", body, once="one"))
    assert len({answer.content for answer in answers}) == 1
    assert Coupon.objects.count() == InboundEvent.objects.count() == 1
    ledger()
