"""H5 pages: phone number in, coupon in the account (P6); the wallet beside them (U7, U10)."""

import re
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.staticfiles import finders
from django.utils import timezone

from coupons import showing
from coupons.models import Coupon, CouponEvent, Customer
from distribution import sources, tasks
from distribution.models import ClaimLink, Message, PhoneProof, Placement, SmsDay
from tests import making, using
from tests.pages.company import desk, somebody
from tests.stories.visitors import PHONE, WECHAT, Visitor, once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _record(settings, tmp_path):
    settings.MESSAGE_RECORD = tmp_path / "messages.jsonl"


def text(response) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


# --- claiming ------------------------------------------------------------------------------------------------------


def test_a_stranger_signs_in_by_code_and_has_the_coupon(clock, ledger):
    """P6: phone number in, coupon in the account; said twice, done once."""
    page = making.claim_page(making.template(limits={"customer_count": 1}), use_url="https://shop.example/food")
    visitor = Visitor()
    seen = visitor.get(f"/h5/{page.slug}/")
    assert (seen.status_code, "¥20" in text(seen), "夏日福利" in text(seen)) == (200, True, True)
    way = visitor.post(f"/h5/{page.slug}/claim/")
    assert way.headers["Location"] == f"/h5/sign-in/?to={page.slug}&claim=1"
    assert "It is valid for 10 minutes" in text(visitor.ask(page.slug, claim="1"))
    done = visitor.enter(to=page.slug, claim="1", once="the-form")
    assert (done.status_code, done.headers["Location"]) == (303, f"/h5/{page.slug}/")
    coupon = Coupon.objects.get()
    assert (coupon.customer.phone, coupon.customer.key[:3]) == (f"+86{PHONE}", "h5:")
    got = visitor.get(f"/h5/{page.slug}/")
    assert "In your wallet" in text(got)
    assert 'href="https://shop.example/food"' in got.content.decode()
    assert "Claim another" not in text(got)
    ledger()


def test_the_same_form_sent_twice_takes_one_coupon(clock):
    """Also when a second coupon would be refused: the first time it was done."""
    page = making.claim_page(making.template(limits={"customer_count": 2}))
    visitor = Visitor()
    visitor.sign_in(page.slug)
    form = once(visitor.get(f"/h5/{page.slug}/"))
    assert [visitor.post(f"/h5/{page.slug}/claim/", once=form).status_code for _ in range(3)] == [303] * 3
    assert Coupon.objects.count() == 1
    visitor.post(f"/h5/{page.slug}/claim/", once=once(visitor.get(f"/h5/{page.slug}/")))
    assert Coupon.objects.count() == 2
    assert visitor.post(f"/h5/{page.slug}/claim/", once=form).status_code == 303
    assert visitor.post(f"/h5/{page.slug}/claim/", once="another").status_code == 409
    assert Coupon.objects.count() == 2


def test_a_number_that_the_member_centre_told_is_that_member(clock):
    """One phone number, one account: the newest member, else our own, never two."""
    for key in ("old", "new"):
        Customer.objects.create(key=key, phone=f"+86{PHONE}")
    page = making.claim_page(making.template())
    Visitor(phone="+86 138-0013-8000").sign_in(page.slug, claim="1")
    assert Coupon.objects.get().customer.key == "new"
    assert Customer.objects.count() == 2


def test_who_comes_again_is_the_same_customer_and_keeps_what_was_there_when_they_become_a_member(clock):
    page = making.claim_page(making.template())
    Visitor().sign_in(page.slug, claim="1")
    clock.forward(minutes=2)
    Visitor().sign_in(page.slug, claim="1")
    assert Customer.objects.count() == 1
    Customer.objects.create(key="member", phone=f"+86{PHONE}")
    clock.forward(minutes=2)
    visitor = Visitor()
    visitor.sign_in(page.slug, claim="1")
    assert Coupon.objects.filter(customer__key="member").count() == 1
    assert visitor.get("/h5/wallet/").content.decode().count("ticket-link") == 3


