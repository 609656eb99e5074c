"""The counter on a phone of 360 pixels: a camera that sees a QR code, a line that breaks."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
import segno
from django.utils import timezone
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from coupons import showing
from coupons.models import Coupon, Customer
from redemption.models import Redemption
from tests.pages.looking import PATIENCE, chromium, fits
from tests.pages.test_h5_page import come_in, visitor_at
from tests.stories.test_counter import PASSWORD, clerk, shop
from tests.stories.visitors import PHONE as NUMBER
from tests.using import coupon

pytestmark = pytest.mark.django_db(transaction=True)
PHONE = {"width": 360, "height": 740}


def film(seen: str | bytes, to: Path) -> None:
    """A video of one picture, or of a QR code of this text, as a camera sees it: grey, 640 by 480, YUV 4:2:0."""
    if isinstance(seen, str):
        drawn = BytesIO()
        segno.make_qr(seen).save(drawn, kind="png", scale=8, border=4)
        seen = drawn.getvalue()
    view = Image.new("L", (640, 480), 200)
    view.paste(Image.open(BytesIO(seen)).convert("L").resize((440, 440)), (100, 20))
    frame = b"FRAME\n" + view.tobytes() + bytes([128] * (640 * 480 // 2))
    to.write_bytes(b"YUV4MPEG2 W640 H480 F10:1 Ip A1:1 C420\n" + frame * 2)


@pytest.fixture
def camera(tmp_path: Path) -> Path:
    """What the browser's camera films, from the moment it is switched on."""
    film("nothing", tmp_path / "camera.y4m")
    return tmp_path / "camera.y4m"


@pytest.fixture
def browser(camera: Path) -> Iterator[Browser]:
    with chromium(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    ) as browser:
        yield browser


def sign_in(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport=PHONE, permissions=["camera"]).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
    outside = page.on("request", lambda asked: asked.url.startswith(("blob:", address)) or pytest.fail(asked.url))
    assert outside is None
    page.goto(f"{address}/counter/")
    page.get_by_label("登录名").fill("li")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    page.wait_for_url("**/counter/")
    return page


def redeem(page: Page, bill: str) -> None:
    page.get_by_label("账单金额（元）").fill(bill)
    page.get_by_role("button", name="查看优惠").click()


def test_a_clerk_scans_what_the_customers_screen_shows_and_redeems_it_in_two_taps(browser, camera, socket):
    """U10: the camera, the bill, the discount, done; today's list; undone."""
    clerk(shop())
    one = coupon()
    page = sign_in(browser, socket)
    assert fits(page)
    film(showing.show(UUID(one), timezone.now()).token, camera)  # it is read for a minute
    page.get_by_role("button", name="扫码").click()
    expect(page.locator("#name")).to_have_text("满减券")
    redeem(page, "96.8")
    expect(page.locator("#wrong")).to_contain_text("3.20")
    redeem(page, "120")
    expect(page.locator("#off")).to_have_text("抵扣 ¥20.00")
    assert fits(page)
    page.get_by_role("button", name="确认核销").dblclick()
    expect(page.locator("#end")).to_contain_text("核销成功")
    assert Redemption.objects.get().status == "redeemed"

    page.locator("#tab-today").click()
    expect(page.locator("#uses")).to_contain_text("¥120.00")
    page.on("dialog", lambda sure: sure.accept())
    page.get_by_role("button", name="撤销").click()
    expect(page.locator("#uses")).to_contain_text("已撤销")
    expect(page.locator("#say")).to_have_text("已撤销，券已退回给顾客。")
    assert Coupon.objects.get().status == "available"
    assert fits(page)


def test_on_a_line_that_breaks_the_page_asks_until_it_knows_and_redeems_once(browser, socket):
    """U10: the answer is lost on the way; a reload in between forgets nothing."""
    clerk(shop())
    one, two = coupon("alice"), coupon("bob")
    code, other = (Coupon.objects.get(pk=UUID(each)).code for each in (one, two))
    page = sign_in(browser, socket)

    def look(text: str) -> None:
        page.get_by_label("或输入券码").fill(text)
        page.get_by_role("button", name="查询").click()
        redeem(page, "120")

    # It went through, and the answer was lost; so are the first questions after it.
    page.route("**/take/", lambda route: (route.fetch(), route.abort()))
    page.route("**/settle/", lambda route: route.abort())
    look(code)
    page.get_by_role("button", name="确认核销").click()
    expect(page.locator("#say")).to_contain_text("正在确认是否核销成功")
    page.reload()
    expect(page.locator("#say")).to_contain_text("正在确认是否核销成功")
    page.unroute("**/settle/")
    expect(page.locator("#end")).to_contain_text("核销成功")
    # It never arrived: said so, and the coupon is as it was.
    page.unroute("**/take/")
    page.route("**/take/", lambda route: route.abort())
    page.get_by_role("button", name="下一张券").click()
    look(other)
    page.get_by_role("button", name="确认核销").click()
    expect(page.locator("#end")).to_contain_text("核销没有成功")
    assert Redemption.objects.count() == 1
    assert Coupon.objects.get(pk=UUID(two)).status == "available"


def test_the_counters_camera_reads_the_customers_wallet(browser, camera, socket, settings, tmp_path):
    """U7, U10: what stands on the phone's screen, which shows another code each minute, is what the counter scans."""
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"
    clerk(shop())
    coupon(Customer.objects.create(key="alice", phone=f"+86{NUMBER}").key)
    page = sign_in(browser, socket)
    wallet = visitor_at(browser, socket, 390)
    wallet.clock.install()
    wallet.goto(f"{socket}/h5/wallet/")
    come_in(wallet, "登录", NUMBER)
    wallet.get_by_role("link", name=re.compile("满减券")).click()
    picture = wallet.locator("img[data-qr]")
    picture.evaluate("image => image.decode()")
    assert fits(wallet)
    for _minute in range(2):
        before = picture.get_attribute("src")
        wallet.clock.fast_forward(61_000)
        expect(picture).not_to_have_attribute("src", before or "")
    picture.evaluate("image => image.decode()")
    film(picture.screenshot(), camera)

    page.get_by_role("button", name="扫码").click()
    redeem(page, "120")
    page.get_by_role("button", name="确认核销").click()
    expect(page.locator("#end")).to_contain_text("核销成功")
    assert Coupon.objects.get().status == "redeemed"
