"""The merchant's counter, by its doors: own shop only, once, undone while fresh; apart from the back office."""

import json
from uuid import UUID

import pytest
from django.test import Client

from coupons import showing
from coupons.models import Coupon, Merchant
from redemption.models import Clerk, CounterUse, Redemption, Shop
from tests import making
from tests.using import coupon, everything, give, order, status

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"


def shop(key="noodles", **more):
    merchant = Merchant.objects.get_or_create(key=more.pop("merchant", key), name=key)[0]
    return Shop.objects.create(key=key, name=f"{key} shop", merchant=merchant, city_id="310000", **more)


def clerk(at, username="li"):
    made = Clerk(shop=at, username=username, name="小李")
    made.set_password(PASSWORD)
    made.save()
    return made


class Counter:
    """A phone on which somebody signed in."""

    def __init__(self, username="li", password=PASSWORD):
        self.client = Client()
        self.signed_in = self.client.post("/counter/sign-in/", {"username": username, "password": password})

    def ask(self, door, **said):
        answer = self.client.post(f"/counter/{door}/", json.dumps(said), content_type="application/json")
        return answer.status_code, answer.json()

    def look(self, one):
        return self.ask("look", text=Coupon.objects.get(pk=UUID(one)).code)[1]["ticket"]


def test_a_clerk_scans_a_coupon_sees_the_discount_and_redeems_it_once(clock, ledger):
    """U10: looked up by what the screen shows, priced, redeemed; a repeated tap is the same redemption."""
    at = shop()
    clerk(at)
    one = coupon("alice", merchant=at.merchant, merchant_percent=30)
    phone = Counter()
    code, shown = phone.ask("look", text=showing.show(UUID(one), clock.now()).token)
    assert (code, shown["name"], shown["reasons"]) == (200, "满减券", [])
    said = {"ticket": shown["ticket"], "bill_fen": 12000}
    assert phone.ask("price", **said) == (200, {"discount_fen": 2000, "payable_fen": 10000})
    code, done = phone.ask("take", **said, key="0123456789abcdef")
    assert (code, done["state"], done["discount_fen"], done["replayed"]) == (200, "done", 2000, False)
    again = phone.ask("take", **said, key="0123456789abcdef")[1]
    assert (again["id"], again["replayed"]) == (done["id"], True)
    assert phone.ask("settle", **said, key="0123456789abcdef")[1]["id"] == done["id"]
    redemption = Redemption.objects.get()
    assert (redemption.merchant_fen, redemption.by, redemption.order.client) == (600, "clerk:li", "counter")
    assert redemption.lines.get().merchant_id == "noodles"
    use = CounterUse.objects.get()
    assert (use.shop, use.bill_fen) == (at, 12000)
    today = phone.client.get("/counter/today/").json()
    assert (today["count"], today["discount_fen"], today["uses"][0]["state"]) == (1, 2000, "done")
    assert phone.ask("take", **said, key="another-key-here")[1]["code"] == "already_redeemed"
    ledger()


def test_what_did_not_go_through_never_will(clock):
    """U10: silence, then the question by key: a request that comes after the question redeems nothing."""
    clerk(shop())
    one = coupon()
    phone = Counter()
    said = {"ticket": phone.look(one), "bill_fen": 12000, "key": "0123456789abcdef"}
    assert phone.ask("settle", **said) == (200, {"state": "never"})
    assert phone.ask("take", **said) == (200, {"state": "never"})
    assert status(one) == "available"
    assert phone.ask("take", **{**said, "key": "a-new-key-of-it"})[1]["state"] == "done"


