"""`make bench`: every path against its floor, in one run on one machine, medians over rounds that alternate.

    python -m tests.bench [doors|database|rehearsal|ledger …] [--rounds N] [--seconds S]
    python -m tests.bench dashboard [--coupons N]      only on request: ten million coupons

Runs on a database of its own beside the one that DATABASE_URL names (the embedded server if none), on loopback, and
drops it again. Commits wait for the disk on both sides of every ratio.
"""

import argparse
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.bench.settings")

import django

django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections

from couponsite import serving
from tests.bench import (
    areas,
    bulk,
    company,
    dashboard,
    database,
    doors,
    facts,
    history,
    ledger,
    load,
    pricing,
    rehearsal,
    reminders,
    settlement,
)
from tests.database import address

#: Until every worker has compiled every template.
WARM_SECONDS = 3.0

PARTS = ("doors", "database", "ledger", "rehearsal", "bulk", "facts", "areas", "reminders", "pricing", "settlement")
#: Takes a quarter of an hour and 20 GB of disk, so only when it is asked for.
ON_REQUEST = ("dashboard",)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, *ON_REQUEST, []], default=list(PARTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="each path, each round")
    parser.add_argument("--customers", type=int, default=facts.CUSTOMERS, help="of the part facts")
    parser.add_argument("--coupons", type=int, help="of the parts ledger, reminders and dashboard")
    told = parser.parse_args()
    with scratch_database() as dsn:
        if {*told.parts} - {"facts", "bulk", "pricing", "settlement", "ledger", "dashboard"}:
            say("Making templates, customers and coupons …")
            filled = company.fill()
        if "doors" in told.parts:
            show_doors(filled, told.rounds, told.seconds)
        # After the doors, which redeem chosen coupons: this part takes whichever are left.
        if "database" in told.parts:
            show_database(dsn, filled, told.rounds)
        if "ledger" in told.parts:
            show_ledger(told.coupons or ledger.COUPONS)
        if "rehearsal" in told.parts:
            show_rehearsal()
        if "bulk" in told.parts:
            show_bulk(min(told.rounds, 3))
        if "areas" in told.parts:
            show_areas()
        if "reminders" in told.parts:
            show_reminders(told.coupons or reminders.COUPONS)
        if "facts" in told.parts:
            show_facts(told.customers)
        if "pricing" in told.parts:
            show_pricing()
        if "settlement" in told.parts:
            show_settlement()
        if "dashboard" in told.parts:
            show_dashboard(told.coupons or dashboard.MANY)


def show_doors(filled: company.Company, rounds: int, seconds: float) -> None:
    say("\nDoors over HTTP, 8 connections, the production server with one worker per core")
    paths = doors.paths(filled)
    found: dict[str, list[load.Driven]] = {path.name: [] for path in paths}
    with server() as (port, process):
        for path in paths:
            load.drive(port, path.requests, WARM_SECONDS, [])
        for number in range(rounds):
            for path in paths:
                driven = load.drive(port, path.requests, seconds, processes_of(process))
                if set(driven.statuses) != {path.status}:
                    sys.exit(f"{path.name}: answered {dict(driven.statuses)}, not {path.status}")
                found[path.name].append(driven)
            say(f"  round {number + 1} of {rounds}")
    rate = {name: statistics.median(one.rate for one in driven) for name, driven in found.items()}
    cpu = {name: statistics.median(one.cpu for one in driven) for name, driven in found.items()}
    say(f"\n{'path':<38}{'per second':>11}{'µs of CPU':>11}{'ratio':>8}{'by CPU':>8}{'limit':>7}")
    for path in paths:
        line = f"{path.name:<38}{rate[path.name]:>11.0f}{cpu[path.name]:>11.0f}"
        if path.floor:
            ratio = rate[path.name] / rate[path.floor]
            by_cpu = cpu[path.floor] / cpu[path.name]
            line += f"{ratio:>8.2f}{by_cpu:>8.2f}{path.least:>7.2f}  {'met' if ratio >= path.least else 'short'}"
        say(line)


def show_database(dsn: str, filled: company.Company, rounds: int) -> None:
    say("\nThe database alone, 8 clients, every turn committed")
    measured = database.measure(dsn, filled.many, rounds, 150, say)
    say(f"\n{'step':<32}{'floor':<38}{'per second':>11}{'ratio':>8}{'limit':>7}")
    for one in measured:
        aim = f"{one.least:>7.2f}  {'met' if one.ratio >= one.least else 'short'}" if one.least else ""
        say(f"{one.name:<32}{one.floor:<38}{one.rate:>11.0f}{one.ratio:>8.2f}{aim}")


def show_reminders(coupons: int) -> None:
    say(f"\nReminders, {coupons:,} coupons more, one in ten due …")
    found = reminders.measure(coupons)
    met = "met" if found.seconds <= found.limit else "short"
    say(f"{found.due:,} chosen of {found.coupons:,}: {found.seconds:.1f} s, limit {found.limit:.1f} s  {met}")


def show_bulk(rounds: int) -> None:
    say("\nA million at once, by the real jobs")
    say(f"\n{'work':<50}{'seconds':>9}{'found':>10}{'limit':>10}")
    for one in bulk.measure(rounds):
        met = "met" if one.found <= one.most else "over"
        say(f"{one.name:<50}{one.seconds:>9.1f}{one.found:>9.2f}{one.unit}{one.most:>9.1f}{one.unit}  {met}")


def show_areas() -> None:
    median, slow = areas.measure()
    met = "met" if median <= areas.LIMIT_MS else "short"
    say(f"\nOne position among {areas.AREAS:,} areas: {median:.3f} ms, limit {areas.LIMIT_MS:.0f} ms  {met}")
    say(f"One in a hundred takes longer than {slow:.3f} ms.")


