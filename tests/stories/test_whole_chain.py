"""The whole chain through real doors: create, place, claim, use, count.

Operators work in a real browser, mostly by keyboard and by what they read; the customer's app and the order system
speak REST over the same socket.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.utils import timezone, translation
from playwright.sync_api import Browser, Page, expect

from coupons.models import CouponTemplate
from distribution.models import Campaign, Placement
from tests.pages.looking import PATIENCE, chromium, fits

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD = "a-long-word-of-its-own"


@pytest.fixture
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


def zh(words: str) -> str:
    """As operators read it."""
    with translation.override("zh-hans"):
        return translation.gettext(words)


def sign_in(browser: Browser, address: str, name: str, role: str, width: int = 1440) -> Page:
    """A browser of their own."""
    user = User.objects.filter(username=name).first()
    if user is None:
        user = User.objects.create_user(name, password=PASSWORD, is_staff=True)
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    page = browser.new_context(viewport={"width": width, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE)
    page.on("pageerror", lambda error: pytest.fail(f"{page.url}: {error}"))
    page.goto(f"{address}/admin/login/")
    page.get_by_label("用户名").fill(name)
    page.get_by_label("密码", exact=False).fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")
    return page


def field(page: Page, label: str) -> Any:
    """By its label, with or without the star of what is required."""
    return page.get_by_label(re.compile(rf"^\s*{re.escape(zh(label))}\s*\*?\s*$")).first


def save(page: Page, button: str = "_save") -> None:
    with page.expect_navigation():
        page.locator(f'button[name="{button}"]').press("Enter")
    assert page.get_by_text("请修正").count() == 0, page.inner_text("#main")


def move(page: Page, name: str, said: str) -> None:
    """The button, then what it asks, then the answer."""
    page.get_by_role("link", name=zh(name), exact=True).press("Enter")
    page.get_by_role("button", name=zh(name), exact=True).press("Enter")
    expect(page.get_by_text(zh(said))).to_be_visible()


def make_campaign(page: Page, address: str, key: str) -> Campaign:
    page.goto(f"{address}/admin/distribution/campaign/add/")
    now = timezone.localtime()
    field(page, "name").fill("夏日补贴")
    field(page, "key").fill(key)
    field(page, "starts at").fill(f"{now - timedelta(days=1):%Y-%m-%dT00:00}")
    field(page, "ends at").fill(f"{now + timedelta(days=60):%Y-%m-%dT00:00}")
    field(page, "Target").fill("5000")
    page.get_by_text(zh("Budget"), exact=True).first.click()
    field(page, "Budget").fill("1,000.00")
    save(page)
    return Campaign.objects.get(key=key)


def make_template(page: Page, address: str, campaign: Campaign) -> CouponTemplate:
    page.goto(f"{address}/admin/distribution/campaign/{campaign.pk}/change/")
    page.get_by_role("link", name=zh("New template in this campaign")).press("Enter")
    field(page, "key").fill("s20")
    field(page, "internal name").fill("夏日-满100减20")
    field(page, "name for customers").fill("夏日满减券")
    field(page, "face value").fill("20")
    field(page, "threshold").fill("100")
    save(page, "_keep")
    return CouponTemplate.objects.get(key="s20")


def place_it(page: Page, address: str, campaign: Campaign) -> Placement:
    page.goto(f"{address}/admin/distribution/campaign/{campaign.pk}/change/")
    page.get_by_role("link", name=zh("New placement in this campaign")).press("Enter")
    field(page, "title").fill("领券中心")
    field(page, "key").fill("summer-center")
    field(page, "channel").select_option(label=zh("coupon centre"))
    page.locator("[name=offers-0-template]").select_option(label=f"夏日-满100减20 ({zh('awaiting approval')})")
    page.locator("[name=offers-0-audience]").select_option(label=zh("everyone"))
    save(page)
    return Placement.objects.get(key="summer-center")


def test_create_place_claim_use_count(browser, socket, system, customer, ledger):
    """P1 P2 P4 P9 · C2 C3 C4 C10 C12 · U7 U8 U9 · S1 S6"""
    # 运营 plans a campaign, makes 满100减20 in it, submits it, and places it in the coupon centre.
    operator = sign_in(browser, socket, "xiaolin", "运营")
    campaign = make_campaign(operator, socket, "summer")
    assert campaign.budget.limit_fen == 1_000_00
    assert (campaign.goal_target, campaign.owner.username) == (5000, "xiaolin")
    template = make_template(operator, socket, campaign)
    assert (template.amount_fen, template.threshold_fen, template.budget) == (20_00, 100_00, campaign.budget)
    operator.goto(f"{socket}/admin/coupons/coupontemplate/{template.pk}/change/")
    expect(operator.get_by_role("link", name=zh("Approve"))).to_have_count(0)
    move(operator, "Submit for approval", "Submitted for approval.")
    placement = place_it(operator, socket, campaign)
    operator.goto(f"{socket}/admin/distribution/placement/{placement.pk}/change/")
    expect(operator.get_by_role("link", name=zh("Let it go live"), exact=True)).to_have_count(0)
    expect(operator.locator("#api-call-line")).to_contain_text(f"{socket}/api/v1/placements/summer-center/claims/")

    # Nobody gets anything before somebody else has approved both.
    alice = customer("alice")
    assert alice.post("placements/summer-center/claims/", {}).code == "not_started"
    approver = sign_in(browser, socket, "laozhao", "审核")
    approver.goto(f"{socket}/admin/coupons/coupontemplate/{template.pk}/change/")
    move(approver, "Approve", "Approved; the template is live.")
    approver.goto(f"{socket}/admin/distribution/placement/{placement.pk}/change/")
    expect(approver.get_by_text("满100元减20元").first).to_be_visible()
    move(approver, "Let it go live", "The placement is live.")

    # A customer sees it, claims it, has it in the wallet with its wording.
    [offered] = alice.get("placements/", channel="coupon_center").body["results"]
    assert (offered["state"], offered["title"]) == ("claimable", "领券中心")
    claimed = alice.post("placements/summer-center/claims/", {"client": "app"}, once="claim-1")
    assert claimed.status == 201
    assert alice.post("placements/summer-center/claims/", {"client": "app"}).code == "customer_limit"
    [coupon] = alice.get("coupons/", status="available").body["results"]
    assert coupon["id"] == claimed.body["coupons"][0]["id"]
    assert (coupon["name"], coupon["wording"]["short"]) == ("夏日满减券", "满100减20")
    assert coupon["wording"]["rules"][0] == "满100元减20元"

    # An order of two lines asks, holds, captures, and gives one line back.
    order = {
        "id": "order-1",
        "client": "app",
        "lines": [{"id": line, "unit_price_fen": 60_00, "quantity": 1} for line in ("rice", "soup")],
    }
    quoted = alice.post("quotes/", {"order": order}).body
    assert (quoted["best"]["discount_fen"], quoted["best"]["payable_fen"]) == (20_00, 100_00)
    shop = system("redeem")
    held = shop.post(
        "redemptions/",
        {"order": {**order, "customer": "alice"}, "coupons": [coupon["id"]], "capture": False},
        once="hold-1",
    )
    assert (held.status, held.body["status"], held.body["discount_fen"]) == (201, "held", 20_00)
    assert [line["discount_fen"] for line in held.body["lines"]] == [10_00, 10_00]
    redemption = held.body["id"]
    captured = shop.post(f"redemptions/{redemption}/capture/", {}, once="capture-1")
    assert captured.body["status"] == "redeemed"
    back = {"lines": [{"id": "soup"}]}
    for _twice in range(2):
        given = shop.post(f"redemptions/{redemption}/rollbacks/", back, once="back-1")
        assert given.status in (200, 201)
    campaign.budget.refresh_from_db()
    assert (campaign.budget.spent_fen, campaign.budget.committed_fen) == (10_00, 10_00)
    assert alice.get(f"coupons/{coupon['id']}/").body["status"] == "redeemed"

    # The first page and the campaign's own show it; 财务 reads the redemption.
    operator.goto(f"{socket}/admin/")
    row = operator.get_by_role("row").filter(has=operator.get_by_role("link", name=re.compile("夏日补贴")))
    expect(row.first).to_contain_text("¥10.00")
    operator.goto(f"{socket}/admin/distribution/campaign/{campaign.pk}/change/")
    expect(operator.get_by_text(f"{zh('coupons redeemed')} 1 / 5,000")).to_be_visible()
    for words in ("¥1,000.00", "¥10.00", "¥980.00"):
        expect(operator.get_by_text(words).first).to_be_visible()
    accountant = sign_in(browser, socket, "xiaoqian", "财务")
    accountant.goto(f"{socket}/admin/redemption/redemption/?q=order-1")
    accountant.get_by_role("row").filter(has_text="order-1").get_by_role("link").first.press("Enter")
    expect(accountant.get_by_text(zh("rolled back in part")).first).to_be_visible()
    expect(accountant.get_by_text(coupon["code"]).first).to_be_visible()
    ledger()


def test_a_campaign_is_made_on_a_phone(browser, socket):
    """The same form, 390 px wide; nothing stands out over the edge."""
    page = sign_in(browser, socket, "xiaolin", "运营", width=390)
    campaign = make_campaign(page, socket, "on-a-phone")
    page.goto(f"{socket}/admin/distribution/placement/add/?campaign={campaign.pk}")
    assert fits(page)
    field(page, "title").fill("手机上建的投放")
    save(page)
    assert Placement.objects.get(campaign=campaign).title == "手机上建的投放"


def test_a_draft_placement_is_put_in_order_by_keyboard(browser, socket):
    """P11: the order of offers without a mouse; the weight shows only where luck decides."""
    from tests import making

    campaign = making.campaign()
    one, two = making.template(campaign), making.template(campaign)
    placement = making.placement(one, two, of=campaign, status="draft")
    page = sign_in(browser, socket, "xiaolin", "运营")
    page.goto(f"{socket}/admin/distribution/placement/{placement.pk}/change/")
    expect(page.locator("[name=offers-0-weight]")).to_be_hidden()
    page.get_by_label(zh("one by luck")).press("Space")
    expect(page.locator("[name=offers-0-weight]")).to_be_visible()
    page.locator("[name=offers-1-weight]").fill("9")
    page.locator("[name=offers-0-position]").fill("5")
    save(page)
    assert list(placement.offers.values_list("template", "weight")) == [(two.pk, 9), (one.pk, 1)]
