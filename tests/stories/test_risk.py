"""风控: who is blocked, who comes too often, whose account is too young; what an outside service says."""

from datetime import timedelta
from time import sleep

import orjson
import pytest
from django.db import IntegrityError
from django.utils import timezone

from coupons import refusals
from coupons.models import Answer, Coupon, Customer, RefusalCount
from coupons.queries import catalogue
from distribution import risking
from distribution.models import Block, RiskRule, Velocity
from distribution.queries import risk
from tests import making
from tests.pages.company import desk, somebody
from tests.standin import standin

pytestmark = pytest.mark.django_db


@pytest.fixture
def claim(system, clock):
    placement = making.placement(making.template())
    caller = system("issue")

    def claim(customer="a", once="", **where):
        return caller.post(f"placements/{placement.key}/claims/", {"customer": customer, **where}, once=once)

    claim.placement = placement  # type: ignore[attr-defined]
    return claim


def _block(kind, value, **more):
    block = Block(kind=kind, value=value, reason="fraud", **more)
    block.full_clean()
    block.save()
    return block


def _causes():
    refusals.flush()
    return dict(RefusalCount.objects.values_list("reason", "count"))


@pytest.mark.parametrize(
    ("kind", "value", "caught", "free"),
    [
        ("customer", "a", {"customer": "a"}, {"customer": "ab"}),
        ("phone", "138 0013 8000", {"customer": "p"}, {"customer": "q"}),
        ("device", "d-1", {"device": "d-1"}, {"device": "d-2"}),
        ("ip", "203.0.113.0/24", {"ip": "203.0.113.77"}, {"ip": "203.0.114.77"}),
        ("ip", "203.0.113.7", {"ip": "::ffff:203.0.113.7"}, {"ip": "203.0.113.8"}),
        ("ip", "2001:db8::/48", {"ip": "2001:db8:0:ffff::1"}, {"ip": "2001:db8:1::1"}),
    ],
)
def test_who_is_blocked_gets_nothing_and_hears_no_reason(claim, system, clock, kind, value, caught, free):
    """I10: at the claim and in the list; until its date; nothing is written."""
    Customer.objects.create(key="p", phone="+8613800138000")
    _block(kind, value, until=timezone.now() + timedelta(hours=1))
    answer = claim(**caught)
    assert (answer.status, answer.code) == (409, "risk_refused")
    assert answer.body["reasons"] == [{"code": "risk_refused", "detail": answer.body["detail"]}]
    assert (Coupon.objects.count(), Answer.objects.count()) == (0, 0)
    listed = system("issue").get("placements/", **{"customer": "a", **caught}).body["results"][0]
    assert (listed["state"], listed["reasons"][0]["code"]) == ("refused", "risk_refused")
    assert claim(**free).status == 201
    assert _causes() == {"blocked": 1}
    clock.forward(hours=1)
    assert claim(**caught).status == 201


@pytest.mark.parametrize(
    ("kind", "value"),
    [("phone", "12"), ("ip", "nowhere"), ("ip", "10.0.0.0/7"), ("ip", ""), ("customer", "王 五"), ("device", "")],
)
def test_what_is_no_number_or_address_cannot_be_blocked(kind, value):
    with pytest.raises(Exception, match=r"value"):
        _block(kind, value)


@pytest.mark.parametrize(
    ("by", "same", "other"),
    [
        ("customer", [{"customer": "a"}] * 3, {"customer": "b"}),
        ("device", [{"customer": str(n), "device": "d"} for n in range(3)], {"device": "e"}),
        ("ip", [{"customer": str(n), "ip": "203.0.113.7"} for n in range(3)], {"ip": "203.0.113.8"}),
        ("ip", [{"customer": str(n), "ip": f"2001:db8:1:2::{n}"} for n in range(3)], {"ip": "2001:db8:1:3::1"}),
        ("phone_prefix", [{"customer": f"p{n}"} for n in range(3)], {"customer": "q"}),
    ],
)
def test_nobody_comes_more_often_than_a_window_allows(claim, clock, by, same, other):
    """I10: two an hour, by account, device, address or phone segment; a new hour begins anew."""
    Customer.objects.bulk_create(Customer(key=f"p{n}", phone=f"+861380013000{n}") for n in range(3))
    Customer.objects.create(key="q", phone="+8613900139000")
    RiskRule.objects.create(kind=by, minutes=60, most_count=2, digits=7 if by == "phone_prefix" else None)
    assert [claim(**where).status for where in same] == [201, 201, 409]
    assert claim(**other).status == 201
    assert _causes() == {f"velocity_{by}": 1}
    clock.forward(minutes=59, seconds=59)
    assert claim(**same[2]).code == "risk_refused"
    clock.forward(seconds=1)
    assert claim(**same[2]).status == 201
    assert risking.forget_old(timezone.now() + timedelta(hours=3)) == Velocity.objects.count() + 2
    assert Velocity.objects.count() == 0


@pytest.mark.parametrize(
    "said",
    [
        {"kind": "device"},
        {"kind": "ip", "most_count": "0"},
        {"kind": "customer", "most_count": "3", "digits": "7"},
        {"kind": "phone_prefix", "most_count": "3"},
        {"kind": "account_age", "most_count": "3"},
    ],
)
def test_a_rule_that_could_refuse_nobody_is_not_saved(said):
    """I10: its number is missing, or one that means nothing there; the database says so as well."""
    answer = desk(somebody("运营")).post("/admin/distribution/riskrule/add/", {"minutes": "60", "is_on": "on", **said})
    assert (answer.status_code, bool(answer.context["errors"])) == (200, True)
    with pytest.raises(IntegrityError):
        RiskRule.objects.create(minutes=60, **said)


