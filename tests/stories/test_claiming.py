"""A customer claims what a placement offers, or is told why not, and then nothing has changed."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.db.models import Sum

from coupons.models import Answer, Budget, Coupon, CouponEvent, Customer, CustomerCounter, Supply
from distribution import claiming
from tests import making

pytestmark = pytest.mark.django_db


def _rows():
    """Everything a claim writes."""
    return (
        Coupon.objects.count(),
        CouponEvent.objects.count(),
        Customer.objects.count(),
        CustomerCounter.objects.count(),
        Answer.objects.count(),
        Supply.objects.aggregate(count=Sum("issued_count"), fen=Sum("issued_fen"))["count"],
        Budget.objects.aggregate(fen=Sum("committed_fen"))["fen"],
    )


def _claim(caller, placement, **body):
    return caller.post(f"placements/{placement.key}/claims/", body)


def _follow(caller, link):
    address = urlsplit(link)
    return caller.get(address.path, **dict(parse_qsl(address.query)))


def _refused(caller, placement, code, **body):
    before = _rows()
    answer = _claim(caller, placement, **body)
    assert (answer.status, answer.code) == (409, code)
    assert answer.body["reasons"][0]["detail"]
    assert _rows() == before, "a refusal must change nothing"
    return answer


def test_a_customer_claims_and_finds_it_in_the_wallet_with_its_wording(customer, clock):
    """P4, C1, C3, U7: claimed at noon for seven days, the seventh ends at its midnight."""
    placement = making.placement(making.template(use_conditions={"clients": {"any_of": ["app"]}}))
    alice = customer("alice")
    answer = _claim(alice, placement, client="app", city="310000")
    assert answer.status == 201
    [coupon] = answer.body["coupons"]
    assert coupon["valid_from"] == "2026-06-03T12:00:00+08:00"
    assert coupon["valid_until"] == "2026-06-10T00:00:00+08:00"
    assert coupon["wording"]["short"].startswith("满100减20")
    assert any("App" in rule for rule in coupon["wording"]["rules"])
    assert coupon["discount"] == {"type": "amount_off", "amount_fen": 2000, "threshold_fen": 10000}

    assert alice.get("coupons/").body["results"] == [coupon]
    one = alice.get(f"coupons/{coupon['id']}/", show="true").body
    assert one.pop("presentation")["token"]  # what the counter is shown; the list goes without
    assert one == coupon
    english = alice.get("coupons/", headers={"Accept-Language": "en"}).body["results"][0]
    assert english["wording"]["short"].startswith("¥20 off")
    event = CouponEvent.objects.get()
    assert (event.kind, event.city_id, event.client, event.by) == ("issued", "310000", "app", "customer:alice")


def test_an_unknown_customer_is_a_new_one(customer):
    """I1: the token's subject may never have been heard of."""
    placement = making.placement(making.template(claim_conditions={"standing": {"any_of": ["platform_new"]}}))
    assert _claim(customer("never-heard-of"), placement).status == 201
    assert Customer.objects.get().key == "never-heard-of"


def test_nobody_sees_another_customers_coupon(customer, system):
    placement = making.placement(making.template())
    [coupon] = _claim(customer("alice"), placement).body["coupons"]
    bob = customer("bob")
    assert bob.get(f"coupons/{coupon['id']}/").status == 404
    assert bob.get("coupons/").body["results"] == []
    assert bob.get("coupons/", customer="alice").wrong == {"customer": "not_your_customer"}
    assert system("read").get("coupons/", customer="alice").body["results"] == [coupon]


def test_a_customer_who_names_somebody_else_is_refused(customer):
    placement = making.placement(making.template())
    before = _rows()
    answer = _claim(customer("alice"), placement, customer="bob")
    assert (answer.status, answer.wrong) == (400, {"customer": "not_your_customer"})
    assert _rows() == before


