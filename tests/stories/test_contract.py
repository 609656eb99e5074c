"""The contract of the doors, sentence by sentence, as another company's client meets it."""

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from coupons.models import CouponEvent
from redemption.models import Order, Redemption
from tests import making
from tests.stories.campaign_documents import SQUARE
from tests.stories.doors import DOORS, SCOPES, bodies, effects, must_have, open_all, problem, walked
from tests.using import line, order

pytestmark = pytest.mark.django_db

MOMENT = "2026-06-03T"  # how every moment of a day on which the clock stands begins

COUPON = {
    "id": str,
    "code": str,
    "status": str,
    "template": str,
    "name": str,
    "wording": {"short": str, "rules": [str]},
    "discount": {"type": str},
    "valid_from": str,
    "valid_until": str,
    "looks": dict,
    "placement": str | None,
}
PAGE = {"next": str | None, "previous": str | None, "results": list}
LINES = [{"id": str, "discount_fen": int}]
REDEMPTION = {
    "id": str,
    "status": str,
    "held_until": str | None,
    "discount_fen": int,
    "lines": LINES,
    "cost": {"platform_fen": int, "merchant_fen": int},
}


@pytest.fixture
def all_doors(system, clock):
    return open_all(system(*SCOPES))


# --- a coupon's whole life -----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_from_the_document_to_the_money_back_over_a_real_socket(socket, system, customer, clock, ledger):
    """P1 P4 C1–C10 I1 U1–U9: every answer has the fields that were promised, of the right types."""
    maker, till, teller = system("manage", "approve"), system("redeem"), system("profile")
    alice, shown = customer("alice"), system("issue")

    made = maker.post("campaigns/", walked(placements__0__offers=[{"template": "s20", "audience": "lapsed"}]))
    assert made.status == 201, made.body
    got = maker.get("campaigns/summer/").body
    assert {name: got[name] for name in made.body} == made.body
    assert maker.post("campaigns/", got).status == 200

    told = teller.post("customers/", {"customers": [{"key": "alice", "city": "310000", "facts": {"sensitivity": 0.5}}]})
    must_have(told.body, {"results": [{"key": str, "status": str, "errors": list}]})
    assert told.body["results"][0]["status"] == "created"
    said = {"client": "app", "city": "310000"}
    assert problem(alice.post("placements/summer-center/claims/", said), 409, "conditions_unmet")
    before = order("long-ago", placed_at="2026-04-01T12:00:00+08:00")
    must_have(till.post("orders/", {"orders": [before]}).body, {"results": [{"id": str, "status": str}]})

    listed = alice.get("placements/", channel="coupon_center", city="310000").body
    must_have(listed, PAGE)
    offer = {"key": str, "title": str, "wording": COUPON["wording"], "looks": dict, "state": str, "reasons": list}
    must_have(listed["results"], [offer])
    assert [(one["key"], one["state"]) for one in listed["results"]] == [("summer-center", "claimable")]
    assert shown.get("placements/", channel="coupon_center", city="310000", customer="alice").body == listed

    claimed = alice.post("placements/summer-center/claims/", {**said, "device": "phone-1"}, once="claim")
    assert claimed.status == 201
    must_have(claimed.body, {"coupons": [COUPON]})
    [coupon] = claimed.body["coupons"]
    assert (coupon["template"], coupon["placement"], coupon["status"]) == ("s20", "summer-center", "available")
    assert coupon["discount"] == {"type": "amount_off", "amount_fen": 2000, "threshold_fen": 10000}
    assert (coupon["valid_from"], coupon["valid_until"]) == (f"{MOMENT}12:00:00+08:00", "2026-06-10T00:00:00+08:00")

    wallet = alice.get("coupons/", status="available").body
    must_have(wallet, {**PAGE, "results": [COUPON]})
    assert wallet["results"] == [coupon]
    assert alice.get(f"coupons/{coupon['id']}/").body == coupon
    assert system("read").get("coupons/", customer="alice").body == wallet

    lines = [line("noodles", 4000, 2, merchant="noodles"), line("tea", 2000)]
    quoted = alice.post("quotes/", {"order": order("o1", None, *lines, shipping_fen=500)}).body
    best = {"coupons": [str], "discount_fen": int, "payable_fen": int, "lines": LINES}
    usable = {"coupon": str, "discount_fen": int, "lines": LINES}
    must_have(quoted, {"best": best, "usable": [usable], "unusable": [{"coupon": str, "reasons": list}]})
    assert quoted["best"]["coupons"] == [coupon["id"]]
    assert (quoted["best"]["discount_fen"], quoted["best"]["payable_fen"]) == (2000, 8500)

    asked = {"order": order("o1", "alice", *lines, shipping_fen=500), "coupons": [coupon["id"]]}
    held = till.post("redemptions/", {**asked, "capture": False}, once="hold")
    assert held.status == 201
    must_have(held.body, REDEMPTION)
    assert (held.body["status"], held.body["held_until"]) == ("held", f"{MOMENT}12:15:00+08:00")
    assert held.body["lines"] == quoted["best"]["lines"]
    again = till.post("redemptions/", {**asked, "capture": False}).body
    assert again["id"] == held.body["id"], "the same order may hold the same coupon again"
    released = till.post(f"redemptions/{held.body['id']}/release/")
    must_have(released.body, REDEMPTION)
    assert released.body["status"] == "released"
    assert alice.get("coupons/", status="available").body == wallet

    id = till.post("redemptions/", {**asked, "capture": False}).body["id"]
    captured = till.post(f"redemptions/{id}/capture/", once="capture")
    assert captured.status == 200
    must_have(captured.body, REDEMPTION)
    # The merchant pays 30 % of what came off its own goods, the platform the rest.
    assert captured.body["cost"] == {"platform_fen": 1520, "merchant_fen": 480}
    assert till.post(f"redemptions/{id}/capture/", once="capture").body == captured.body

    back = till.post(f"redemptions/{id}/rollbacks/", {"lines": [{"id": "noodles", "quantity": 1}]}, once="back").body
    must_have(back, {"lines": [{"id": str, "returned_fen": int}], "returned_fen": int})
    assert back["lines"] == [{"id": "noodles", "quantity": 1, "returned_fen": 800}]
    assert alice.get(f"coupons/{coupon['id']}/").body["status"] == "redeemed"
    rest = till.post(f"redemptions/{id}/rollbacks/", {}).body
    assert back["returned_fen"] + rest["returned_fen"] == 2000
    assert back["cost"]["merchant_fen"] + rest["cost"]["merchant_fen"] == 480
    assert alice.get(f"coupons/{coupon['id']}/").body["status"] == "available"
    ledger()