def test_who_takes_over_the_phone_learns_what_became_of_the_last_tap(clock):
    """U10: the answer was lost, the sign-in is over, a colleague comes in; nobody of another shop may ask."""
    at = shop()
    clerk(at)
    clerk(at, "zhang")
    clerk(shop("tea"), "wang")
    one, two = coupon("alice"), coupon("bob")
    before = Counter()
    done = {"ticket": before.look(one), "bill_fen": 12000, "key": "0123456789abcdef"}
    lost = {"ticket": before.look(two), "bill_fen": 12000, "key": "0123456789abcdeg"}
    id = before.ask("take", **done)[1]["id"]
    assert Counter("wang").ask("settle", **done)[1]["code"] == "ticket_stale"
    colleague = Counter("zhang")
    assert colleague.ask("settle", **done)[1]["id"] == id
    assert colleague.ask("settle", **lost) == (200, {"state": "never"})
    assert before.ask("take", **lost) == (200, {"state": "never"})
    assert colleague.ask("take", **{**done, "key": "0123456789abcdeh"})[1]["code"] == "ticket_stale"
    assert Redemption.objects.count() == 1


def test_the_other_till_says_when_and_by_whom_it_was_redeemed_here(clock):
    """U10: of its own shop alone."""
    at = shop()
    clerk(at)
    clerk(shop("tea"), "wang")
    one = coupon()
    phone = Counter()
    phone.ask("take", ticket=phone.look(one), bill_fen=12000, key="0123456789abcdef")
    clock.forward(minutes=3)
    code = Coupon.objects.get().code
    [reason] = phone.ask("look", text=code)[1]["reasons"]
    assert (reason["code"], reason["remedy"]) == ("already_redeemed", "就在本店：06-03 12:00，小李")
    [reason] = Counter("wang").ask("look", text=code)[1]["reasons"]
    assert reason["code"] == "already_redeemed"
    assert "remedy" not in reason


@pytest.mark.parametrize("text", ["s d a b", "", "X" * 70, "Q1" + "A" * 42])
def test_nonsense_is_refused_in_words(text, clock):
    clerk(shop())
    code, body = Counter().ask("look", text=text)
    assert code in (404, 409)
    assert body["detail"] in ("没有这张券，或它不能在本店使用。", "券码画面已过期，请让顾客重新打开券。")


def test_a_merchant_neither_sees_nor_redeems_anothers_coupons(clock):
    """U10, must hold: by the template or by its scope; by code, by screen and by others' tickets."""
    noodles, tea = shop(), shop("tea")
    clerk(noodles)
    clerk(tea, "wang")
    owned = coupon("alice", merchant=tea.merchant)
    scoped = coupon("bob", scope={"merchants": ["tea"]})
    before = everything()
    mine, theirs = Counter(), Counter("wang")
    for one in (owned, scoped):
        code = Coupon.objects.get(pk=UUID(one)).code
        assert mine.ask("look", text=code)[1]["code"] == "not_found"
        assert mine.ask("look", text=showing.show(UUID(one), clock.now()).token)[1]["code"] == "not_found"
        ticket = theirs.look(one)
        said = {"ticket": ticket, "bill_fen": 12000, "key": "0123456789abcdef"}
        assert mine.ask("take", **said)[1]["code"] == "ticket_stale"
    assert everything() == before
    done = theirs.ask("take", ticket=theirs.look(owned), bill_fen=12000, key="0123456789abcdef")[1]
    assert mine.ask("undo", id=done["id"]) == (404, mine.ask("undo", id=done["id"])[1])
    assert mine.client.get("/counter/today/").json()["uses"] == []
    assert status(owned) == "redeemed"


def test_a_shop_says_whether_it_takes_the_platforms_coupons(clock):
    own = shop(takes_platform_coupons=False)
    clerk(own)
    phone = Counter()
    code = Coupon.objects.get(pk=UUID(coupon())).code
    assert phone.ask("look", text=code)[1]["code"] == "not_found"
    Shop.objects.update(takes_platform_coupons=True)
    spaced = f" {code[:4].lower()}-{code[4:8]} {code[8:]} "
    assert phone.ask("look", text=spaced)[0] == 200