def test_each_state_and_period_is_refused_by_its_own_code(system, clock):
    """C5, C12: what is not open is not given out."""
    caller = system("issue")
    now = clock.now()
    offered = making.template()
    _refused(caller, making.placement(offered, status="draft"), "not_started", customer="a")
    _refused(caller, making.placement(offered, status="paused"), "paused", customer="a")
    _refused(caller, making.placement(offered, status="ended"), "ended", customer="a")
    _refused(caller, making.placement(making.template(status="draft")), "not_started", customer="a")
    _refused(caller, making.placement(making.template(status="paused")), "paused", customer="a")
    _refused(caller, making.placement(making.template(status="ended")), "ended", customer="a")
    later = making.campaign(starts_at=now + timedelta(days=1))
    _refused(caller, making.placement(offered, of=later), "not_started", customer="a")
    over = making.campaign(starts_at=now - timedelta(days=9), ends_at=now)
    _refused(caller, making.placement(offered, of=over), "ended", customer="a")
    gone = {"validity_type": "period", "valid_from": now - timedelta(days=9), "valid_until": now}
    _refused(caller, making.placement(making.template(**gone)), "ended", customer="a")


@pytest.mark.parametrize(
    ("release", "opens", "shut"),
    [
        ({"weekdays": [6, 7]}, "2026-06-06 00:00", "2026-06-05 23:59:59"),
        ({"month_days": [1, -1]}, "2026-06-30 09:00", "2026-06-29 09:00"),
        ({"hours": [["10:00", "22:00"]]}, "2026-06-03 10:00", "2026-06-03 22:00"),
        ({"hours": [["22:00", "06:00"]]}, "2026-06-03 05:59:59", "2026-06-03 06:00"),
    ],
)
def test_the_release_schedule_holds_to_the_second(system, clock, release, opens, shut):
    """C5: weekdays, days of the month, hours that may cross midnight."""
    placement = making.placement(making.template(release=release))
    caller = system("issue")
    clock.set(shut)
    _refused(caller, placement, "outside_release", customer="a")
    clock.set(opens)
    assert _claim(caller, placement, customer="a").status == 201


def test_a_release_period_has_a_beginning_and_an_end(system, clock):
    """C5: a period, from a future day."""
    release = {"starts_at": "2026-06-04T00:00:00+08:00", "ends_at": "2026-06-05T00:00:00+08:00"}
    placement = making.placement(making.template(release=release))
    caller = system("issue")
    _refused(caller, placement, "not_started", customer="a")
    clock.set("2026-06-04 00:00")
    assert _claim(caller, placement, customer="a").status == 201
    clock.set("2026-06-05 00:00")
    _refused(caller, placement, "ended", customer="b")


def test_every_limit_is_refused_by_its_own_code(system, clock):
    """C10: total, daily, per customer, per customer and day; by number and by amount; 0 means none at all."""
    caller = system("issue")
    for limits, code in [
        ({"total_count": 0}, "sold_out"),
        ({"total_fen": 1999}, "sold_out"),
        ({"daily_count": 0}, "daily_limit"),
        ({"daily_fen": 1999}, "daily_limit"),
        ({"customer_count": 0}, "customer_limit"),
        ({"customer_fen": 1999}, "customer_limit"),
        ({"customer_daily_count": 0}, "customer_daily_limit"),
        ({"customer_daily_fen": 1999}, "customer_daily_limit"),
    ]:
        _refused(caller, making.placement(making.template(limits=limits)), code, customer="a")
    poor = making.campaign(budget_fen=1999)
    _refused(caller, making.placement(making.template(poor), of=poor), "budget_spent", customer="a")


def test_daily_limits_begin_anew_at_midnight(system, clock):
    """C10: a day is a day of the business's time zone."""
    limits = {"daily_count": 2, "customer_daily_count": 1}
    placement = making.placement(making.template(limits=limits))
    caller = system("issue")
    clock.set("2026-06-03 23:59:59")
    assert _claim(caller, placement, customer="a").status == 201
    _refused(caller, placement, "customer_daily_limit", customer="a")
    assert _claim(caller, placement, customer="b").status == 201
    _refused(caller, placement, "daily_limit", customer="c")
    clock.set("2026-06-04 00:00")
    assert _claim(caller, placement, customer="a").status == 201