# --- who calls -------------------------------------------------------------------------------------------------------


def test_each_door_lets_in_those_whom_it_concerns_and_nobody_else(all_doors, system, customer):
    nobody = customer("nobody", exp=1)
    callers = {scope: system(scope) for scope in SCOPES} | {"customer": customer("alice")}
    for (method, address), who in DOORS.items():
        path = address.format(**all_doors)
        answer = nobody.call(method, path, {})
        problem(answer, 401, "token_invalid")
        assert "www-authenticate" in answer.headers
        for scope, caller in callers.items():
            answer = caller.call(method, path, {"nonsense": 1} if method == "POST" else None)
            if scope in who:
                assert answer.status in (200, 400), (method, address, scope, answer.content)
            else:
                problem(answer, 403, "scope_missing")


def test_a_system_names_the_customer_and_a_customer_names_nobody_else(all_doors, system, customer):
    chief, bob, before = system("issue", "redeem", "read"), customer("bob"), effects()
    for path in ("placements/", "coupons/"):
        assert problem(chief.get(path), 400, "invalid")["errors"][0]["field"] == "customer"
        assert bob.get(path, customer="bob").status == 200
        for other in ("alice", "", "not a key", "\0"):
            assert bob.get(path, customer=other).wrong == {"customer": "not_your_customer"}
        for wrong in ("", "not a key", "客户", "\0", "a" * 65):
            assert chief.get(path, customer=wrong).wrong == {"customer": "invalid_key"}
    assert chief.get(f"coupons/{all_doors['coupon']}/", customer="").wrong == {"customer": "invalid_key"}
    claim = bodies(all_doors)["placements/{placement}/claims/"]
    assert bob.post("placements/summer-center/claims/", claim).wrong == {"customer": "not_your_customer"}
    assert bob.post("quotes/", {"order": order()}).wrong == {"order.customer": "not_your_customer"}
    assert chief.post("placements/summer-center/claims/", {}).wrong == {"customer": "required"}
    for path in ("quotes/", "redemptions/"):
        nameless = {"order": order("asked", None), "coupons": [all_doors["coupon"]]}
        assert chief.post(path, nameless).wrong == {"order.customer": "required"}
    assert effects() == before