def test_the_shop_answers_what_the_rules_ask(clock):
    """City, client, category: reasons before any bill is typed."""
    clerk(shop())
    far = coupon("alice", use_conditions={"cities": {"any_of": ["330100"]}})
    app = coupon("bob", use_conditions={"clients": {"any_of": ["app"]}})
    here = coupon("carol", use_conditions={"clients": {"any_of": ["counter"]}, "cities": {"any_of": ["310000"]}})
    phone = Counter()

    def reasons(one):
        text = Coupon.objects.get(pk=UUID(one)).code
        return [reason["code"] for reason in phone.ask("look", text=text)[1]["reasons"]]

    assert reasons(far) == ["conditions_unmet", "cities"]
    assert reasons(app) == ["conditions_unmet", "clients"]
    assert reasons(here) == []
    code, body = phone.ask("price", ticket=phone.look(here), bill_fen=9680)
    assert (code, body["code"], body["reasons"][0]["short_by_fen"]) == (409, "below_threshold", 320)


def test_a_use_is_undone_within_ten_minutes_and_not_later(clock, ledger):
    """U10: undone, the coupon is back and can be redeemed again; said twice, done once."""
    clerk(shop())
    one, two = coupon("alice"), coupon("bob")
    phone = Counter()
    first = phone.ask("take", ticket=phone.look(one), bill_fen=12000, key="0123456789abcdef")[1]["id"]
    second = phone.ask("take", ticket=phone.look(two), bill_fen=12000, key="0123456789abcdeg")[1]["id"]
    clock.forward(minutes=9)
    assert phone.ask("undo", id=first)[1]["state"] == "undone"
    assert phone.ask("undo", id=first)[0] == 200
    assert status(one) == "available"
    clock.forward(minutes=1)
    before = everything()
    assert phone.ask("undo", id=second)[1]["code"] == "undo_too_late"
    assert everything() == before
    assert phone.ask("take", ticket=phone.look(one), bill_fen=12000, key="0123456789abcdeh")[1]["state"] == "done"
    ledger()


def test_what_was_redeemed_just_before_midnight_can_be_undone_after_it(clock, ledger):
    """U10: ten minutes are ten minutes; the sums are the new day's."""
    clerk(shop())
    clock.set("2026-06-03 23:55")
    one = coupon()
    phone = Counter()
    phone.ask("take", ticket=phone.look(one), bill_fen=12000, key="0123456789abcdef")
    clock.set("2026-06-04 00:04:59")
    today = phone.client.get("/counter/today/").json()
    assert (today["count"], today["discount_fen"]) == (0, 0)
    [use] = today["uses"]
    assert (use["at"], use["undo_seconds"]) == ("23:55", 1)
    clock.forward(seconds=2)
    assert phone.client.get("/counter/today/").json()["uses"] == []
    clock.set("2026-06-04 00:04")
    assert phone.ask("undo", id=use["id"])[1]["state"] == "undone"
    assert status(one) == "available"
    ledger()


def test_the_days_sums_are_of_all_that_stands_however_many_are_listed(clock, monkeypatch):
    """U10"""
    monkeypatch.setattr("redemption.scanning.MOST_LISTED", 2)
    clerk(shop())
    phone = Counter()
    for number in range(4):
        ticket = phone.look(coupon(f"c{number}"))
        last = phone.ask("take", ticket=ticket, bill_fen=12000, key=f"0123456789abcde{number}")[1]["id"]
        clock.forward(minutes=1)
    phone.ask("undo", id=last)
    today = phone.client.get("/counter/today/").json()
    assert (today["count"], today["discount_fen"]) == (3, 6000)
    assert [use["state"] for use in today["uses"]] == ["undone", "done"]


@pytest.mark.parametrize(
    ("rules", "comes_back", "becomes"),
    [
        ({}, True, "available"),
        ({"returns_on_rollback": False}, False, "redeemed"),
        ({"reversal": {"cancelled": "stays"}}, False, "redeemed"),
    ],
)
def test_before_and_after_an_undo_it_is_said_whether_the_coupon_comes_back(clock, rules, comes_back, becomes):
    """U9, U10: as its template's table says; nothing else is promised at the counter."""
    clerk(shop())
    one = coupon(**rules)
    phone = Counter()
    id = phone.ask("take", ticket=phone.look(one), bill_fen=12000, key="0123456789abcdef")[1]["id"]
    assert phone.client.get("/counter/today/").json()["uses"][0]["comes_back"] is comes_back
    for _twice in range(2):
        assert phone.ask("undo", id=id)[1]["comes_back"] is comes_back
    assert status(one) == becomes


