"""The operators' first page, and the reports, with few coupons in the database and with many."""

import http.client
import shutil
import statistics
from datetime import date, timedelta
from time import perf_counter
from typing import NamedTuple

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import sync_playwright

from distribution.models import Campaign
from stats.models import Report
from stats.reporting.ready import ready

FEW, MANY = 10_000, 10_000_000
#: Of the first page: many against few; what is painted first, in ms. Of every other page, in ms.
MOST_RATIO, PAINT_MS, PAGE_MS = 1.5, 300.0, 3000.0
ROUNDS = 15
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


class Page(NamedTuple):
    name: str
    path: str


class Opened(NamedTuple):
    """Milliseconds until the whole answer was there: the median, and the worst."""

    median: float
    worst: float


def sign_in() -> str:
    """The session of somebody who may see everything."""
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    return client.cookies["sessionid"].value


def pages() -> list[Page]:
    """The first page, also filtered; each ready-made report, saved; placements side by side."""
    person = User.objects.get(username="bench")
    saved = [Report.objects.create(name=str(one.name), question=one.question, owner=person) for one in ready()]
    campaign = Campaign.objects.filter(placements__key="past-0").get()
    comparison = "/admin/stats/report/comparison/"
    today = date.today()
    last = f"first={today - timedelta(days=89)}&last={today}"
    return [
        Page("first page, 90 days", f"/admin/?days=90&{last}"),
        Page("first page of one campaign", f"/admin/?campaign={campaign.pk}"),
        Page("first page of one channel", "/admin/?channel=coupon_center"),
        Page("first page of one city", "/admin/?city=110000"),
        *(Page(f"report: {one.name}", f"/admin/stats/report/{one.pk}/change/") for one in saved),
        Page("channels with their forms side by side, 90 days", comparison),
        Page("placements side by side, since the beginning", f"{comparison}?by=placement&period=all"),
        Page("placements of a campaign side by side", f"{comparison}?campaign={campaign.pk}"),
    ]


def opened(port: int, session: str, path: str, rounds: int = ROUNDS) -> Opened:
    """On a kept connection, after two that do not count: each worker has compiled its templates then."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    found = []
    for _round in range(rounds + 2):
        began = perf_counter()
        connection.request("GET", path, headers={"Cookie": f"sessionid={session}"})
        answer = connection.getresponse()
        answer.read()
        found.append((perf_counter() - began) * 1000)
        assert answer.status == 200, f"{path}: {answer.status}"
    connection.close()
    return Opened(statistics.median(found[2:]), max(found[2:]))


#: When the first figure of the page had been drawn.
FIGURE = """
new MutationObserver((_changes, watch) => {
  if (!document.querySelector("#card-issued")) return;
  watch.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.figure = performance.now(); }));
}).observe(document, { childList: true, subtree: true });
"""


def painted(port: int, session: str, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds from asking for the first page until Chromium paints something, and until it paints a figure;
    styles and scripts in its cache; medians. A new tab has a process to start first.
    """
    address = f"http://127.0.0.1:{port}/admin/"
    found: dict[str, list[float]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS))), args=["--no-sandbox", "--disable-gpu"]
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": "sessionid", "value": session, "url": address}])
        context.add_init_script(FIGURE)
        page = context.new_page()
        for tab in ("the same tab", "a new tab"):
            for round_ in range(rounds + 2):
                if tab == "a new tab":
                    page.close()
                    page = context.new_page()
                page.goto(address)
                page.wait_for_function("window.figure && performance.getEntriesByName('first-contentful-paint').length")
                first = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
                if round_ > 1:
                    found.setdefault(f"first paint in {tab}", []).append(first)
                    found.setdefault(f"first figure in {tab}", []).append(page.evaluate("window.figure"))
        browser.close()
    return {name: statistics.median(times) for name, times in found.items()}