def test_a_clock_a_moment_behind_midnight_still_counts_for_its_own_day(system, clock, ledger):
    """C10: two hosts' clocks differ; yesterday's limit is yesterday's."""
    placement = making.placement(making.template(limits={"daily_count": 2, "customer_daily_count": 1}))
    caller = system("issue")
    clock.set("2026-06-03 23:59:59")
    assert _claim(caller, placement, customer="a").status == 201
    clock.set("2026-06-04 00:00")
    assert _claim(caller, placement, customer="a").status == 201
    clock.set("2026-06-03 23:59:59.999")
    assert _claim(caller, placement, customer="a").code == "customer_daily_limit"
    assert _claim(caller, placement, customer="b").status == 201
    assert _claim(caller, placement, customer="c").code == "daily_limit"
    ledger()


def test_expired_coupons_give_their_budget_back_without_any_task(system, clock, ledger):
    """S6, C10: no limit waits for a task."""
    campaign = making.campaign(budget_fen=4000)
    placement = making.placement(making.template(campaign, validity_type="claim_day"), of=campaign)
    caller = system("issue")
    assert [_claim(caller, placement, customer=name).status for name in "ab"] == [201, 201]
    _refused(caller, placement, "budget_spent", customer="c")
    claiming.forget()
    clock.set("2026-06-04 00:00")
    assert _claim(caller, placement, customer="c").status == 201
    ledger()


def test_the_first_suitable_offer_is_given(system):
    """P11, I10: newcomer, else the returning customer's coupon."""
    newcomer = making.template(key="welcome", newcomer=True)
    returning = making.template(key="again")
    new = making.audience({"standing": {"any_of": ["platform_new"]}})
    placement = making.placement((newcomer, new), returning)
    Customer.objects.create(key="old", order_count=3)
    caller = system("issue")
    assert _claim(caller, placement, customer="fresh").body["coupons"][0]["template"] == "welcome"
    assert _claim(caller, placement, customer="old").body["coupons"][0]["template"] == "again"
    assert _claim(caller, placement, customer="fresh").body["coupons"][0]["template"] == "again", "holds a newcomer one"


def test_all_suitable_offers_are_given_together(system, ledger):
    """P11: what a limit refuses is left out, the rest is given in one transaction."""
    one, two, gone = making.template(), making.template(), making.template(limits={"total_count": 0})
    placement = making.placement(two, gone, one, pick="all")
    answer = _claim(system("issue"), placement, customer="a")
    assert {coupon["template"] for coupon in answer.body["coupons"]} == {one.key, two.key}
    ledger()


def test_luck_follows_the_weights(system):
    """P11: 拼手气; with weights 9 : 1 the rare one comes, and comes seldom."""
    often, seldom = making.template(), making.template()
    placement = making.placement((often, 9), (seldom, 1), pick="random")
    caller = system("issue")
    got = [_claim(caller, placement, customer=f"c{n}").body["coupons"][0]["template"] for n in range(200)]
    assert 2 <= got.count(seldom.key) <= 50


def test_unmet_conditions_say_what_was_wanted_and_what_there_was(system):
    """I12, I5: each condition answers for itself; a fact never told is unknown, and unknown refuses."""
    conditions = {"order_count": {"min": 3}, "churn_probability": {"min": "0.5"}}
    placement = making.placement(making.template(claim_conditions=conditions))
    Customer.objects.create(key="a", order_count=1)
    answer = _refused(system("issue"), placement, "conditions_unmet", customer="a")
    count, churn = answer.body["reasons"]
    assert (count["code"], count["unknown"], count["had"]) == ("order_count", False, 1)
    assert (churn["code"], churn["unknown"], churn["had"]) == ("churn_probability", True, None)


def test_a_template_for_some_cities_is_refused_elsewhere_and_where_nobody_knows(system):
    """C6: cities where it can be claimed."""
    placement = making.placement(making.template(claim_cities=["310000", "330100"]))
    caller = system("issue")
    elsewhere = _refused(caller, placement, "conditions_unmet", customer="a", city="110000")
    assert elsewhere.reasons == ["cities"]
    assert _refused(caller, placement, "conditions_unmet", customer="a").body["reasons"][0]["unknown"] is True
    assert _claim(caller, placement, customer="a", city="330100").status == 201


