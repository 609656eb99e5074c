"""Many friends reach for the last slots at the same moment."""

import pytest

from coupons.models import Coupon
from distribution.models import SharePacket, ShareTake
from tests.stories.test_sharing import plan, share, take

pytestmark = pytest.mark.django_db(transaction=True)


def test_sixteen_friends_and_four_slots(system, customer, race, ledger):
    """P11: each slot once, the sum exact."""
    made = plan()
    token = share(system("issue"), made).body["token"]
    friends = [customer(f"friend{n}") for n in range(16)]
    answers = race(16, lambda n: take(friends[n], token))
    assert sorted(answer.status for answer in answers) == [201] * 4 + [409] * 12
    assert {answer.code for answer in answers if answer.status == 409} == {"sold_out"}
    assert sorted(ShareTake.objects.values_list("slot", flat=True)) == [0, 1, 2, 3]
    assert sum(Coupon.objects.values_list("committed_fen", flat=True)) == 2000
    ledger()


def test_an_order_told_ten_times_at_once_makes_one_packet(system, race):
    made = plan()
    shop = system("issue")
    answers = race(10, lambda n: share(shop, made))
    assert {answer.status for answer in answers} == {201}
    assert len({answer.body["token"] for answer in answers}) == 1
    assert SharePacket.objects.count() == 1
