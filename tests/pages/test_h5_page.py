"""An operator makes an H5 page, a customer signs in on it by code and has the coupon; in a real browser (P6, P9)."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from coupons.models import Area, Coupon
from distribution.models import ClaimPage
from tests import making
from tests.pages.looking import PATIENCE, fits
from tests.stories.test_whole_chain import browser, field, save, sign_in
from tests.stories.visitors import PHONE, Visitor

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["browser"]


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD, settings.MEDIA_ROOT = tmp_path / "messages.jsonl", tmp_path / "uploads"


def visitor_at(browser: Browser, address: str, width: int, language: str = "zh-CN") -> Page:
    """Nothing is asked from elsewhere, and nothing on the page offends its own policy."""
    page = browser.new_context(viewport={"width": width, "height": 844}, locale=language).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
    page.on("console", lambda said: "Security Policy" in said.text and pytest.fail(said.text))
    page.on("request", lambda asked: asked.url.startswith(address) or pytest.fail(asked.url))
    return page


def come_in(page: Page, button: str, phone: str = PHONE) -> None:
    """At the sign-in, by the code that arrives on the phone."""
    page.get_by_role("textbox", name="手机号").fill(phone)
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="验证码")).to_be_focused()
    page.get_by_role("textbox", name="验证码").fill(Visitor(phone).code())
    page.get_by_role("button", name=button).click()


def test_an_operator_makes_the_page_and_a_customer_takes_the_coupon(browser, socket):
    placement = making.placement(making.template(), form="h5", channel="street_team", title="地推红包")
    operator = sign_in(browser, socket, "anna", "运营")
    operator.goto(f"{socket}/admin/distribution/claimpage/add/?placement={placement.pk}")
    shown = operator.frame_locator("#h5-preview iframe")
    expect(shown.get_by_role("heading", name="地推红包")).to_be_visible()
    field(operator, "heading").fill("好好吃饭")
    field(operator, "address").fill("eat-well")
    operator.get_by_label("暗夜金").check()
    expect(shown.get_by_role("heading", name="好好吃饭")).to_be_visible()
    expect(shown.locator("body.skin-night")).to_be_visible()
    save(operator)
    assert ClaimPage.objects.get().skin == "night"
    operator.close()

    page = visitor_at(browser, socket, 390)
    page.goto(f"{socket}/h5/eat-well/")
    assert fits(page)
    page.get_by_text("使用规则").first.click()
    expect(page.get_by_text("满100元减20元")).to_be_visible()
    page.get_by_role("link", name="立即领取").click()
    page.get_by_role("textbox", name="手机号").fill(PHONE)
    page.get_by_role("button", name="获取验证码").click()
    expect(page.get_by_role("button", name=re.compile(r"秒后可重新发送"))).to_be_disabled()
    page.get_by_role("textbox", name="验证码").fill("000000" if Visitor().code() != "000000" else "111111")
    page.get_by_role("button", name="登录并领取").click()
    expect(page.get_by_role("alert")).to_contain_text("验证码错误")
    page.get_by_role("textbox", name="验证码").fill(Visitor().code())
    page.get_by_role("button", name="登录并领取").click()
    expect(page.get_by_role("heading", name="已放入卡包")).to_be_visible()
    assert page.url == f"{socket}/h5/eat-well/"
    coupon = Coupon.objects.get()
    page.get_by_role("link", name="查看我的卡包").click()
    page.get_by_role("link", name=re.compile("满减券")).click()
    expect(page.get_by_text(coupon.code)).to_be_visible()
    assert page.locator("img[data-qr]").evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert fits(page)


@pytest.mark.parametrize("width", [360, 1280])
def test_every_page_fits_and_is_reached_by_keyboard(browser, socket, width):
    page = making.claim_page(making.template(claim_cities=["310000"]), notes="第一条\n" + "很长" * 60)
    seen = visitor_at(browser, socket, width, "en-US")
    for path in (f"/h5/{page.slug}/", f"/h5/sign-in/?to={page.slug}", "/h5/nothing-here/"):
        seen.goto(socket + path)
        assert fits(seen), path
    seen.goto(f"{socket}/h5/{page.slug}/")
    seen.keyboard.press("Tab")
    seen.keyboard.press("Enter")  # the rules
    expect(seen.get_by_text("¥20 off when you spend ¥100 or more")).to_be_visible()
    seen.keyboard.press("Tab")
    seen.keyboard.press("Enter")  # to the sign-in, where the number is typed at once
    expect(seen.get_by_role("textbox", name="Phone number")).to_be_focused()
    seen.keyboard.type(PHONE)
    seen.keyboard.press("Enter")
    expect(seen.get_by_role("textbox", name="Code")).to_be_focused()
    seen.keyboard.type(Visitor().code())
    seen.keyboard.press("Enter")
    expect(seen.get_by_label("Your city")).to_be_visible()
    seen.get_by_label("Your city").select_option("310000")
    seen.get_by_role("button", name="Claim now").press("Enter")
    expect(seen.get_by_role("heading", name="In your wallet")).to_be_visible()
    for path in ("/h5/wallet/", "/h5/wallet/?tab=expired"):
        seen.goto(socket + path)
        assert fits(seen), path


def test_who_shares_the_position_gets_what_is_offered_there(browser, socket):
    """I2, P6: asked for by a button, so that a refusal for want of it has its remedy on the page."""
    square = {"type": "Polygon", "coordinates": [[[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]]]}
    Area.objects.create(key="bund", name="外滩", geojson=square)
    offered = making.claim_page(making.template(claim_conditions={"areas": {"any_of": ["bund"]}}))
    page = visitor_at(browser, socket, 390)
    page.context.grant_permissions(["geolocation"], origin=socket)
    page.context.set_geolocation({"latitude": 31.5, "longitude": 121.5})
    page.goto(f"{socket}/h5/{offered.slug}/")
    page.get_by_role("link", name="立即领取").click()
    come_in(page, "登录并领取")
    expect(page.get_by_role("alert")).to_contain_text("外滩")
    page.get_by_role("button", name="使用我的位置").click()
    expect(page.get_by_role("status")).to_have_text("已获取您的位置")
    assert fits(page)
    page.get_by_role("button", name="立即领取").click()
    expect(page.get_by_role("heading", name="已放入卡包")).to_be_visible()
    assert Coupon.objects.count() == 1