def test_a_refusal_says_why_and_what_else_there_is(clock):
    """P6: refused → why, and other live offers."""
    page = making.claim_page(making.template(claim_conditions={"order_count": {"min": 3}}))
    other = making.claim_page(making.template(), title="另一个")
    hidden = making.claim_page(making.template(), title="草稿", status="draft")
    visitor = Visitor()
    assert visitor.sign_in(page.slug, claim="1").status_code == 409
    seen = visitor.get(f"/h5/{page.slug}/")
    assert "Not for you this time" in text(seen)
    assert "3 orders" in text(seen)
    assert f'href="/h5/{other.slug}/"' in seen.content.decode()
    assert hidden.title not in text(seen)
    assert not Coupon.objects.exists()


def test_a_city_is_asked_for_where_the_offer_is_for_some_cities(clock):
    page = making.claim_page(making.template(claim_cities=["310000"]))
    visitor = Visitor()
    visitor.sign_in(page.slug)
    form = visitor.get(f"/h5/{page.slug}/")
    assert '<option value="310000">' in form.content.decode()
    refused = visitor.post(f"/h5/{page.slug}/claim/", once="a", city="110000")
    assert (refused.status_code, Coupon.objects.exists()) == (409, False)
    assert visitor.post(f"/h5/{page.slug}/claim/", once="b", city="310000").status_code == 303
    assert Coupon.objects.count() == 1


def test_the_wechat_browser_is_a_client_of_its_own(clock):
    page = making.claim_page(making.template(claim_conditions={"clients": {"any_of": ["wechat"]}}))
    browser, wechat = Visitor(), Visitor("13800138001", WECHAT)
    browser.sign_in(page.slug, claim="1")
    wechat.sign_in(page.slug, claim="1")
    assert [coupon.customer.phone for coupon in Coupon.objects.all()] == ["+8613800138001"]
    assert CouponEvent.objects.get().client == "wechat"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"status": "paused"}, "Paused for the moment"),
        ({"status": "ended"}, "This offer has ended"),
        ({"starts": 1}, "It starts at 2026-06-04 12:00"),
        ({"limits": {"total_count": 0}}, "All gone"),
    ],
)
def test_pages_that_give_nothing_now_say_so_to_everybody(clock, change, words):
    starts = clock.now() + timedelta(days=change["starts"]) if "starts" in change else None
    campaign = making.campaign(starts_at=starts)
    page = making.claim_page(making.template(campaign, limits=change.get("limits")), of=campaign)
    Placement.objects.filter(pk=page.placement_id).update(status=change.get("status", "live"))
    visitor = Visitor()
    assert words in text(visitor.get(f"/h5/{page.slug}/"))
    visitor.sign_in()
    seen = visitor.get(f"/h5/{page.slug}/")
    assert words in text(seen)
    assert "/claim/" not in seen.content.decode()


def test_what_is_sold_out_meanwhile_is_seen_by_strangers(clock):
    """The page of strangers is drawn once, but no longer than it is true."""
    template = making.template(limits={"total_count": 1})
    page = making.claim_page(template)
    stranger = Visitor()
    assert "Claim now" in text(stranger.get(f"/h5/{page.slug}/"))
    using.give(template)
    from distribution.h5 import pages

    pages.forget()  # half a second later
    assert "All gone" in text(stranger.get(f"/h5/{page.slug}/"))


def test_a_draft_is_for_operators(clock):
    page = making.claim_page(making.template(), status="draft")
    assert Visitor().get(f"/h5/{page.slug}/").status_code == 404
    assert desk(somebody("客服")).get(f"/h5/{page.slug}/").status_code == 404
    seen = desk(somebody("运营")).get(f"/h5/{page.slug}/")
    assert (seen.status_code, "预览" in text(seen)) == (200, True)
    assert Visitor().get("/h5/nothing/").status_code == 404


# --- safe ------------------------------------------------------------------------------------------------------------


