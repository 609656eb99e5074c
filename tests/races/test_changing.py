"""Changes of a template against claims in flight: what a customer was promised is what the template says."""

import threading

import pytest
from django.db import connections, transaction

from coupons.models import Budget, Coupon, CouponTemplate, Supply
from tests import making
from tests.database import until_waiting

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_claim_that_waited_for_changed_terms_gives_the_new_ones(system, ledger):
    """C12: terms change only before the first coupon, and no coupon of the old terms slips in behind."""
    template = making.template(amount_fen=2000)
    placement = making.placement(template)
    caller = system("issue")
    assert caller.get("placements/", customer="bob").status == 200  # the old terms are compiled
    came = []

    def claim() -> None:
        came.append(caller.post(f"placements/{placement.key}/claims/", {"customer": "alice"}))
        connections.close_all()

    claiming = threading.Thread(target=claim)
    with transaction.atomic():
        Supply.objects.select_for_update().get()
        claiming.start()
        until_waiting()  # the claim has looked, and waits for the supply
        CouponTemplate.objects.filter(pk=template.pk).update(amount_fen=3000)
    claiming.join()
    assert came[0].status == 201, came[0].body
    assert came[0].body["coupons"][0]["discount"]["amount_fen"] == 3000
    assert Coupon.objects.get().committed_fen == Budget.objects.order_by("pk").first().committed_fen == 3000
    ledger()