def test_a_picture_of_the_screen_is_no_coupon(clock):
    clerk(shop())
    token = showing.show(UUID(coupon()), clock.now()).token
    clock.forward(minutes=2)
    assert Counter().ask("look", text=token)[1]["code"] == "showing_stale"


def test_the_counter_and_the_back_office_do_not_know_each_other(clock, admin_client):
    """Neither session opens the other; another password, a closed shop, a switched-off account end it at once."""
    at = shop()
    someone = clerk(at)
    phone = Counter()
    assert phone.client.get("/admin/").status_code == 302
    assert admin_client.get("/counter/").status_code == 302
    assert admin_client.post("/counter/look/", "{}", content_type="application/json").status_code == 401
    page = phone.client.get("/counter/")
    assert page.status_code == 200
    assert "script-src 'self'" in page["Content-Security-Policy"]
    for change, back in (({"is_active": False}, {"is_active": True}),):
        Clerk.objects.update(**change)
        assert phone.client.get("/counter/").status_code == 302
        Clerk.objects.update(**back)
        Shop.objects.update(**change)
        assert phone.client.get("/counter/").status_code == 302
        assert Counter().signed_in.status_code == 403
        Shop.objects.update(**back)
    assert phone.client.get("/counter/").status_code == 200
    someone.set_password("another-long-password")
    someone.save()
    assert phone.client.get("/counter/").status_code == 302


def test_a_clerk_changes_the_own_password_by_knowing_it(clock):
    clerk(shop())
    phone = Counter()
    assert phone.client.post("/counter/password/", {"old": "wrong", "new": "a-new-long-password"}).status_code == 403
    assert phone.client.post("/counter/password/", {"old": PASSWORD, "new": "short"}).status_code == 403
    assert phone.client.post("/counter/password/", {"old": PASSWORD, "new": "a-new-long-password"}).status_code == 302
    assert phone.client.get("/counter/").status_code == 200
    assert Counter().signed_in.status_code == 403
    assert Counter(password="a-new-long-password").signed_in.status_code == 302


def test_who_guesses_passwords_is_locked_out_for_a_while(clock, settings):
    settings.AXES_FAILURE_LIMIT = 3
    clerk(shop())
    for _attempt in range(3):
        assert "不正确" in Counter(password="wrong").signed_in.content.decode()
    assert "一刻钟" in Counter().signed_in.content.decode()


def test_operators_make_shops_and_staff(clock):
    """The staff's password is set by whoever makes the account, checked, and never shown."""
    from tests.pages.company import desk, somebody

    Merchant.objects.create(key="noodles", name="老王牛肉面")
    client = desk(somebody("运营"))
    made = client.post(
        "/admin/redemption/shop/add/",
        {"key": "s1", "name": "人民广场店", "merchant": "noodles", "takes_platform_coupons": "on", "is_active": "on"},
    )
    assert made.status_code == 302, made.content.decode()
    said = {"username": "li", "name": "小李", "shop": Shop.objects.get().pk, "is_active": "on"}
    assert client.post("/admin/redemption/clerk/add/", {**said, "new_password": "short"}).status_code == 200
    assert client.post("/admin/redemption/clerk/add/", {**said, "new_password": PASSWORD}).status_code == 302
    assert Counter().signed_in.status_code == 302
    page = client.get(f"/admin/redemption/clerk/{Clerk.objects.get().pk}/change/").content.decode()
    assert Clerk.objects.get().password not in page
    assert "姓名" in page
    assert "姓名" in client.get("/admin/redemption/clerk/").content.decode()
    assert desk(somebody("客服")).post("/admin/redemption/clerk/add/", said).status_code == 403


def test_a_coupon_used_online_is_no_longer_there_at_the_counter(clock, system):
    clerk(shop())
    one = give(making.template())
    system("redeem").post("redemptions/", {"order": order(), "coupons": [one]})
    text = Coupon.objects.get().code
    assert [r["code"] for r in Counter().ask("look", text=text)[1]["reasons"]] == ["already_redeemed"]