def test_a_page_is_small_strict_and_in_the_visitors_language(clock, settings):
    page = making.claim_page(making.template(), notes="每人一张\n先到先得", accent="#112233", background="#eeeeee")
    seen = Visitor(**{"accept-language": "zh-CN,zh;q=0.9"}).get(f"/h5/{page.slug}/")
    html = seen.content.decode()
    policy = seen.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert not re.search(r"<style|style=|<script(?![^>]* src=)|\son[a-z]+=", html)
    assert (seen.headers["Content-Language"], "立即领取" in html) == ("zh-hans", True)
    assert 'property="og:title" content="夏日福利"' in html
    assets = re.findall(r'(?:href|src)="(/static/[^"]+|/h5/looks[^"]+)"', html)
    size = len(seen.content)
    for asset in assets:
        if asset.startswith("/static/"):
            size += Path(finders.find(asset.removeprefix("/static/"))).stat().st_size
        else:
            sheet = Visitor().get(asset.replace("&amp;", "&"))
            assert "--accent: #112233; --accent-ink: #ffffff" in sheet.content.decode()
    assert size < 100_000


def test_the_language_is_the_visitors_to_choose(clock):
    page = making.claim_page(making.template())
    visitor = Visitor()
    assert "Claim now" in text(visitor.get(f"/h5/{page.slug}/"))
    assert "立即领取" in text(visitor.get(f"/h5/{page.slug}/?lang=zh-hans"))
    assert "立即领取" in text(visitor.get(f"/h5/{page.slug}/"))


@pytest.mark.parametrize(
    "to", ["//evil.example", "https://evil.example/", "/\\evil.example", "wechat", "nothing", "a\0b"]
)
def test_signing_in_leads_nowhere_but_to_our_own_pages(clock, to):
    visitor = Visitor()
    visitor.ask(to)
    assert visitor.enter(to=to).headers["Location"] == "/h5/wallet/"
    assert visitor.post("/h5/sign-out/", to=to).headers["Location"] == "/h5/wallet/"


def test_forms_of_other_sites_are_not_taken(clock):
    page = making.claim_page(making.template())
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.browser.post(f"/h5/{page.slug}/claim/", {"once": "a"}).status_code == 403
    assert not Coupon.objects.exists()


def test_customers_are_nobody_in_the_admin_and_operators_nobody_here(clock):
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.get("/admin/").status_code == 302
    operator = desk(somebody("管理员"))
    assert operator.get("/h5/wallet/").headers["Location"] == "/h5/sign-in/?to=wallet"
    assert "sessionid" not in visitor.browser.cookies


def test_an_edited_session_is_none(clock):
    visitor = Visitor()
    visitor.sign_in()
    assert visitor.get("/h5/wallet/").status_code == 200
    value = visitor.browser.cookies["h5_session"].value
    visitor.browser.cookies["h5_session"] = value[:-1] + ("A" if value[-1] != "A" else "B")
    assert visitor.get("/h5/wallet/").status_code == 302
    visitor.browser.cookies["h5_session"] = value
    clock.forward(days=8)
    assert visitor.get("/h5/wallet/").status_code == 302


# --- codes ---------------------------------------------------------------------------------------------------------


def test_a_code_holds_for_ten_minutes_and_one_use(clock):
    visitor = Visitor()
    visitor.ask()
    code = visitor.code()
    clock.forward(minutes=10)
    assert visitor.enter(code).status_code == 409
    visitor.ask()
    code = visitor.code()
    assert visitor.enter(code).status_code == 303
    assert Visitor().enter(code).status_code == 409
    assert code not in str(PhoneProof.objects.values()[0])
    assert code not in str(Message.objects.values())


def test_the_sixth_try_is_refused_even_if_it_is_right(clock):
    visitor = Visitor()
    visitor.ask()
    wrong = "000000" if visitor.code() != "000000" else "111111"
    for _ in range(5):
        seen = visitor.enter(wrong)
        assert (seen.status_code, "wrong or no longer valid" in text(seen)) == (409, True)
    assert visitor.enter(visitor.code()).status_code == 409
    clock.forward(minutes=1)
    visitor.ask()
    assert visitor.enter().status_code == 303