def test_the_same_key_gets_the_first_answer_whatever_happened_since(system, clock):
    """U9: even when the placement has ended meanwhile, and in the words of the first answer."""
    placement = making.placement(making.template())
    caller = system("issue")
    first = caller.post(f"placements/{placement.key}/claims/", {"customer": "a", "client": "app"}, once="k")
    placement.status = "ended"
    placement.save()
    again = caller.post(f"placements/{placement.key}/claims/", b'{ "client":"app", "customer":"a" }', once="k")
    assert (again.status, again.content) == (201, first.content)
    assert again.headers["idempotent-replayed"] == "true"
    other = caller.post(f"placements/{placement.key}/claims/", {"customer": "b"}, once="k")
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert Coupon.objects.count() == 1


def test_a_refused_key_may_try_again(system):
    placement = making.placement(making.template(limits={"total_count": 0}))
    caller = system("issue")
    address = f"placements/{placement.key}/claims/"
    assert caller.post(address, {"customer": "a"}, once="k").code == "sold_out"
    Supply.objects.update(total_count=1)
    claiming.forget()
    assert caller.post(address, {"customer": "a"}, once="k").status == 201


def test_the_list_shows_each_placement_as_claiming_would_answer(system, customer, clock):
    """P2, U1: claimable, claimed, sold out, not started, refused with reasons."""
    making.placement(making.template(), key="open")
    making.placement(making.template(limits={"customer_count": 1}), key="mine")
    making.placement(making.template(limits={"total_count": 0}), key="gone")
    making.placement(making.template(release={"starts_at": "2026-07-01T00:00:00+08:00"}), key="later")
    making.placement(making.template(claim_conditions={"rival_app": {"is": True}}), key="rival")
    making.placement(making.template(claim_cities=["110000"]), key="beijing")
    making.placement(making.template(), key="elsewhere", channel="share")
    alice = customer("alice")
    alice.post("placements/mine/claims/", {})
    listed = alice.get("placements/", channel="coupon_center", city="310000").body["results"]
    assert {one["key"]: one["state"] for one in listed} == {
        "open": "claimable",
        "mine": "claimed",
        "gone": "sold_out",
        "later": "not_started",
        "rival": "refused",
    }
    for one in listed:
        answer = alice.post(f"placements/{one['key']}/claims/", {"city": "310000"})
        assert (answer.status == 201) == (one["state"] == "claimable")
        assert [reason["code"] for reason in one["reasons"]] == ([] if answer.status == 201 else answer.reasons)


def test_the_wallet_pages_forward_and_back(customer, clock):
    placement = making.placement(making.template())
    alice = customer("alice")
    for _ in range(5):
        _claim(alice, placement)
        clock.forward(seconds=1)
    first = alice.get("coupons/", page_size=2).body
    assert (len(first["results"]), first["previous"]) == (2, None)
    second = _follow(alice, first["next"]).body
    third = _follow(alice, second["next"]).body
    assert (len(third["results"]), third["next"]) == (1, None)
    assert _follow(alice, third["previous"]).body["results"] == second["results"]
    assert _follow(alice, second["previous"]).body["results"] == first["results"]
    for query, field in [({"page_size": 101}, "page_size"), ({"cursor": "x"}, "cursor"), ({"status": "no"}, "status")]:
        assert alice.get("coupons/", **query).wrong.keys() == {field}


def test_a_status_is_a_question_of_time(customer, clock):
    """S1: expired on reading, before any task has tidied up."""
    placement = making.placement(making.template(validity_type="claim_day"))
    alice = customer("alice")
    _claim(alice, placement)
    assert len(alice.get("coupons/", status="available").body["results"]) == 1
    clock.set("2026-06-04 00:00")
    assert alice.get("coupons/", status="available").body["results"] == []
    assert alice.get("coupons/", status="expired").body["results"][0]["status"] == "expired"
    assert alice.get("coupons/", status="nonsense").wrong == {"status": "invalid_choice"}


