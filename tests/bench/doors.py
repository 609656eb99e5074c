"""Each door over HTTP, against an empty REST framework view on the same server in the same run."""

import itertools
import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from django.core import signing

from tests.bench.company import CUSTOMERS, RULES, Company
from tests.bench.load import request

API = "/api/v1"


class Path(NamedTuple):
    """``floor``: the path it is held against; ``least``: the ratio of throughput aimed for."""

    name: str
    requests: Iterator[bytes]
    status: int
    floor: str = ""
    least: float = 0.0


def paths(company: Company) -> list[Path]:
    key = company.key
    numbers = itertools.count()
    luck = random.Random(1)

    def empty_post() -> Iterator[bytes]:
        body = _json({"customer": "c1", "client": "app", "city": "310000"})
        while True:
            yield request("POST", f"{API}/empty/", key, body)

    def empty_get() -> Iterator[bytes]:
        while True:
            yield request("GET", f"{API}/empty/", key)

    def claims() -> Iterator[bytes]:
        while True:
            body = _json({"customer": f"c{luck.randrange(CUSTOMERS)}", "client": "app", "city": "310000"})
            place = luck.choice(company.placements)
            yield request("POST", f"{API}/placements/{place}/claims/", key, body, once=f"claim-{next(numbers)}")

    def sold_out(with_key: bool) -> Iterator[bytes]:
        while True:
            body = _json({"customer": f"c{luck.randrange(CUSTOMERS)}", "client": "app", "city": "310000"})
            once = f"gone-{next(numbers)}" if with_key else ""
            yield request("POST", f"{API}/placements/{company.sold_out}/claims/", key, body, once=once)

    def wallets() -> Iterator[bytes]:
        while True:
            yield request("GET", f"{API}/coupons/?status=available&customer={luck.choice(company.wallets)}", key)

    def quotes() -> Iterator[bytes]:
        while True:
            yield request("POST", f"{API}/quotes/", key, _json({"order": order(luck.choice(company.wallets), 20)}))

    def redemptions() -> Iterator[bytes]:
        for customer, coupon in company.to_redeem:
            body = _json({"order": order(customer, 2, next(numbers)), "coupons": [coupon], "capture": True})
            yield request("POST", f"{API}/redemptions/", key, body, once=f"redeem-{coupon}")

    def events(one_in: int) -> Iterator[bytes]:
        """Of so many one gives; 0: none does."""
        occurred_at = datetime.now(UTC).isoformat()
        while True:
            number = next(numbers)
            fits = one_in and number % one_in == 0
            body = _json(
                {
                    "event": "app_open",
                    "customer": f"c{number * 7919 % CUSTOMERS}",
                    "occurred_at": occurred_at,
                    "client": "app",
                    "data": {"level": luck.randrange(RULES) if fits else RULES, "page": "home"},
                }
            )
            yield request("POST", f"{API}/events/", key, body, once=f"event-{number}")

    def pages(path: str, cookie: str = "") -> Iterator[bytes]:
        said = f"Cookie: h5_session={cookie}\r\n" if cookie else ""
        while True:
            yield f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{said}\r\n".encode()

    visitor = signing.dumps(["+8613800138000", company.wallets[0], ""], salt="h5_session")
    return [
        Path("empty page from a Django template", pages("/empty/"), 200),
        Path("H5 page", pages("/h5/bench/"), 200, "empty page from a Django template", 0.50),
        Path("H5 page, signed in", pages("/h5/bench/", visitor), 200, "empty page from a Django template"),
        Path("empty DRF POST", empty_post(), 200),
        Path("empty DRF GET", empty_get(), 200),
        Path("claim, many templates", claims(), 201, "empty DRF POST", 0.70),
        Path("claim refused as sold out", sold_out(False), 409, "empty DRF POST", 1.0),
        Path("claim refused as sold out, with key", sold_out(True), 409, "empty DRF POST", 1.0),
        Path("event, 50 rules, none fits", events(0), 200, "empty DRF POST", 0.40),
        Path("event, 50 rules, one in ten gives", events(10), 200, "empty DRF POST", 0.40),
        Path("event, 50 rules, each gives", events(1), 200, "empty DRF POST"),
        Path("wallet of 20", wallets(), 200, "empty DRF GET", 0.55),
        Path("quote of 20 coupons on 20 lines", quotes(), 200, "empty DRF POST", 0.50),
        Path("redeem, capture in one call", redemptions(), 201, "empty DRF POST", 0.60),
    ]


def order(customer: str, lines: int, number: int = 0) -> dict[str, object]:
    return {
        "id": f"order-{number}",
        "customer": customer,
        "client": "app",
        "city": "310000",
        "lines": [
            {"id": str(n), "category": f"k{n % 20}", "unit_price_fen": 5500 + n, "quantity": 1 + n % 3}
            for n in range(lines)
        ],
    }


def _json(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
