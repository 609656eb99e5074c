"""What tables answer is seen on a phone without pushing them about: why or why not, reach, a customer's facts."""

import pytest
from playwright.sync_api import expect

from coupons.models import Customer
from tests import making, using
from tests.pages.looking import fits
from tests.stories.test_whole_chain import browser, sign_in

__all__ = ["browser"]  # the fixture

pytestmark = pytest.mark.django_db(transaction=True)


def test_every_cell_lies_within_the_window(browser, socket):
    """I12, I8: the column that says what there was, those whom nobody knows, and who told a fact."""
    template = making.template(
        limits={"customer_count": 3}, claim_conditions={"sensitivity": {"min": 0.5}, "order_count": {"min": 1}}
    )
    audience = making.audience({"sensitivity": {"min": 0.5}, "tags": {"any_of": ["vip"]}})
    placement = making.placement((template, audience))
    using.give(making.template(), "alice")
    alice = Customer.objects.get(key="alice")
    page = sign_in(browser, socket, "ayi", "管理员", width=390)
    for path in (
        f"distribution/placement/why/?placement={placement.key}&customer=alice",
        f"coupons/audience/{audience.pk}/reach/",
        f"coupons/customer/{alice.pk}/change/",
    ):
        page.goto(f"{socket}/admin/{path}")
        expect(page.locator(".desk-stack").first).to_be_visible()
        assert fits(page)
        boxes = [cell.bounding_box() for cell in page.locator(".desk-stack tbody td[data-label]").all()]
        seen = [box for box in boxes if box and box["height"]]
        assert len(seen) > 3
        assert all(box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in seen)
