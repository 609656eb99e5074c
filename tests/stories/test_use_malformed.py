"""What makes no sense is a 400 that names the field, and nothing has changed."""

import json

import pytest

from tests import using
from tests.using import coupon, line, order

pytestmark = pytest.mark.django_db


@pytest.fixture
def till(system):
    return system("redeem")


def deep(levels):
    return b'{"order":' * levels + b"1" + b"}" * levels


WRONG_ORDERS = [
    ({"id": None}, "order.id"),
    ({"id": ""}, "order.id"),
    ({"id": "o" * 65}, "order.id"),
    ({"id": "o\x001"}, "order.id"),
    ({"id": 1}, "order.id"),
    ({"client": "fax"}, "order.client"),
    ({"client": None}, "order.client"),
    ({"city": "shanghai"}, "order.city"),
    ({"city": "999999"}, "order.city"),
    ({"business_mode": "x"}, "order.business_mode"),
    ({"business_line": "a b"}, "order.business_line"),
    ({"placed_at": "2026-06-03"}, "order.placed_at"),
    ({"placed_at": "2026-06-03T12:00:00"}, "order.placed_at"),
    ({"placed_at": 1}, "order.placed_at"),
    ({"position": {"lat": 91, "lng": 0}}, "order.position.lat"),
    ({"position": {"lat": "31", "lng": 0}}, "order.position.lat"),
    ({"position": {"lat": 31, "lng": 121, "datum": "x"}}, "order.position.datum"),
    ({"position": []}, "order.position"),
    ({"lines": []}, "order.lines"),
    ({"lines": None}, "order.lines"),
    ({"lines": [line(str(n)) for n in range(501)]}, "order.lines"),
    ({"lines": [line("a"), line("a")]}, "order.lines.1.id"),
    ({"lines": [line("shipping")]}, "order.lines.0.id"),
    ({"shipping_fen": -1}, "order.shipping_fen"),
    ({"shipping_fen": 1.0}, "order.shipping_fen"),
    ({"shipping_fen": True}, "order.shipping_fen"),
    ({"colour": "red"}, "order.colour"),
    *[
        ({"lines": [line(price=price)]}, "order.lines.0.unit_price_fen")
        for price in (-1, 1.5, 1.0, "100", True, None, 10**12 + 1, 10**40, [], {})
    ],
    *[
        ({"lines": [line(quantity=quantity)]}, "order.lines.0.quantity")
        for quantity in (0, -1, 1.0, "1", True, 10**40, 10**9)
    ],
    ({"lines": [line(price=10**12, quantity=2)]}, "order.lines"),
]


@pytest.mark.parametrize("path", ["quotes/", "redemptions/"])
@pytest.mark.parametrize(("change", "field"), WRONG_ORDERS)
def test_a_malformed_order(till, clock, path, change, field):
    one = coupon()
    before = using.everything()
    said = {**order(), **change}
    answer = till.post(path, {"order": dict(said.items()), "coupons": [one]}, once="k")
    assert answer.status == 400, answer.body
    assert field in answer.wrong
    assert using.everything() == before


@pytest.mark.parametrize(
    "raw", [b"NaN", b"1e3", b"-1", b"1.0", b"Infinity", b"-Infinity", b"1" + b"0" * 40, b"true", b"0x10", b"01"]
)
def test_money_as_json_knows_it(till, clock, raw):
    one = coupon()
    before = using.everything()
    body = json.dumps({"order": order("o1", "alice", line(price=4711)), "coupons": [one]}).encode()
    answer = till.post("redemptions/", body.replace(b"4711", raw))
    assert answer.status == 400, answer.body
    assert set(answer.wrong) <= {"order.lines.0.unit_price_fen", ""}
    assert using.everything() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"coupons": ["x"]}, "order"),
        ({"order": order()}, "coupons"),
        ({"order": order(), "coupons": []}, "coupons"),
        ({"order": order(), "coupons": None}, "coupons"),
        ({"order": order(), "coupons": "x"}, "coupons"),
        ({"order": order(), "coupons": [1]}, "coupons.0"),
        ({"order": order(), "coupons": ["x", "y", "x"]}, "coupons.2"),
        ({"order": order(), "coupons": ["\x00"]}, "coupons.0"),
        ({"order": order(), "coupons": [str(n) for n in range(21)]}, "coupons"),
        ({"order": order(), "coupons": ["x"], "capture": 1}, "capture"),
        ({"order": order(), "coupons": ["x"], "capture": None}, "capture"),
        ({"order": order(), "coupons": ["x"], "force": True}, "force"),
        ({"order": order("o1", None), "coupons": ["x"]}, "order.customer"),
        ([], ""),
        (b"", "order"),
        (b"{", ""),
        (b'"\xff"', ""),
        (deep(100_000), ""),
        (deep(100), "order.order"),
    ],
)
def test_a_malformed_redemption(till, clock, body, field):
    before = using.everything()
    answer = till.post("redemptions/", body)
    assert answer.status == 400, answer.body
    assert field in answer.wrong
    assert using.everything() == before


def test_a_customers_own_call_speaks_for_nobody_else(customer, clock):
    """Refused, never obeyed."""
    coupon("bob")
    answer = customer("alice").post("quotes/", {"order": order("o1", "bob")})
    assert (answer.status, answer.wrong) == (400, {"order.customer": "not_your_customer"})
    assert customer("alice").post("quotes/", {"order": order("o1", "alice")}).status == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"lines": []}, "lines"),
        ({"lines": [{}]}, "lines.0.id"),
        ({"lines": [{"id": "l1"}, {"id": "l1"}]}, "lines.1.id"),
        ({"lines": [{"id": "nowhere"}]}, "lines.0.id"),
        ({"lines": [{"id": "shipping"}]}, "lines.0.id"),
        ({"lines": [{"id": "l1", "amount_fen": 1}]}, "lines.0.amount_fen"),
        ({"quantity": 1}, "quantity"),
        *[({"lines": [{"id": "l1", "quantity": bad}]}, "lines.0.quantity") for bad in (0, -1, 1.0, True, "1", 10**40)],
    ],
)
def test_a_malformed_rollback(till, clock, body, field):
    made = till.post("redemptions/", {"order": order(), "coupons": [coupon()]}).body
    before = using.everything()
    answer = till.post(f"redemptions/{made['id']}/rollbacks/", body)
    assert answer.status == 400, answer.body
    assert field in answer.wrong
    assert using.everything() == before


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "orders"),
        ({"orders": order()}, "orders"),
        ({"orders": [{}]}, "orders.0.id"),
        ({"orders": [order("o1", None)]}, "orders.0.customer"),
        ({"orders": [order("o1", "not a key")]}, "orders.0.customer"),
        ({"orders": [order(discount_fen=-1)]}, "orders.0.discount_fen"),
        ({"orders": [order(), order("o2", finished_at="yesterday")]}, "orders.1.finished_at"),
        ({"orders": [order(), order("o2", "bob", line("shipping"))]}, "orders.1.lines.0.id"),
        ({"orders": [order(f"o{n}") for n in range(1001)]}, "orders"),
    ],
)
def test_malformed_orders(till, clock, body, field):
    before = using.everything()
    answer = till.post("orders/", body)
    assert answer.status == 400, answer.body
    assert field in answer.wrong
    assert using.everything() == before
