"""Rehearsals: a draft tried on orders of the past, before anybody can claim it."""

from datetime import timedelta

import pytest

from coupons.tasks import run_job
from stats.models import Rehearsal
from stats.rehearsing import Assumptions, start
from tests import making

pytestmark = pytest.mark.django_db

EVERYBODY = Assumptions(seen_percent=100, claim_percent=100, use_percent=100)


def order(id, customer, placed_at, *, price=12000, **more):
    line = {"id": "l1", "unit_price_fen": price, "quantity": 1, "category": "food", "merchant": "shop"}
    said = {"id": id, "customer": customer, "client": "app", "city": "310000", "business_line": "food", "lines": [line]}
    return {**said, "placed_at": placed_at.isoformat(), "finished_at": placed_at.isoformat(), **more}


@pytest.fixture
def told(system, clock):
    """`told(("anna", 3, 12000), …)`: orders of so many days ago, at this price."""

    def tell(*orders, **more):
        rows = [
            order(f"o{n}", who, clock.now() - timedelta(days=ago, hours=1), price=price, **more)
            for n, (who, ago, price) in enumerate(orders)
        ]
        answer = system("redeem").post("orders/", {"orders": rows})
        assert {row["status"] for row in answer.body["results"]} == {"created"}, answer.body

    return tell


def rehearse(template, assumptions=EVERYBODY, *, days=30, placement=None, clock):
    rehearsal = start(template, placement, days, assumptions, now=clock.now(), by=None)
    assert run_job(rehearsal.job_id) == "done"
    return Rehearsal.objects.get(pk=rehearsal.pk)


def test_claims_uses_and_money_are_those_of_the_orders_that_fit(told, clock, ledger):
    """C13: 满100减20, one each: anna's two orders give one use, bob's is below the threshold."""
    told(("anna", 9, 12000), ("anna", 8, 15000), ("bob", 5, 5000), ("carl", 40, 12000))
    draft = making.template(status="draft", limits={"customer_count": 1})
    found = rehearse(draft, clock=clock).found
    assert (found["orders"], found["customers"], found["qualifying"], found["population"]) == (3, 2, 2, 3)
    assert (found["claims"], found["uses"], found["still_out"]) == (2, 1, 1)
    assert (found["discount_fen"], found["gmv_fen"], found["merchant_fen"]) == (2000, 12000, 0)
    assert found["no"]["use"] == {"below_threshold": 1}
    assert found["limits"]["customer_count"]["customers"] == 1
    ledger()
