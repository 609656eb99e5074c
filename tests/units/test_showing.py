"""What the customer's screen shows to the counter."""

from datetime import datetime, timedelta
from uuid import UUID

import pytest

from coupons import showing
from coupons.refused import Refused
from tests.using import coupon

NOON = datetime.fromisoformat("2026-06-03T12:00:30+08:00")
COUPON = UUID("01a206be-0000-7000-8000-000000000001")


def test_what_is_shown_is_read_in_its_minute_and_the_next_and_then_no_more():
    """U10: a screenshot is not a coupon."""
    shown = showing.show(COUPON, NOON)
    assert showing.is_shown(shown.token)
    assert shown.valid_until == NOON.replace(second=0) + timedelta(minutes=2)
    assert showing.read(shown.token, NOON) == COUPON
    assert showing.read(shown.token.lower(), shown.valid_until - timedelta(seconds=1)) == COUPON
    for later in (shown.valid_until, NOON - timedelta(minutes=1), NOON + timedelta(days=1)):
        with pytest.raises(Refused, match="showing_stale"):
            showing.read(shown.token, later)


def test_nobody_makes_one_without_the_key(settings):
    token = showing.show(COUPON, NOON).token
    forged = token[:-1] + ("A" if token[-1] != "A" else "B")
    for wrong in (forged, "Q1" + "1" * (showing.LENGTH - 2), "Q1" + "é" * (showing.LENGTH - 2)):
        with pytest.raises(Refused, match="showing_stale"):
            showing.read(wrong, NOON)
    settings.SECRET_KEY = "another"
    with pytest.raises(Refused, match="showing_stale"):
        showing.read(token, NOON)


def test_a_code_is_not_taken_for_what_a_screen_shows():
    assert not showing.is_shown("SDABYYQW63W7")


@pytest.mark.django_db
def test_the_wallet_shows_a_coupon_while_it_can_be_used(customer, system, clock):
    one = coupon("alice")
    body = customer("alice").get(f"coupons/{one}/", show="true").body
    assert showing.read(body["presentation"]["token"], clock.now()) == UUID(one)
    clock.forward(days=30)
    assert customer("alice").get(f"coupons/{one}/", show="true").body["presentation"] is None
    assert "presentation" not in customer("alice").get(f"coupons/{one}/").body
