"""A friend opens a shared packet on the phone, signs in, and has a part of it."""

import pytest

from coupons.models import Coupon, CouponTemplate, Customer
from distribution.models import ShareTake
from tests import making
from tests.stories.test_h5 import text
from tests.stories.test_sharing import plan, share
from tests.stories.visitors import Visitor, once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


@pytest.fixture
def packet(system, clock):
    Customer.objects.create(key="alice", nickname="小林", phone="+8613900000000")
    return share(system("issue"), plan()).body["token"]


def test_a_friend_signs_in_and_has_a_part_and_sees_who_took_what(packet, ledger):
    """P11, P6: said twice, taken once; the sum is never more."""
    bob = Visitor()
    page = bob.get(f"/h5/share/{packet}/")
    assert page.status_code == 200
    assert "小** shares a red packet" in text(page)
    assert "¥20 for 4 friends" in text(page)
    way = bob.post(f"/h5/share/{packet}/take/")
    assert way.headers["Location"] == f"/h5/sign-in/?to=share.{packet}&claim=1"
    bob.ask(f"share.{packet}", claim="1")
    done = bob.enter(to=f"share.{packet}", claim="1", once="tap")
    assert (done.status_code, done.headers["Location"]) == (303, f"/h5/share/{packet}/")
    got = bob.get(f"/h5/share/{packet}/")
    assert "You got ¥" in text(got)
    assert "Who took what" in text(got)
    assert "Open it" not in text(got)
    bob.post(f"/h5/share/{packet}/take/", once="tap")
    bob.post(f"/h5/share/{packet}/take/", once="another tap")
    assert Coupon.objects.count() == ShareTake.objects.count() == 1
    ledger()


def test_the_form_of_somebody_signed_in_takes_once(packet):
    bob = Visitor()
    bob.sign_in()
    key = once(bob.get(f"/h5/share/{packet}/"))
    for _tap in range(2):
        assert bob.post(f"/h5/share/{packet}/take/", once=key).status_code == 303
    assert ShareTake.objects.count() == 1


def test_the_sharer_sees_their_packet_and_does_not_take_of_it(packet):
    alice = Visitor("13900000000")
    alice.sign_in()
    page = alice.get(f"/h5/share/{packet}/")
    assert "it is for your friends" in text(page)
    refused = alice.post(f"/h5/share/{packet}/take/")
    assert refused.status_code == 409
    assert not ShareTake.objects.exists()


def test_a_packet_that_is_taken_or_over_says_so(packet, clock):
    for number in range(4):
        friend = Visitor(f"1370000000{number}")
        friend.sign_in(f"share.{packet}", claim="1")
    late = Visitor("13700000009")
    assert "Friends were faster" in text(late.get(f"/h5/share/{packet}/"))
    assert late.sign_in(f"share.{packet}", claim="1").status_code == 409
    assert ShareTake.objects.count() == 4


def test_who_is_refused_sees_what_else_there_is_and_the_way_out(packet):
    """P6, P11: signed in by the very request that was refused."""
    making.claim_page(making.template(), title="夏日福利")
    bob = Visitor("13700000001")
    CouponTemplate.objects.update(claim_conditions={"tags": {"any_of": ["vip"]}})
    CouponTemplate.objects.filter(offers__placement__form="h5").update(claim_conditions={})
    refused = bob.sign_in(f"share.{packet}", claim="1")
    assert refused.status_code == 409
    for words in ("Not for you this time", "夏日福利", "Sign out 137****0001"):
        assert words in text(refused)
    assert not ShareTake.objects.exists()


def test_over_after_its_hours(packet, clock):
    clock.forward(hours=25)
    assert "This packet is closed" in text(Visitor().get(f"/h5/share/{packet}/"))


def test_a_link_that_is_none_is_not_found_and_leads_nowhere_else(packet):
    assert Visitor().get("/h5/share/nope/").status_code == 404
    for number, to in enumerate(("share.nope", "share.//evil.example", "https://evil.example")):
        assert Visitor(f"1370000000{number}").sign_in(to).headers["Location"] == "/h5/wallet/"


def test_a_packet_for_some_city_asks_for_it(system, clock):
    """P11, I2: once it was refused for want of it, and then it is given."""
    Customer.objects.create(key="alice", nickname="小林", phone="+8613900000000")
    path = f"/h5/share/{share(system('issue'), plan()).body['token']}/"
    CouponTemplate.objects.update(claim_cities=["310000"])
    bob = Visitor()
    bob.sign_in()
    asked = bob.post(f"{path}take/", once="a")
    assert (asked.status_code, '<option value="310000">' in asked.content.decode()) == (409, True)
    assert not Coupon.objects.exists()
    assert bob.post(f"{path}take/", once=once(asked), city="310000").status_code == 303
    assert "You got ¥" in text(bob.get(path))
