"""Two actors on one coupon, every pair of moves, let go at the same moment: each ends in a legal state, to the fen."""

from datetime import timedelta
from itertools import combinations_with_replacement
from uuid import UUID

import pytest
from django.utils import timezone

from coupons.lifecycle import ending
from coupons.models import Coupon
from coupons.queries import catalogue
from coupons.refused import Refused
from redemption import redeeming, returning
from redemption.models import Redemption
from redemption.pricing import Line
from redemption.queries.basket import Basket
from tests import making, using

pytestmark = pytest.mark.django_db(transaction=True)

MOVES = ("hold", "redeem", "capture", "release", "rollback", "expire", "void")
#: Where the coupon stands when the two begin.
LATER = timedelta(days=30)
STARTS = ("available", "held", "redeemed")


def basket(key):
    line = Line("l1", None, None, None, 12000, 1)
    return Basket(key, "alice", timezone.now(), "app", None, None, None, None, (line,), 0)


def act(move, coupon, redemption, number):
    """One move by the real step; a "no" is an answer, too."""
    now = catalogue.business_now()
    try:
        match move:
            case "hold":
                redeeming.redeem(basket(f"n{number}"), [coupon], captures=False, now=now, by="race")
            case "redeem":
                redeeming.redeem(basket(f"n{number}"), [coupon], captures=True, now=now, by="race")
            case "capture":
                redeeming.capture(redemption, now=now, by="race")
            case "release":
                redeeming.release(redemption, now=now, by="race")
            case "rollback":
                returning.roll_back(redemption, now=now, by="race")
            case "expire":
                ending.expire(now + LATER)
            case "void":
                ending.void(coupon, now=now, by="race", reason="race")
    except Refused as no:
        return no.code
    return "done"


@pytest.mark.parametrize("start", STARTS)
def test_every_pair_of_moves_ends_in_a_legal_state_with_exact_sums(start, race, ledger):
    """U9, must hold: hold, redeem, capture, release, rollback, expiry, void; two at a time, from each state."""
    template = making.template(making.campaign(budget_fen=10**9), limits={})
    for pair in combinations_with_replacement(MOVES, 2):
        one = UUID(using.give(template))
        redemption = UUID(int=0)
        if start != "available":
            order = basket(f"{one}"[:60])
            redeeming.redeem(order, [one], captures=start == "redeemed", now=catalogue.business_now(), by="race")
            redemption = Redemption.objects.get(coupons=[one]).pk
        came = race(2, lambda n, pair=pair, one=one, it=redemption: act(pair[n], one, it, f"{one}"[:40] + str(n)))
        assert all(isinstance(outcome, str) for outcome in came), (start, pair, came)
        assert "busy" not in came, (start, pair, came)
        if "expire" in pair:  # seen from that later day, holds have run out, too; who was locked out comes again
            ending.expire(catalogue.business_now() + LATER)
            redeeming.lapse(catalogue.business_now() + LATER)
        after = Coupon.objects.get(pk=one)
        mine = Redemption.objects.filter(coupons=[one])
        live = [found for found in mine if found.status in ("held", "redeemed")]
        assert len(live) <= 1, (start, pair, came)
        assert (after.status in ("held", "redeemed")) == bool(live), (start, pair, came, after.status)
        if live and after.status == "held":
            assert live[0].status == "held", (start, pair, came)
        for found in mine:
            assert found.returned_fen <= found.discount_fen
        spent = sum(found.discount_fen - found.returned_fen for found in mine if found.status != "held") - sum(
            found.discount_fen for found in mine if found.status == "released"
        )
        assert spent == (2000 if after.status == "redeemed" else 0), (start, pair, came)
    ledger()