def test_codes_are_sent_once_a_minute_five_times_an_hour_ten_times_a_day(clock):
    visitor = Visitor()
    told = {}
    for minute in (0, 1, 2, 3, 4, 5, 59, 60, 61, 62, 63, 64, 65, 700, 24 * 60 - 1):
        clock.set("2026-06-03 00:00")
        clock.forward(minutes=minute)
        told[minute] = visitor.ask().status_code
        clock.forward(seconds=59)
        assert visitor.ask().status_code == 429
    sent = [minute for minute, status in told.items() if status == 200]
    assert sent == [0, 1, 2, 3, 4, 60, 61, 62, 63, 64]
    assert len(visitor.arrived()) == 10
    clock.set("2026-06-04 00:00")
    assert visitor.ask().status_code == 200


def test_a_days_money_is_not_exceeded(clock, settings):
    settings.H5_SMS_DAILY_FEN = 12
    answers = [Visitor(f"1380013800{n}").ask() for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 429, 429]
    assert "No more codes can be sent today" in text(answers[-1])
    assert (SmsDay.objects.get().spent_fen, Message.objects.count(), PhoneProof.objects.count()) == (10, 2, 2)
    clock.forward(days=1)
    assert Visitor("13800138009").ask().status_code == 200


def test_one_address_does_not_spend_the_money_alone(clock, settings):
    """By the hour; within our own network stands a proxy, which is everybody."""
    settings.H5_CODES_PER_ADDRESS = 2

    def ask(number, address):
        visitor = Visitor(f"1380013801{number}")
        visitor.browser.defaults["REMOTE_ADDR"] = address
        return visitor.ask().status_code

    assert [ask(n, "8.8.8.8") for n in range(3)] == [200, 200, 429]
    assert [ask(n, "10.0.0.1") for n in range(3, 6)] == [200] * 3
    assert ask(6, "8.8.4.4") == 200
    clock.set("2026-06-03 13:00")
    assert ask(7, "8.8.8.8") == 200
    clock.forward(days=2)
    tasks.tidy_sign_ins()
    assert not PhoneProof.objects.exists()
    assert ask(0, "8.8.8.8") == 200


def test_a_coupon_that_is_of_no_use_to_its_customer_says_so(clock):
    """U6: before it is tried."""
    customer = Customer.objects.create(key="alice", phone=f"+86{PHONE}")
    coupon = using.give(making.template(use_conditions={"order_count": {"max": 0}}), customer.key)
    page = making.claim_page(making.template(use_conditions={"order_count": {"max": 0}}))
    visitor = Visitor()
    visitor.sign_in()
    for path in ("/h5/wallet/", f"/h5/{page.slug}/"):
        assert "ticket-no" not in visitor.get(path).content.decode()
    Customer.objects.filter(pk=customer.pk).update(order_count=1)
    for path in ("/h5/wallet/", f"/h5/wallet/{coupon}/", f"/h5/{page.slug}/"):
        assert "ticket-no" in visitor.get(path).content.decode()


@pytest.mark.parametrize("phone", ["", "123", "+1 650 253 0000", "1380013800a", "٣٤٥", "10086"])
def test_what_is_no_mobile_number_here_is_sent_nothing(clock, phone):
    visitor = Visitor(phone)
    seen = visitor.ask()
    assert (seen.status_code, "This is not a phone number" in text(seen)) == (400, True)
    assert f'value="{phone}"' in seen.content.decode() or not phone
    assert not Message.objects.exists()


# --- who brought them ------------------------------------------------------------------------------------------------


