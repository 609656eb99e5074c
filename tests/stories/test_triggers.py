"""The app tells what happened, and rules give coupons: at once, by every limit, once however often it is told."""

from datetime import timedelta

import pytest

from coupons.models import Answer, Coupon, CouponEvent, Customer
from distribution import triggering
from distribution.models import InboundEvent, Message, MessageTemplate, OptOut, Placement
from distribution.queries.triggers import Event
from tests import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def app(system, clock):
    return system("issue")


def tell(app, clock, event="app_open", customer="alice", *, once="", ago=0, **more):
    occurred_at = (clock.now() - timedelta(minutes=ago)).isoformat()
    return app.post("events/", {"event": event, "customer": customer, "occurred_at": occurred_at, **more}, once=once)


def why(answer):
    """On record, and told unless the event does not concern the rule."""
    assert answer.status == 200
    codes = [outcome["code"] for outcome in InboundEvent.objects.latest("id").outcomes]
    quiet = ("issued", "event_unfit", "event_too_old")
    assert [refused["code"] for refused in answer.body["refused"]] == [code for code in codes if code not in quiet]
    return [code for code in codes if code != "issued"]


def test_opening_the_app_brings_a_falling_red_packet(app, clock, customer, ledger):
    """P8: answered in one round trip with the coupon, which is in the wallet."""
    rule = making.trigger(making.template(type="no_threshold", amount_fen=500))
    answer = tell(app, clock, client="app", city="310000")
    assert answer.status == 200
    [coupon] = answer.body["coupons"]
    assert coupon["placement"] == rule.placement.key
    assert customer("alice").get("coupons/").body["results"] == [coupon]
    event = CouponEvent.objects.get()
    assert (event.reason, event.city_id, event.client) == ("event:app_open", "310000", "app")
    kept = InboundEvent.objects.get()
    assert kept.outcomes == [{"placement": rule.placement.key, "code": "issued", "coupons": [coupon["id"]]}]
    assert kept.issued_count == 1
    ledger()


def test_late_by_twenty_minutes_is_made_good_and_by_nineteen_is_not(app, clock):
    """P8: what the event says decides; a number in quotes, and none at all, are no number."""
    making.trigger(
        making.template(),
        event="order_delivered_late",
        tests=[
            {"field": "order.late_minutes", "is": ">=", "value": 20},
            {"field": "reason", "is": "!=", "value": "weather"},
        ],
    )

    def late(minutes, **more):
        return tell(app, clock, "order_delivered_late", data={"order": {"late_minutes": minutes}, **more})

    assert why(late(19, reason="traffic")) == ["event_unfit"]
    assert why(late("30", reason="traffic")) == ["event_unfit"]
    assert why(late(True, reason="traffic")) == ["event_unfit"]
    assert why(late(30, reason="weather")) == ["event_unfit"]
    assert why(late(30)) == ["event_unfit"]
    assert not Coupon.objects.exists()
    assert len(late(20, reason="traffic").body["coupons"]) == 1
    assert len(late(20.5, reason="traffic").body["coupons"]) == 1


def test_conditions_of_customer_and_moment_are_asked_and_their_refusal_explained(app, clock):
    """I4, U3, P8."""
    making.trigger(
        making.template(), conditions={"sensitivity": {"min": 0.5}, "hours": {"inside": [["11:00", "13:00"]]}}
    )
    answer = tell(app, clock)
    [refused] = answer.body["refused"]
    assert refused["code"] == "conditions_unmet"
    assert [(reason["code"], reason["unknown"]) for reason in refused["reasons"]] == [("sensitivity", True)]
    assert not Coupon.objects.exists()


def test_a_rule_rests_for_a_customer_and_not_for_others(app, clock):
    """P8: cooldown per customer."""
    making.trigger(making.template(), cooldown_minutes=60)
    assert tell(app, clock).body["coupons"]
    assert why(tell(app, clock)) == ["resting"]
    assert tell(app, clock, customer="bob").body["coupons"]
    clock.forward(minutes=59)
    assert why(tell(app, clock)) == ["resting"]
    clock.forward(minutes=1)
    assert tell(app, clock).body["coupons"]


def test_who_was_refused_by_a_limit_does_not_rest(app, clock):
    template = making.template(limits={"daily_count": 0})
    making.trigger(template, cooldown_minutes=60)
    assert why(tell(app, clock)) == ["daily_limit"]
    template.supply.daily_count = 1
    template.supply.save()
    assert tell(app, clock).body["coupons"]


