"""Other systems tell who customers are and what is known about them (I1, I3–I8)."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from coupons.models import Customer, CustomerLine
from coupons.queries.profiles import profile

pytestmark = pytest.mark.django_db

ALICE: dict[str, Any] = {
    "key": "alice",
    "phone": "138 0013 8000",
    "nickname": "爱丽丝",
    "city": "310000",
    "registered_at": "2026-01-02T03:04:05+08:00",
    "facts": {
        "sensitivity": 0.7,
        "churn_probability": 0.1234,
        "rival_app": False,
        "business_lines": {
            "ride": {
                "orders": 12,
                "first_order_at": "2026-01-03T00:00:00+08:00",
                "last_order_at": "2026-05-20T10:00:00+08:00",
            },
            "food": {
                "orders": 3,
                "first_order_at": "2026-02-03T00:00:00+08:00",
                "last_order_at": "2026-05-30T10:00:00+08:00",
            },
        },
    },
    "tags": {"add": ["vip", "沉睡"]},
}


@pytest.fixture
def tell(system):
    """What became of the rows told; the body must be accepted."""
    caller = system("profile")

    def tell(*rows: dict[str, Any]) -> list[dict[str, Any]]:
        answer = caller.post("customers/", {"customers": list(rows)})
        assert answer.status == 200, answer.body
        return answer.body["results"]

    return tell


@pytest.fixture
def refused(system):
    """Field → code, for a body that is refused whole."""
    caller = system("profile")

    def refused(*rows: Any) -> dict[str, str]:
        answer = caller.post("customers/", {"customers": list(rows)})
        assert answer.status == 400, answer.content
        assert not Customer.objects.exists()
        return answer.wrong

    return refused


def alice() -> Customer:
    return Customer.objects.get(key="alice")


def test_a_customer_is_created_with_everything_that_was_told(tell, clock):
    assert tell(ALICE) == [{"key": "alice", "status": "created", "errors": []}]
    customer = alice()
    assert (customer.phone, customer.nickname, customer.city_id) == ("+8613800138000", "爱丽丝", "310000")
    assert customer.registered_at == datetime(2026, 1, 1, 19, 4, 5, tzinfo=UTC)
    assert (customer.sensitivity, customer.churn_probability) == (Decimal("0.7"), Decimal("0.1234"))
    assert customer.rival_app is False
    assert customer.tags == ["vip", "沉睡"]
    assert customer.order_count == 15
    assert customer.first_order_at == datetime(2026, 1, 2, 16, tzinfo=UTC)
    assert customer.last_order_at == datetime(2026, 5, 30, 2, tzinfo=UTC)
    assert customer.facts_at == customer.created_at == clock.now()
    assert profile("alice", frozenset({"lines"})).lines["ride"].order_count == 12


def test_telling_the_same_again_changes_nothing_but_when_it_was_told(tell, clock):
    tell(ALICE)
    before = Customer.objects.values().get()
    later = clock.forward(days=1)
    assert tell(ALICE)[0]["status"] == "unchanged"
    assert Customer.objects.values().get() == {
        **before,
        **dict.fromkeys(("facts_at", "sensitivity_at", "churn_probability_at", "rival_app_at", "tags_at"), later),
    }


def test_what_was_never_told_is_unknown_which_is_not_false(tell):
    tell({"key": "alice"})
    customer = alice()
    assert (customer.sensitivity, customer.rival_app, customer.city_id, customer.facts_at) == (None, None, None, None)


def test_null_forgets_and_absent_leaves(tell):
    tell(ALICE)
    forgotten = {"key": "alice", "phone": None, "city": None, "facts": {"rival_app": None, "sensitivity": None}}
    assert tell(forgotten)[0]["status"] == "updated"
    customer = alice()
    assert (customer.phone, customer.city_id, customer.rival_app, customer.sensitivity) == ("", None, None, None)
    assert (customer.nickname, customer.churn_probability) == ("爱丽丝", Decimal("0.1234"))
    assert (customer.order_count, customer.tags) == (15, ["vip", "沉睡"])


def test_a_business_line_told_again_sets_its_numbers_and_the_totals_follow(tell):
    tell(ALICE)
    tell({"key": "alice", "facts": {"business_lines": {"ride": {"orders": 20}}}})
    ride = CustomerLine.objects.get(business_line="ride")
    assert (ride.order_count, ride.last_order_at) == (20, datetime(2026, 5, 20, 2, tzinfo=UTC))
    assert alice().order_count == 23
    tell({"key": "alice", "facts": {"business_lines": {"food": None}}})
    customer = alice()
    assert (customer.order_count, customer.last_order_at) == (20, datetime(2026, 5, 20, 2, tzinfo=UTC))
    tell({"key": "alice", "facts": {"business_lines": {"ride": {"orders": 0}}}})
    customer = alice()
    assert (customer.order_count, customer.first_order_at, customer.last_order_at) == (0, None, None)


def test_orders_that_named_no_line_stay_in_the_totals(tell):
    last = datetime(2026, 6, 1, tzinfo=UTC)
    Customer.objects.create(key="alice", order_count=2, first_order_at=last, last_order_at=last)
    tell(
        {"key": "alice", "facts": {"business_lines": {"ride": {"orders": 5, "last_order_at": "2026-05-01T00:00:00Z"}}}}
    )
    customer = alice()
    assert (customer.order_count, customer.last_order_at) == (7, last)


def test_tags_are_added_and_removed(tell):
    tell(ALICE)
    assert (
        tell({"key": "alice", "tags": {"add": ["new", "vip"], "remove": ["沉睡", "never"]}})[0]["status"] == "updated"
    )
    assert alice().tags == ["vip", "new"]
    assert tell({"key": "alice", "tags": {"add": ["vip"], "remove": ["沉睡"]}})[0]["status"] == "unchanged"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("13800138000", "+8613800138000"),
        ("+86 138-0013-8000", "+8613800138000"),
        ("008613800138000", "+8613800138000"),
        ("8613800138000", "+8613800138000"),
        ("１３８００１３８０００", "+8613800138000"),
        ("+852 6123 4567", "+85261234567"),
        ("+44 (20) 7946 0018", "+442079460018"),
        ("", ""),
    ],
)
def test_phones_are_kept_in_one_form(tell, told, kept):
    tell({"key": "alice", "phone": told})
    assert alice().phone == kept


def test_a_row_that_makes_no_sense_does_not_stop_the_others(tell):
    rows = [
        {"key": "a", "city": "999999"},
        {"key": "b", "phone": "12345", "city": "Shanghai"},
        {
            "key": "c",
            "facts": {
                "business_lines": {
                    "ride": {
                        "orders": 2,
                        "first_order_at": "2026-05-02T00:00:00Z",
                        "last_order_at": "2026-05-01T00:00:00Z",
                    }
                }
            },
        },
        {"key": "d", "tags": {"add": ["x"], "remove": ["x"]}},
        {"key": "e", "city": "310000"},
    ]
    heard = tell(*rows)
    assert [row["status"] for row in heard] == ["error", "error", "error", "error", "created"]
    assert [{error["field"]: error["code"] for error in row["errors"]} for row in heard[:4]] == [
        {"city": "unknown_key"},
        {"phone": "invalid_phone", "city": "unknown_key"},
        {"facts.business_lines.ride.last_order_at": "ends_before_start"},
        {"tags": "contradiction"},
    ]
    assert list(Customer.objects.values_list("key", flat=True)) == ["e"]


@pytest.mark.parametrize(
    ("facts", "field", "code"),
    [
        ({"sensitivity": 1.5}, "sensitivity", "too_large"),
        ({"sensitivity": -0.1}, "sensitivity", "too_small"),
        ({"sensitivity": "0.5"}, "sensitivity", "not_a_number"),
        ({"sensitivity": True}, "sensitivity", "not_a_number"),
        ({"sensitivity": float("nan")}, "sensitivity", "not_a_number"),
        ({"churn_probability": 0.00001}, "churn_probability", "too_many_decimals"),
        ({"rival_app": "no"}, "rival_app", "wrong_type"),
        ({"rival_app": 0}, "rival_app", "wrong_type"),
        ({"mood": 1}, "mood", "unknown_field"),
        ({"business_lines": {"ride": {"orders": -1}}}, "business_lines.ride.orders", "too_small"),
        ({"business_lines": {"ride": {"orders": 1.0}}}, "business_lines.ride.orders", "not_whole"),
        ({"business_lines": {"ride": {"orders": 10**40}}}, "business_lines.ride.orders", "too_large"),
        ({"business_lines": {"ride": {}}}, "business_lines.ride.orders", "required"),
        (
            {"business_lines": {"ride": {"orders": 0, "last_order_at": "2026-05-01T00:00:00Z"}}},
            "business_lines.ride.last_order_at",
            "zero_has_no_dates",
        ),
        (
            {"business_lines": {"ride": {"orders": 1, "last_order_at": "2026-05-01"}}},
            "business_lines.ride.last_order_at",
            "invalid_moment",
        ),
    ],
)
def test_a_fact_of_the_wrong_form_refuses_the_body_and_names_the_field(refused, facts, field, code):
    assert refused({"key": "good"}, {"key": "alice", "facts": facts}) == {f"customers.1.facts.{field}": code}


@pytest.mark.parametrize(
    ("row", "field", "code"),
    [
        ({}, "key", "required"),
        ({"key": ""}, "key", "invalid_key"),
        ({"key": "a b"}, "key", "invalid_key"),
        ({"key": "a\0"}, "key", "invalid_key"),
        ({"key": "x" * 65}, "key", "invalid_key"),
        ({"key": 7}, "key", "wrong_type"),
        ({"key": "a", "nickname": "\0"}, "nickname", "invalid_text"),
        ({"key": "a", "nickname": "名" * 10_000}, "nickname", "too_long"),
        ({"key": "a", "registered_at": "2026-06-01T00:00:00"}, "registered_at", "invalid_moment"),
        ({"key": "a", "registered_at": 1_700_000_000}, "registered_at", "invalid_moment"),
        ({"key": "a", "vip": True}, "vip", "unknown_field"),
        ({"key": "a", "tags": ["vip"]}, "tags", "wrong_type"),
        ({"key": "a", "tags": {"add": ["\n"]}}, "tags.add.0", "invalid_text"),
        ({"key": "a", "tags": {"add": ["t"] * 201}}, "tags.add", "too_many"),
    ],
)
def test_a_row_of_the_wrong_form_refuses_the_body_and_names_the_field(refused, row, field, code):
    assert refused(row) == {f"customers.0.{field}": code}


def test_the_same_customer_twice_in_one_body_is_refused(refused):
    assert refused({"key": "a"}, {"key": "b"}, {"key": "a"}) == {"customers.2.key": "duplicate"}


def test_1001_rows_are_refused(refused):
    assert refused(*({"key": f"c{number}"} for number in range(1001))) == {"customers": "too_many"}


def test_all_faults_are_told_at_once(refused):
    assert refused({"key": "a", "vip": 1, "facts": {"sensitivity": 2}}, {"nickname": 3}) == {
        "customers.0.vip": "unknown_field",
        "customers.0.facts.sensitivity": "too_large",
        "customers.1.key": "required",
        "customers.1.nickname": "wrong_type",
    }


def test_a_thousand_rows_take_a_handful_of_statements(tell, query_count):
    lines = {"ride": {"orders": 3, "last_order_at": "2026-05-01T00:00:00Z"}, "food": {"orders": 1}}
    facts = {"sensitivity": 0.5, "business_lines": lines}
    rows = [{"key": f"c{number}", "city": "310000", "facts": facts, "tags": {"add": ["a"]}} for number in range(1000)]
    tell({"key": "warm"})
    with query_count() as first:
        assert {row["status"] for row in tell(*rows)} == {"created"}
    with query_count() as second:
        assert {row["status"] for row in tell(*rows)} == {"unchanged"}
    assert first.statements <= 6
    assert second.statements <= 5
    assert Customer.objects.filter(order_count=4, tags=["a"]).count() == 1000


def test_only_systems_with_the_scope_may_tell(system, customer):
    body = {"customers": [{"key": "alice"}]}
    assert system("manage", "issue").post("customers/", body).code == "scope_missing"
    assert customer("alice").post("customers/", body).status == 403
    assert not Customer.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_tellings_that_overlap_wait_for_each_other_and_lose_nothing(system, race):
    caller = system("profile")

    def one(number: int) -> int:
        keys = [f"c{place}" for place in range(40)]
        if number % 2:
            keys.reverse()
        rows = [{"key": key, "tags": {"add": [f"t{number}"]}} for key in keys]
        return caller.post("customers/", {"customers": rows}).status

    assert race(8, one) == [200] * 8
    assert Customer.objects.count() == 40
    assert all(set(customer.tags) == {f"t{number}" for number in range(8)} for customer in Customer.objects.all())