def test_a_signed_link_tells_who_brought_the_customer(clock):
    """P3: street teams and partners, countable."""
    page, other = making.claim_page(making.template()), making.claim_page(making.template())
    link = ClaimLink.objects.create(page=page, name="人民广场1队")
    elsewhere = ClaimLink.objects.create(page=other, name="别处")
    good, foreign = sources.signed(link), sources.signed(elsewhere)
    edited = [
        f"{link.pk + 1}.{good.partition('.')[2]}",
        good[:-1] + "x",
        "",
        "9" * 30 + ".a",
        f"٣.{good[-16:]}",
        foreign,
    ]
    for number, said in enumerate([good, *edited]):
        visitor = Visitor(f"1380013800{number}")
        visitor.get(f"/h5/{page.slug}/?s={said}")
        visitor.sign_in(page.slug, claim="1")
    assert CouponEvent.objects.count() == 1 + len(edited)
    assert [event.reason for event in CouponEvent.objects.order_by("id")] == [f"link:{link.pk}"] + [""] * len(edited)
    assert [(one.name, one.issued_count) for one in sources.reached(page.links.all())] == [("人民广场1队", 1)]
    ClaimLink.objects.filter(pk=link.pk).update(ended_at=timezone.now())
    late = Visitor("13800138099")
    late.get(f"/h5/{page.slug}/?s={good}")
    late.sign_in(page.slug, claim="1")
    assert sources.reached(page.links.all())[0].issued_count == 1


# --- the wallet ------------------------------------------------------------------------------------------------------


def test_the_wallet_shows_what_can_be_used_what_was_and_what_ended(clock, system):
    """U7: with wording, countdown, and a code that changes."""
    customer = Customer.objects.create(key="alice", phone=f"+86{PHONE}")
    template = making.template()
    kept, used, gone = (using.give(template, customer.key) for _ in range(3))
    told = system("redeem").post("redemptions/", {"order": using.order("o1", "alice"), "coupons": [used]})
    assert told.status == 201
    visitor = Visitor()
    assert visitor.get("/h5/wallet/").headers["Location"] == "/h5/sign-in/?to=wallet"
    visitor.sign_in()
    chief = desk(somebody("管理员"))
    clock.forward(minutes=70)
    assert chief.post(f"/admin/coupons/coupon/{gone}/move/void/", {"reason": "asked to"}).status_code == 302
    for tab, coupon in (("available", kept), ("used", used), ("expired", gone)):
        assert re.findall(
            r'href="/h5/wallet/([0-9a-f-]{36})/"', visitor.get(f"/h5/wallet/?tab={tab}").content.decode()
        ) == [coupon]
    assert "Used 2026-06-03 12:00" in text(visitor.get("/h5/wallet/?tab=used"))
    assert "Redeemed · 2026-06-03 12:00" in text(visitor.get(f"/h5/wallet/{used}/"))
    assert "Void · 2026-06-03 13:10" in text(visitor.get("/h5/wallet/?tab=expired"))
    clock.forward(days=5)
    assert "data-left" in visitor.get("/h5/wallet/").content.decode()
    page = visitor.get(f"/h5/wallet/{kept}/")
    assert Coupon.objects.get(pk=kept).code in text(page)
    assert "¥20 off when you spend ¥100 or more" in text(page)
    assert visitor.get(f"/h5/wallet/{kept}/qr.svg").headers["Content-Type"] == "image/svg+xml"
    assert visitor.get(f"/h5/wallet/{used}/qr.svg").status_code == 404
    clock.forward(days=5)
    visitor.sign_in()
    assert "Expired 2026-06-09 23:59" in text(visitor.get("/h5/wallet/?tab=expired"))
    seen = {one["id"]: one["ended_at"] for one in system("read").get("coupons/", customer="alice").body["results"]}
    assert seen == {
        kept: "2026-06-10T00:00:00+08:00",
        used: "2026-06-03T12:00:00+08:00",
        gone: "2026-06-03T13:10:00+08:00",
    }


def test_the_qr_code_is_another_one_each_minute(clock):
    """U10: so that a screenshot is no coupon."""
    coupon = using.give(making.template(), Customer.objects.create(key="alice", phone=f"+86{PHONE}").key)
    visitor = Visitor()
    visitor.sign_in()
    pictures = [visitor.get(f"/h5/wallet/{coupon}/qr.svg").content]
    clock.forward(minutes=1)
    pictures.append(visitor.get(f"/h5/wallet/{coupon}/qr.svg").content)
    assert pictures[0] != pictures[1]
    assert str(showing.read(showing.show(Coupon.objects.get().pk, clock.now()).token, clock.now())) == coupon


