"""Everything at once, by real threads on PostgreSQL: no limit gives way, no circle of waits, the ledger agrees."""

import random
import time
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.db.models import F
from django.utils import timezone

from coupons.lifecycle import ending
from coupons.models import Budget, Coupon, CustomerCounter, Supply
from coupons.refused import Refused
from redemption.redeeming import lapse
from tests.using import line, order

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 12
SECONDS = 8.0
CUSTOMERS = [f"c{number}" for number in range(6)]
GROUPS = ["merchant", "order", "north", "south", "shipping"]


def document(supply: int, now: datetime, seconds: float = SECONDS) -> dict[str, Any]:
    """A campaign at the edge of everything; an odd supply turns the order in which its templates stand there."""
    soon = {"type": "period", "starts_at": now.isoformat(), "ends_at": (now + timedelta(seconds=seconds)).isoformat()}
    templates = [
        {
            "key": f"t{number}",
            "internal_name": f"t{number}",
            "name": "券",
            "type": "no_threshold",
            "amount_fen": 700 + number,
            "validity": soon if number == 4 else {"type": "days_after_claim", "days": 7},
            "limits": {
                "total_count": supply + number,
                "daily_count": supply,
                "customer_count": 40,
                "customer_daily_fen": 30_000,
            },
            "newcomer": number == 0,
            "exclusive_group": "spring" if number in (1, 2) else None,
            "stack_group": group,
            "scope": {"shipping": True} if group == "shipping" else {},
            "returns_on_rollback": number != 3,
            "status": "live",
        }
        for number, group in enumerate(GROUPS)
    ]
    alone = [
        {"key": f"p{n}", "channel": "share", "offers": [{"template": f"t{n}"}], "status": "live"} for n in range(5)
    ]
    together = {
        "key": "all",
        "channel": "share",
        "pick": "all",
        "offers": [{"template": f"t{n}"} for n in (4, 2, 3)],
        "status": "live",
    }
    return {
        "key": "storm",
        "name": "storm",
        "budget_fen": 150_000,
        "starts_at": (now - timedelta(days=1)).isoformat(),
        "ends_at": (now + timedelta(days=30)).isoformat(),
        "templates": templates[::-1] if supply % 2 else templates,
        "placements": [*alone, together],
    }


def deadlocks() -> int:
    """How often the database had to break a circle."""
    time.sleep(0.5)  # connections that were closed a moment ago tell it when they are gone
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


class Storm:
    """One thread's part: what it does next is drawn by lot, and what came is kept."""

    def __init__(self, number: int, caller: Any, until: float, documents: list[dict[str, Any]]) -> None:
        self.lot, self.caller, self.until, self.documents = random.Random(number), caller, until, documents
        self.number = number
        self.came: list[tuple[str, int, str]] = []
        self.held: list[str] = []

    def run(self) -> list[tuple[str, int, str]]:
        moves = [self.claim] * 5 + [self.redeem] * 4 + [self.end] * 3 + [self.roll_back] * 3 + [self.orders] * 2
        moves += [self.customers, self.tidy, self.void] + [self.document] * (self.number < 2)
        while time.monotonic() < self.until:
            move = self.lot.choice(moves)
            answer = move()
            if answer is not None:
                self.came.append((move.__name__, answer.status, answer.code))
                assert answer.status < 500, answer.body
        return self.came

    def say(self, path: str, body: Any = None) -> Any:
        # Few keys, on all doors: what is no replay is refused, and nobody waits in a circle for it.
        once = f"k{self.lot.randrange(400)}" if self.lot.random() < 0.4 else ""
        return self.caller.post(path, body, once=once)

    def order(self, customer: str) -> dict[str, Any]:
        lines = [line("a", 999, 3), line("b", 1500, 2), line("c", 0, 1)]
        id = f"{customer}-{self.lot.randrange(200)}"
        return order(id, customer, *lines, shipping_fen=600, business_line="ride")

    def coupons(self, customer: str) -> list[str]:
        usable = Coupon.objects.filter(customer__key=customer, status__in=("available", "held"))
        found = list(usable.select_related("template"))
        by_group: dict[str, str] = {}
        for coupon in self.lot.sample(found, k=len(found)):
            by_group.setdefault(coupon.template.stack_group, str(coupon.pk))
        return self.lot.sample(list(by_group.values()), k=min(len(by_group), self.lot.randrange(1, 5)))

    def claim(self) -> Any:
        place = self.lot.choice(["p0", "p1", "p2", "p3", "p4", "all", "all"])
        return self.say(f"placements/{place}/claims/", {"customer": self.lot.choice(CUSTOMERS)})

    def redeem(self) -> Any:
        customer = self.lot.choice(CUSTOMERS)
        coupons = self.coupons(customer)
        if not coupons:
            return None
        captures = self.lot.random() < 0.5
        answer = self.say("redemptions/", {"order": self.order(customer), "coupons": coupons, "capture": captures})
        if answer.status == 201:
            self.held.append(answer.body.get("id", ""))
        return answer

    def end(self) -> Any:
        door = self.lot.choice(["capture", "release"])
        return self.say(f"redemptions/{self.lot.choice(self.held)}/{door}/") if self.held else None

    def roll_back(self) -> Any:
        if not self.held:
            return None
        some = {"lines": [{"id": "a", "quantity": 1}]}, {"lines": [{"id": "b"}, {"id": "shipping"}]}
        return self.say(f"redemptions/{self.lot.choice(self.held)}/rollbacks/", self.lot.choice([{}, *some]))

    def orders(self) -> Any:
        told = {one["id"]: one for one in (self.order(customer) for customer in self.lot.sample(CUSTOMERS, k=3))}
        return self.say("orders/", {"orders": list(told.values())})

    def customers(self) -> Any:
        told = [{"key": customer, "nickname": str(self.number)} for customer in self.lot.sample(CUSTOMERS, k=4)]
        return self.caller.post("customers/", {"customers": told})

    def tidy(self) -> None:
        self.lot.choice([ending.expire, ending.lapse, lapse])(timezone.now(), limit=3)

    def void(self) -> None:
        for coupon in list(Coupon.objects.order_by("?").values_list("pk", flat=True)[:1]):
            with suppress(Refused):
                ending.void(UUID(str(coupon)), now=timezone.now(), by="test", reason="")

    def document(self) -> Any:
        return self.say("campaigns/", self.lot.choice(self.documents))


def test_claims_uses_rollbacks_orders_documents_and_the_tidying_up_all_at_once(system, race, ledger, settings):
    settings.HOLD_MINUTES = 0.01
    caller = system("issue", "redeem", "manage", "approve", "profile")
    now = timezone.now()
    documents = [document(supply, now) for supply in (60, 61)]
    assert caller.post("campaigns/", documents[0]).status == 201
    before, until = deadlocks(), time.monotonic() + SECONDS
    parts = race(THREADS, lambda number: Storm(number, caller, until, documents).run())
    broken = [part for part in parts if isinstance(part, Exception)]
    assert not broken, broken[0]
    ledger()
    budget = Budget.objects.get()
    assert min(budget.committed_fen, budget.spent_fen) >= 0
    assert budget.committed_fen + budget.spent_fen <= 150_000
    assert not Supply.objects.filter(issued_count__gt=F("total_count")).exists()
    assert not Supply.objects.filter(day_count__gt=F("daily_count")).exists()
    assert not CustomerCounter.objects.filter(day_fen__gt=30_000).exists()
    done = {kind for part in parts for kind, status, _ in part if status < 300}
    assert done >= {"claim", "redeem", "orders"}
    assert deadlocks() - before <= 3  # one key at two doors may make a circle, and is tried again
