"""P11: an operator says how packets are cut, the shop makes one for an order, a friend opens its link and has a part,
and whoever shared it sees who took what; in a real browser, on a phone."""

import re

import pytest
from playwright.sync_api import expect

from coupons.models import Coupon, Customer
from distribution.models import SharePlan, ShareTake
from tests import making
from tests.pages.looking import fits
from tests.pages.test_h5_page import come_in, visitor_at
from tests.stories.test_whole_chain import browser, field, move, save, sign_in
from tests.stories.visitors import PHONE

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["browser"]


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


@pytest.mark.parametrize("width", [1440, 390], ids=["desk", "phone"])
def test_friends_open_the_packet_of_an_order_and_its_sharer_sees_who_took_what(
    browser, socket, system, customer, width
):
    """P11, P6, C12"""
    faces = [making.template(type="no_threshold", amount_fen=fen, name=f"{fen // 100}元红包") for fen in (300, 500)]
    placement = making.placement(*faces, channel="share", pick="random", status="draft", title="下单分享红包")
    operator = sign_in(browser, socket, "xiaolin", "运营", width)
    operator.goto(f"{socket}/admin/distribution/shareplan/add/?placement={placement.pk}")
    field(operator, "friends").fill("2")
    field(operator, "sum of a packet").fill("8")
    assert fits(operator)
    save(operator)
    plan = SharePlan.objects.get()
    assert (plan.placement, plan.slots_count, plan.pot_fen) == (placement, 2, 800)
    operator.goto(f"{socket}/admin/distribution/shareplan/{plan.pk}/change/")
    expect(operator.get_by_text("2位好友分¥8.00，每份在¥3.00到¥5.00之间")).to_be_visible()
    assert fits(operator)
    approver = sign_in(browser, socket, "laozhao", "审核", width)
    approver.goto(f"{socket}/admin/distribution/placement/{placement.pk}/change/")
    move(approver, "Let it go live", "The placement is live.")

    Customer.objects.create(key="alice", nickname="小林", phone="+8613900000000")
    order = {"placement": placement.key, "order": "order-1", "customer": "alice"}
    made = system("issue").post("shares/", order, once="share-1")
    assert made.status == 201
    path = f"/h5/share/{made.body['token']}/"
    assert made.body["url"].endswith(path)

    friend = visitor_at(browser, socket, 390)
    friend.goto(socket + path)
    expect(friend.get_by_role("heading", name=re.compile("小\\*\\*"))).to_be_visible()
    assert fits(friend)
    friend.get_by_role("link", name="拆红包").click()
    come_in(friend, "登录并领取")
    expect(friend.get_by_role("heading", name=re.compile("¥[35]"))).to_be_visible()
    assert fits(friend)
    assert friend.url == socket + path
    take, coupon = ShareTake.objects.get(), Coupon.objects.get()
    assert (take.coupon_id, take.customer_key) == (coupon.pk, coupon.customer.key)

    sharer = visitor_at(browser, socket, 390)
    sharer.goto(f"{socket}/h5/sign-in/")
    come_in(sharer, "登录", "13900000000")
    sharer.wait_for_url("**/h5/wallet/")
    sharer.goto(socket + path)
    expect(sharer.get_by_role("heading", name="您的红包")).to_be_visible()
    expect(sharer.get_by_role("heading", name="已领1/2份")).to_be_visible()
    for role in ("link", "button"):
        expect(sharer.get_by_role(role, name="拆红包")).to_have_count(0)
    taken = sharer.get_by_role("region", name="领取情况").get_by_role("listitem")
    first = coupon.template.amount_fen
    expect(taken).to_have_text([re.compile(rf"\*\*{PHONE[-4:]}\s*¥{first // 100}")])
    Customer.objects.create(key="bob", nickname="阿强")
    assert customer("bob").post(f"shares/{made.body['token']}/claims/", {"client": "app"}).status == 201
    sharer.reload()
    expect(sharer.get_by_role("heading", name="已被领完")).to_be_visible()
    expect(taken).to_have_text([re.compile(PHONE[-4:]), re.compile(rf"阿\*\*.*¥{(800 - first) // 100}", re.DOTALL)])
    expect(taken.filter(has_text="手气最佳")).to_contain_text("¥5")
    assert fits(sharer)
