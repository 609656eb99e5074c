"""An outside risk service that takes its time keeps nobody else waiting: while it is asked, no row is locked."""

import psycopg
import pytest

from coupons.models import Coupon
from distribution.models import RedemptionCode, ShareTake
from tests import coding, database
from tests.standin import standin
from tests.stories.test_sharing import plan, share, take

pytestmark = pytest.mark.django_db(transaction=True)
LOCK = "SELECT 1 FROM {} FOR UPDATE NOWAIT"


@pytest.fixture
def service(settings):
    """Says yes, and tries to lock these tables' rows before it does: what it found."""
    found = []

    def answer(_asked):
        with psycopg.connect(database.address()) as other:
            for table in ("distribution_redemptioncode", "distribution_sharepacket"):
                other.execute(LOCK.format(table))  # an error breaks the connection off: silence, and so a refusal
                found.append(table)
        return 200, {"Content-Type": "application/json"}, b'{"accept": true}'

    with standin(answer) as there:
        settings.RISK_URL, settings.RISK_TIMEOUT, settings.RISK_WHEN_SILENT = there.url, 5, "refuse"
        there.found = found
        yield there


def test_a_shared_code_is_free_for_others_meanwhile(service, customer, ledger):
    """I10, P5"""
    coding.batch(kind="shared", shared_code="SUMMER", use_limit=2)
    assert [customer(f"c{n}").post("exchanges/", {"code": "summer"}).status for n in range(3)] == [201, 201, 409]
    assert (len(service.asked), len(service.found)) == (2, 4), "nobody asks about a code that is used up"
    assert RedemptionCode.objects.get().used_count == Coupon.objects.count() == 2
    ledger()


def test_a_share_packet_is_free_for_others_meanwhile(service, system, customer, ledger):
    """I10, P11"""
    token = share(system("issue"), plan()).body["token"]
    assert [take(customer(f"friend{n}"), token).status for n in range(5)] == [201] * 4 + [409]
    assert (len(service.asked), len(service.found)) == (4, 8)
    assert take(customer("friend0"), token).code == "customer_limit"
    assert ShareTake.objects.count() == 4
    ledger()
