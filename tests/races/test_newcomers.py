"""Real threads: one newcomer coupon for a person with many accounts, and no claim more than a window allows."""

import pytest

from coupons.models import Coupon, Customer
from distribution.models import RiskRule, Velocity
from tests import making

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNTS = 12


@pytest.mark.parametrize("by", ["phone", "wechat", "device"])
def test_many_accounts_of_one_person_claim_at_once_and_one_gets_it(system, race, ledger, by):
    """I11: phone, WeChat account or device; the database decides."""
    placements = [making.placement(making.template(newcomer=True)) for _ in range(3)]
    told = {"phone": {"phone": "13800138000"}, "wechat": {"wechat_id": "o1"}}.get(by, {})
    people = [{"key": f"a{number}", **told} for number in range(ACCOUNTS)]
    system("profile").post("customers/", {"customers": people})
    where = {"device": "d-1"} if by == "device" else {}
    caller = system("issue")

    def act(number):
        placement = placements[number % len(placements)]
        return caller.post(f"placements/{placement.key}/claims/", {"customer": f"a{number}", **where})

    answers = race(ACCOUNTS, act)
    assert sorted(answer.status for answer in answers) == [201] + [409] * (ACCOUNTS - 1)
    assert {answer.code for answer in answers if answer.status == 409} == {"newcomer_coupon_held"}
    assert Coupon.objects.count() == 1
    ledger()


def test_a_window_is_exact_however_many_come_at_once(system, race, ledger):
    """I10: five from one device and seven from one address, whatever the order in which they come."""
    RiskRule.objects.create(kind="device", minutes=60 * 24 * 365, most_count=5)
    RiskRule.objects.create(kind="ip", minutes=60 * 24 * 365, most_count=7)
    placement = making.placement(making.template())
    caller = system("issue")

    def act(number):
        body = {"customer": f"c{number}", "device": f"d{number % 2}", "ip": "203.0.113.7"}
        return caller.post(f"placements/{placement.key}/claims/", body)

    answers = race(16, act)
    assert [answer.status for answer in answers].count(201) == 7
    assert {answer.code for answer in answers if answer.status == 409} == {"risk_refused"}
    assert Coupon.objects.count() == Customer.objects.count() == 7
    counts = sorted(Velocity.objects.values_list("count", flat=True))
    assert counts[-1] == 7
    assert sum(counts[:-1]) == 7
    assert max(counts[:-1]) <= 5
    ledger()
