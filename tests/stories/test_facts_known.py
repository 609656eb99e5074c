"""What is known of customers decides what they get: standing from told orders, days that end at midnight, facts that
are unknown or have grown old; and nobody learns of it but themselves."""

import json

import pytest

from coupons.models import Customer, Fact
from coupons.queries import catalogue, reach
from coupons.rules import Situation, compile_rules
from tests import making, using
from tests.pages.company import desk, somebody

pytestmark = pytest.mark.django_db


def fits(customer, conditions, key="alice"):
    """Whether a claim with these conditions is accepted; for the whole population SQL must say the same."""
    placement = making.placement(making.template(claim_conditions=conditions))
    accepted = customer(key).post(f"placements/{placement.key}/claims/", {}).status == 201
    now = catalogue.business_now()
    chosen = reach.chosen(compile_rules(conditions, "claim"), Situation(now)).values_list("key", flat=True)
    assert (key in chosen) == accepted
    return accepted


def told(system, *orders):
    answer = system("redeem").post("orders/", {"orders": list(orders)})
    assert {row["status"] for row in answer.body["results"]} == {"created"}


def test_standing_follows_the_orders_that_were_told_line_by_line(customer, system, clock):
    """I1: new to the platform; known to it but new to the line; returning."""
    Customer.objects.create(key="alice")

    def standing(line=None):
        named = {"business_line": line} if line else {}
        names = ("platform_new", "business_new", "returning") if line else ("platform_new", "returning")
        return [name for name in names if fits(customer, {"standing": {"any_of": [name], **named}})]

    assert (standing(), standing("ride"), standing("food")) == (["platform_new"],) * 3
    told(system, using.order("o1", "alice", business_line="food"))
    assert (standing(), standing("ride"), standing("food")) == (["returning"], ["business_new"], ["returning"])
    told(system, using.order("o2", "alice", business_line="ride"))
    assert standing("ride") == ["returning"]
    told(system, using.order("o3", "bob"))  # of no line that is named
    assert fits(customer, {"standing": {"any_of": ["business_new"], "business_line": "ride"}}, "bob")


def test_the_last_days_begin_and_end_at_the_business_midnight(customer, system, clock):
    """I3, I6: to the second, in Shanghai; in UTC the days are others."""
    at = "2026-06-02T23:59:59+08:00"
    told(system, {**using.order("o1", "alice"), "finished_at": at, "discount_fen": 1200})
    today, three = {"min": 1, "within_days": 1}, {"min": 1, "within_days": 3}
    clock.set("2026-06-02 23:59:59")
    assert fits(customer, {"order_count": today, "last_order_days": {"max": 0}})
    clock.set("2026-06-03 00:00:00")
    assert not fits(customer, {"order_count": today})
    assert fits(customer, {"order_count": {"max": 0, "within_days": 1}, "last_order_days": {"min": 1, "max": 1}})
    clock.set("2026-06-04 23:59:59")
    assert fits(customer, {"order_count": three, "subsidy_rate": {"min": 0.1, "max": 0.1, "within_days": 3}})
    clock.set("2026-06-05 00:00:00")
    assert not fits(customer, {"order_count": three})
    assert fits(customer, {"subsidy_rate": {"max": 0, "within_days": 3}, "order_count": {"min": 1}})
    assert fits(customer, {"subsidy_rate": {"min": 0.1}})


#: Of each fact that data work tells: a value, a condition that it fulfils, and one that its contrary would.
TOLD = {
    "sensitivity": (0.9, {"min": 0.5}, {"max": 0.5}),
    "churn_probability": (0.9, {"min": 0.5}, {"max": 0.5}),
    "rival_app": (True, {"is": True}, {"is": False}),
}


@pytest.mark.parametrize("fact", TOLD)
def test_a_fact_that_is_unknown_or_too_old_refuses_either_way(fact, customer, system, clock):
    """I4, I5, I7, I8: never told, told as null, and a moment after it was believed; then told anew."""
    value, fulfilled, contrary = TOLD[fact]
    caller = system("profile")

    def tell(value):
        assert caller.post("customers/", {"customers": [{"key": "alice", "facts": {fact: value}}]}).status == 200

    caller.post("customers/", {"customers": [{"key": "alice"}]})
    assert not fits(customer, {fact: fulfilled})
    assert not fits(customer, {fact: contrary})
    tell(value)
    assert fits(customer, {fact: fulfilled})
    Fact.objects.filter(pk=fact).update(most_days=7)
    catalogue.forget()
    clock.forward(days=7)
    assert fits(customer, {fact: fulfilled})
    clock.forward(seconds=1)
    assert not fits(customer, {fact: fulfilled})
    assert not fits(customer, {fact: contrary})
    tell(value)
    assert fits(customer, {fact: fulfilled})
    tell(None)
    assert not fits(customer, {fact: fulfilled})
    assert not fits(customer, {fact: contrary})


def test_tags_that_are_believed_for_days_are_unknown_after_them(customer, system, clock):
    """I3, I8: also who has none of them is then not known."""
    tell = {"customers": [{"key": "alice", "tags": {"add": ["vip"]}}]}
    system("profile").post("customers/", tell)
    assert fits(customer, {"tags": {"any_of": ["vip"]}})
    assert fits(customer, {"tags": {"none_of": ["black"]}})
    Fact.objects.filter(pk="tags").update(most_days=1)
    catalogue.forget()
    clock.forward(days=1, seconds=1)
    assert not fits(customer, {"tags": {"any_of": ["vip"]}})
    assert not fits(customer, {"tags": {"none_of": ["black"]}})


