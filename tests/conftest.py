"""What every test may ask for.

clock       the business's clock, standing still at noon of Wednesday, 3 June 2026 in Shanghai:
            `clock.set("2026-06-05 10:00")`, `clock.forward(days=1)`, `clock.now()`. PostgreSQL's own clock goes on.
system      a system that calls the API: `system("issue", "redeem").post("placements/p/claims/", {...}, once="key")`
customer    a customer's own call: `customer("alice").get("coupons/", status="available")`
socket      lets `system` and `customer` made after it speak over a real socket (brings a committed database)
race        `race(20, lambda n: ...)`: so many threads, each with its own connection, let go at the same moment;
            what each returned or raised, in order
ledger      `ledger()` runs check_ledger and fails with every difference that it prints
query_count `with query_count() as count: ...; assert count.statements == 3`

A test that races or speaks over a socket carries `@pytest.mark.django_db(transaction=True)`; afterwards the database is
put back as the migrations left it. A test that is skipped in CI has failed.
"""

from __future__ import annotations

import io
import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import jwt
import pytest
import time_machine
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.test import Client, TransactionTestCase
from django.test.utils import CaptureQueriesContext

from tests import database, pristine

os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's sync API runs a loop in the test's thread
TransactionTestCase._fixture_teardown = pristine.restore  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and in CI a skipped test has failed: {report.longrepr}"
    return report


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock():
        pristine.keep()
    yield
    with django_db_blocker.unblock():  # the last threads of a server may still be closing their connections
        database.until_gone(set())


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Processes remember callers and templates; tests see ids and versions come again with other contents."""
    from coupons import gathering, sights
    from coupons.api import callers
    from coupons.conditions import names
    from coupons.queries import catalogue
    from distribution import claiming
    from distribution.h5 import pages

    callers.forget()
    claiming.forget()
    pages.forget()
    names.forget()
    gathering.forget()
    sights.forget()
    catalogue.start_anew()


# --- time --------------------------------------------------------------------------------------------------------


class Clock:
    def __init__(self, traveller: time_machine.Traveller) -> None:
        self._traveller = traveller

    def set(self, moment: str | datetime) -> datetime:
        """`2026-06-05 10:00`, in the business time zone unless it says otherwise."""
        at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        if at.tzinfo is None:
            at = at.replace(tzinfo=ZoneInfo(settings.TIME_ZONE))
        self._traveller.move_to(at, tick=False)
        return self.now()

    def forward(self, **how_far: float) -> datetime:
        self._traveller.shift(timedelta(**how_far))
        return self.now()

    def now(self) -> datetime:
        return datetime.now(ZoneInfo(settings.TIME_ZONE))


@pytest.fixture
def clock() -> Iterator[Clock]:
    noon = datetime(2026, 6, 3, 12, tzinfo=ZoneInfo(settings.TIME_ZONE))
    with time_machine.travel(noon, tick=False) as traveller:
        yield Clock(traveller)


# --- callers -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]  # names in lower case
    content: bytes = field(repr=False)

    @property
    def body(self) -> Any:
        return json.loads(self.content)

    @property
    def code(self) -> str:
        """The problem's code; empty if it is none."""
        return str(self.body.get("code", "")) if "problem" in self.headers.get("content-type", "") else ""

    @property
    def reasons(self) -> list[str]:
        return [reason["code"] for reason in self.body["reasons"]]

    @property
    def wrong(self) -> dict[str, str]:
        """Field → code of what was wrong with the body."""
        return {error["field"]: error["code"] for error in self.body["errors"]}


@dataclass(frozen=True)
class Caller:
    """Speaks to `/api/v1/`; `server` empty: within the process."""

    server: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, headers: dict[str, str] | None = None, **query: Any) -> Answer:
        return self.call("GET", path, headers=headers, query=query)

    def post(self, path: str, body: Any = None, *, once: str = "", headers: dict[str, str] | None = None) -> Answer:
        """`body`: what becomes JSON, or the bytes themselves. `once`: the Idempotency-Key."""
        return self.call("POST", path, body, headers={**({"Idempotency-Key": once} if once else {}), **(headers or {})})

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        query: dict[str, Any] | None = None,
    ) -> Answer:
        address = path if path.startswith("/") else f"/api/v1/{path}"
        content = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        said = {"Content-Type": "application/json", **self.headers, **(headers or {})}
        if self.server:
            got = httpx.request(method, self.server + address, content=content, headers=said, params=query, timeout=60)
            return Answer(got.status_code, {k.lower(): v for k, v in got.headers.items()}, got.content)
        kind = said.pop("Content-Type")
        here = Client().generic(method, address, content, kind, headers=said, query_params=query)
        return Answer(here.status_code, {k.lower(): v for k, v in here.headers.items()}, b"".join(here))


class Callers:
    server = ""

    def system(self, *scopes: str, name: str = "test") -> Caller:
        from coupons.models import ApiKey

        return Caller(self.server, {"Authorization": f"Api-Key {ApiKey.make(name, list(scopes))[1]}"})

    def customer(self, key: str, **claims: Any) -> Caller:
        """`claims` change what the member centre would say; None leaves a claim out."""
        said = {
            "sub": key,
            "iss": settings.CUSTOMER_JWT_ISSUER,
            "aud": settings.CUSTOMER_JWT_AUDIENCE,
            "exp": datetime.now(ZoneInfo("UTC")) + timedelta(days=365),
            **claims,
        }
        kept = {name: value for name, value in said.items() if value is not None}
        return Caller(self.server, {"Authorization": f"Bearer {jwt.encode(kept, settings.CUSTOMER_JWT_KEY)}"})


@pytest.fixture
def _callers() -> Callers:
    return Callers()


@pytest.fixture
def system(_callers: Callers) -> Callable[..., Caller]:
    return _callers.system


@pytest.fixture
def customer(_callers: Callers) -> Callable[..., Caller]:
    return _callers.customer


@pytest.fixture
def socket(_callers: Callers, live_server: Any) -> str:
    """The address of the server."""
    _callers.server = live_server.url
    return str(live_server.url)


# --- proofs ------------------------------------------------------------------------------------------------------


@pytest.fixture
def race() -> Callable[..., list[Any]]:
    def run(count: int, act: Callable[[int], Any]) -> list[Any]:
        start, came = threading.Barrier(count), [None] * count

        def one(number: int) -> None:
            try:
                connection.ensure_connection()
                start.wait(timeout=60)
                came[number] = act(number)
            except Exception as exception:
                came[number] = exception  # type: ignore[call-overload]
            finally:
                connections.close_all()

        threads = [threading.Thread(target=one, args=[number]) for number in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return came

    return run


@pytest.fixture
def ledger() -> Callable[[], None]:
    def check() -> None:
        said = io.StringIO()
        try:
            call_command("check_ledger", stdout=said, stderr=said)
        except SystemExit as end:
            if end.code:
                pytest.fail(f"check_ledger found differences:\n{said.getvalue()}")

    return check


class Count(CaptureQueriesContext):
    @property
    def statements(self) -> int:
        return len([query for query in self.captured_queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])


@pytest.fixture
def query_count() -> Callable[[], Any]:
    @contextmanager
    def counting() -> Iterator[Count]:
        with Count(connection) as count:
            yield count

    return counting
