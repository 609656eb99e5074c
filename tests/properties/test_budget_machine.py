"""Whatever happens to coupons, in whatever order: the budget is never exceeded, and the ledger is clean."""

import io
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models import Q
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from coupons.answers import Reply
from coupons.lifecycle import ending
from coupons.lifecycle.issuing import Grant, Lost, issue
from coupons.models import Budget, Coupon, Merchant
from coupons.queries import catalogue
from coupons.refused import Refused
from redemption import ordering, redeeming, returning
from redemption.models import Order, Redemption
from redemption.pricing import Line
from redemption.queries.basket import Basket
from tests import making

SHANGHAI = ZoneInfo("Asia/Shanghai")
TERMS = [
    {},
    {"type": "percent_off", "percent_off": "33.33", "cap_fen": 1500, "stack_group": "second"},
    {"type": "no_threshold", "amount_fen": 700, "returns_on_rollback": False, "stack_group": "third"},
    {"amount_fen": 900, "threshold_fen": 900, "merchant_fen": 333, "merchant": True, "exclusive_group": "g"},
    {"type": "no_threshold", "amount_fen": 600, "scope": {"shipping": True}, "stack_group": "shipping"},
    {"amount_fen": 1000, "threshold_fen": 1000, "newcomer": True, "valid_days": 2},
]


@contextmanager
def possibly_refused():
    """A refusal undoes what it began."""
    try:
        with transaction.atomic():
            yield
    except Refused:
        pass


class Life(RuleBasedStateMachine):
    """Each life in a transaction of its own, undone at its end."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @initialize(limit=st.integers(5000, 20000))
    def begin(self, limit):
        catalogue.start_anew()
        self.now = datetime(2026, 6, 3, 12, tzinfo=SHANGHAI)
        merchant = Merchant.objects.create(key="m", name="m")
        campaign = making.campaign(budget_fen=limit)
        terms = [{**one, "merchant": merchant} if "merchant" in one else one for one in TERMS]
        self.templates = [making.template(campaign, **one) for one in terms]
        self.orders = 0
        self.coupons: list[UUID] = []
        self.redemptions: list[UUID] = []
        for which in range(len(TERMS)):
            self.issues(which)

    @rule(which=st.integers(0, len(TERMS) - 1))
    def issues(self, which):
        template = catalogue.current().templates([self.templates[which].pk])[self.templates[which].pk]
        grant = Grant.of(template, self.now)
        done = issue([grant], customer="alice", now=self.now, by="test", version=None, reply=Reply(201, b"{}"))
        if isinstance(done, Lost):
            assert done.code in ("budget_spent", "newcomer_coupon_held", "exclusive_coupon_held"), done
        else:
            self.coupons.append(grant.id)

    @rule(
        data=st.data(),
        prices=st.lists(st.tuples(st.integers(300, 20000), st.integers(1, 4)), min_size=1, max_size=3),
        shipping=st.sampled_from([0, 300, 900]),
        captures=st.booleans(),
        same_order=st.booleans(),
    )
    def uses(self, data, prices, shipping, captures, same_order):
        wanted = data.draw(st.lists(st.sampled_from(self.usable()), min_size=1, max_size=2, unique=True))
        self.orders += not same_order
        lines = tuple(Line(f"l{n}", None, "m", None, price, count) for n, (price, count) in enumerate(prices))
        basket = Basket(f"o{self.orders}", "alice", self.now, "app", None, "ride", None, None, lines, shipping)
        with possibly_refused():
            redeeming.redeem(basket, wanted, captures=captures, now=self.now, by="test")
            made = Redemption.objects.get(order__key=basket.key, status__in=("held", "redeemed")).pk
            if made not in self.redemptions:
                self.redemptions.append(made)

    def usable(self) -> list[UUID]:
        """Mostly; and always something."""
        over = Q(status__in=("redeemed", "void", "expired")) | Q(valid_until__lte=self.now)
        gone = set(Coupon.objects.filter(over).values_list("pk", flat=True))
        return [id for id in self.coupons if id not in gone] or self.coupons

    @precondition(lambda self: self.redemptions)
    @rule(data=st.data(), act=st.sampled_from([redeeming.capture, redeeming.release, returning.roll_back]))
    def goes_on(self, data, act):
        id = data.draw(st.sampled_from(self.redemptions))
        with possibly_refused():
            act(id, now=self.now, by="test")

    @precondition(lambda self: self.redemptions)
    @rule(data=st.data(), quantity=st.integers(1, 2))
    def gives_a_part_back(self, data, quantity):
        id = data.draw(st.sampled_from(self.redemptions))
        order = Redemption.objects.get(pk=id).order
        line = data.draw(st.sampled_from([one["id"] for one in order.lines] + ["shipping"] * bool(order.shipping_fen)))
        with possibly_refused():
            returning.roll_back(id, [returning.Given(line, quantity)], now=self.now, by="test")

    @rule(data=st.data(), what=st.sampled_from(["hold ends", "days pass", "tidy", "void", "finish"]))
    def meanwhile(self, data, what):
        match what:
            case "hold ends":
                self.now += timedelta(minutes=16)
            case "days pass":
                self.now += timedelta(hours=30)
            case "tidy":
                ending.lapse(self.now)
                redeeming.lapse(self.now)
                ending.expire(self.now)
                past = Coupon.objects.filter(valid_until__lte=self.now)
                assert not past.filter(status="available").exists()
                assert not past.filter(committed_fen__gt=0).exclude(status="held").exists()
            case "void":
                with possibly_refused():
                    ending.void(data.draw(st.sampled_from(self.coupons)), now=self.now, by="test", reason="test")
            case "finish":
                self.finish(data.draw(st.sampled_from([None, *self.redemptions])))

    def finish(self, id: UUID | None) -> None:
        if id is not None:
            order: Order = Redemption.objects.get(pk=id).order
            lines = tuple(Line(**one) for one in order.lines)
            shipping = order.shipping_fen
            basket = Basket(order.key, "alice", order.placed_at, "app", None, None, None, None, lines, shipping)
            ordering.tell([ordering.Told(basket, self.now)], now=self.now)

    @invariant()
    def the_budget_holds(self):
        for budget in Budget.objects.all():
            assert budget.limit_fen is None or budget.committed_fen + budget.spent_fen <= budget.limit_fen

    @invariant()
    def the_ledger_is_clean(self):
        said = io.StringIO()
        try:
            call_command("check_ledger", stdout=said, stderr=said)
        except SystemExit:
            raise AssertionError(said.getvalue()) from None


@pytest.mark.django_db
def test_whatever_happens_the_budget_holds_and_the_ledger_is_clean():
    """C10, S6, U9."""
    run_state_machine_as_test(
        Life,
        settings=settings(
            max_examples=15,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
        ),
    )
