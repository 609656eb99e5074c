"""A report put together by keyboard, drawn, and read on a phone. S8, P10."""

import pytest
from playwright.sync_api import Browser, expect

from tests import making, using
from tests.pages.looking import fits
from tests.stories.test_whole_chain import browser, sign_in

__all__ = ["browser"]
pytestmark = pytest.mark.django_db(transaction=True)


def test_a_report_is_put_together_by_keyboard_and_its_chart_is_drawn(browser: Browser, live_server):
    campaign = making.campaign()
    first, second = making.template(campaign), making.template(campaign)
    for number in range(3):
        using.give(first, f"c{number}")
    using.give(second, "c1")
    page = sign_in(browser, live_server.url, "yunying", "运营")
    page.goto(f"{live_server.url}/admin/stats/report/add/")
    page.locator('[name="measures"][value="expired_count"]').focus()
    page.keyboard.press("Space")
    page.locator('[name="row_1"]').focus()
    page.locator('[name="row_1"]').select_option("template")
    page.locator("#question button").focus()
    page.keyboard.press("Enter")
    table = page.locator("#table-report")
    expect(table.locator("thead")).to_contain_text("过期")
    expect(table.locator("tbody tr")).to_have_count(2)
    expect(table.locator("tfoot")).to_contain_text("4")
    page.wait_for_function(
        "window.Chart?.getChart(document.querySelector('.report-canvas canvas'))?.data.labels.length === 2"
    )
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)
    page.goto(f"{live_server.url}/admin/stats/report/comparison/?campaign={campaign.pk}")
    expect(page.locator("#table-beside tbody tr")).to_have_count(1)
    assert fits(page)