def test_what_is_anothers_is_not_there(all_doors, system, customer):
    """Alice's coupon, her order and her redemption, asked for as Bob's."""
    chief, bob, before = system("redeem", "read"), customer("bob"), effects()
    theirs = [all_doors["coupon"]]
    problem(bob.get(f"coupons/{all_doors['coupon']}/"), 404, "not_found")
    problem(chief.get(f"coupons/{all_doors['coupon']}/", customer="bob"), 404, "not_found")
    assert bob.get("coupons/").body["results"] == []
    problem(bob.post("quotes/", {"order": order("bobs", None), "coupons": theirs}), 404, "not_found")
    problem(chief.post("quotes/", {"order": order("bobs", "bob"), "coupons": theirs}), 404, "not_found")
    problem(chief.post("redemptions/", {"order": order("bobs", "bob"), "coupons": theirs}), 404, "not_found")
    assert effects() == before
    [told] = chief.post("orders/", {"orders": [order("held", "bob")]}).body["results"]
    assert (told["status"], [(one["field"], one["code"]) for one in told["errors"]]) == (
        "error",
        [("customer", "not_theirs")],
    )
    assert Order.objects.get().customer.key == "alice"


# --- once ------------------------------------------------------------------------------------------------------------

ONCE = {
    "orders/": {"orders": [order("other")]},
    "placements/{placement}/claims/": {"customer": "alice", "client": "wechat"},
    "redemptions/": {"order": order("other")},
    "redemptions/{redemption}/capture/": None,
    "redemptions/{redemption}/release/": None,
    "redemptions/{redemption}/rollbacks/": {"lines": [{"id": "l1"}]},
    "campaigns/": walked(name="别的"),
}


