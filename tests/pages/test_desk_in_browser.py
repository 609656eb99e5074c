"""The desk where templates are made, in a real browser: by keyboard, on a phone, in both languages. C1 C7 C12 P9."""

from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from coupons import approving, editing
from coupons.models import CouponTemplate, Customer, TemplateDraft
from distribution.models import Campaign, Placement
from redemption.models import Order
from tests import making
from tests.pages.company import somebody
from tests.pages.looking import fits
from tests.stories.test_whole_chain import PASSWORD, browser, sign_in

__all__ = ["browser"]
pytestmark = pytest.mark.django_db(transaction=True)
LIST = "/admin/coupons/coupontemplate/"


def into(page: Page, name: str, words: str) -> None:
    """Typed by keyboard where the focus is brought."""
    field = page.locator(f'[name="{name}"]')
    expect(field).to_be_visible()  # its tab may still be opening
    field.focus()
    expect(field).to_be_focused()
    page.keyboard.press("Control+A")
    page.keyboard.type(words)


def test_an_operator_makes_a_percentage_by_keyboard_and_sees_what_it_will_be(browser: Browser, live_server):
    campaign = making.campaign(budget_fen=1_000_000)
    page = sign_in(browser, live_server.url, "yunying", "运营")
    page.goto(f"{live_server.url}{LIST}add/?budget={campaign.budget_id}")
    page.locator('[name="type"][value="amount_off"]').focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator('[name="amount_fen"]')).to_be_hidden()
    into(page, "percent_off", "20")
    expect(page.locator(".field-percent_off")).to_contain_text("8折")
    into(page, "name", "八折券")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("8折")
    expect(preview.locator('[lang="en"]')).to_contain_text("20% off")
    into(page, "cap_fen", "三十")
    page.locator('button[name="_keep"]').press("Enter")

    page.wait_for_url("**/add/?draft=*")
    expect(page.locator('[name="internal_name"]')).to_be_focused()  # the first that is missing
    expect(page.locator('[name="cap_fen"]')).to_have_value("三十")
    page.keyboard.type("全场八折")
    into(page, "cap_fen", "30")
    expect(page.locator("[data-verdict]")).to_contain_text("确实有人能领取并使用")
    page.locator('button[name="_submit"]').press("Enter")
    page.wait_for_url("**/move/submit/")
    page.get_by_role("button", name="提交审核").press("Enter")
    page.wait_for_url("**/change/")
    made = CouponTemplate.objects.get()
    assert (made.status, made.percent_off, made.cap_fen) == ("awaiting_approval", 20, 3000)
    assert not TemplateDraft.objects.exists()


def test_an_approver_reads_and_approves_on_a_phone_in_english(browser: Browser, live_server):
    maker = somebody("运营")
    made = making.template(
        making.campaign(budget_fen=1_000_000),
        status="awaiting_approval",
        made_by=maker,
        release={"weekdays": [6, 7], "hours": [["10:00", "14:00"], ["17:30", "22:00"]]},
        looks={"design": "night", "badge": "限时"},
        limits={"total_count": 100},
    )
    page = sign_in(browser, live_server.url, "shenhe", "审核", width=390)
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.goto(f"{live_server.url}{LIST}{made.pk}/change/")
    assert fits(page)
    page.get_by_role("link", name="Approve").press("Enter")
    page.wait_for_url("**/move/approve/")
    assert fits(page)
    for words in ("It may cost at most", "¥2,000.00", "The next 60 days", "10–14", "Somebody can claim it and use it"):
        expect(page.locator("#main")).to_contain_text(words)
    page.get_by_role("button", name="Approve").press("Enter")
    page.wait_for_url("**/change/")
    made.refresh_from_db()
    assert (made.status, made.approved_by.username) == ("live", "shenhe")