def test_an_event_told_too_late_sets_nothing_off(app, clock):
    making.trigger(making.template(), fresh_minutes=60)
    assert why(tell(app, clock, ago=61)) == ["event_too_old"]
    assert tell(app, clock, ago=60).body["coupons"]


def test_an_event_that_has_not_happened_yet_is_an_error(app, clock):
    answer = tell(app, clock, ago=-6)
    assert (answer.status, answer.wrong) == (400, {"occurred_at": "in_the_future"})
    assert not InboundEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("event", "App Open", "invalid_format"),
        ("event", "", "invalid_format"),
        ("customer", "no key!", "invalid_key"),
        ("city", "999999", "unknown_key"),
        ("client", "fax", "invalid_choice"),
        ("data", [1], "wrong_type"),
        ("occurred_at", "yesterday", "invalid_moment"),
        ("more", 1, "unknown_field"),
    ],
)
def test_what_makes_no_sense_is_an_error_by_field_and_nothing_is_kept(app, clock, field, value, code):
    answer = (
        tell(app, clock, **{field: value})
        if field not in ("event", "customer", "occurred_at")
        else app.post("events/", {"event": "x", "customer": "a", "occurred_at": clock.now().isoformat(), field: value})
    )
    assert answer.status == 400
    assert answer.wrong == {field: code}
    assert not InboundEvent.objects.exists()


def test_rules_listen_to_their_own_event_and_only_while_their_placement_is_live(app, clock):
    rule = making.trigger(making.template(), event="sign_up")
    assert tell(app, clock, "app_open").body == {"coupons": [], "messages": [], "refused": []}
    Placement.objects.filter(pk=rule.placement_id).update(status="paused")
    assert tell(app, clock, "sign_up").body["coupons"] == []
    Placement.objects.filter(pk=rule.placement_id).update(status="live")
    assert tell(app, clock, "sign_up").body["coupons"]


def test_one_rules_no_is_not_anothers(app, clock, ledger):
    """Three rules on one event: one gives, one has none left, one is for others."""
    gives = making.trigger(making.template())
    making.trigger(making.template(limits={"total_count": 0}))
    making.trigger(making.template(), conditions={"tags": {"any_of": ["vip"]}})
    answer = tell(app, clock)
    assert [coupon["placement"] for coupon in answer.body["coupons"]] == [gives.placement.key]
    assert sorted(why(answer)) == ["conditions_unmet", "sold_out"]
    ledger()


@pytest.mark.parametrize("more", [{}, {"cooldown_minutes": 60}])
def test_told_twice_under_one_key_it_happens_once(app, clock, more):
    """P8, and the contract's "once": the first answer again, whatever the rule says by now."""
    rule = making.trigger(making.template(), tests=[{"field": "big", "is": "=", "value": True}], **more)
    first = tell(app, clock, once="e1", data={"big": True})
    rule.tests = [{"field": "big", "is": "=", "value": False}]
    rule.save()
    again = tell(app, clock, once="e1", data={"big": True})
    assert (first.status, again.status) == (200, 200)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    other = tell(app, clock, once="e1", data={"big": False})
    assert (other.status, other.code) == (422, "idempotency_key_reused")
    assert (InboundEvent.objects.count(), Coupon.objects.count(), Answer.objects.count()) == (1, 1, 1)


def test_what_set_nothing_off_is_not_kept_for_its_key(app, clock):
    """As with every refusal: it had no effect, so the same key may try again."""
    making.trigger(making.template(), tests=[{"field": "big", "is": "=", "value": True}])
    assert tell(app, clock, once="e1", data={"big": False}).body["coupons"] == []
    assert len(tell(app, clock, once="e1", data={"big": True}).body["coupons"]) == 1
    assert (Coupon.objects.count(), Answer.objects.count()) == (1, 1)


def test_events_that_set_nothing_off_are_written_together(app, clock, settings, query_count):
    """P8: a moment later, each with what every rule made of it; a coupon's event stands with its coupon."""
    settings.EVENTS_SECONDS = 3600
    rules = [
        making.trigger(making.template(), tests=[{"field": "level", "is": "=", "value": level}]) for level in range(3)
    ]
    tell(app, clock, customer="warm", data={"level": 9})
    with query_count() as count:
        for number in range(20):
            assert tell(app, clock, customer=f"c{number}", data={"level": 9, "n": number}).body["coupons"] == []
    assert not [query for query in count.captured_queries if "inboundevent" in query["sql"]]
    assert not InboundEvent.objects.exists()
    tell(app, clock, customer="lucky", data={"level": 1})
    assert InboundEvent.objects.get().customer == "lucky"
    triggering.flush()
    kept = {event.customer: event for event in InboundEvent.objects.all()}
    assert len(kept) == 22
    assert kept["c7"].data == {"level": 9, "n": 7}
    assert kept["c7"].outcomes == [{"placements": [rule.placement.key for rule in rules], "code": "event_unfit"}]
    assert [outcome["code"] for outcome in kept["lucky"].outcomes] == ["issued", "event_unfit"]


