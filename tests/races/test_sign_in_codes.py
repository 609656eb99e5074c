"""Sign-in codes asked for and tried at the same moment, by real threads: limits, tries and money hold exactly (P6)."""

from collections import Counter

import pytest

from coupons.models import Coupon, Customer
from coupons.queries import catalogue
from coupons.refused import Refused
from distribution import signing_in
from distribution.models import Message, PhoneProof, SmsDay
from tests import making
from tests.stories.visitors import Visitor

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = "+8613800138000"


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


def _told(answers):
    unforeseen = [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, Refused)]
    assert not unforeseen
    return Counter(answer.code if isinstance(answer, Refused) else "ok" for answer in answers)


def test_one_number_is_sent_one_code_a_minute(race):
    answers = race(12, lambda n: signing_in.ask_for_code(PHONE, now=catalogue.business_now()))
    assert _told(answers) == {"ok": 1, "code_too_soon": 11}
    assert Message.objects.count() == 1


def test_a_days_money_is_spent_to_the_fen(race, settings):
    settings.H5_SMS_DAILY_FEN = 34
    answers = race(12, lambda n: signing_in.ask_for_code(f"+86138001380{n:02}", now=catalogue.business_now()))
    assert _told(answers) == {"ok": 6, "codes_spent": 6}
    assert (SmsDay.objects.get().spent_fen, Message.objects.count(), PhoneProof.objects.count()) == (30, 6, 6)


def test_twenty_guesses_are_five_tries(race):
    now = catalogue.business_now()
    signing_in.ask_for_code(PHONE, now=now)
    proof = PhoneProof.objects.get()
    wrong = [f"{n:06}" for n in range(20) if signing_in._digest(PHONE, f"{n:06}") != bytes(proof.digest)]
    assert _told(race(len(wrong), lambda n: signing_in.prove(PHONE, wrong[n], now=now))) == {"code_wrong": len(wrong)}
    proof.refresh_from_db()
    assert proof.tries_left == 0
    right = next(code for n in range(10**6) if signing_in._digest(PHONE, code := f"{n:06}") == bytes(proof.digest))
    with pytest.raises(Refused, match="code_wrong"):
        signing_in.prove(PHONE, right, now=now)


def test_one_code_opens_once_and_makes_one_customer(race):
    visitor = Visitor()
    visitor.ask()
    code, now = visitor.code(), catalogue.business_now()
    answers = race(5, lambda n: signing_in.prove(PHONE, code, now=now))
    assert _told(answers) == {"ok": 1, "code_wrong": 4}
    assert Customer.objects.count() == 1


def test_one_number_in_many_browsers_is_one_customer_with_one_coupon(race, ledger):
    """Never two customers for a number, never two coupons where one is the limit."""
    page = making.claim_page(making.template(limits={"customer_count": 1}))
    assert len(set(race(10, lambda n: signing_in._customer(PHONE).key))) == 1
    visitors = [Visitor() for _ in range(6)]
    visitors[0].sign_in()
    for visitor in visitors[1:]:
        visitor.browser.cookies = visitors[0].browser.cookies
    answers = race(6, lambda n: visitors[n].post(f"/h5/{page.slug}/claim/", once=f"form-{n}").status_code)
    assert Counter(answers) == {303: 1, 409: 5}
    assert Coupon.objects.count() == Customer.objects.count() == 1
    ledger()
