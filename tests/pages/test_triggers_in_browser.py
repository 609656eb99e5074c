"""P8: an operator makes a rule, somebody else lets it go live, the app tells what happened, and the customer has the
coupon and the SMS; in a real browser, at the desk and on a phone."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from coupons.models import Customer
from distribution import tasks
from distribution.models import Message, MessageTemplate, TriggerRule
from tests import making
from tests.pages.looking import fits
from tests.pages.test_h5_page import come_in, visitor_at
from tests.stories.test_whole_chain import browser, move, save, sign_in
from tests.stories.visitors import PHONE, Visitor

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["browser"]


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD, settings.QUIET_HOURS = tmp_path / "messages.jsonl", ""


@pytest.fixture
def late_words():
    text = "抱歉让您久等，{coupon}已到账，{until}前可用"
    return MessageTemplate.objects.create(
        key="late", name="超时致歉", channel="sms", occasion="issued", text=text, provider_template="SMS_1"
    )


@pytest.mark.parametrize("width", [1440, 390], ids=["desk", "phone"])
def test_a_late_delivery_is_made_good_with_a_coupon_and_an_sms(browser, socket, system, late_words, width):
    """P8, P9, C12"""
    template = making.template(name="超时赔付券", type="no_threshold", amount_fen=500)
    placement = making.placement(template, form="trigger", channel="home_popup", status="draft", title="超时赔付")
    operator = sign_in(browser, socket, "xiaolin", "运营", width)
    operator.goto(f"{socket}/admin/distribution/triggerrule/add/?placement={placement.pk}")
    operator.locator("[name=event]").fill("order_delivered_late")
    for name, typed in (("field_0", "late_minutes"), ("value_0", "20")):
        operator.locator(f"[name=tests-{name}]").fill(typed)
    operator.locator("[name=tests-is_0]").select_option(">=")
    operator.locator("[name=message]").select_option(label=str(late_words))
    assert fits(operator)
    save(operator)
    rule = TriggerRule.objects.get()
    assert (rule.tests, rule.message) == ([{"field": "late_minutes", "is": ">=", "value": 20}], late_words)
    operator.goto(f"{socket}/admin/distribution/triggerrule/{rule.pk}/change/")
    expect(operator.get_by_text("late_minutes").first).to_be_visible()
    assert fits(operator)

    Customer.objects.create(key="alice", phone=f"+86{PHONE}")
    app = system("issue")

    def tell(minutes):
        event = {"event": "order_delivered_late", "customer": "alice", "data": {"late_minutes": minutes}}
        return app.post("events/", {**event, "occurred_at": timezone.now().isoformat()}, once=f"late-{minutes}").body

    assert tell(45)["coupons"] == []  # nobody has approved it yet
    approver = sign_in(browser, socket, "laozhao", "审核", width)
    approver.goto(f"{socket}/admin/distribution/placement/{placement.pk}/change/")
    move(approver, "Let it go live", "The placement is live.")
    assert tell(19)["coupons"] == []
    told = tell(25)
    assert told["messages"] == [{"channel": "sms", "template": "late"}]
    [coupon] = told["coupons"]

    assert tasks.send_messages() == 1
    assert [one["text"] for one in Visitor().arrived()] == [
        f"抱歉让您久等，超时赔付券已到账，{Message.objects.get().variables['until']}前可用"
    ]
    page = visitor_at(browser, socket, 390)
    page.goto(f"{socket}/h5/wallet/")
    come_in(page, "登录")
    page.get_by_role("link", name=re.compile("超时赔付券")).click()
    expect(page.get_by_text(coupon["code"])).to_be_visible()
    assert fits(page)

    operator.goto(f"{socket}/admin/distribution/inboundevent/")
    for words in ("发放1张", "事件内容不符合规则要求", "没有规则监听"):
        expect(operator.locator("td", has_text=words).first).to_be_visible()
    assert fits(operator)