def test_so_many_events_are_written_before_their_time(app, clock, settings, monkeypatch):
    settings.EVENTS_SECONDS = 3600
    monkeypatch.setattr(triggering, "TOGETHER", 3)
    for number in range(7):
        tell(app, clock, customer=f"c{number}")
    assert InboundEvent.objects.count() == 6


def test_only_systems_that_issue_may_tell(system, customer, clock):
    body = {"event": "app_open", "customer": "alice", "occurred_at": clock.now().isoformat()}
    assert customer("alice").post("events/", body).status == 403
    assert system("read", "redeem", "profile").post("events/", body).status == 403
    assert not InboundEvent.objects.exists()


def test_customers_cannot_claim_what_an_event_gives(customer, clock):
    rule = making.trigger(making.template())
    assert customer("alice").post(f"placements/{rule.placement.key}/claims/", {}).status == 404
    assert customer("alice").get("placements/").body["results"] == []


def test_one_event_that_cannot_be_written_keeps_no_other_from_it(transactional_db, clock, settings):
    settings.EVENTS_SECONDS = 3600
    for customer in ("alice", "nobody\0", "bob"):
        triggering.happen(Event("app_open", customer, clock.now()), clock.now(), by="key:1")
    triggering.flush()
    assert {event.customer for event in InboundEvent.objects.all()} == {"alice", "bob"}


def test_an_event_that_sets_nothing_off_costs_one_look(app, clock, query_count, settings):
    settings.EVENTS_SECONDS = 3600
    making.trigger(making.template(), tests=[{"field": "big", "is": "=", "value": True}])
    tell(app, clock, once="warm")
    with query_count() as count:
        tell(app, clock, once="e1")
    assert count.statements <= 2  # the catalogue's version, which tests look at each time; the key's answer


def test_an_event_that_gives_is_one_round_trip_with_its_coupon(app, clock, query_count):
    """Its answer, its rest and the event's line stand in the coupon's own statement."""
    making.trigger(making.template(), cooldown_minutes=60)
    tell(app, clock, customer="bob", once="warm")
    with query_count() as count:
        assert tell(app, clock, once="e1").body["coupons"]
    # The catalogue's version, whether the rule rests, and the one; a savepoint around it, within a test's transaction.
    assert count.statements <= 5


def test_nobody_gets_more_than_the_limit_however_many_events_come_at_once(app, clock):
    template = making.template(limits={"total_count": 3, "customer_count": None})
    making.trigger(template)
    given = [len(tell(app, clock, customer=f"u{n}").body["coupons"]) for n in range(5)]
    assert given == [1, 1, 1, 0, 0]


def test_what_is_given_is_said_by_sms_once_and_with_the_event(app, clock):
    """P8: a designated-driver coupon with its SMS; no message where nothing was given."""
    template = MessageTemplate.objects.create(
        key="driver", name="代驾", channel="sms", occasion="issued", text="{coupon}已到账，{until}前可用"
    )
    making.trigger(
        making.template(name="代驾券", valid_days=1), event="page_view", message=template, cooldown_minutes=60
    )
    Customer.objects.create(key="alice", phone="+8613800000001")
    quiet = Customer.objects.create(key="bob", phone="+8613800000002")
    OptOut.objects.create(customer=quiet, at=clock.now(), by="test")
    unasked = tell(app, clock, "page_view", "bob").body
    assert (len(unasked["coupons"]), unasked["messages"]) == (1, []), "who wants no messages has the coupon alone"
    answer = tell(app, clock, "page_view", once="e1")
    assert answer.body["messages"] == [{"channel": "sms", "template": "driver"}]
    assert tell(app, clock, "page_view", once="e1").content == answer.content
    assert tell(app, clock, "page_view").body["messages"] == []
    sent = Message.objects.get()
    assert (sent.to, sent.text, sent.by) == (
        "+8613800000001",
        "代驾券已到账，2026-06-03前可用",
        f"trigger:{answer.body['coupons'][0]['placement']}",
    )
