"""What customers pay on average is told per order, however many coupons an order has."""

import pytest

from coupons.models import CouponEvent
from redemption.models import Redemption
from stats import folding
from stats.models import DayRollup
from tests import making, using
from tests.stories.dashboards import Page, operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def templates(clock):
    """Two campaigns' coupons that go together: 20 off, and 5 off."""
    return [
        making.template(making.campaign(), internal_name="满减"),
        making.template(
            making.campaign(), internal_name="立减", stack_group="merchant", type="no_threshold", amount_fen=500
        ),
    ]


@pytest.fixture
def till(system):
    return system("redeem")


def redeemed(till, key, customer, price, *templates):
    coupons = [using.give(template, customer) for template in templates]
    told = using.order(key, customer, using.line("a", price), city="310000", business_line="food")
    answer = till.post("redemptions/", {"order": told, "coupons": coupons})
    assert answer.status == 201, answer.body
    return answer.body["id"]


def report(client, *rows):
    question = {
        "measures": ["order_count", "paid_fen", "average_paid_fen"],
        "row_1": rows[0] if rows else "",
        "period": "all",
    }
    look = client.get("/admin/stats/report/add/", question).context["look"]
    return {tuple(line.names): line.cells for line in look.lines}, look.total.cells


@pytest.mark.parametrize("folded", [False, True], ids=["not-folded", "folded"])
def test_an_order_with_two_coupons_is_one_order(till, templates, ledger, folded):
    """S3, S8: paid 100.00 and 60.00, on average 80.00; the page's, the report's and the redemptions' own."""
    both, less = templates
    redeemed(till, "o1", "alice", 12_500, both, less)
    redeemed(till, "o2", "bob", 6_500, less)
    if folded:
        folding.fold_all()
    client = operator("财务")
    page = Page(client)
    assert page.cards["average_paid"] == "¥80.00"
    assert "2 单用券，每单只计一次" in page.html
    paid = sum(CouponEvent.objects.values_list("paid_fen", flat=True))
    assert (paid, Redemption.objects.filter(status="redeemed").count()) == (16_000, 2)

    lines, total = report(client, "template")
    assert total == ["2", "¥160.00", "¥80.00"]
    # Each has its share of the order that they are on together: of the order, and of what was paid.
    assert lines == {("满减",): ["0.80", "¥80.00", "¥100.00"], ("立减",): ["1.20", "¥80.00", "¥66.67"]}
    assert {tuple(cells) for cells in report(client, "campaign")[0].values()} == {tuple(c) for c in lines.values()}
    for name in ("day", "hour", "city", "business_line", "activity", "channel"):
        lines, total = report(client, name)
        assert [*lines.values()] == [total] == [["2", "¥160.00", "¥80.00"]], name
    ledger()


def test_a_coupon_that_takes_nothing_off_changes_no_average(till, templates, ledger):
    """S3: the first takes all that there is to pay; the order is still one."""
    free = making.template(type="no_threshold", amount_fen=20_000, stack_group="free", internal_name="全免")
    redeemed(till, "o1", "alice", 12_500, free)
    redeemed(till, "o2", "bob", 12_500, *templates)
    assert report(operator("财务"))[1] == ["2", "¥100.00", "¥50.00"]
    ledger()


def test_an_order_that_goes_back_is_none_and_in_part_still_one(till, templates, ledger):
    """S3, U9: the average is that of what was paid in the end; rebuilding says the same."""
    first = redeemed(till, "o1", "alice", 12_500, *templates)
    second = redeemed(till, "o2", "bob", 12_500, *templates)
    folding.fold_all()
    assert till.post(f"redemptions/{first}/rollbacks/", {"lines": [{"id": "a"}]}).body["status"] == "rolled_back"
    client = operator("财务")
    assert report(client)[1] == ["1", "¥100.00", "¥100.00"]
    folding.fold_all()
    folding.rebuild()
    assert report(client)[1] == ["1", "¥100.00", "¥100.00"]
    ledger()
    assert till.post(f"redemptions/{second}/rollbacks/", {}).status == 200
    assert report(client)[1] == ["0", "¥0.00", "–"]
    ledger()


def test_orders_that_do_not_add_up_are_told(till, templates, ledger):
    redeemed(till, "o1", "alice", 12_500, *templates)
    folding.fold_all()
    ledger()
    CouponEvent.objects.filter(kind="redeemed", template_id=templates[0].pk).update(order_parts=1_000_000)
    with pytest.raises(pytest.fail.Exception, match="the order once"):
        ledger()
    DayRollup.objects.update(order_parts=7)
    with pytest.raises(pytest.fail.Exception, match="order_parts is 7"):
        ledger()
