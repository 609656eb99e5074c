"""What is measured against: templates, customers and coupons, made through the real steps."""

import secrets
from typing import NamedTuple

from django.db import connection

from coupons.answers import Reply
from coupons.lifecycle.issuing import Grant, issue
from coupons.models import ApiKey, Category, Customer
from coupons.queries import catalogue
from tests import making

TEMPLATES = 200
CUSTOMERS = 5000
WALLETS = 100
RULES = 50
TO_REDEEM = 20_000


class Company(NamedTuple):
    key: str
    placements: list[str]
    sold_out: str
    wallets: list[str]
    #: Customer and coupon, each to be redeemed once.
    to_redeem: list[tuple[str, str]]
    hot: int
    many: list[int]


def fill() -> Company:
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")
    Customer.objects.bulk_create(Customer(key=f"c{n}", order_count=n % 7) for n in range(CUSTOMERS))
    for n in range(20):
        Category.objects.create(key=f"k{n}", name=f"品类{n}")
    claimed = [
        making.template(
            making.campaign(budget_fen=10**12),
            key=f"many-{n}",
            claim_conditions={"order_count": {"max": 100}},
            limits={"total_count": 10**9, "daily_count": 10**9, "customer_count": 10**6, "total_fen": 10**12},
        )
        for n in range(TEMPLATES)
    ]
    placements = [making.placement(template, key=f"p-{n}").key for n, template in enumerate(claimed)]
    making.claim_page(claimed[0], slug="bench", picture="", notes="每人一张\n领取后7天内有效")
    sold_out = making.placement(making.template(limits={"total_count": 0}), key="gone").key
    for n in range(RULES):  # all listen; each fits one level of customers, as rules for bands do
        making.trigger(
            making.template(making.campaign(budget_fen=10**12), limits={"customer_count": 10**6}),
            event="app_open",
            tests=[{"field": "level", "is": "=", "value": n}, {"field": "page", "is": "!=", "value": "ad"}],
            conditions={"order_count": {"max": 100}, "clients": {"any_of": ["app"]}},
        )
    held = [
        making.template(
            key=f"held-{n}",
            amount_fen=100 + 10 * n,
            threshold_fen=1000,
            scope={"categories": [f"k{n}", f"k{(n + 7) % 20}"]} if n % 2 else {},
            stack_group=("order", "merchant", "food", "order")[n % 4],
            use_conditions={"clients": {"any_of": ["app"]}, "order_count": {"max": 100}},
        )
        for n in range(20)
    ]
    now = catalogue.business_now()
    book = catalogue.current()
    compiled = book.templates([template.id for template in (*claimed, *held)])
    reply = Reply(201, b"{}")

    def give(customer: str, template: int) -> str:
        grant = Grant.of(compiled[template], now)
        issued = issue([grant], customer=customer, now=now, by="bench", version=None, reply=reply)
        assert isinstance(issued, Reply)
        return str(grant.id)

    wallets = [f"w{n}" for n in range(WALLETS)]
    for wallet in wallets:
        for template in held:
            give(wallet, template.id)
    to_redeem = [(f"c{n % CUSTOMERS}", give(f"c{n % CUSTOMERS}", claimed[n % TEMPLATES].id)) for n in range(TO_REDEEM)]
    _key, text = ApiKey.make("bench", list(ApiKey.Scope.values))
    secrets.SystemRandom().shuffle(to_redeem)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return Company(text, placements, sold_out, wallets, to_redeem, claimed[0].id, [template.id for template in claimed])
