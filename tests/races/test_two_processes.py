"""Another process changed something a moment ago, and this one has not looked yet."""

import pytest

from coupons.answers import Reply
from coupons.lifecycle.issuing import Grant, issue
from coupons.models import CouponTemplate
from coupons.queries import catalogue
from tests import making, using
from tests.using import order


@pytest.mark.django_db
def test_a_coupon_takes_off_what_its_template_says_however_old_the_book(system, settings, ledger):
    """C12: terms changed before the first coupon; it was given and used within the moment that a book is believed."""
    settings.CATALOGUE_SECONDS = 60
    template = making.template(amount_fen=5000)
    till = system("redeem")
    stale = catalogue.current()
    assert stale.templates([template.pk])[template.pk].worth_fen == 5000
    CouponTemplate.objects.filter(pk=template.pk).update(amount_fen=1000)
    now = catalogue.business_now()
    grant = Grant.of(catalogue.Book(0).templates([template.pk])[template.pk], now)  # as the other process has it
    issue([grant], customer="alice", now=now, by="test", version=None, reply=Reply(201, b"{}"))
    assert catalogue.current() is stale
    quoted = till.post("quotes/", {"order": order()}).body
    assert quoted["best"]["discount_fen"] == 1000
    catalogue._book = stale
    used = till.post("redemptions/", {"order": order(), "coupons": [str(grant.id)]}).body
    assert used["discount_fen"] == 1000
    assert using.purse() == (0, 1000)
    ledger()