def test_after_a_pause_was_saved_nothing_is_given_out_even_by_a_process_that_has_not_heard_of_it(system, settings):
    """C12: the database compares the version that the rules were asked from."""
    settings.CATALOGUE_SECONDS = 3600
    template = making.template()
    placement = making.placement(template)
    caller = system("issue")
    assert _claim(caller, placement, customer="a").status == 201
    template.status = "paused"
    template.save()
    _refused(caller, placement, "paused", customer="b")


@pytest.mark.parametrize(("conditions", "statements"), [({}, 1), ({"order_count": {"max": 5}}, 2)])
def test_a_claim_is_one_call_of_the_database_and_one_look_where_rules_ask_for_facts(
    system, settings, query_count, conditions, statements
):
    settings.CATALOGUE_SECONDS = 3600
    placement = making.placement(making.template(claim_conditions=conditions))
    caller = system("issue")
    _claim(caller, placement, customer="a")
    with query_count() as count:
        assert caller.post(f"placements/{placement.key}/claims/", {"customer": "b"}, once="k").status == 201
    assert count.statements == statements


@pytest.mark.parametrize("key", ["", "x" * 256, "键"])
def test_an_impossible_idempotency_key_is_refused(system, key):
    placement = making.placement(making.template())
    before = _rows()
    headers = {"Idempotency-Key": key.encode().decode("latin-1")}
    answer = system("issue").post(f"placements/{placement.key}/claims/", {"customer": "a"}, headers=headers)
    assert (answer.status, answer.code) == (400, "idempotency_key_invalid")
    assert _rows() == before


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({"customer": "a", "unknown": 1}, {"unknown": "unknown_field"}),
        ({}, {"customer": "required"}),
        ({"customer": 7}, {"customer": "wrong_type"}),
        ({"customer": "a" * 10_000}, {"customer": "invalid_key"}),
        ({"customer": "a\x00"}, {"customer": "invalid_key"}),
        ({"customer": "a", "client": "fax"}, {"client": "invalid_choice"}),
        ({"customer": "a", "city": "31"}, {"city": "invalid_format"}),
        ({"customer": "a", "position": {"lat": 91, "lng": 0}}, {"position.lat": "too_large"}),
        ({"customer": "a", "position": {"lat": 31.2}}, {"position.lng": "required"}),
        (b'{"customer": "a", "position": {"lat": NaN, "lng": 1}}', None),
        (b"[" * 100_000, {"": "malformed"}),
        (b"\xff", {"": "malformed"}),
    ],
)
def test_bad_input_names_its_field_and_changes_nothing(system, body, wrong):
    placement = making.placement(making.template())
    before = _rows()
    answer = system("issue").post(f"placements/{placement.key}/claims/", body)
    assert answer.status == 400
    if wrong is not None:
        assert answer.wrong == wrong
    assert _rows() == before


def test_a_placement_that_does_not_exist_or_is_not_claimed_by_call_is_not_found(system):
    assert system("issue").post("placements/nowhere/claims/", {"customer": "a"}).status == 404
    bound = making.placement(making.template(), form="bind")
    assert system("issue").post(f"placements/{bound.key}/claims/", {"customer": "a"}).status == 404


def test_only_whom_it_concerns_may_claim(system):
    placement = making.placement(making.template())
    address = f"placements/{placement.key}/claims/"
    assert system("read", "redeem").post(address, {"customer": "a"}).code == "scope_missing"
    nobody = system("issue")
    for headers, code in [
        ({"Authorization": ""}, "not_authenticated"),
        ({"Authorization": "Api-Key nonsense"}, "token_invalid"),
        ({"Authorization": "Bearer nonsense"}, "token_invalid"),
    ]:
        answer = nobody.post(address, {"customer": "a"}, headers=headers)
        assert (answer.status, answer.code) == (401, code)


@pytest.mark.parametrize("claims", [{"exp": None}, {"exp": 1}, {"aud": "other"}, {"sub": None}, {"sub": "a b"}])
def test_a_token_that_is_not_ours_lets_nobody_in(customer, claims):
    placement = making.placement(making.template())
    answer = customer("alice", **claims).post(f"placements/{placement.key}/claims/", {})
    assert (answer.status, answer.code) == (401, "token_invalid")