def test_an_operator_switches_types_back_and_says_why_a_warning_is_meant_on_a_phone_in_english(
    browser: Browser, live_server
):
    campaign = making.campaign(budget_fen=1_000_000)
    made = making.template(campaign, status="draft", limits={"total_count": 3, "customer_count": 9})
    page = sign_in(browser, live_server.url, "yunying", "运营", width=390)
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.goto(f"{live_server.url}{LIST}{made.pk}/change/")
    assert fits(page)
    into(page, "threshold_fen", "120")
    page.locator('[name="type"][value="percent_off"]').check()
    into(page, "percent_off", "15")
    page.locator('[name="type"][value="amount_off"]').check()
    expect(page.locator('[name="amount_fen"]')).to_have_value("20.00")  # nothing typed was lost
    expect(page.locator('[name="threshold_fen"]')).to_have_value("120")
    expect(page.locator("#preview")).to_contain_text("In plain words, for operators")
    page.locator('button[name="_submit"]').press("Enter")
    page.wait_for_url("**/move/submit/")
    assert fits(page)
    page.get_by_role("button", name="Submit for approval").press("Enter")
    expect(page.locator("#main")).to_contain_text("Tick that it is meant so")
    page.get_by_label("It is meant so").press("Space")
    page.get_by_label("because").fill("staff only")
    page.get_by_role("button", name="Submit for approval").press("Enter")
    page.wait_for_url("**/change/")
    made.refresh_from_db()
    assert (made.status, made.threshold_fen) == ("awaiting_approval", 12000)
    assert made.accepted_warnings["customer_above_total"]["reason"] == "staff only"


def test_an_approver_reads_what_was_changed_in_chinese_and_approves_by_keyboard_saying_why(
    browser: Browser, live_server
):
    maker, first = somebody("运营"), somebody("审核")
    made = making.template(making.campaign(budget_fen=1_000_000), status="draft", made_by=maker)
    approving.submit(made, by=maker)
    approving.approve(made, by=first)
    made.threshold_fen = 8000
    editing.save_template(made, {"total_count": 10, "customer_count": 20}, by=maker)
    approving.submit(made, by=maker, accepted=None)  # as a document does: its warnings are the approver's to judge

    page = sign_in(browser, live_server.url, "shenhe", "审核")
    page.goto(f"{live_server.url}{LIST}{made.pk}/change/")
    page.get_by_role("link", name="通过审核", exact=True).press("Enter")
    page.wait_for_url("**/move/approve/")
    shown = page.locator("#main")
    expect(page.get_by_role("row").filter(has_text="¥80.00")).to_contain_text("¥100.00")
    for words in ("自上次审核通过", "¥200.00", "满80元减20元", "确实有人能领取并使用", "一个用户就可能全部领完"):
        expect(shown).to_contain_text(words)
    page.get_by_role("button", name="通过审核", exact=True).press("Enter")
    expect(shown).to_contain_text("请勾选")
    page.get_by_label("确实如此设计").focus()
    for key in ("Space", "Tab"):
        page.keyboard.press(key)
    page.keyboard.type("员工内购")
    for key in ("Tab", "Enter"):
        page.keyboard.press(key)
    page.wait_for_url("**/change/")
    made.refresh_from_db()
    assert (made.status, made.approved_by.username) == ("live", "shenhe")
    assert made.accepted_warnings["customer_above_total"] == {"reason": "员工内购", "by": "shenhe"}