def test_nobody_sees_anothers_coupons(clock):
    coupon = using.give(making.template(), "somebody-else")
    visitor = Visitor()
    visitor.sign_in()
    for path in (f"/h5/wallet/{coupon}/", f"/h5/wallet/{coupon}/qr.svg"):
        assert visitor.get(path).status_code == 404
    visitor.post("/h5/sign-out/")
    assert visitor.get(f"/h5/wallet/{coupon}/").status_code == 302


# --- WeChat ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def wechat(settings):
    from tests.stories.wechat import standing_in

    with standing_in() as server:
        settings.WECHAT_APP_ID, settings.WECHAT_SECRET = "wx-app", "wx-secret"
        settings.WECHAT_OPEN_URL = settings.WECHAT_API_URL = server.address
        yield server


def state_of(response) -> str:
    asked = parse_qs(urlsplit(response.headers["Location"]).query)
    assert asked["redirect_uri"] == ["http://testserver/h5/wechat/back/"]
    assert (asked["appid"], asked["scope"]) == (["wx-app"], ["snsapi_userinfo"])
    (state,) = asked["state"]
    assert state.isalnum()
    assert len(state) <= 128
    return state


def test_wechat_tells_the_nickname_and_from_the_second_time_on_who_it_is(clock, wechat):
    """P6: reads the WeChat nickname; JSON that calls itself text/plain."""
    page = making.claim_page(making.template())
    visitor = Visitor(agent=WECHAT)
    assert "/h5/wechat/" in visitor.get(f"/h5/sign-in/?to={page.slug}").content.decode()
    state = state_of(visitor.get(f"/h5/wechat/?to={page.slug}&claim=1"))
    back = visitor.get(f"/h5/wechat/back/?code=lin&state={state}")
    assert back.headers["Location"] == f"/h5/sign-in/?to={page.slug}&claim=1"
    assert "Hello 林小满🌸" in text(visitor.get(back.headers["Location"]))
    visitor.sign_in(page.slug, claim="1")
    assert Coupon.objects.get().customer.nickname == "林小满🌸"
    again = Visitor(agent=WECHAT)
    state = state_of(again.get(f"/h5/wechat/?to={page.slug}"))
    assert again.get(f"/h5/wechat/back/?code=lin&state={state}").headers["Location"] == f"/h5/{page.slug}/"
    assert "In your wallet" in text(again.get(f"/h5/{page.slug}/"))
    assert "林小满" in text(again.get(f"/h5/{page.slug}/"))


def test_nobody_is_signed_in_by_anothers_link(clock, wechat):
    """The state is signed, of this browser, and used once."""
    attacker, victim = Visitor(), Visitor()
    state = state_of(attacker.get("/h5/wechat/"))
    assert victim.get(f"/h5/wechat/back/?code=lin&state={state}").status_code == 409
    state_of(victim.get("/h5/wechat/"))
    assert victim.get(f"/h5/wechat/back/?code=lin&state={state}").status_code == 409
    mine = state_of(victim.get("/h5/wechat/"))
    assert victim.get(f"/h5/wechat/back/?code=lin&state={mine[:-1]}x").status_code == 409
    assert victim.get(f"/h5/wechat/back/?code=lin&state={mine}").status_code == 302
    assert victim.get(f"/h5/wechat/back/?code=lin&state={mine}").status_code == 409
    late = state_of(victim.get("/h5/wechat/"))
    clock.forward(minutes=11)
    assert victim.get(f"/h5/wechat/back/?code=lin&state={late}").status_code == 409


def test_wechat_that_says_no_or_nothing_leaves_the_phone(clock, wechat, settings):
    visitor = Visitor()
    state = state_of(visitor.get("/h5/wechat/"))
    refused = visitor.get(f"/h5/wechat/back/?code=bad&state={state}")
    assert (refused.status_code, "Sign in with your phone number" in text(refused)) == (409, True)
    settings.WECHAT_APP_ID = ""
    assert visitor.get("/h5/wechat/").status_code == 409
    assert "/h5/wechat/" not in visitor.get("/h5/sign-in/").content.decode()
