"""Finished orders are told, and feed what is known of their customers."""

from datetime import date

import pytest
from django.core.management import call_command

from coupons.models import Customer, CustomerDay, CustomerLine
from redemption.models import Order
from tests import using
from tests.using import coupon, line, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(system):
    return system("redeem")


def rows(answer):
    assert answer.status == 200, answer.body
    return [row["status"] for row in answer.body["results"]]


def test_orders_feed_the_customers_facts(till, clock, ledger):
    """I1, I3, I6: numbers, last order, what was deducted; in all, by line and by day."""
    told = [
        order("o1", "alice", business_line="ride", finished_at="2026-06-01T23:59:59+08:00", discount_fen=2000),
        order("o2", "alice", business_line="ride", placed_at="2026-06-02T00:00:00+08:00"),
        order("o3", "bob", line("a", 100, 3), shipping_fen=50),
    ]
    assert rows(till.post("orders/", {"orders": told})) == ["created"] * 3
    alice, bob = Customer.objects.get(key="alice"), Customer.objects.get(key="bob")
    assert (alice.order_count, alice.gross_fen, alice.deducted_fen) == (2, 24000, 2000)
    assert (bob.order_count, bob.gross_fen, bob.deducted_fen) == (1, 350, 0)
    assert alice.first_order_at.isoformat() == "2026-06-01T15:59:59+00:00"
    assert alice.last_order_at.isoformat() == "2026-06-01T16:00:00+00:00"
    assert bob.last_order_at == clock.now()
    assert CustomerLine.objects.get(customer=alice).order_count == 2
    days = CustomerDay.objects.filter(customer=alice).order_by("day").values_list("day", "gross_fen", "deducted_fen")
    assert [(str(day), gross, deducted) for day, gross, deducted in days] == [
        ("2026-06-01", 12000, 2000),
        ("2026-06-02", 12000, 0),
    ]
    ledger()


def test_telling_one_twice_changes_nothing(till, clock, ledger):
    told = {"orders": [order("o1"), order("o2"), order("o1")]}
    assert rows(till.post("orders/", told)) == ["created", "created", "unchanged"]
    before = using.everything()
    changed = {"orders": [order("o1", "alice", line("a", 5)), order("o2")]}
    assert rows(till.post("orders/", changed)) == ["unchanged", "unchanged"]
    assert using.everything() == before
    ledger()


def test_rows_that_make_no_sense_are_errors_of_their_own(till, clock, ledger):
    assert rows(till.post("orders/", {"orders": [order("o1", "alice")]})) == ["created"]
    told = [
        order("o1", "bob"),
        order("o2", "alice", city="999999"),
        order("o3", "alice", finished_at="2026-06-03T12:06:00+08:00"),
        order("o4", "alice", discount_fen=12001),
        order("o5", "alice", city="310000"),
    ]
    answer = till.post("orders/", {"orders": told})
    assert rows(answer) == ["error"] * 4 + ["created"]
    wrong = [(error["field"], error["code"]) for row in answer.body["results"] for error in row["errors"]]
    assert wrong == [
        ("customer", "not_theirs"),
        ("city", "unknown_key"),
        ("finished_at", "in_future"),
        ("discount_fen", "too_large"),
    ]
    assert Customer.objects.get(key="alice").order_count == 2
    ledger()


def test_an_order_with_a_coupon_counts_what_the_coupon_took_off(till, clock, ledger):
    """What is told of it elsewhere does not count; a rollback takes it out of the totals again."""
    one = coupon()
    made = till.post("redemptions/", {"order": order("o1"), "coupons": [one]}).body
    assert rows(till.post("orders/", {"orders": [order("o1", "alice", line("l1", 99), discount_fen=50)]})) == [
        "updated"
    ]
    alice = Customer.objects.get()
    assert (alice.order_count, alice.gross_fen, alice.deducted_fen) == (1, 12000, 2000)
    assert Order.objects.get().lines[0]["unit_price_fen"] == 12000, "the evidence stays"
    ledger()
    till.post(f"redemptions/{made['id']}/rollbacks/", {})
    alice.refresh_from_db()
    assert (alice.order_count, alice.gross_fen, alice.deducted_fen) == (1, 12000, 0)
    ledger()


def test_an_order_finished_while_it_holds_counts_at_its_capture(till, clock, ledger):
    one = coupon()
    held = till.post("redemptions/", {"order": order("o1"), "coupons": [one], "capture": False}).body
    assert rows(till.post("orders/", {"orders": [order("o1")]})) == ["updated"]
    assert Customer.objects.get().deducted_fen == 0
    assert till.post(f"redemptions/{held['id']}/capture/").status == 200
    assert Customer.objects.get().deducted_fen == 2000
    assert CustomerDay.objects.get().deducted_fen == 2000
    ledger()


def test_a_hold_that_ran_out_says_nothing_of_an_order_that_is_finished(till, clock, ledger):
    """U9: the customer paid another bill without the coupon; that nobody has tidied up yet makes no difference."""
    one = coupon()
    till.post("redemptions/", {"order": order("o1"), "coupons": [one], "capture": False})
    clock.forward(minutes=15)
    bill = order("o1", "alice", line("l2", 5000), discount_fen=300)
    assert rows(till.post("orders/", {"orders": [bill]})) == ["updated"]
    alice = Customer.objects.get()
    assert (alice.gross_fen, alice.deducted_fen) == (5000, 300)
    assert [line["id"] for line in Order.objects.get().lines] == ["l2"]
    ledger()


def test_days_of_another_time_zone_are_counted_anew_and_orders_go_on(till, clock, ledger, settings):
    """I3, U9: an order that was finished before the change is rolled back after it."""
    one = coupon()
    clock.set("2026-06-04 00:30")
    made = till.post("redemptions/", {"order": order("o1"), "coupons": [one]}).body
    till.post("orders/", {"orders": [order("o1"), order("o2")]})
    settings.TIME_ZONE = "UTC"
    call_command("rebuild_rollups")
    day = CustomerDay.objects.get()
    assert (day.day, day.order_count, day.deducted_fen) == (date(2026, 6, 3), 2, 2000)
    ledger()
    assert till.post(f"redemptions/{made['id']}/rollbacks/", {}).status == 200
    till.post("orders/", {"orders": [order("o3")]})
    day.refresh_from_db()
    assert (day.order_count, day.gross_fen, day.deducted_fen) == (3, 36000, 0)
    ledger()


def test_a_thousand_orders_at_once(till, clock, ledger, query_count):
    told = {"orders": [order(f"o{n}", f"c{n % 300}", business_line="food") for n in range(1000)]}
    till.post("orders/", {"orders": []})
    with query_count() as count:
        answer = till.post("orders/", told, once="k")
    assert rows(answer) == ["created"] * 1000
    assert count.statements <= 12
    again = till.post("orders/", told, once="k")
    assert (again.content, again.headers["idempotent-replayed"]) == (answer.content, "true")
    ledger()