def test_an_operator_goes_from_campaign_to_coupon_to_placement_by_keyboard_on_a_phone_in_english(
    browser: Browser, live_server
):
    page = sign_in(browser, live_server.url, "yunying", "运营", width=390)
    page.context.add_cookies([{"name": "django_language", "value": "en", "url": live_server.url}])
    page.goto(f"{live_server.url}/admin/distribution/campaign/add/")
    assert fits(page)
    into(page, "name", "夏日补贴")
    into(page, "key", "summer")
    now = timezone.localtime()
    page.locator('[name="starts_at"]').fill(f"{now:%Y-%m-%dT00:00}")
    page.locator('[name="ends_at"]').fill(f"{now + timedelta(days=60):%Y-%m-%dT00:00}")
    into(page, "goal_target", "5000")
    page.get_by_role("tab", name="Budget").press("Enter")
    into(page, "budget_limit", "1,000")
    page.locator('button[name="_save"]').press("Enter")

    page.get_by_role("link", name="New template in this campaign").press("Enter")
    page.wait_for_url("**/coupontemplate/add/**")
    into(page, "internal_name", "夏日-满100减20")
    into(page, "name", "夏日满减券")
    into(page, "key", "s20")
    into(page, "amount_fen", "20")
    into(page, "threshold_fen", "100")
    page.locator('button[name="_submit"]').press("Enter")
    page.wait_for_url("**/move/submit/")
    page.get_by_role("button", name="Submit for approval").press("Enter")
    page.wait_for_url("**/change/")
    assert fits(page)

    page.get_by_role("link", name="Place it").press("Enter")
    page.wait_for_url("**/placement/add/**")
    assert fits(page)
    into(page, "title", "领券中心")
    page.locator("[name=channel]").select_option("coupon_center")
    page.locator("[name=offers-0-audience]").select_option(label="everyone")
    page.locator('button[name="_save"]').press("Enter")
    page.wait_for_url("**/placement/*/change/")
    assert fits(page)
    campaign, template, placement = Campaign.objects.get(), CouponTemplate.objects.get(), Placement.objects.get()
    assert (campaign.goal_target, campaign.budget.limit_fen, campaign.owner.username) == (5000, 1_000_00, "yunying")
    assert (template.status, template.budget) == ("awaiting_approval", campaign.budget)
    assert (placement.campaign, placement.status, [*placement.offers.values_list("template", flat=True)]) == (
        campaign,
        "draft",
        [template.pk],
    )


def test_a_long_number_breaks_and_lies_over_nothing(browser: Browser, live_server):
    """A counter's bills have long ones: in half a form on the desk, beside its name on a phone."""
    now = timezone.now()
    alice = Customer.objects.create(key="alice")
    Order.objects.create(
        key=f"counter-1-{'0a' * 27}", customer=alice, placed_at=now, client="counter", lines=[], goods_fen=1
    )
    page = sign_in(browser, live_server.url, "caiwu", "财务")
    page.goto(f"{live_server.url}/admin/redemption/order/")
    page.get_by_role("row").filter(has_text="counter-1-").get_by_role("link").first.click()
    page.wait_for_url("**/change/")
    number = page.locator(".field-line .readonly").filter(has_text="counter-1-").first
    beside = page.locator(".field-line label", has_text="用户").first
    expect(number).to_be_visible()
    assert number.bounding_box()["x"] + number.evaluate("e => e.scrollWidth") <= beside.bounding_box()["x"]

    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{live_server.url}/admin/redemption/order/")
    cell = page.locator("#result_list tbody tr").first.locator("th, td").filter(has_text="counter-1-")
    expect(cell).to_be_visible()
    name = cell.evaluate("e => parseFloat(getComputedStyle(e, '::before').height)")
    line = cell.evaluate("e => parseFloat(getComputedStyle(e).lineHeight)")
    assert name <= line, "the column's name stands on one line"
    assert cell.evaluate("e => e.scrollHeight <= e.clientHeight"), "nothing of the number is cut off"


def test_nothing_typed_is_lost_without_a_connection_or_a_session(browser: Browser, live_server):
    """C12: the draft is saved once both are back, from the very page."""
    campaign = making.campaign(budget_fen=1_000_000)
    page = sign_in(browser, live_server.url, "yunying", "运营")
    page.goto(f"{live_server.url}{LIST}add/?budget={campaign.budget_id}")
    into(page, "name", "断网券")
    keep = page.locator('button[name="_keep"]')
    page.context.set_offline(True)
    keep.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="网络连接中断")).to_be_visible()
    page.context.set_offline(False)

    page.context.clear_cookies(name="sessionid")
    keep.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="网络连接中断")).to_be_hidden()
    with page.expect_popup() as opened:
        page.get_by_role("link", name="在新窗口登录").press("Enter")
    other = opened.value
    other.fill("[name=username]", "yunying")
    other.fill("[name=password]", PASSWORD)
    other.locator("[name=password]").press("Enter")
    other.wait_for_url("**/admin/")
    assert not TemplateDraft.objects.exists()

    expect(page.locator('[name="name"]')).to_have_value("断网券")
    keep.press("Enter")
    page.wait_for_url("**/add/?draft=*")
    assert TemplateDraft.objects.get().answers["name"] == ["断网券"]
