"""Uses at the same moment, by real threads on PostgreSQL: each coupon once, each fen once, and the ledger agrees."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from coupons.lifecycle import ending
from coupons.models import Coupon, CouponEvent, Customer
from redemption import settling
from redemption.models import Order, Redemption, SettlementEntry
from tests import making, using
from tests.using import coupon, line, order

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def till(system):
    return system("redeem")


def _statuses(answers):
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return sorted(answer.status for answer in answers)


def test_one_coupon_and_16_orders_give_one_redemption(till, race, ledger):
    """U9."""
    one = coupon()
    answers = race(16, lambda n: till.post("redemptions/", {"order": order(f"o{n}"), "coupons": [one]}))
    assert _statuses(answers) == [201] + [409] * 15
    assert {answer.code for answer in answers if answer.status == 409} == {"already_redeemed"}
    assert Redemption.objects.count() == Order.objects.count() == 1
    assert CouponEvent.objects.filter(kind="redeemed").count() == 1
    assert using.purse() == (0, 2000)
    ledger()


def test_one_coupon_and_16_holds_give_one_hold(till, race, ledger):
    one = coupon()
    answers = race(
        16, lambda n: till.post("redemptions/", {"order": order(f"o{n}"), "coupons": [one], "capture": False})
    )
    assert _statuses(answers) == [201] + [409] * 15
    assert {answer.code for answer in answers if answer.status == 409} == {"held_by_other_order"}
    assert Redemption.objects.filter(status="held").count() == 1
    ledger()


def test_one_order_and_12_coupons_redeem_one(till, race, ledger):
    ones = [coupon() for _ in range(12)]
    answers = race(12, lambda n: till.post("redemptions/", {"order": order("o1"), "coupons": [ones[n]]}))
    assert _statuses(answers) == [201] + [409] * 11
    assert {answer.code for answer in answers if answer.status == 409} == {"order_already_redeemed"}
    assert Coupon.objects.filter(status="redeemed").count() == 1
    ledger()


def test_one_key_16_times_has_one_effect_and_one_answer(till, race, ledger):
    one = coupon()
    answers = race(16, lambda n: till.post("redemptions/", {"order": order(), "coupons": [one]}, once="k"))
    assert _statuses(answers) == [201] * 16
    assert len({answer.content for answer in answers}) == 1
    assert Redemption.objects.count() == 1
    ledger()


def test_one_redemption_and_20_rollbacks_have_one_effect(till, race, ledger):
    """U9: what was deducted is given back once."""
    one = coupon()
    made = till.post("redemptions/", {"order": order(), "coupons": [one]}).body
    answers = race(20, lambda n: till.post(f"redemptions/{made['id']}/rollbacks/", {}))
    assert _statuses(answers) == [200] + [409] * 19
    assert {answer.code for answer in answers if answer.status == 409} == {"rollback_exceeds"}
    assert CouponEvent.objects.filter(kind="rolled_back").count() == 1
    assert using.status(one) == "available"
    assert using.purse() == (2000, 0)
    ledger()


def test_rollbacks_of_single_pieces_add_up_to_the_whole(till, race, ledger):
    one = coupon(merchant_fen=777, merchant=making.merchant() if hasattr(making, "merchant") else None)
    said = order("o1", "alice", line("a", 3333, 7), line("b", 999, 5))
    made = till.post("redemptions/", {"order": said, "coupons": [one]}).body
    pieces = ["a"] * 7 + ["b"] * 5
    answers = race(
        12,
        lambda n: till.post(f"redemptions/{made['id']}/rollbacks/", {"lines": [{"id": pieces[n], "quantity": 1}]}),
    )
    assert _statuses(answers) == [200] * 12
    assert sum(answer.body["returned_fen"] for answer in answers) == 2000
    assert Redemption.objects.get().status == "rolled_back"
    assert using.purse() == (2000, 0)
    ledger()


def test_capture_against_release_has_one_winner(till, race, ledger):
    one = coupon()
    held = till.post("redemptions/", {"order": order(), "coupons": [one], "capture": False}).body
    ways = ("capture", "release")
    answers = race(12, lambda n: till.post(f"redemptions/{held['id']}/{ways[n % 2]}/"))
    won = [answer.body["status"] for answer in answers if answer.status == 200]
    assert len(set(won)) == 1
    assert len(won) == 6
    assert {answer.code for answer in answers if answer.status != 200} == {"not_held"}
    assert CouponEvent.objects.filter(kind__in=("redeemed", "released")).count() == 1
    ledger()


def test_a_hold_that_runs_out_against_its_capture_gives_the_coupon_to_one(till, race, ledger, clock):
    """The last moment of the hold: some threads live before it, some after."""
    one = coupon()
    held = till.post("redemptions/", {"order": order("o1"), "coupons": [one], "capture": False}).body
    clock.forward(minutes=15)
    answers = race(
        12,
        lambda n: (
            till.post(f"redemptions/{held['id']}/capture/")
            if n % 2
            else till.post("redemptions/", {"order": order(f"p{n}"), "coupons": [one]})
        ),
    )
    captures = [answer for n, answer in enumerate(answers) if n % 2]
    assert {answer.code for answer in captures} == {"hold_expired"}
    assert _statuses(answers) == [201] + [409] * 11
    ledger()


def test_capture_and_tidying_at_the_end_of_a_hold(till, race, ledger, clock):
    """Whichever comes first, the coupon is redeemed by its order or available, never both."""
    ones = [coupon() for _ in range(6)]
    helds = [
        till.post("redemptions/", {"order": order(f"o{n}"), "coupons": [one], "capture": False}).body
        for n, one in enumerate(ones)
    ]
    later = timezone.now() + timedelta(minutes=16)

    def act(n):
        return till.post(f"redemptions/{helds[n // 2]['id']}/capture/") if n % 2 else ending.lapse(later)

    answers = race(12, act)
    for n, answer in enumerate(answers):
        if n % 2:
            assert answer.status == 200 or answer.code in ("hold_expired", "not_held", "busy"), answer.body
    assert CouponEvent.objects.filter(kind="redeemed").count() + Coupon.objects.filter(status="available").count() == 6
    ledger()


def test_orders_told_at_the_same_moment_count_once(till, race, ledger):
    """I3: the same thousand from twelve sides, in different orders of rows."""
    told = [order(f"o{n}", f"c{n % 5}", business_line="ride") for n in range(40)]

    def act(n):
        turned = told[n:] + told[:n]
        return till.post("orders/", {"orders": turned if n % 2 else turned[::-1]})

    answers = race(12, act)
    assert _statuses(answers) == [200] * 12
    created = sum(row["status"] == "created" for answer in answers for row in answer.body["results"])
    assert created == 40
    assert sum(Customer.objects.values_list("order_count", flat=True)) == 40
    ledger()


def test_orders_finish_while_their_coupons_are_redeemed_and_rolled_back(till, race, ledger):
    """Totals of customers and what was deducted agree, whoever came first."""
    ones = [coupon() for _ in range(4)]
    helds = [
        till.post("redemptions/", {"order": order(f"o{n}"), "coupons": [one], "capture": False}).body
        for n, one in enumerate(ones)
    ]

    def act(n):
        which = n // 3
        if n % 3 == 0:
            return till.post(f"redemptions/{helds[which]['id']}/capture/")
        if n % 3 == 1:
            return till.post("orders/", {"orders": [order(f"o{which}")]})
        return till.post(f"redemptions/{helds[which]['id']}/rollbacks/", {"lines": [{"id": "l1"}]})

    answers = race(12, act)
    assert all(not isinstance(answer, Exception) and answer.status in (200, 409) for answer in answers), answers
    ledger()


def test_one_form_sent_by_ten_hands_at_once_is_one_entry(race):
    """U11: a payment is booked once, however often its button is pressed."""
    form = uuid4()
    said = {"merchant": None, "kind": "payment", "amount_fen": -500, "reason": "转账", "by": "caiwu"}
    made = race(10, lambda n: settling.enter(**said, now=timezone.now(), form=form).pk)
    assert len(set(made)) == SettlementEntry.objects.count() == 1