def test_a_days_window_is_the_businesss_day(claim, clock):
    RiskRule.objects.create(kind="customer", minutes=1440, most_count=1)
    clock.set("2026-06-03 23:59")
    assert claim().status == 201
    assert claim().code == "risk_refused"
    clock.set("2026-06-04 00:00")
    assert claim().status == 201


def test_what_was_not_given_or_was_given_before_is_not_counted(system, claim):
    """I10: a refused claim and a repeated call leave the counter as it was."""
    RiskRule.objects.create(kind="device", minutes=60, most_count=2)
    gone = making.placement(making.template(limits={"total_count": 0}))
    assert system("issue").post(f"placements/{gone.key}/claims/", {"customer": "a", "device": "d"}).code == "sold_out"
    for _ in range(3):
        assert claim(once="k", device="d").status == 201
    assert Velocity.objects.get().count == 1
    assert claim(device="d").status == 201
    assert claim(device="d").code == "risk_refused"
    assert claim(once="k", device="d").status == 201, "answered before"


def test_an_account_that_is_too_young_or_of_unknown_age_is_refused(claim, clock):
    """I10: fails closed."""
    RiskRule.objects.create(kind="account_age", minutes=60)
    Customer.objects.create(key="young", registered_at=clock.now() - timedelta(minutes=59))
    Customer.objects.create(key="old", registered_at=clock.now() - timedelta(minutes=60))
    Customer.objects.create(key="unknown")
    got = {name: claim(name).status for name in ("young", "old", "unknown", "never heard of".replace(" ", "-"))}
    assert got == {"young": 409, "old": 201, "unknown": 409, "never-heard-of": 409}
    assert _causes() == {"account_age": 3}


def test_who_is_given_coupons_in_a_crowd_is_looked_at_alike(claim, clock):
    """I10, P7: of many accounts at once the same are refused as one by one."""
    old = clock.now() - timedelta(days=9)
    people = [
        Customer.objects.create(key="good", registered_at=old),
        Customer.objects.create(key="young", registered_at=clock.now()),
        Customer.objects.create(key="unknown"),
        Customer.objects.create(key="blocked", registered_at=old),
        Customer.objects.create(key="caller", registered_at=old, phone="+8613800138000"),
        Customer.objects.create(key="free-again", registered_at=old),
    ]
    RiskRule.objects.create(kind="account_age", minutes=60)
    _block("customer", "blocked")
    _block("phone", "13800138000")
    _block("customer", "free-again", until=clock.now())
    refused = risk.among([person.pk for person in people], clock.now(), catalogue.current())
    assert {person.key for person in people if person.pk in refused} == {"young", "unknown", "blocked", "caller"}
    for person in people:
        assert (claim(person.key).status == 409) is (person.pk in refused)


def test_the_address_of_a_customers_own_call_is_where_it_comes_from(customer, claim, settings):
    """I10: what the body says is not obeyed; a trusted proxy's word is, the caller's own is not."""
    _block("ip", "127.0.0.1")
    address = f"placements/{claim.placement.key}/claims/"
    assert customer("a").post(address, {"ip": "203.0.113.1"}).code == "risk_refused"
    told = {"X-Forwarded-For": "127.0.0.1, 203.0.113.9"}
    assert customer("a").post(address, {}, headers={"X-Forwarded-For": "203.0.113.9"}).code == "risk_refused"
    settings.PROXY_HOPS = 1
    assert customer("a").post(address, {}, headers=told).status == 201
    assert customer("a").post(address, {"ip": "nonsense"}).wrong == {"ip": "invalid_format"}


def test_without_rules_risk_control_asks_nothing(system, settings, query_count):
    settings.CATALOGUE_SECONDS = 3600
    placement = making.placement(making.template())
    caller = system("issue")
    caller.post(f"placements/{placement.key}/claims/", {"customer": "a"})
    with query_count() as count:
        assert caller.post(f"placements/{placement.key}/claims/", {"customer": "b", "device": "d"}).status == 201
    assert count.statements == 1


@pytest.mark.parametrize(
    ("answer", "when_silent", "status", "cause"),
    [
        ((200, b'{"accept": true}'), "refuse", 201, {}),
        ((200, b'{"accept": false}'), "accept", 409, {"service": 1}),
        ((200, b'{"accept": "yes"}'), "refuse", 409, {"service_silent": 1}),
        ((200, b"nonsense"), "accept", 201, {}),
        ((200, b"[" * 100_000), "refuse", 409, {"service_silent": 1}),
        ((500, b""), "refuse", 409, {"service_silent": 1}),
        ((404, b'{"accept": true}'), "refuse", 409, {"service_silent": 1}),
        (None, "refuse", 409, {"service_silent": 1}),
        (None, "accept", 201, {}),
    ],
)
def test_an_outside_service_is_asked_and_its_silence_is_answered_as_chosen(
    claim, settings, answer, when_silent, status, cause
):
    """I10: over HTTP, against a stand-in; a time-out, a broken answer and an error are silence."""

    def service(asked):
        if answer is None:
            sleep(0.4)
            raise TimeoutError
        return answer[0], {"Content-Type": "application/json"}, answer[1]

    settings.RISK_TIMEOUT = 60 if answer else 0.2
    settings.RISK_WHEN_SILENT, settings.RISK_KEY = when_silent, "secret"
    with standin(service) as there:
        settings.RISK_URL = f"{there.url}/check"
        said = claim("a", device="d-1", ip="203.0.113.7")
    assert said.status == status
    assert _causes() == cause
    told = orjson.loads(there.asked[0].body)
    assert (told["customer"], told["device"], told["ip"]) == ("a", "d-1", "203.0.113.7")
    assert there.asked[0].headers["authorization"] == "Bearer secret"
    assert "service" not in said.content.decode()
