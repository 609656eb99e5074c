"""The first page in a browser: days chosen by keyboard, a chart taken away as a picture, read on a phone. S3, S7."""

import io

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from stats import folding
from tests import making, using
from tests.pages.looking import fits
from tests.stories.test_whole_chain import browser, sign_in

__all__ = ["browser"]
pytestmark = pytest.mark.django_db(transaction=True)
BOTH_CURVES = "window.Chart?.getChart(document.querySelector('#curve-issued canvas'))?.data.datasets.length === 2"


@pytest.fixture
def lived():
    """Three coupons, counted."""
    template = making.template(making.campaign(budget_fen=1_000_000))
    for number in range(3):
        using.give(template, f"c{number}")
    folding.fold_all()


def picture(page: Page, key: str) -> Image.Image:
    with page.expect_download() as told:
        page.locator(f'[data-picture="{key}"]').click()
    assert told.value.suggested_filename.endswith(".png")
    return Image.open(io.BytesIO(told.value.path().read_bytes())).convert("RGB")


def test_days_are_chosen_by_keyboard_and_fields_are_shown_with_their_choice(browser: Browser, live_server, lived):
    page = sign_in(browser, live_server.url, "yunying", "运营")
    page.goto(f"{live_server.url}/admin/")
    expect(page.locator("#card-issued .ov-value")).to_have_text("3")
    expect(page.locator("#card-coupons_per_customer .ov-value")).to_have_text("1.00")  # fetched
    own = page.locator('[name="compare_first"]')
    expect(own).to_be_hidden()
    page.locator('[name="compare"]').focus()
    page.locator('[name="compare"]').select_option("own")
    expect(own).to_be_visible()
    page.locator(".ov-choose").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#wrong-compare_first")).to_be_visible()
    expect(page.locator('[name="compare"]')).to_have_value("own")
    page.locator('[name="compare_first"]').fill("2026-01-01")
    page.locator('[name="compare_last"]').fill("2026-01-30")
    page.locator(".ov-choose").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**compare_first=2026-01-01**")
    page.wait_for_function(BOTH_CURVES)
    page.locator(".ov-period a").nth(2).click()
    page.wait_for_url("**period=last_7**compare_first=2026-01-01**")
    page.set_viewport_size({"width": 390, "height": 800})
    assert fits(page)


def test_charts_are_taken_away_as_pictures_on_white_paper_in_the_dark_too(browser: Browser, live_server, lived):
    page = sign_in(browser, live_server.url, "caiwu", "财务")
    page.emulate_media(color_scheme="dark")
    page.goto(f"{live_server.url}/admin/")
    page.wait_for_function("document.documentElement.classList.contains('dark')")
    page.wait_for_function(BOTH_CURVES)
    for key in ("curve-issued", "weekdays", "heat", "campaigns", "channels"):
        drawn = picture(page, key)
        white = sum(count for count, colour in drawn.getcolors(1 << 20) if min(colour) > 240)
        assert drawn.getpixel((2, 2)) == (255, 255, 255), key
        assert drawn.width > 1200, key
        share = white / (drawn.width * drawn.height)
        assert 0.5 < share < 0.995, (key, share)
    taken = picture(page, "curve-issued")
    assert any(blue > red + 100 for _count, (red, _green, blue) in taken.getcolors(1 << 20))  # the curve itself


def test_what_cannot_be_counted_says_so_and_is_tried_again(browser: Browser, live_server, lived):
    page = sign_in(browser, live_server.url, "yunying", "运营")
    page.route("**/overview/customers/**", lambda route: route.fulfill(status=503, body=""))
    page.goto(f"{live_server.url}/admin/")
    card = page.locator("#card-coupons_per_customer")
    expect(card.get_by_role("status")).to_have_text("统计失败。")
    page.unroute("**/overview/customers/**")
    card.get_by_role("button").click()
    expect(card.locator(".ov-value")).to_have_text("1.00")