@pytest.mark.parametrize("address", ONCE)
def test_said_twice_done_once_at_every_door_that_moves_something(all_doors, system, address):
    """Same key and body: the first answer; another body, or another door: 422; another caller's key is another key."""
    chief, path = system("issue", "redeem", "manage", "approve"), address.format(**all_doors)
    if "rollbacks" in address:
        assert chief.post(f"redemptions/{all_doors['redemption']}/capture/").status == 200
    body = bodies(all_doors)[address]
    first = chief.post(path, body, once="same")
    assert first.status in (200, 201), first.body
    assert "idempotent-replayed" not in first.headers
    after = effects()

    again = chief.post(path, body, once="same")
    assert (again.status, again.content) == (first.status, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    assert chief.post(path, json.dumps(body, indent=2).encode(), once="same").content == first.content
    if ONCE[address] is not None:
        problem(chief.post(path, {**body, **ONCE[address]}, once="same"), 422, "idempotency_key_reused")
    problem(chief.post("orders/", {"orders": []}, once="same"), 422, "idempotency_key_reused")
    assert effects() == after
    stranger = system("issue", "redeem", "manage", "approve").post(path, body, once="same")
    assert "idempotent-replayed" not in stranger.headers
    problem(chief.post(path, body, once="k" * 256), 400, "idempotency_key_invalid")


# --- money -----------------------------------------------------------------------------------------------------------

NO_MONEY = ("1.0", "1.5", "1e3", '"100"', "true", "-1", "1000000000001", "1" + "0" * 40, "NaN", "[]")


def _money() -> Any:
    """Each place where a door takes money: path, body, the field by which a fault is named."""
    fine = 12345678
    for name in ("unit_price_fen", "shipping_fen"):
        said = order("o1", "alice", line(price=fine)) if name == "unit_price_fen" else order(shipping_fen=fine)
        field = f"lines.0.{name}" if name == "unit_price_fen" else name
        yield "quotes/", {"order": said}, f"order.{field}"
        yield "redemptions/", {"order": said, "coupons": ["x"]}, f"order.{field}"
        yield "orders/", {"orders": [said]}, f"orders.0.{field}"
    yield "orders/", {"orders": [order(discount_fen=fine)]}, "orders.0.discount_fen"
    yield "campaigns/", walked(budget_fen=fine), "budget_fen"
    for field in ("amount_fen", "threshold_fen", "cap_fen"):
        yield "campaigns/", walked(**{f"templates__0__{field}": fine}), f"templates.0.{field}"
    yield "campaigns/", walked(templates__0__cost={"merchant_fen": fine}), "templates.0.cost.merchant_fen"
    for field in ("total_fen", "daily_fen", "customer_fen", "customer_daily_fen"):
        yield "campaigns/", walked(**{f"templates__0__limits__{field}": fine}), f"templates.0.limits.{field}"


@pytest.mark.parametrize(("path", "body", "field"), list(_money()), ids=lambda said: said if type(said) is str else "")
def test_money_that_is_no_whole_number_of_fen_is_refused(system, clock, path, body, field):
    caller, before = system("redeem", "manage", "approve"), effects()
    sent = json.dumps(body)
    assert sent.count("12345678") == 1
    for wrong in NO_MONEY:
        answer = caller.post(path, sent.replace("12345678", wrong).encode())
        problem(answer, 400, "invalid")
        assert list(answer.wrong) == [field], (wrong, answer.wrong)
    assert effects() == before


# --- lists, languages, documents -------------------------------------------------------------------------------------


def test_placements_come_in_pages(customer, clock):
    of = making.campaign()
    keys = [making.placement(making.template(of), of=of).key for _ in range(5)]
    alice = customer("alice")

    def follow(link: str) -> Any:
        address = urlsplit(link)
        return alice.get(address.path, **dict(parse_qsl(address.query))).body

    first = alice.get("placements/", page_size=2).body
    second = follow(first["next"])
    third = follow(second["next"])
    assert [[one["key"] for one in page["results"]] for page in (first, second, third)] == [
        keys[:2],
        keys[2:4],
        keys[4:],
    ]
    assert (first["previous"], third["next"]) == (None, None)
    assert follow(third["previous"])["results"] == second["results"]
    assert follow(second["previous"]) == first
    for query in ({"page_size": 101}, {"page_size": 0}, {"cursor": "x"}, {"cursor": "bng"}):
        assert alice.get("placements/", **query).wrong.keys() == query.keys()


@pytest.mark.parametrize("path", ["placements/", "placements/summer-center/claims/"])
def test_a_city_that_is_not_there_is_said_and_not_passed_over(all_doors, system, path):
    said = {"customer": "alice", "city": "999999"}
    issuer = system("issue")
    answer = issuer.get(path, **said) if path == "placements/" else issuer.post(path, said)
    assert answer.wrong == {"city": "unknown_key"}


def test_doors_speak_the_language_that_was_asked_for_and_codes_stay(all_doors, customer):
    alice = customer("alice")
    short = {"zh-CN": "满100减20 · 限App", "en-US,en;q=0.8": "¥20 off ¥100 · app only"}
    for language, wording in short.items():
        headers = {"Accept-Language": language}
        one = alice.get(f"coupons/{all_doors['coupon']}/", headers=headers)
        assert one.body["wording"]["short"] == wording
        assert one.headers["content-language"] == ("en" if language.startswith("en") else "zh-hans")
        listed = alice.get("placements/", headers=headers).body["results"]
        assert listed[0]["wording"]["short"] == wording
    said = {"order": order("o2", None, line(price=9999)), "coupons": [all_doors["coupon"]]}
    chinese, english = (
        alice.post("quotes/", said, headers={"Accept-Language": language}).body["unusable"][0]["reasons"]
        for language in ("", "en")
    )
    assert [one["code"] for one in chinese] == [one["code"] for one in english]
    assert [one["detail"] for one in chinese] == ["订单金额未达使用门槛。还差¥0.01。"]
    assert [one["detail"] for one in english] == ["The order is below the coupon's threshold. Short by ¥0.01."]


CONDITIONS = {
    "standing": {"any_of": ["business_new"], "business_line": "ride"},
    "tags": {"any_of": ["vip"], "none_of": ["staff"]},
    "order_count": {"min": 1, "max": 3, "within_days": 30},
    "last_order_days": {"min": 30, "max": 60},
    "sensitivity": {"min": 0.5, "max": 0.9},
    "churn_probability": {"min": 0.5},
    "subsidy_rate": {"min": 0.1, "max": 0.3, "within_days": 30},
    "rival_app": {"is": True},
    "cities": {"any_of": ["310000"]},
    "areas": {"any_of": ["bund"]},
    "weather": {"any_of": ["rain"]},
    "festivals": {"any_of": ["spring_festival"]},
    "clients": {"any_of": ["app"]},
    "hours": {"outside": [["23:00", "01:00"]]},
    "weekdays": {"any_of": [1, 7]},
    "business_modes": {"any_of": ["agent"]},
}


@pytest.mark.parametrize("code", CONDITIONS)
def test_each_condition_of_the_contract_is_taken_worded_and_refused_by_its_own_name(system, clock, code):
    """I1–I9 U2–U6: for a use of any coupon; one whose fact is unknown does not hold."""
    chief = system("manage", "approve", "issue", "redeem")
    document = walked(
        areas=[{"key": "bund", "name": "外滩", "geojson": SQUARE}],
        templates__0__use_conditions={code: CONDITIONS[code]},
        templates__0__validity={"type": "days_after_claim", "days": 3},
    )
    made = chief.post("campaigns/", document)
    assert made.status == 201, made.body
    assert made.body["templates"][0]["use_conditions"] == {code: CONDITIONS[code]}
    clock.set("2026-06-03 23:30")
    [coupon] = chief.post("placements/summer-center/claims/", {"customer": "alice"}).body["coupons"]
    said = order("o1", "alice", client="wechat")
    answer = chief.post("redemptions/", {"order": said, "coupons": [coupon["id"]]})
    whole, reason = problem(answer, 409, "conditions_unmet")["reasons"]
    assert (whole["code"], reason["code"]) == ("conditions_unmet", code)
    assert {"wanted", "had", "unknown"} <= reason.keys()
    assert reason["detail"] != reason["code"]


def test_importing_the_same_document_twice_changes_nothing(system, clock):
    maker = system("manage", "approve")
    assert maker.post("campaigns/", walked()).status == 201
    before = (CouponEvent.objects.count(), Order.objects.count(), Redemption.objects.count())
    first = maker.get("campaigns/summer/").body
    assert maker.post("campaigns/", walked()).status == 200
    assert maker.get("campaigns/summer/").body == first
    assert (CouponEvent.objects.count(), Order.objects.count(), Redemption.objects.count()) == before