def test_the_page_of_facts_counts_whom_they_are_known_of(system, clock):
    """I8: what each means, of how many it is known, how fresh it is; only who may sets how long it is believed."""
    customers = [{"key": f"c{n}", "facts": {"sensitivity": 0.5}} for n in range(3)]
    system("profile").post("customers/", {"customers": [*customers, {"key": "d"}]})
    clock.forward(days=2)
    system("profile").post("customers/", {"customers": customers[:1]})
    administrator = desk(somebody("管理员"))
    assert administrator.post("/admin/coupons/fact/sensitivity/change/", {"most_days": "1"}).status_code == 302
    response = desk(somebody("运营")).get("/admin/coupons/fact/")
    coverage = response.context["cl"].result_list.get(pk="sensitivity")
    html = response.content.decode()
    assert "1 / 4 (25.0 %)" in html
    assert "补贴率" in html
    assert "0 / 4" in html
    line = {"orders": 2, "last_order_at": "2026-06-01T10:00:00+08:00"}
    told = {"customers": [{"key": "d", "facts": {"business_lines": {"ride": line}}}]}
    assert system("profile").post("customers/", told).status == 200
    html = desk(somebody("运营", "o3")).get("/admin/coupons/fact/").content.decode()
    assert all(words in html for words in ("1 / 4", "2026年6月1日 10:00"))
    assert coverage.most_days == 1
    assert Fact.history.filter(code="sensitivity").latest().history_user.username
    change = "/admin/coupons/fact/sensitivity/change/"
    assert desk(somebody("客服")).post(change, {"most_days": "9"}).status_code == 403
    assert desk(somebody("运营", "o2")).post(change, {"most_days": "9"}).status_code == 403


def test_bands_of_sensitivity_are_offered_and_edited():
    """I4: a band fills in its range; ranges do not overlap."""
    client = desk(somebody("运营"))
    said = {"key": "eager", "name": "敏感", "conditions-sensitivity-band": "中高敏"}
    assert client.post("/admin/coupons/audience/add/", said).status_code == 302
    page = client.get("/admin/coupons/audience/eager/change/").content.decode()
    assert all(band in page for band in ("最敏感", "中高敏", "中敏", "低敏"))
    from coupons.models import Audience, Band

    assert Audience.objects.get().conditions == {"sensitivity": {"min": 0.5, "max": 0.7499}}
    top = Band.objects.get(name="最敏感")
    change = f"/admin/coupons/band/{top.pk}/change/"
    response = client.post(change, {"name": "最敏感", "low": "0.7", "high": "1"})
    assert "重叠" in response.content.decode()
    assert client.post(change, {"name": "最敏感", "low": "0.9", "high": "1"}).status_code == 302


def test_no_door_shows_one_customers_facts_to_another(customer, system):
    """Two customers, one of them known well; whatever the other asks, in any language, says nothing of the first."""
    secrets = {"phone": "13800138000", "nickname": "秘密昵称"}
    facts = {"sensitivity": 0.8765, "churn_probability": 0.1234, "rival_app": True}
    known = {"key": "alice-known", **secrets, "facts": facts, "tags": {"add": ["隐私标签"]}}
    system("profile").post("customers/", {"customers": [known]})
    told(system, using.order("order-of-alice", "alice-known", business_line="ride"))
    conditions = {"sensitivity": {"min": 0.9}, "churn_probability": {"min": 0.9}, "tags": {"any_of": ["其他"]}}
    refusing = making.placement(making.template(claim_conditions=conditions))
    giving = making.placement(making.template())
    alice, bob = customer("alice-known"), customer("bob")
    own = alice.post(f"placements/{refusing.key}/claims/", {}).content.decode()
    assert "0.8765" in own  # to herself it is said
    coupon = alice.post(f"placements/{giving.key}/claims/", {}).body["coupons"][0]
    order = using.order("order-of-bob", None)
    asked = [
        ("GET", "placements/", None),
        ("GET", "placements/?customer=alice-known", None),
        ("POST", f"placements/{refusing.key}/claims/", {}),
        ("POST", f"placements/{refusing.key}/claims/", {"customer": "alice-known"}),
        ("GET", "coupons/", None),
        ("GET", "coupons/?customer=alice-known", None),
        ("GET", f"coupons/{coupon['id']}/", None),
        ("POST", "quotes/", {"order": order, "coupons": [coupon["id"]]}),
        ("POST", "quotes/", {"order": {**order, "customer": "alice-known"}}),
        ("POST", "quotes/", {"order": using.order("order-of-alice", None)}),
        ("POST", "exchanges/", {"code": coupon["code"]}),
        ("POST", "customers/", {"customers": [{"key": "alice-known"}]}),
        ("POST", "orders/", {"orders": [order]}),
    ]
    traces = ("0.8765", "0.1234", "13800138000", "秘密昵称", "隐私标签", coupon["id"], coupon["code"])
    for method, path, body in asked:
        for language in ("zh-Hans", "en"):
            answer = bob.call(method, path, body, headers={"Accept-Language": language})
            said = answer.content.decode()
            sent = json.dumps(body, ensure_ascii=False)
            assert [trace for trace in traces if trace in said and trace not in sent] == [], (method, path)
            assert answer.status != 500


def test_who_told_it_and_when_stands_on_the_customers_page(system, clock):
    """I8: each fact with its source and time; one that is too old says so."""
    system("profile").post("customers/", {"customers": [{"key": "alice", "facts": {"sensitivity": 0.5}}]})
    Fact.objects.filter(pk="sensitivity").update(most_days=1)
    clock.forward(days=2)
    page = desk(somebody("客服")).get(f"/admin/coupons/customer/{Customer.objects.get().pk}/change/").content.decode()
    assert "2026年6月3日" in page
    assert "已过期" in page