def show_ledger(made: int) -> None:
    say(f"\ncheck_ledger with {made:,} coupons more …")
    coupons, events, seconds, said = ledger.measure(made)
    limit = ledger.LIMIT_SECONDS * made / ledger.COUPONS
    met = "met" if seconds <= limit else "short"
    say(f"{coupons:,} coupons, {events:,} events: {seconds:.1f} s, limit {limit:.0f} s  {met}")
    say(said[-2000:])


def show_rehearsal() -> None:
    say(f"\nA rehearsal on {rehearsal.ORDERS:,} orders …")
    orders, seconds, said = rehearsal.measure()
    met = "met" if seconds <= rehearsal.LIMIT_SECONDS else "short"
    say(f"{orders:,} orders: {seconds:.1f} s, limit {rehearsal.LIMIT_SECONDS:.0f} s  {met}\n{said}")


def show_facts(customers: int) -> None:
    say(f"\nFacts of {customers:,} customers; limits are those of a million, in scale …")
    for one in facts.measure(customers):
        met = "met" if one.seconds <= one.limit else "short"
        say(f"{one.name:<60}{one.seconds:>8.2f} s, limit {one.limit:.2f} s  {met}")


def show_pricing() -> None:
    median, worst = pricing.measure()
    met = "met" if median <= pricing.LIMIT_MS else "short"
    say(f"\nBest set of {pricing.COUPONS} coupons in {pricing.GROUPS} groups that cut across each other")
    say(f"median {median:.1f} ms, worst {worst:.1f} ms, limit {pricing.LIMIT_MS:.0f} ms  {met}")


def show_settlement() -> None:
    many, shops = settlement.REDEMPTIONS, settlement.MERCHANTS
    say(f"\nA statement over {many:,} redemptions of {shops} merchants, with its Excel …")
    seconds, parties = settlement.measure()
    met = "met" if seconds <= settlement.LIMIT_SECONDS else "short"
    say(f"{parties} parties: {seconds:.1f} s, limit {settlement.LIMIT_SECONDS:.0f} s  {met}")


def show_dashboard(many: int) -> None:
    few, session, first = dashboard.FEW, dashboard.sign_in(), dashboard.Page("first page", "/admin/")
    found: dict[int, tuple[dashboard.Opened, dict[str, float]]] = {}
    for coupons, known in ((few, 0), (many, few)):
        say(f"\nA past of {coupons:,} coupons …")
        history.fill(coupons - known, known, say)
        with server(STATIC_COLLECTED="true") as (port, _process):
            found[coupons] = dashboard.opened(port, session, first.path), dashboard.painted(port, session)
            others = [(page, dashboard.opened(port, session, page.path, 5)) for page in dashboard.pages()] * (known > 0)
    say(f"\n{'page, ms':<58}{'median':>8}{'worst':>8}{'limit':>8}")
    for page, taken in others:
        met = "met" if taken.median <= dashboard.PAGE_MS else "over"
        say(f"{page.name:<58}{taken.median:>8.0f}{taken.worst:>8.0f}{dashboard.PAGE_MS:>8.0f}  {met}")
    for coupons, (taken, paints) in found.items():
        say(f"{f'first page, {coupons:,} coupons':<58}{taken.median:>8.0f}{taken.worst:>8.0f}")
        for name, paint in paints.items():
            limit = f"{dashboard.PAINT_MS:>8.0f}  {'met' if paint <= dashboard.PAINT_MS else 'over'}"
            say(f"{f'{name}, {coupons:,} coupons':<58}{paint:>8.0f}{'':>8}{limit if 'paint' in name else ''}")
    ratio = found[many][0].median / found[few][0].median
    met = "met" if ratio <= dashboard.MOST_RATIO else "over"
    say(f"{'many against few':<58}{ratio:>8.2f}{'':>8}{dashboard.MOST_RATIO:>8.2f}  {met}")


@contextmanager
def scratch_database() -> Iterator[str]:
    """A database for this run alone; its address for psycopg."""
    name = f"bench_{os.getpid()}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        cursor.execute(f"ALTER DATABASE {name} SET synchronous_commit TO on")
        home = connection.settings_dict["NAME"]
    connection.close()
    settings.DATABASES["default"]["NAME"] = name
    connections["default"].settings_dict["NAME"] = name
    try:
        call_command("migrate", verbosity=0)
        yield dsn_of(connection.settings_dict)
    finally:
        connection.close()
        connections["default"].settings_dict["NAME"] = home
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")


def dsn_of(where: dict[str, object]) -> str:
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    return " ".join(f"{name}='{where[key]}'" for key, name in names.items() if where.get(key))


@contextmanager
def server(**more: str) -> Iterator[tuple[int, int]]:
    """The production server on a free port: port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATABASE_URL": address(), "DEBUG": "false", "ALLOWED_HOSTS": "localhost,127.0.0.1"}
    environment |= more
    if "STATIC_COLLECTED" in more:
        collect = [sys.executable, "manage.py", "collectstatic", "--no-input", "--verbosity", "0"]
        subprocess.run(collect, env=environment, check=True)
    process = subprocess.Popen(serving.command("127.0.0.1", port, os.cpu_count() or 1), env=environment)
    try:
        for _attempt in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/health/", timeout=2)
                break
            except OSError:
                time.sleep(0.1)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(20)


def processes_of(server: int) -> list[int]:
    """The server's processes and the database's for this run's connections."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")
        backends = [found[0] for found in cursor.fetchall()]
    return [*load.family(server), *backends]


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    main()
